/// Appends the text of a JSON string's content.
///
/// For valid content this is what JSON says. Content that was never validated gives some text and
/// no fault: an escape that JSON does not know stands for itself, half a surrogate pair for U+FFFD.
func appendUnescaped(_ string: RawBytes, to text: inout [UInt8]) {
    var reader = TextReader(string)
    while let piece = reader.next() {
        for index in 0..<piece.count { text.append(piece[index]) }
    }
}

/// The text of a JSON string's content (without the quotes), escapes resolved.
///
/// Meant for content that was validated. What was not gives some text: an escape that JSON does not
/// know stands for itself, half a surrogate pair for U+FFFD.
///
/// - Complexity: O(n); allocates the answer.
public func unescape(_ string: UnsafeRawBufferPointer) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(string.count)
    appendUnescaped(unsafe RawBytes(string), to: &text)
    return text
}

/// The same, appended to a text; allocates only as it grows.
public func unescape(_ string: UnsafeRawBufferPointer, into text: inout [UInt8]) {
    appendUnescaped(unsafe RawBytes(string), to: &text)
}

/// Up to four bytes of text: a character that an escape stands for, or one byte as it is.
struct TextPiece {
    private let word: UInt32
    let count: Int

    init(_ byte: UInt8) { (word, count) = (UInt32(byte), 1) }

    init(scalar: UInt32) {
        switch scalar {
        case 0..<0x80: (word, count) = (scalar, 1)
        case 0x80..<0x800:
            word = 0xc0 | scalar >> 6 | (0x80 | scalar & 0x3f) << 8
            count = 2
        case 0x800..<0x1_0000:
            let tail = (0x80 | scalar >> 6 & 0x3f) << 8 | (0x80 | scalar & 0x3f) << 16
            (word, count) = (0xe0 | scalar >> 12 | tail, 3)
        default:
            let tail = (0x80 | scalar >> 6 & 0x3f) << 16 | (0x80 | scalar & 0x3f) << 24
            (word, count) = (0xf0 | scalar >> 18 | (0x80 | scalar >> 12 & 0x3f) << 8 | tail, 4)
        }
    }

    subscript(index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: word >> UInt32(truncatingIfNeeded: index * 8))
    }
}

/// Reads a JSON string's content piece by piece, without memory of its own.
struct TextReader {
    private let bytes: RawBytes
    private var at = 0

    init(_ bytes: RawBytes) { self.bytes = bytes }

    mutating func next() -> TextPiece? {
        guard at < bytes.count else { return nil }
        let byte = bytes[at]
        guard byte == Ascii.backslash, at + 1 < bytes.count else {
            at += 1
            return TextPiece(byte)
        }
        let kind = bytes[at + 1]
        let plain: UInt8
        switch kind {
        case Ascii.quote, Ascii.backslash, Ascii.slash: plain = kind
        case UInt8(ascii: "b"): plain = 0x08
        case UInt8(ascii: "f"): plain = 0x0c
        case UInt8(ascii: "n"): plain = 0x0a
        case UInt8(ascii: "r"): plain = 0x0d
        case UInt8(ascii: "t"): plain = 0x09
        case UInt8(ascii: "u"): return codePiece()
        default:
            at += 1
            return TextPiece(byte)
        }
        at += 2
        return TextPiece(plain)
    }

    private mutating func codePiece() -> TextPiece {
        guard let code = bytes.hexCode(at + 2, end: bytes.count) else {
            at += 1
            return TextPiece(Ascii.backslash)
        }
        if 0xd800...0xdbff ~= code, at + 8 <= bytes.count, bytes[at + 6] == Ascii.backslash,
            bytes[at + 7] == UInt8(ascii: "u"),
            let low = bytes.hexCode(at + 8, end: bytes.count), 0xdc00...0xdfff ~= low
        {
            at += 12
            return TextPiece(scalar: 0x1_0000 + (code - 0xd800) << 10 + (low - 0xdc00))
        }
        at += 6
        return TextPiece(scalar: 0xd800...0xdfff ~= code ? 0xfffd : code)
    }
}
