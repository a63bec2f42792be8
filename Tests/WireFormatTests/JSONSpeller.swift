import MeteringTestKit
import WireFormat

/// Draws JSON values, and spells one value in many ways.
struct JSONSpeller {
    var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func draw(below limit: Int) -> Int { Int.random(in: 0..<limit, using: &generator) }

    mutating func chance(_ one: Int, in many: Int) -> Bool { draw(below: many) < one }

    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[draw(below: choices.count)]
    }

    // MARK: Values

    static let names = [
        "a", "b", "tokens", "input", "output", "model", "items", "qty", "x y", "", "é", "a\"b",
        "longer-than-eight", "longer-than-eighty", "12345678", "id", "data", "\u{1F600}",
    ]

    mutating func value(depth: Int = 0) -> JSONValue {
        switch draw(below: depth > 5 ? 5 : 8) {
        case 0: return .null
        case 1: return .bool(chance(1, in: 2))
        case 2: return .number(number())
        case 3, 4: return .string(string())
        case 5: return .array((0..<draw(below: 5)).map { _ in value(depth: depth + 1) })
        default: return .object(object(depth: depth + 1))
        }
    }

    mutating func object(depth: Int) -> JSONObject {
        var object = JSONObject()
        let count = chance(1, in: 20) ? draw(below: 40) : draw(below: 6)
        for _ in 0..<count {
            let name = chance(1, in: 4) ? "n\(draw(below: 50))" : pick(Self.names)
            object[name] = value(depth: depth)
        }
        return object
    }

    mutating func number() -> String {
        let sign = chance(1, in: 3) ? "-" : ""
        switch draw(below: 5) {
        case 0: return sign + "0"
        case 1: return sign + String(draw(below: 1_000_000) + 1)
        case 2: return sign + "\(draw(below: 1_000)).\(draw(below: 10))\(draw(below: 10))5"
        case 3: return sign + "\(draw(below: 9) + 1)e\(draw(below: 40) - 20)"
        default: return sign + "1234567890123456789012345\(draw(below: 9_999))"
        }
    }

    mutating func string() -> String {
        let pieces = [
            "a", "gateway", " ", "\"", "\\", "/", "\n", "\u{7f}", "é", "€", "😀", "}", "[", "12",
        ]
        return (0..<draw(below: 6)).map { _ in pick(pieces) }.joined()
    }

    // MARK: Spellings

    /// The value in some spelling: spaces, escapes, the order of members, the form of numbers.
    mutating func spell(_ value: JSONValue) -> String {
        space() + spelled(value) + space()
    }

    private mutating func space() -> String {
        chance(1, in: 6) ? pick([" ", "\n", "\t ", "\r\n"]) : ""
    }

    private mutating func spelled(_ value: JSONValue) -> String {
        switch value {
        case .null: return "null"
        case .bool(let bool): return bool ? "true" : "false"
        case .number(let number): return respelled(number)
        case .string(let text): return quoted(text)
        case .array(let elements):
            return "[" + elements.map { spell($0) }.joined(separator: ",") + "]"
        case .object(let object):
            let members = object.members.shuffled(using: &generator).map { member in
                space() + quoted(member.name) + space() + ":" + spell(member.value)
            }
            return "{" + members.joined(separator: ",") + space() + "}"
        }
    }

    mutating func quoted(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { scalar in
            let mustEscape = scalar == "\"" || scalar == "\\" || scalar.value < 0x20
            guard mustEscape || chance(1, in: 8) else { return String(scalar) }
            return utf16Units(scalar).map { unit in
                let digits = String(unit, radix: 16, uppercase: chance(1, in: 2))
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        }
        return "\"" + scalars.joined() + "\""
    }

    private func utf16Units(_ scalar: Unicode.Scalar) -> [UInt16] { Array(String(scalar).utf16) }

    /// The same number: zeros behind the point, the point moved by an exponent.
    private mutating func respelled(_ number: String) -> String {
        if number.hasSuffix("0"), number.count <= 2 {
            return number + pick(["", ".0", "e5", "E-0"])
        }
        guard !number.contains("e") else {
            return chance(1, in: 2) ? number.replacing("e", with: "E") : number
        }
        let startsWithZero = number.hasPrefix("0") || number.hasPrefix("-0")
        let hasPoint = number.contains(".")
        switch draw(below: 4) {
        case 0: return number + (hasPoint ? "0" : ".0")
        case 1: return number + (hasPoint ? "e0" : "00e-2")
        case 2 where !hasPoint: return number + "0E-1"
        case 2 where !startsWithZero: return number.replacing(".", with: "") + "e-3"
        default: return number
        }
    }
}
