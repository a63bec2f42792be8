import UsageModel

/// The smallest part of an expression that means something.
struct Token {
    enum Kind: Equatable {
        case number(Int128)
        case text([UInt8])
        case path(EventPath)
        case name(String)
        case symbol(String)
        case end
    }

    var kind: Kind
    /// In bytes of the text.
    var start: Int
    var end: Int
}

/// Cuts an expression into tokens.
struct Tokenizer {
    let bytes: [UInt8]
    private(set) var at = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func next() throws(ExpressionError) -> Token {
        while at < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[at]) { at += 1 }
        guard at < bytes.count else { return Token(kind: .end, start: at, end: at) }
        let start = at
        let kind: Token.Kind
        switch bytes[at] {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): kind = try readNumber(from: start)
        case UInt8(ascii: "\""), UInt8(ascii: "'"): kind = .text(try readText(until: bytes[at]))
        case UInt8(ascii: "$"): kind = .path(try readPath())
        case let byte where Self.isLetter(byte): kind = .name(readName())
        default: kind = .symbol(try readSymbol())
        }
        return Token(kind: kind, start: start, end: at)
    }

    /// Whether a digit follows at once; then a minus before it belongs to the number.
    var isBeforeDigit: Bool { at < bytes.count && bytes[at] &- 0x30 <= 9 }

    /// The number whose minus is at `start`.
    mutating func negativeNumber(from start: Int) throws(ExpressionError) -> Token {
        Token(kind: try readNumber(from: start), start: start, end: at)
    }

    // MARK: Names and symbols

    private static func isLetter(_ byte: UInt8) -> Bool {
        byte | 0x20 &- 0x61 <= 25 || byte == UInt8(ascii: "_")
    }

    private static func isNameByte(_ byte: UInt8) -> Bool { isLetter(byte) || byte &- 0x30 <= 9 }

    private mutating func readName() -> String {
        let start = at
        while at < bytes.count, Self.isNameByte(bytes[at]) { at += 1 }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private static let pairs: Set = ["==", "!=", "<=", ">=", "&&", "||"]
    private static let singles: Set = [
        "(", ")", "[", "]", ",", "<", ">", "+", "-", "*", "/", "%", "!",
    ]
    /// What other languages write, and what is written here.
    private static let foreign = [
        "=": "compare with ==", "&": "write and, or &&", "|": "write or, or ||",
        "^": "there is no power; multiply", "~": "write matches for a pattern",
        "?": "write if(condition, one, other)", ":": "write if(condition, one, other)",
        "{": "there are no objects", "}": "there are no objects", ";": "one expression is all",
        ".": "a path begins with $, a number with a digit", "@": "a path begins with $",
    ]

    private mutating func readSymbol() throws(ExpressionError) -> String {
        if at + 1 < bytes.count {
            let pair = String(decoding: bytes[at...at + 1], as: UTF8.self)
            if Self.pairs.contains(pair) {
                at += 2
                return pair
            }
        }
        let single = String(decoding: [bytes[at]], as: UTF8.self)
        guard Self.singles.contains(single) else {
            let remedy = Self.foreign[single] ?? "put texts in quotes"
            throw fault(
                at,
                found: excerpt(at, at + 1),
                expected: "a value or an operator",
                remedy
            )
        }
        at += 1
        return single
    }

    // MARK: Numbers

    private mutating func readNumber(from start: Int) throws(ExpressionError) -> Token.Kind {
        while at < bytes.count, bytes[at] &- 0x30 <= 9 { at += 1 }
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            at += 1
            while at < bytes.count, bytes[at] &- 0x30 <= 9 { at += 1 }
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < bytes.count, bytes[at] == 0x2b || bytes[at] == 0x2d { at += 1 }
        }
        while at < bytes.count, Self.isNameByte(bytes[at]) || bytes[at] >= 0x80 { at += 1 }
        let spelled = excerpt(start, at)
        let reading = unsafe bytes.withUnsafeBytes { bytes in
            unsafe Quantity.read(
                UnsafeRawBufferPointer(rebasing: bytes[start..<at]),
                excessDigits: .reject
            )
        }
        let (expected, remedy): (String, String)
        switch reading {
        case .success(let quantity): return .number(quantity.mantissa)
        case .failure(.notANumber):
            expected = "a number"
            remedy = "write it as in JSON, such as 0.5 or 12; put texts in quotes"
        case .failure(.outOfRange):
            (expected, remedy) = ("a number within ±1.7·10^20", "see the limits of quantities")
        case .failure(.excessDigits):
            (expected, remedy) = ("at most 18 decimal places", "round the number")
        }
        throw fault(start, found: spelled, expected: expected, remedy)
    }

    // MARK: Texts

    private mutating func readText(until quote: UInt8) throws(ExpressionError) -> [UInt8] {
        let start = at
        at += 1
        var text: [UInt8] = []
        while at < bytes.count, bytes[at] != quote {
            if bytes[at] == UInt8(ascii: "\\") {
                try readEscape(into: &text)
            } else {
                text.append(bytes[at])
                at += 1
            }
        }
        guard at < bytes.count else {
            throw fault(
                start,
                found: "a text without an end",
                expected: "a closing \(Character(Unicode.Scalar(quote)))",
                "close the text with the quote it begins with"
            )
        }
        at += 1
        return text
    }

    private mutating func readEscape(into text: inout [UInt8]) throws(ExpressionError) {
        let start = at
        at += 2
        let plain: UInt8? =
            switch at <= bytes.count ? bytes[at - 1] : 0 {
            case UInt8(ascii: "b"): 0x08
            case UInt8(ascii: "f"): 0x0c
            case UInt8(ascii: "n"): 0x0a
            case UInt8(ascii: "r"): 0x0d
            case UInt8(ascii: "t"): 0x09
            case let byte where "\"'\\/".utf8.contains(byte): byte
            default: nil
            }
        if let plain {
            text.append(plain)
        } else if at <= bytes.count, bytes[at - 1] == UInt8(ascii: "u"), let scalar = readScalar() {
            text += Array(String(Character(scalar)).utf8)
        } else {
            at = min(at, bytes.count)
            throw fault(
                start,
                found: excerpt(start, at),
                expected: #"an escape: \" \' \\ \/ \b \f \n \r \t or \u and four digits"#,
                #"write \\ for a backslash"#
            )
        }
    }

    /// The character of `\u` and four digits, after its `u`; of a surrogate pair, both escapes.
    private mutating func readScalar() -> Unicode.Scalar? {
        guard let high = readUnit() else { return nil }
        guard 0xd800...0xdbff ~= high else { return Unicode.Scalar(high) }
        guard at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"),
            bytes[at + 1] == UInt8(ascii: "u")
        else { return nil }
        at += 2
        guard let low = readUnit(), 0xdc00...0xdfff ~= low else { return nil }
        return Unicode.Scalar(0x1_0000 + (high - 0xd800) << 10 + (low - 0xdc00))
    }

    private mutating func readUnit() -> UInt32? {
        guard at + 4 <= bytes.count else { return nil }
        let digits = bytes[at..<at + 4]
        let isHex = digits.allSatisfy { Self.isNameByte($0) && $0 | 0x20 <= UInt8(ascii: "f") }
        guard isHex, let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16) else {
            return nil
        }
        at += 4
        return unit
    }

    // MARK: Paths

    /// Reads as far as a path can reach; what it says is for ``EventPath`` to judge.
    private mutating func readPath() throws(ExpressionError) -> EventPath {
        let start = at
        at += 1
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: ".") {
                at += 1
                while at < bytes.count, isPathNameByte(bytes[at]) { at += 1 }
            } else if bytes[at] == UInt8(ascii: "[") {
                skipBracket()
            } else {
                break
            }
        }
        do throws(EventPathError) {
            return try EventPath(String(decoding: bytes[start..<at], as: UTF8.self))
        } catch {
            let place = min(start + error.offset, at)
            throw fault(
                place,
                found: excerpt(place, place + 1),
                expected: "a path: " + error.reason,
                "write a path such as $.data.tokens, $.data.items[0] or $.data['a b']"
            )
        }
    }

    private func isPathNameByte(_ byte: UInt8) -> Bool {
        Self.isNameByte(byte) || byte == UInt8(ascii: "-") || byte >= 0x80
    }

    private mutating func skipBracket() {
        at += 1
        if at < bytes.count, bytes[at] == UInt8(ascii: "'") || bytes[at] == UInt8(ascii: "\"") {
            let quote = bytes[at]
            at += 1
            while at < bytes.count, bytes[at] != quote {
                at += bytes[at] == UInt8(ascii: "\\") && at + 1 < bytes.count ? 2 : 1
            }
            at = min(at + 1, bytes.count)
        } else {
            while at < bytes.count, bytes[at] &- 0x30 <= 9 { at += 1 }
        }
        if at < bytes.count, bytes[at] == UInt8(ascii: "]") { at += 1 }
    }
}

extension Tokenizer {
    /// A part of the text for people: at most 40 characters, whole characters only.
    func excerpt(_ start: Int, _ end: Int) -> String {
        var end = min(end, bytes.count)
        guard start < end else { return "the end" }
        while end < bytes.count, bytes[end] & 0xc0 == 0x80 { end += 1 }
        let text = String(decoding: bytes[start..<end], as: UTF8.self)
        return text.count > 40 ? "\(text.prefix(39))…" : text
    }

    func fault(
        _ offset: Int,
        found: String,
        expected: String,
        _ remedy: String
    ) -> ExpressionError {
        ExpressionError(
            offset: offset,
            column: String(decoding: bytes[..<offset], as: UTF8.self).count + 1,
            found: found,
            expected: expected,
            remedy: remedy
        )
    }
}
