import WireFormat

/// An expression before it is text: what the generator draws and the naive evaluator walks.
indirect enum ExpressionTree {
    case number(String)
    case text(String)
    case bool(Bool)
    case null
    /// As it is spelled.
    case path(String)
    case exists(String)
    case and([ExpressionTree])
    case or([ExpressionTree])
    case not(ExpressionTree)
    case compare(String, ExpressionTree, ExpressionTree)
    case isIn(ExpressionTree, [ExpressionTree])
    case isNotIn(ExpressionTree, [ExpressionTree])
    /// `startsWith`, `endsWith`, `contains`, and `in` an array.
    case search(String, ExpressionTree, ExpressionTree)
    case matches(ExpressionTree, Int)
    case arithmetic(String, ExpressionTree, ExpressionTree)
    case negate(ExpressionTree)
    case call(String, [ExpressionTree])
    /// A function of a value and a last argument that is written out.
    case settled(String, [ExpressionTree], String?)
}

/// What a part of an expression is worth, the naive way.
enum NaiveValue {
    /// Missing or null.
    case nothing
    case bool(Bool)
    case number(NaiveDecimal)
    /// A number of the event that does not fit.
    case tooLarge
    case text(String)
    case array([JSONValue])
    case object

    init(_ value: JSONValue?) {
        switch value {
        case nil, .null: self = .nothing
        case .bool(let bool): self = .bool(bool)
        case .string(let text): self = .text(text)
        case .array(let elements): self = .array(elements)
        case .object: self = .object
        case .number(let spelled):
            if case .value(let decimal) = NaiveDecimal.read(spelled) {
                self = .number(decimal)
            } else {
                self = .tooLarge
            }
        }
    }

    var isNothing: Bool {
        if case .nothing = self { true } else { false }
    }
}

struct NaiveFault: Error {
    var reason: String

    init(_ reason: String) { self.reason = reason }
}

/// Patterns, and what each of them means in plain words.
struct NaivePattern {
    var text: String
    var matches: @Sendable (String) -> Bool

    static let all = [
        NaivePattern(text: "^a") { $0.hasPrefix("a") },
        NaivePattern(text: "[0-9]") { $0.contains { ("0"..."9").contains($0) } },
        NaivePattern(text: "e$") { $0.unicodeScalars.last == "e" },
        NaivePattern(text: "^(acme|large)$") { $0 == "acme" || $0 == "large" },
        NaivePattern(text: "l+a") { $0.unicodeScalars.map(String.init).joined().contains("la") },
        NaivePattern(text: "^.{3}$") {
            $0.unicodeScalars.count == 3 && !$0.unicodeScalars.contains("\n")
        },
        NaivePattern(text: "") { _ in true },
        NaivePattern(text: "(?i)ACME") { $0.lowercased().contains("acme") },
    ]
}
