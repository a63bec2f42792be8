import MeteringTestKit

/// Writes an expression down in one of the many ways it can be written.
struct TreeSpeller {
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    private mutating func pick(_ choices: [String]) -> String {
        choices[Int.random(in: 0..<choices.count, using: &generator)]
    }

    private mutating func chance(in many: Int) -> Bool {
        Int.random(in: 0..<many, using: &generator) == 0
    }

    /// How tightly a part holds together; the grammar from the outside in.
    private enum Level: Int {
        case or, and, not, comparison, sum, product, unary, primary
    }

    mutating func spell(_ tree: ExpressionTree) -> String { spell(tree, .or) }

    private mutating func spell(_ tree: ExpressionTree, _ needed: Level) -> String {
        let (text, level) = write(tree)
        if level.rawValue < needed.rawValue || chance(in: 12) { return "(\(space())\(text))" }
        return text
    }

    private mutating func space() -> String { pick(["", "", "", " ", "\n", "\t "]) }

    private mutating func list(_ parts: [ExpressionTree]) -> String {
        parts.map { spell($0, .or) }.joined(separator: "," + pick(["", " ", " \n"]))
    }

    private mutating func write(_ tree: ExpressionTree) -> (String, Level) {
        switch tree {
        case .number(let spelled): return (spelled, spelled.hasPrefix("-") ? .unary : .primary)
        case .text(let text): return (quoted(text), .primary)
        case .bool(let bool): return ("\(bool)", .primary)
        case .null: return ("null", .primary)
        case .path(let path): return (path, .primary)
        case .exists(let path): return ("exists(\(space())\(path))", .primary)
        case .and(let parts):
            let sign = pick([" and ", " && "])
            return (parts.map { spell($0, .not) }.joined(separator: sign), .and)
        case .or(let parts):
            let sign = pick([" or ", " || "])
            return (parts.map { spell($0, .and) }.joined(separator: sign), .or)
        case .not(let part): return (pick(["not ", "!", "! "]) + spell(part, .not), .not)
        case .compare(let sign, let left, let right): return compared(left, sign, right)
        case .search(let word, let left, let right): return compared(left, word, right)
        case .isIn(let left, let elements):
            return (
                spell(left, .sum) + " in ["
                    + elements.map { spell($0, .sum) }.joined(separator: ", ") + "]", .comparison
            )
        case .isNotIn(let left, let elements):
            return (
                spell(left, .sum) + " not in ["
                    + elements.map { spell($0, .sum) }.joined(separator: ",") + " ]", .comparison
            )
        case .matches(let text, let pattern):
            let quoted = quoted(NaivePattern.all[pattern].text)
            return (spell(text, .sum) + " matches " + quoted, .comparison)
        case .arithmetic(let sign, let left, let right):
            let level: Level = sign == "+" || sign == "-" ? .sum : .product
            let next: Level = level == .sum ? .product : .unary
            return (spell(left, level) + " \(sign) " + spell(right, next), level)
        case .negate(let part):
            // With a space, so that a number does not take the minus for its own.
            return ("- " + spell(part, .unary), .unary)
        case .call(let name, let parts):
            return ("\(name)(\(space())\(list(parts))\(space()))", .primary)
        case .settled(let name, let parts, let setting):
            guard let setting else { return ("\(name)(\(list(parts)))", .primary) }
            let isNumber = setting.allSatisfy(\.isNumber)
            let last = isNumber ? setting : quoted(setting)
            return ("\(name)(\(list(parts)), \(last))", .primary)
        }
    }

    private mutating func compared(
        _ left: ExpressionTree,
        _ sign: String,
        _ right: ExpressionTree
    ) -> (String, Level) {
        (spell(left, .sum) + " \(sign) " + spell(right, .sum), .comparison)
    }

    private mutating func quoted(_ text: String) -> String {
        let quote: Unicode.Scalar = chance(in: 2) ? "'" : "\""
        var quoted = String(quote)
        for scalar in text.unicodeScalars {
            switch scalar {
            case quote, "\\": quoted += "\\\(scalar)"
            case "\n" where chance(in: 2): quoted += "\\n"
            default:
                if chance(in: 12) {
                    for unit in String(scalar).utf16 {
                        let digits = String(unit, radix: 16)
                        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                    }
                } else {
                    quoted.unicodeScalars.append(scalar)
                }
            }
        }
        quoted.unicodeScalars.append(quote)
        return quoted
    }
}
