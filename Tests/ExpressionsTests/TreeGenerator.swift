import MeteringTestKit
import WireFormat

/// Draws expressions, and events that they may or may not fit; the same seed draws the same.
struct TreeGenerator {
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func draw(below limit: Int) -> Int { Int.random(in: 0..<limit, using: &generator) }

    mutating func chance(_ one: Int, in many: Int) -> Bool { draw(below: many) < one }

    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[draw(below: choices.count)]
    }

    // MARK: Events

    private static let members = ["a", "b", "c", "model", "tags", "start", "end", "deep"]

    mutating func event() -> JSONValue {
        var data = JSONObject()
        for name in Self.members where chance(5, in: 6) { data[name] = member(name) }
        var event: JSONObject = [
            "specversion": "1.0", "id": .string("r-\(draw(below: 100))"),
            "source": .string(pick(["gateway-eu", "gateway-us", "é\"1"])), "type": "llm.request",
            "subject": .string(pick(["acme", "42"])), "time": .string(time()),
        ]
        if chance(9, in: 10) { event["data"] = .object(data) }
        if chance(1, in: 2) { event["region"] = pick(["eu", 7, true, .null]) }
        return .object(event)
    }

    private mutating func member(_ name: String) -> JSONValue {
        if chance(1, in: 8) { return scalar() }
        switch name {
        case "a", "b", "c": return .number(number())
        case "model": return .string(text())
        case "tags": return .array((0..<draw(below: 4)).map { _ in scalar() })
        case "start", "end": return .string(time())
        default: return .object(["x": scalar(), "y z": scalar(), "list": [scalar(), scalar()]])
        }
    }

    private mutating func scalar() -> JSONValue {
        switch draw(below: 8) {
        case 0: .null
        case 1: .bool(chance(1, in: 2))
        case 2...4: .number(number())
        default: .string(chance(1, in: 4) ? number() : text())
        }
    }

    mutating func number() -> String {
        let sign = chance(1, in: 4) ? "-" : ""
        switch draw(below: 14) {
        case 0: return sign + "0"
        case 1: return sign + "0.000000000000000001"
        case 2: return sign + "170141183460469231731.687303715884105727"
        case 3: return sign + "\(draw(below: 1_000)).\(draw(below: 1_000))5"
        case 4: return sign + "1\(String(repeating: "0", count: draw(below: 22)))"
        case 5: return sign + "0.\(draw(below: 1_000_000))\(draw(below: 1_000_000))"
        case 6: return sign + "\(draw(below: 9) + 1)e\(draw(below: 30) - 15)"
        case 7: return sign + "0.1234567890123456785"
        default: return sign + String(draw(below: 12))
        }
    }

    mutating func text() -> String {
        if chance(1, in: 4) {
            let pieces = ["a", " ", "\"", "\\", "é", "😀", "\n", "/", "1", "'", "ß", "Σ"]
            return (0..<draw(below: 5)).map { _ in pick(pieces) }.joined()
        }
        return pick([
            "", "acme", "ACME", "large", "Large ", " a", "eu", "200", "5", "1e1", "-0", "7.50",
            "true", "gateway-eu", "gateway", "e", "la", "Ünïcode", "llm.request", "1e40",
        ])
    }

    mutating func time() -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let date =
            "\(1_990 + draw(below: 35))-\(two(1 + draw(below: 12)))-\(two(1 + draw(below: 28)))"
        let clock = "\(two(draw(below: 24))):\(two(draw(below: 60))):\(two(draw(below: 60)))"
        let fraction = pick(["", ".5", ".123456", ".1234567891"])
        let offset = pick(["Z", "Z", "+02:00", "-09:30", "+00:00"])
        return date + "T" + clock + fraction + offset
    }

    // MARK: Expressions

    static let paths = [
        "$.data.a", "$.data.b", "$.data.c", "$.data.model", "$.data.tags", "$.data.tags[0]",
        "$.data.start", "$.data.end", "$.data.deep.x", "$.data.deep['y z']", "$.data.deep.list[1]",
        "$.data.deep", "$.data.absent", "$.data", "$.region", "source", "subject", "id", "time",
        "$.type",
    ]
    private static let zones = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"]

    private mutating func path(_ likely: [String]) -> ExpressionTree {
        .path(chance(1, in: 6) ? pick(Self.paths) : pick(likely))
    }

    mutating func bool(_ depth: Int) -> ExpressionTree {
        if depth <= 0 {
            switch draw(below: 4) {
            case 0: return .bool(chance(1, in: 2))
            case 1: return .exists(pick(Self.paths))
            case 2: return .compare("==", path(["$.data.model"]), .text(text()))
            default: return .compare("<", path(["$.data.a", "$.data.b"]), .number(literal()))
            }
        }
        switch draw(below: 12) {
        case 0: return .and((0..<2 + draw(below: 3)).map { _ in bool(depth - 1) })
        case 1: return .or((0..<2 + draw(below: 3)).map { _ in bool(depth - 1) })
        case 2: return .not(bool(depth - 1))
        case 3, 4:
            let sign = pick(["==", "!=", "<", "<=", ">", ">="])
            return chance(1, in: 2)
                ? .compare(sign, number(depth - 1), number(depth - 1))
                : .compare(sign, text(depth - 1), text(depth - 1))
        case 5:
            let sign = pick(["==", "!="])
            return chance(1, in: 2)
                ? .compare(sign, .path(pick(Self.paths)), .null)
                : .compare(sign, .path(pick(Self.paths)), pick([.bool(true), .path("$.data.b")]))
        case 6:
            let isText = chance(1, in: 2)
            let elements = (0..<1 + draw(below: 4)).map { _ in
                isText ? text(depth - 2) : number(depth - 2)
            }
            let left = isText ? text(depth - 1) : number(depth - 1)
            return chance(1, in: 2) ? .isIn(left, elements) : .isNotIn(left, elements)
        case 7, 8:
            let word = pick(["startsWith", "endsWith", "contains"])
            return .search(word, text(depth - 1), text(depth - 1))
        case 9:
            let element = chance(1, in: 2) ? text(depth - 1) : number(depth - 1)
            let array = path(["$.data.tags"])
            return chance(1, in: 2)
                ? .search("in", element, array) : .search("contains", array, element)
        case 10: return .matches(text(depth - 1), draw(below: NaivePattern.all.count))
        default: return choice(depth) { $0.bool(depth - 1) }
        }
    }

    private mutating func choice(
        _ depth: Int,
        _ part: (inout TreeGenerator) -> ExpressionTree
    ) -> ExpressionTree {
        if chance(1, in: 2) { return .call("if", [bool(depth - 1), part(&self), part(&self)]) }
        return .call("coalesce", (0..<1 + draw(below: 3)).map { _ in part(&self) })
    }

    mutating func number(_ depth: Int) -> ExpressionTree {
        if depth <= 0 {
            return chance(1, in: 3)
                ? .number(literal()) : path(["$.data.a", "$.data.b", "$.data.c", "$.data.deep.x"])
        }
        switch draw(below: 12) {
        case 0...4:
            let sign = pick(["+", "-", "*", "/", "%"])
            return .arithmetic(sign, number(depth - 1), number(depth - 1))
        case 5: return .negate(number(depth - 1))
        case 6: return .call("abs", [number(depth - 1)])
        case 7:
            let parts = (0..<1 + draw(below: 3)).map { _ in number(depth - 1) }
            return .call(pick(["min", "max"]), parts)
        case 8:
            let places = chance(1, in: 2) ? "\(draw(below: 19))" : nil
            return .settled(pick(["ceil", "floor", "round"]), [number(depth - 1)], places)
        case 9:
            return .call("length", [chance(1, in: 2) ? text(depth - 1) : path(["$.data.tags"])])
        case 10:
            let moments = ["$.data.start", "$.data.end", "time"]
            if chance(1, in: 2) {
                let unit = pick([
                    "microseconds", "milliseconds", "seconds", "minutes", "hours", "days",
                ])
                return .settled("duration", [path(moments), path(moments)], unit)
            }
            let part = pick([
                "year", "month", "day", "hour", "minute", "second", "weekday", "dayOfYear",
            ])
            return .settled(part, [path(moments)], zone())
        default: return choice(depth) { $0.number(depth - 1) }
        }
    }

    private mutating func zone() -> String? { chance(1, in: 3) ? nil : pick(Self.zones) }

    /// A number that may be written out: one that fits, with no more than 18 places.
    private mutating func literal() -> String {
        while true {
            let spelled = number()
            let isLong = spelled.hasSuffix("0.1234567890123456785")
            if case .value = NaiveDecimal.read(spelled), !isLong { return spelled }
        }
    }

    mutating func text(_ depth: Int) -> ExpressionTree {
        if depth <= 0 {
            return chance(1, in: 2)
                ? .text(text()) : path(["$.data.model", "source", "subject", "$.region", "id"])
        }
        switch draw(below: 6) {
        case 0: return .call("lower", [text(depth - 1)])
        case 1: return .call("upper", [text(depth - 1)])
        case 2: return .call("trim", [text(depth - 1)])
        case 3:
            let parts = (0..<1 + draw(below: 3)).map { _ in
                chance(1, in: 3) ? number(depth - 1) : text(depth - 1)
            }
            return .call("concat", parts)
        case 4: return .settled("date", [path(["$.data.start", "time"])], zone())
        default: return choice(depth) { $0.text(depth - 1) }
        }
    }
}
