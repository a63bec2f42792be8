import Metering
import UsageModel

extension Parser {
    mutating func readPrimary() throws(ExpressionError) -> Part {
        let first = token
        switch first.kind {
        case .number(let mantissa):
            try advance()
            return try part(of: mantissa, first)
        case .text(let bytes):
            try advance()
            return try part(of: bytes, first)
        case .path(let path):
            try advance()
            return try part(of: path, first)
        case .symbol("("):
            try advance()
            var part = try readOr()
            (part.start, part.end) = (first.start, token.end)
            try take(")")
            return part
        case .name(let name): return try readNamed(name)
        case .symbol("!"):
            throw unexpected("a value", "put a negation in parentheses")
        default: throw unexpected("a value")
        }
    }

    private static let attributes: Set = ["id", "source", "type", "subject", "time"]

    private mutating func readNamed(_ name: String) throws(ExpressionError) -> Part {
        let word = token
        let literal: Node? =
            switch name {
            case "true": Node(operation: .bool, first: 1)
            case "false": Node(operation: .bool, first: 0)
            case "null": Node(operation: .null)
            default: nil
            }
        if let literal {
            try advance()
            let kinds: Kinds = name == "null" ? .null : .bool
            return try add(literal, kinds, from: word.start, to: word.end)
        }
        if Self.attributes.contains(name), let path = try? EventPath("$." + name) {
            try advance()
            return try part(of: path, word)
        }
        guard let function = Function(rawValue: name) else { throw unexpected("a value") }
        try advance()
        guard isSymbol("(") else {
            throw unexpected("\"(\"", "write \(function.usage)")
        }
        return try readCall(function, word)
    }

    /// What to do about a name that means nothing where it stands.
    func remedy(forName name: String) -> String {
        let words =
            Function.allCases.map(\.rawValue) + Self.attributes.sorted() + [
                "and", "or", "not", "in", "matches", "startsWith", "endsWith", "contains", "true",
                "false", "null",
            ]
        switch name {
        case "startsWith", "endsWith", "contains", "matches", "in":
            return "write it between two values: $.data.model \(name) …"
        case "and", "or": return "\(name) stands between two conditions"
        case "not": return "put a negation in parentheses"
        case "data": return "write a path: $.data…"
        default: break
        }
        if let meant = words.first(where: { $0.lowercased() == name.lowercased() }) {
            return meant == name ? "join conditions with and" : "write \(meant)"
        }
        return "write $.data.\(name) for a place in the event, \"\(name)\" for a text"
    }
}
