/// The bytes a scan reads, with the pointer kept out of sight.
///
/// Indexes are checked in debug builds (and where asserts are asked for, as the fuzzer does);
/// in release the scanners prove that they stay inside, see ``JSONScanner``.
@safe struct RawBytes {
    private let base: UnsafeRawPointer
    let count: Int

    init(_ bytes: UnsafeRawBufferPointer) {
        // The base of an empty buffer may be nil; it is never read.
        unsafe base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 16)!
        count = bytes.count
    }

    private init(base: UnsafeRawPointer, count: Int) {
        unsafe self.base = base
        self.count = count
    }

    @inline(__always)
    subscript(at: Int) -> UInt8 {
        assert(at >= 0 && at < count)
        return unsafe base.load(fromByteOffset: at, as: UInt8.self)
    }

    /// Eight bytes from `at`, the first one lowest.
    @inline(__always)
    func word(_ at: Int) -> UInt64 {
        assert(at >= 0 && at + 8 <= count)
        return unsafe UInt64(littleEndian: base.loadUnaligned(fromByteOffset: at, as: UInt64.self))
    }

    /// Four bytes from `at`, the first one lowest.
    @inline(__always)
    func halfWord(_ at: Int) -> UInt32 {
        assert(at >= 0 && at + 4 <= count)
        return unsafe UInt32(littleEndian: base.loadUnaligned(fromByteOffset: at, as: UInt32.self))
    }

    /// The first eight of `length` bytes from `at`, filled with zeros.
    @inline(__always)
    func prefix(_ at: Int, length: Int) -> UInt64 {
        if at &+ 8 <= count {
            let word = self.word(at)
            return length >= 8 ? word : word & Lanes.mask(bytes: length)
        }
        return Self.lastWord(self, at, length: length)
    }

    @inline(never)
    private static func lastWord(_ bytes: RawBytes, _ at: Int, length: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<min(length, 8) {
            word |= UInt64(bytes[at &+ index]) &<< UInt64(truncatingIfNeeded: index &* 8)
        }
        return word
    }

    func isEqual(_ one: Int, to other: RawBytes, _ place: Int, length: Int) -> Bool {
        var index = 0
        while index &+ 8 <= length {
            if word(one &+ index) != other.word(place &+ index) { return false }
            index &+= 8
        }
        while index < length {
            if self[one &+ index] != other[place &+ index] { return false }
            index &+= 1
        }
        return true
    }

    /// The bytes of a range, which must lie inside.
    func slice(_ range: Range<Int>) -> RawBytes {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return unsafe RawBytes(base: base + range.lowerBound, count: range.count)
    }

    func buffer(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return unsafe UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    func array(_ range: Range<Int>) -> [UInt8] { unsafe Array(buffer(range)) }
}

/// Eight bytes looked at as one word.
enum Lanes {
    static let ones: UInt64 = 0x0101_0101_0101_0101
    static let highs: UInt64 = 0x8080_8080_8080_8080

    @inline(__always)
    static func mask(bytes: Int) -> UInt64 {
        (1 &<< UInt64(truncatingIfNeeded: bytes &* 8)) &- 1
    }

    /// Marks the bytes at which a string is no longer plain: quote, backslash, control, not ASCII.
    ///
    /// Each term is exact up to its first mark (a borrow can only start at a marked byte), so the
    /// lowest mark is exact; higher ones may be false.
    @inline(__always)
    static func stringSpecials(_ word: UInt64) -> UInt64 {
        let quote = (word ^ (ones &* 0x22)) &- ones
        let backslash = (word ^ (ones &* 0x5c)) &- ones
        let control = word &- (ones &* 0x20)
        return (quote | backslash | control | word) & highs
    }

    /// Marks quotes and backslashes alone; the lowest mark is exact.
    @inline(__always)
    static func quoteOrBackslash(_ word: UInt64) -> UInt64 {
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5c)
        return ((quote &- ones) & ~quote | (backslash &- ones) & ~backslash) & highs
    }

    /// The place (0 to 7) of the lowest mark.
    @inline(__always)
    static func first(_ marks: UInt64) -> Int { marks.trailingZeroBitCount &>> 3 }
}

/// The bytes that mean something in JSON.
enum Ascii {
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let slash = UInt8(ascii: "/")
    static let comma = UInt8(ascii: ",")
    static let colon = UInt8(ascii: ":")
    static let minus = UInt8(ascii: "-")
    static let plus = UInt8(ascii: "+")
    static let point = UInt8(ascii: ".")
    static let zero = UInt8(ascii: "0")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")
    static let openBracket = UInt8(ascii: "[")
    static let closeBracket = UInt8(ascii: "]")
    static let newline: UInt8 = 0x0a
    static let carriageReturn: UInt8 = 0x0d

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- zero <= 9 }

    /// The value of a hexadecimal digit, or 16.
    static func hexValue(_ byte: UInt8) -> UInt32 {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte &- zero)
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte &- 0x57)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte &- 0x37)
        default: 16
        }
    }
}
