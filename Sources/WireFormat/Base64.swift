/// Base64 (RFC 4648) both ways, for cursors and for bytes that are no text.
public enum Base64 {
    public enum Alphabet: Sendable {
        /// With padding, as JSON holds bytes.
        case standard
        /// Without padding, as addresses hold cursors.
        case url

        fileprivate var letters: [UInt8] {
            self == .standard ? Base64.standardLetters : Base64.urlLetters
        }
    }

    private static let standardLetters = letters("+/")
    private static let urlLetters = letters("-_")

    private static func letters(_ lastTwo: String) -> [UInt8] {
        Array(("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + lastTwo).utf8)
    }

    public static func encode(_ bytes: [UInt8], _ alphabet: Alphabet) -> String {
        let letters = alphabet.letters
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var at = 0
        while at < bytes.count {
            let count = min(3, bytes.count - at)
            var group: UInt32 = 0
            for place in 0..<3 {
                group = group << 8 | (place < count ? UInt32(bytes[at + place]) : 0)
            }
            for place in 0...count { text.append(letters[Int(group >> (18 - 6 * place) & 63)]) }
            if alphabet == .standard {
                for _ in count..<3 { text.append(UInt8(ascii: "=")) }
            }
            at += 3
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// - Returns: nil where the text is not of the URL alphabet, or has bits left over.
    public static func decodeURL(_ text: String) -> [UInt8]? {
        decode(text.utf8, .url)
    }

    /// Of the standard alphabet, with the padding that makes the text a multiple of four.
    ///
    /// - Returns: nil for anything else, and for bits left over.
    public static func decode(_ text: String) -> [UInt8]? {
        guard text.utf8.count % 4 == 0 else { return nil }
        let padding = text.utf8.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        return decode(text.utf8.dropLast(padding), .standard)
    }

    private static func decode(_ text: some Sequence<UInt8>, _ alphabet: Alphabet) -> [UInt8]? {
        var bytes: [UInt8] = []
        var group: UInt32 = 0
        var bits = 0
        for byte in text {
            guard let value = value(byte, alphabet) else { return nil }
            group = group << 6 | value
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: group >> bits))
                group &= (1 << bits) - 1
            }
        }
        return bits < 6 && group == 0 ? bytes : nil
    }

    private static func value(_ byte: UInt8, _ alphabet: Alphabet) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "-") where alphabet == .url: 62
        case UInt8(ascii: "_") where alphabet == .url: 63
        case UInt8(ascii: "+") where alphabet == .standard: 62
        case UInt8(ascii: "/") where alphabet == .standard: 63
        default: nil
        }
    }
}
