/// A Swift file, with what is code told apart from what is comment and what is literal.
///
/// The lexer knows strings (raw, multi-line, interpolated), nested comments and regex literals: as
/// much of the language as keeps a banned word in a string or comment from being taken for code.
struct SwiftText {
    let path: String
    let lines: [String]
    /// The same lines with comments and literals blanked; columns stay.
    let code: [[UInt8]]
    /// The same lines with all but comments blanked.
    let comments: [[UInt8]]

    init(path: String, _ text: String) {
        let bytes = Array(text.utf8)
        var lexer = SwiftLexer(bytes)
        let kinds = lexer.classify()
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        code = Self.keep(.code, of: bytes, kinds)
        comments = Self.keep(.comment, of: bytes, kinds)
    }

    /// The folder below `Sources` (or `Tests`) that the file stands in.
    var room: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
    var top: String { path.split(separator: "/").first.map(String.init) ?? "" }
    var fileName: String { path.split(separator: "/").last.map(String.init) ?? path }

    private static func keep(
        _ kind: SwiftLexer.Kind,
        of bytes: [UInt8],
        _ kinds: [SwiftLexer.Kind]
    ) -> [[UInt8]] {
        var kept: [[UInt8]] = [[]]
        for (byte, itsKind) in zip(bytes, kinds) {
            if byte == UInt8(ascii: "\n") {
                kept.append([])
            } else {
                kept[kept.count - 1].append(itsKind == kind ? byte : UInt8(ascii: " "))
            }
        }
        return kept
    }
}

struct SwiftLexer {
    enum Kind: UInt8 { case code, comment, literal }

    private enum Context {
        /// Inside `\(…)`, this many parentheses deep.
        case interpolation(depth: Int)
        case string(hashes: Int, isMultiline: Bool)
    }

    private let bytes: [UInt8]
    private var kinds: [Kind]
    private var at = 0
    private var contexts: [Context] = []

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        kinds = Array(repeating: .code, count: bytes.count)
    }

    mutating func classify() -> [Kind] {
        while at < bytes.count {
            if case .string(let hashes, let isMultiline) = contexts.last {
                readString(hashes: hashes, isMultiline: isMultiline)
            } else {
                readCode()
            }
        }
        return kinds
    }

    private func peek(_ text: StaticString, ahead: Int = 0) -> Bool {
        var place = at + ahead
        for scalar in "\(text)".utf8 {
            guard place < bytes.count, bytes[place] == scalar else { return false }
            place += 1
        }
        return true
    }

    private mutating func take(_ count: Int, as kind: Kind) {
        for place in at..<min(at + count, bytes.count) { kinds[place] = kind }
        at += count
    }

    private mutating func readCode() {
        if peek("//") { return takeLineComment() }
        if peek("/*") { return takeBlockComment() }
        let hashes = bytes[at...].prefix { $0 == UInt8(ascii: "#") }.count
        if peek("\"", ahead: hashes) {
            let isMultiline = peek("\"\"\"", ahead: hashes)
            contexts.append(.string(hashes: hashes, isMultiline: isMultiline))
            return take(hashes + (isMultiline ? 3 : 1), as: .literal)
        }
        if let length = regexLength(hashes: hashes) { return take(length, as: .literal) }
        if case .interpolation(let depth) = contexts.last {
            if bytes[at] == UInt8(ascii: "(") {
                contexts[contexts.count - 1] = .interpolation(depth: depth + 1)
            } else if bytes[at] == UInt8(ascii: ")") {
                contexts.removeLast()
                if depth > 1 { contexts.append(.interpolation(depth: depth - 1)) }
            }
        }
        take(max(hashes, 1), as: .code)
    }

    private mutating func readString(hashes: Int, isMultiline: Bool) {
        if bytes[at] == UInt8(ascii: "\\"), hasHashes(hashes, ahead: 1) {
            if peek("(", ahead: 1 + hashes) {
                contexts.append(.interpolation(depth: 1))
                return take(2 + hashes, as: .literal)
            }
            return take(2 + hashes, as: .literal)
        }
        let isEnd = isMultiline ? peek("\"\"\"") : peek("\"")
        let quotes = isMultiline ? 3 : 1
        if isEnd, hasHashes(hashes, ahead: quotes) {
            contexts.removeLast()
            return take(quotes + hashes, as: .literal)
        }
        if !isMultiline, bytes[at] == UInt8(ascii: "\n") { contexts.removeLast() }
        take(1, as: .literal)
    }

    private func hasHashes(_ count: Int, ahead: Int) -> Bool {
        let from = at + ahead
        return from + count <= bytes.count
            && bytes[from..<(from + count)].allSatisfy { $0 == UInt8(ascii: "#") }
    }

    private mutating func takeLineComment() {
        let end = bytes[at...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        take(end - at, as: .comment)
    }

    private mutating func takeBlockComment() {
        var depth = 0
        repeat {
            if peek("/*") {
                depth += 1
                take(2, as: .comment)
            } else if peek("*/") {
                depth -= 1
                take(2, as: .comment)
            } else {
                take(1, as: .comment)
            }
        } while depth > 0 && at < bytes.count
    }

    /// The length of a regex literal that begins here, on one line; nil where none does.
    private func regexLength(hashes: Int) -> Int? {
        guard peek("/", ahead: hashes) else { return nil }
        let body = at + hashes + 1
        guard body < bytes.count, bytes[body] != UInt8(ascii: " ") || hashes > 0 else { return nil }
        if hashes == 0 {
            let before = bytes[..<at].last { $0 != UInt8(ascii: " ") }
            guard let before, "(,=:[{;!&|\n".utf8.contains(before) else { return nil }
        }
        var place = body
        while place < bytes.count, bytes[place] != UInt8(ascii: "\n") {
            if bytes[place] == UInt8(ascii: "\\") {
                place += 2
                continue
            }
            let closes = bytes[(place + 1)...].prefix { $0 == UInt8(ascii: "#") }.count >= hashes
            if bytes[place] == UInt8(ascii: "/"), closes { return place + 1 + hashes - at }
            place += 1
        }
        return nil
    }
}
