import UsageModel

/// One pass over JSON bytes that checks everything and copies nothing.
///
/// Two kinds of fault are told apart. A *syntax fault* means that the structure cannot be followed:
/// the scan ends, every function returns `failed`. A *content fault* (encoding, names, depth,
/// numbers) is noted, the one at the lowest offset wins, and the scan goes on, so that one bad
/// event does not take its neighbours with it.
///
/// How it stays inside the bytes without asking at every step: the last byte is a closing brace or
/// bracket, or else a zero byte stands behind it (``init`` is told so by whoever holds the bytes).
/// Spaces, numbers and punctuation all stop there; strings ask for the end themselves; and after
/// every value, the only step that can pass that last byte, `at == end` is asked.
struct JSONScanner {
    static let failed = -1
    let bytes: RawBytes
    /// One past the last byte of the text; what is behind (the zero byte) is no text.
    let end: Int
    /// The most containers that may be open in one value.
    private let levelMax: Int
    /// A newline is no space where it ends the event.
    let isLines: Bool
    private let spaces: UInt64

    var names = NameStack()
    /// Text of attributes that were spelled with escapes; it goes behind the bytes in the end.
    var spill: [UInt8] = []
    /// Text of names that were spelled with escapes, for comparison; cleared for every event.
    var nameSpill: [UInt8] = []

    /// The lowest content fault since ``resetFaults``.
    private(set) var faultOffset = Int.max
    private(set) var faultReason = RejectionReason.invalidUTF8
    private(set) var syntaxOffset = 0
    private(set) var syntaxFault = SyntaxFault.value

    /// - Parameter bytes: Not empty; at `end - 1` a closing brace or bracket, or at `end` a zero
    ///   byte.
    init(bytes: RawBytes, end: Int, isLines: Bool, levelMax: Int) {
        assert(
            end < bytes.count || [Ascii.closeBrace, Ascii.closeBracket].contains(bytes[end - 1])
        )
        (self.bytes, self.end, self.isLines) = (bytes, end, isLines)
        self.levelMax = min(levelMax, Limits.eventDepthMax)
        spaces = 1 << 0x20 | 1 << 0x0d | 1 << 0x09 | (isLines ? 0 : 1 << 0x0a)
    }

    mutating func resetFaults() {
        faultOffset = .max
        names.reset()
        if !nameSpill.isEmpty { nameSpill.removeAll(keepingCapacity: true) }
    }

    @inline(never)
    mutating func note(_ reason: RejectionReason, at offset: Int) {
        if offset < faultOffset { (faultOffset, faultReason) = (offset, reason) }
    }

    @inline(never)
    mutating func syntax(_ fault: SyntaxFault, at offset: Int) -> Int {
        syntaxOffset = min(offset, end)
        syntaxFault = offset >= end ? .unexpectedEnd : fault
        return Self.failed
    }

    // MARK: Spaces

    /// The first byte from `at` on that is no space. `at` must not be past the last byte.
    @inline(__always)
    func skipSpace(_ at: Int) -> Int {
        bytes[at] > 0x20 ? at : Self.spaceEnd(bytes, at, spaces)
    }

    @inline(never)
    private static func spaceEnd(_ bytes: RawBytes, _ start: Int, _ spaces: UInt64) -> Int {
        var at = start
        while bytes[at] <= 0x20, spaces &>> UInt64(bytes[at]) & 1 != 0 {
            at &+= 1
        }
        return at
    }

    // MARK: Values

    /// Scans the value at `start`, its first byte, and returns the place behind it.
    mutating func value(_ start: Int) -> Int {
        var at = start
        var level = 0
        var kinds: UInt64 = 0  // a bit per open container, the innermost lowest: is it an object?
        while true {
            let byte = bytes[at]
            if byte == Ascii.quote {
                let close = stringEnd(at &+ 1)
                if close.isFailed { return Self.failed }
                at = close.index &+ 1
            } else if byte | 0x20 == Ascii.openBrace {  // also the open bracket
                if level == levelMax {
                    at = tooDeepValue(at)
                    if at < 0 { return at }
                } else {
                    at = skipSpace(at &+ 1)
                    if bytes[at] == byte &+ 2 {  // the closing one, right away
                        at &+= 1
                    } else {
                        level &+= 1
                        kinds = kinds &<< 1 | (byte == Ascii.openBrace ? 1 : 0)
                        if byte == Ascii.openBracket { continue }
                        names.open()
                        at = name(at)
                        if at < 0 { return at }
                        continue
                    }
                }
            } else {
                at = scalar(at)
                if at < 0 { return at }
            }
            while true {  // a value has ended; containers may end with it
                if level == 0 { return at }
                if at == end { return syntax(.unexpectedEnd, at: at) }
                at = skipSpace(at)
                let mark = bytes[at]
                if mark == Ascii.comma {
                    at = skipSpace(at &+ 1)
                    if kinds & 1 == 0 { break }
                    at = name(at)
                    if at < 0 { return at }
                    break
                }
                if kinds & 1 != 0 {
                    guard mark == Ascii.closeBrace else { return syntax(.commaOrBrace, at: at) }
                    closeObject()
                } else {
                    guard mark == Ascii.closeBracket else { return syntax(.commaOrBracket, at: at) }
                }
                kinds &>>= 1
                level &-= 1
                at &+= 1
            }
        }
    }

    /// Scans a member name at its opening quote, the colon behind it, and returns the place of the
    /// value.
    @inline(__always)
    mutating func name(_ start: Int) -> Int {
        guard bytes[start] == Ascii.quote else { return syntax(.name, at: start) }
        let text = start &+ 1
        guard text &+ 8 <= end else { return longName(text) }
        let word = bytes.word(text)
        let marks = Lanes.stringSpecials(word)
        if marks == 0 { return longName(text) }
        let length = Lanes.first(marks)
        guard bytes[text &+ length] == Ascii.quote else { return longName(text) }
        addName(
            tag: word & Lanes.mask(bytes: length),
            offset: text,
            length: length,
            place: start
        )
        return colon(text &+ length &+ 1)
    }

    /// The rest of ``name`` for names of eight bytes and more, or with anything unusual in them.
    @inline(never)
    private mutating func longName(_ text: Int) -> Int {
        let close = stringEnd(text)
        if !close.isPlain { return unusualName(text, close: close) }
        let length = close.index &- text
        addName(
            tag: bytes.prefix(text, length: length),
            offset: text,
            length: length,
            place: text &- 1
        )
        return colon(close.index &+ 1)
    }

    /// Takes the colon, with spaces around it, and returns the place of the value.
    @inline(__always)
    mutating func colon(_ start: Int) -> Int {
        var at = start
        if bytes[at] != Ascii.colon {
            at = skipSpace(at)
            guard bytes[at] == Ascii.colon else { return syntax(.colon, at: at) }
        }
        return skipSpace(at &+ 1)
    }

    @inline(__always)
    mutating func closeObject() {
        if names.mustSort { sortNames() }
        names.close()
    }
}

/// Finds the text in a body, without the byte order mark before and the spaces behind it, and sees
/// to it that a scan has something to stop at, see ``JSONScanner``.
func prepareForScan(_ bytes: inout [UInt8]) -> (start: Int, end: Int) {
    let start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    var end = bytes.count
    while end > start, isSpace(bytes[end - 1]) { end -= 1 }
    guard end > start else { return (start, end) }
    let last = bytes[end - 1]
    if last != Ascii.closeBrace, last != Ascii.closeBracket {
        bytes.removeLast(bytes.count - end)
        bytes.append(0)
    }
    return (start, end)
}

@inline(__always)
func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
}
