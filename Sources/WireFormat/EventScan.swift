import UsageModel

/// The attributes that CloudEvents gives a meaning, in the order in which faults are reported.
enum Attribute: Int {
    case specversion, id, source, type, subject, time, data, dataBase64

    @inline(__always)
    var bit: UInt32 { 1 &<< UInt32(truncatingIfNeeded: rawValue) }

    // Names of up to seven bytes as one word, the first byte lowest. No name has a zero byte.
    static let idTag: UInt64 = 0x6469
    static let sourceTag: UInt64 = 0x6563_7275_6f73
    static let typeTag: UInt64 = 0x6570_7974
    static let subjectTag: UInt64 = 0x74_6365_6a62_7573
    static let timeTag: UInt64 = 0x656d_6974
    static let dataTag: UInt64 = 0x6174_6164

    /// The attribute of a name of `length` bytes that begins with `tag`.
    init?(tag: UInt64, length: Int, rest: (Int) -> UInt8) {
        switch (tag, length) {
        case (Self.idTag, 2): self = .id
        case (Self.sourceTag, 6): self = .source
        case (Self.typeTag, 4): self = .type
        case (Self.subjectTag, 7): self = .subject
        case (Self.timeTag, 4): self = .time
        case (Self.dataTag, 4): self = .data
        case (0x7372_6576_6365_7073, 11):
            guard rest(8) == 0x69, rest(9) == 0x6f, rest(10) == 0x6e else { return nil }
            self = .specversion
        case (0x7361_625f_6174_6164, 11):
            guard rest(8) == 0x65, rest(9) == 0x36, rest(10) == 0x34 else { return nil }
            self = .dataBase64
        default: return nil
        }
    }
}

/// What one event says of itself, before it is judged.
struct Envelope {
    /// A bit per attribute: its name is there.
    var seen: UInt32 = 0
    /// A bit per attribute: there, but no string.
    var notString: UInt32 = 0
    /// A bit per attribute: there, but null, which CloudEvents reads as absent.
    var null: UInt32 = 0
    /// `specversion` is "1.0".
    var isVersionOne = false
    /// Where the first extension attribute with an object or array stands.
    var extensionFault = -1
    var id = ByteSlice.empty
    var source = ByteSlice.empty
    var type = ByteSlice.empty
    var subject = ByteSlice.empty
    var time = ByteSlice.empty
    var data = ByteSlice.empty
}

extension JSONScanner {
    /// Scans the event whose opening brace is at `start` and returns the place behind it.
    mutating func event(_ start: Int, into envelope: inout Envelope) -> Int {
        names.open()
        var at = skipSpace(start &+ 1)
        if bytes[at] == Ascii.closeBrace {
            names.close()
            return at &+ 1
        }
        while true {
            at = attribute(at, into: &envelope)
            if at < 0 { return at }
            if at == end { return syntax(.unexpectedEnd, at: at) }
            at = skipSpace(at)
            if bytes[at] == Ascii.comma {
                at = skipSpace(at &+ 1)
                continue
            }
            guard bytes[at] == Ascii.closeBrace else { return syntax(.commaOrBrace, at: at) }
            closeObject()
            return at &+ 1
        }
    }

    /// Scans one attribute, name and value.
    @inline(__always)
    private mutating func attribute(_ start: Int, into envelope: inout Envelope) -> Int {
        guard bytes[start] == Ascii.quote else { return syntax(.name, at: start) }
        let text = start &+ 1
        guard text &+ 8 <= end else { return longAttribute(text, into: &envelope) }
        let word = bytes.word(text)
        let marks = Lanes.stringSpecials(word)
        if marks == 0 { return longAttribute(text, into: &envelope) }
        let length = Lanes.first(marks)
        guard bytes[text &+ length] == Ascii.quote else {
            return longAttribute(text, into: &envelope)
        }
        let tag = word & Lanes.mask(bytes: length)
        let at = colon(text &+ length &+ 1)
        if at < 0 { return at }
        let known: Attribute
        switch tag {
        case Attribute.idTag: known = .id
        case Attribute.sourceTag: known = .source
        case Attribute.typeTag: known = .type
        case Attribute.subjectTag: known = .subject
        case Attribute.timeTag: known = .time
        case Attribute.dataTag: return dataAttribute(at, place: start, into: &envelope)
        default:
            addName(tag: tag, offset: text, length: length, place: start)
            return extensionAttribute(at, into: &envelope)
        }
        return textAttribute(known, at, place: start, into: &envelope)
    }

    /// The rest of ``attribute`` for names of eight bytes and more, or with anything unusual.
    @inline(never)
    private mutating func longAttribute(_ text: Int, into envelope: inout Envelope) -> Int {
        let close = stringEnd(text)
        if !close.isPlain { return unusualAttribute(text, close: close, into: &envelope) }
        let length = close.index &- text
        let tag = bytes.prefix(text, length: length)
        let at = colon(close.index &+ 1)
        if at < 0 { return at }
        let bytes = bytes
        if let known = Attribute(tag: tag, length: length, rest: { bytes[text &+ $0] }) {
            return knownAttribute(known, at, place: text &- 1, into: &envelope)
        }
        addName(tag: tag, offset: text, length: length, place: text &- 1)
        return extensionAttribute(at, into: &envelope)
    }

    @inline(never)
    private mutating func unusualAttribute(
        _ text: Int,
        close: StringEnd,
        into envelope: inout Envelope
    ) -> Int {
        if close.isFailed { return Self.failed }
        let at = colon(close.index + 1)
        if at < 0 { return at }
        guard let name = unescapedName(text, close: close) else { return value(at) }
        let spilled = name.offset - bytes.count
        let rest = nameSpill[spilled...]
        if let known = Attribute(
            tag: name.tag,
            length: name.length,
            rest: { rest[spilled + $0] }
        ) {
            return knownAttribute(known, at, place: text - 1, into: &envelope)
        }
        addName(tag: name.tag, offset: name.offset, length: name.length, place: text - 1)
        return extensionAttribute(at, into: &envelope)
    }

    @inline(__always)
    private mutating func extensionAttribute(_ at: Int, into envelope: inout Envelope) -> Int {
        if bytes[at] | 0x20 == Ascii.openBrace, envelope.extensionFault < 0 {
            envelope.extensionFault = at
        }
        return value(at)
    }

    private mutating func knownAttribute(
        _ known: Attribute,
        _ at: Int,
        place: Int,
        into envelope: inout Envelope
    ) -> Int {
        known == .data
            ? dataAttribute(at, place: place, into: &envelope)
            : textAttribute(known, at, place: place, into: &envelope)
    }

    @inline(__always)
    private mutating func dataAttribute(
        _ at: Int,
        place: Int,
        into envelope: inout Envelope
    ) -> Int {
        see(.data, place: place, in: &envelope)
        let behind = value(at)
        envelope.data = slice(at, behind)
        return behind
    }

    @inline(__always)
    private mutating func see(_ known: Attribute, place: Int, in envelope: inout Envelope) {
        if envelope.seen & known.bit != 0 { note(.duplicateMember, at: place) }
        envelope.seen |= known.bit
    }

    /// An attribute that should be a string; `at` is the first byte of its value.
    @inline(__always)
    private mutating func textAttribute(
        _ known: Attribute,
        _ at: Int,
        place: Int,
        into envelope: inout Envelope
    ) -> Int {
        see(known, place: place, in: &envelope)
        guard bytes[at] == Ascii.quote else { return notString(known, at, into: &envelope) }
        let text = at &+ 1
        let close = stringEnd(text)
        if close.isFailed { return Self.failed }
        let found = close.isPlain ? slice(text, close.index) : unescaped(text, close: close)
        switch known {
        case .specversion: envelope.isVersionOne = isVersionOne(found)
        case .id: envelope.id = found
        case .source: envelope.source = found
        case .type: envelope.type = found
        case .subject: envelope.subject = found
        case .time: envelope.time = found
        case .data, .dataBase64: break
        }
        return close.index &+ 1
    }

    @inline(never)
    private mutating func notString(
        _ known: Attribute,
        _ at: Int,
        into envelope: inout Envelope
    ) -> Int {
        envelope.notString |= known.bit
        if bytes[at] == UInt8(ascii: "n") { envelope.null |= known.bit }
        return value(at)
    }

    @inline(__always)
    private mutating func slice(_ start: Int, _ end: Int) -> ByteSlice {
        ByteSlice(
            offset: UInt32(truncatingIfNeeded: start),
            count: UInt32(truncatingIfNeeded: end &- start)
        )
    }

    /// The text of an attribute with escapes, put behind the bytes; empty if it has a fault.
    @inline(never)
    private mutating func unescaped(_ text: Int, close: StringEnd) -> ByteSlice {
        if close.isFaulty { return .empty }
        if !close.hasEscapes { return slice(text, close.index) }
        let start = spill.count
        appendUnescaped(bytes.slice(text..<close.index), to: &spill)
        return slice(bytes.count + start, bytes.count + spill.count)
    }

    @inline(__always)
    private mutating func isVersionOne(_ found: ByteSlice) -> Bool {
        let start = Int(found.offset)
        guard found.count == 3 else { return false }
        if start >= bytes.count { return spill[(start - bytes.count)...].elementsEqual("1.0".utf8) }
        return bytes[start] == 0x31 && bytes[start &+ 1] == 0x2e && bytes[start &+ 2] == 0x30
    }
}
