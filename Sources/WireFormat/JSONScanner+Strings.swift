import UsageModel

/// Where a string's closing quote is, and what was met on the way.
struct StringEnd {
    private static let escaped: UInt64 = 1 << 40
    private static let faulty: UInt64 = 1 << 41

    private let raw: UInt64

    /// The string does not end; the syntax fault is noted.
    static let failed = StringEnd(raw: .max)

    private init(raw: UInt64) { self.raw = raw }

    @inline(__always)
    init(index: Int) { raw = UInt64(truncatingIfNeeded: index) }

    init(index: Int, hasEscapes: Bool, isFaulty: Bool) {
        raw = UInt64(index) | (hasEscapes ? Self.escaped : 0) | (isFaulty ? Self.faulty : 0)
    }

    /// No escapes and no fault: the bytes are the text.
    @inline(__always)
    var isPlain: Bool { raw < Self.escaped }
    @inline(__always)
    var isFailed: Bool { raw == .max }
    var isFaulty: Bool { raw & Self.faulty != 0 }
    var hasEscapes: Bool { raw & Self.escaped != 0 }
    @inline(__always)
    var index: Int { Int(truncatingIfNeeded: raw & (Self.escaped &- 1)) }
}

extension JSONScanner {
    /// Finds the end of a string; `start` is behind the opening quote.
    @inline(__always)
    mutating func stringEnd(_ start: Int) -> StringEnd {
        var at = start
        while at &+ 8 <= end {
            let marks = Lanes.stringSpecials(bytes.word(at))
            if marks != 0 {
                at &+= Lanes.first(marks)
                if bytes[at] == Ascii.quote { return StringEnd(index: at) }
                break
            }
            at &+= 8
        }
        return unusualStringEnd(at)
    }

    /// The rest of a string that is not plain ASCII, or that ends near the end of the body.
    @inline(never)
    private mutating func unusualStringEnd(_ start: Int) -> StringEnd {
        var at = start
        var hasEscapes = false
        var isFaulty = false
        while at < end {
            let byte = bytes[at]
            if byte == Ascii.quote {
                return StringEnd(index: at, hasEscapes: hasEscapes, isFaulty: isFaulty)
            } else if byte == Ascii.backslash {
                hasEscapes = true
                at = escape(at, isFaulty: &isFaulty)
            } else if byte >= 0x80 {
                let length = characterLength(at)
                if length == 0 {
                    note(.invalidUTF8, at: at)
                    isFaulty = true
                }
                at += max(length, 1)
            } else if byte < 0x20 {
                if isLines, byte == Ascii.newline { break }
                note(byte == 0 ? .nulCharacter : .controlCharacter, at: at)
                isFaulty = true
                at += 1
            } else {
                at = plainEnd(at)
            }
        }
        _ = syntax(.stringEnd, at: at)
        return .failed
    }

    /// The first byte from `start` on that is not plain.
    @inline(__always)
    private mutating func plainEnd(_ start: Int) -> Int {
        var at = start
        while at &+ 8 <= end {
            let marks = Lanes.stringSpecials(bytes.word(at))
            if marks != 0 { return at &+ Lanes.first(marks) }
            at &+= 8
        }
        return max(at, start &+ 1)
    }

    /// Checks the escape at a backslash and returns the place behind it.
    private mutating func escape(_ start: Int, isFaulty: inout Bool) -> Int {
        guard start + 1 < end else { return end }
        switch bytes[start + 1] {
        case Ascii.quote, Ascii.backslash, Ascii.slash, UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return start + 2
        case UInt8(ascii: "u"):
            guard let code = bytes.hexCode(start + 2, end: end) else {
                note(.invalidEscape, at: start)
                isFaulty = true
                return start + 2
            }
            let fault: RejectionReason
            switch code {
            case 0: fault = .nulCharacter
            case 0xd800...0xdbff:
                if start + 8 <= end, bytes[start + 6] == Ascii.backslash,
                    bytes[start + 7] == UInt8(ascii: "u"),
                    let low = bytes.hexCode(start + 8, end: end), 0xdc00...0xdfff ~= low
                {
                    return start + 12
                }
                fault = .loneSurrogate
            case 0xdc00...0xdfff: fault = .loneSurrogate
            default: return start + 6
            }
            note(fault, at: start)
            isFaulty = true
            return start + 6
        default:
            note(.invalidEscape, at: start)
            isFaulty = true
            return start + 1
        }
    }

    /// The bytes of the character that begins at `at` with a byte past ASCII; 0 if it is not UTF-8.
    ///
    /// The table is Unicode's 3-7: no overlong forms, no surrogates, nothing past U+10FFFF.
    @inline(__always)
    private mutating func characterLength(_ at: Int) -> Int {
        let lead = bytes[at]
        // The last byte is ASCII, so a character cut off there fails before it is passed.
        guard at &+ 1 < end else { return 0 }
        let second = bytes[at &+ 1]
        switch lead {
        case 0xc2...0xdf: return second & 0xc0 == 0x80 ? 2 : 0
        case 0xe0...0xef:
            let low: UInt8 = lead == 0xe0 ? 0xa0 : 0x80
            let high: UInt8 = lead == 0xed ? 0x9f : 0xbf
            guard second >= low, second <= high, at &+ 2 < end else { return 0 }
            return bytes[at &+ 2] & 0xc0 == 0x80 ? 3 : 0
        case 0xf0...0xf4:
            let low: UInt8 = lead == 0xf0 ? 0x90 : 0x80
            let high: UInt8 = lead == 0xf4 ? 0x8f : 0xbf
            guard second >= low, second <= high, at &+ 3 < end else { return 0 }
            return bytes[at &+ 2] & 0xc0 == 0x80 && bytes[at &+ 3] & 0xc0 == 0x80 ? 4 : 0
        default: return 0
        }
    }
}

extension RawBytes {
    /// The number that four hexadecimal digits spell; nil if they are not.
    func hexCode(_ start: Int, end: Int) -> UInt32? {
        guard start + 4 <= end else { return nil }
        var code: UInt32 = 0
        for at in start..<start + 4 {
            let digit = Ascii.hexValue(self[at])
            if digit > 15 { return nil }
            code = code << 4 | digit
        }
        return code
    }
}
