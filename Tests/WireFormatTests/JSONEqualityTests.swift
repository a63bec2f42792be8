import MeteringTestKit
import Testing
import WireFormat

@Suite("Equality of JSON values") struct JSONEqualityTests {
    @Test(
        "spelling does not matter",
        arguments: [
            ("1", "1.0"), ("1", "10e-1"), ("1", "0.01e2"), ("100", "1e2"), ("100", "1E+2"),
            ("-0", "0"), ("0", "0e99"), ("0.0", "-0.000e-5"), ("1.50", "1.5"), ("0.001", "1e-3"),
            ("12300", "1.23e4"), ("1e0000000001", "10"), ("-1.5", "-15e-1"),
            ("123456789012345678901234567890", "1.2345678901234567890123456789e29"),
            (#""a""#, #""\u0061""#), (#""\/""#, #""/""#), (#""é""#, #""\u00E9""#),
            (#""😀""#, #""\ud83d\uDE00""#), (#""\n""#, #""\u000a""#), (#""\\n""#, #""\u005cn""#),
            ("[1,2]", " [ 1 , 2.0 ] "), (#"{"a":1,"b":2}"#, #"{ "b": 2, "a": 1 }"#),
            (#"{"a":{"x":1,"y":[{}]}}"#, #"{"\u0061":{"y":[{ }],"x":1.0}}"#),
            ("{}", "{ }"), ("[]", "[\n]"), ("true", " true"), ("null", "null\n"),
        ]
    )
    func equal(one: String, other: String) {
        #expect(jsonEqual(one, other))
        #expect(jsonEqual(other, one))
    }

    @Test(
        "the value does",
        arguments: [
            ("1", "2"), ("1", "-1"), ("1", "1.0000000000000000000000000001"), ("1", "\"1\""),
            ("0", "null"), ("0", "false"), ("10", "1"), ("1e2", "1e3"), ("0.1", "0.01"),
            ("1e400", "1e401"), ("9007199254740993", "9007199254740992"), ("12", "120"),
            ("1.1", "11"), ("101", "11"), ("0.1", "0.10000000000000000555"),
            ("true", "false"), ("null", "{}"), (#""""#, "null"), (#""a""#, #""A""#),
            (#""a""#, #""ab""#), (#""é""#, #""e\u0301""#), (#""\\u0061""#, #""a""#),
            ("[]", "{}"), ("[1]", "[1,1]"), ("[1,2]", "[2,1]"), ("[[1],2]", "[[1,2]]"),
            (#"{"a":1}"#, #"{"a":2}"#), (#"{"a":1}"#, #"{"b":1}"#), (#"{"a":1}"#, #"{}"#),
            (#"{"a":null}"#, #"{}"#), (#"{"a":1,"b":2}"#, #"{"a":2,"b":1}"#),
            (#"{"a":1,"b":2}"#, #"{"b":2,"c":1}"#), (#"{"b":1,"a":1}"#, #"{"a":1,"b":1,"c":1}"#),
        ]
    )
    func different(one: String, other: String) {
        #expect(!jsonEqual(one, other))
        #expect(!jsonEqual(other, one))
    }

    @Test("two spellings of a value are equal, and of another value not", arguments: UInt64(1)...10)
    func property(seed: UInt64) throws {
        var speller = JSONSpeller(seed: seed)
        for _ in 0..<300 {
            let value = speller.value()
            let (one, other) = (speller.spell(value), speller.spell(value))
            #expect(jsonEqual(one, other), "seed \(seed): \(one) and \(other)")
            let changed = change(value, &speller)
            let spelled = speller.spell(changed)
            #expect(!jsonEqual(one, spelled), "seed \(seed): \(one) and \(spelled)")
        }
    }

    /// The value with one thing in it changed.
    private func change(_ value: JSONValue, _ speller: inout JSONSpeller) -> JSONValue {
        switch value {
        case .null: return .bool(false)
        case .bool(let bool): return .bool(!bool)
        case .number(let spelling):
            return spelling.hasPrefix("-") ? .number("1e-90") : .number("-7e-90")
        case .string(let text): return .string(text + "x")
        case .array(var elements):
            if elements.isEmpty || speller.chance(1, in: 4) { return .array(elements + [.null]) }
            let place = speller.draw(below: elements.count)
            elements[place] = change(elements[place], &speller)
            return .array(elements)
        case .object(var object):
            if object.isEmpty || speller.chance(1, in: 4) {
                object["one more"] = .null
            } else {
                let member = speller.pick(object.members)
                object[member.name] = change(member.value, &speller)
            }
            return .object(object)
        }
    }

    @Test("large objects in another order are compared in time that grows like n log n")
    func large() {
        let names = (0..<4_000).map { "\"name-\($0)\":\($0)" }
        let one = "{" + names.joined(separator: ",") + "}"
        let other = "{" + names.reversed().joined(separator: ",") + "}"
        #expect(jsonEqual(one, other))
        #expect(!jsonEqual(one, other.replacing("name-7\":7", with: "name-7\":8")))
    }
}
