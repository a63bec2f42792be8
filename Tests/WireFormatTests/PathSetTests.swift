import MeteringTestKit
import Testing
import UsageModel
import WireFormat

@Suite("Paths") struct PathSetTests {
    private static let event = #"""
        {"specversion":"1.0","id":"i\u0031","source":"s","type":"t","subject":"u","region":"eu",
         "time":"2026-11-01T12:00:00Z","tags":{"a":[1,2]},"level":7,
         "data":{"model":"lar\"ge","tokens":{"input":812,"output":104,"a b":true},
          "items":[{"qty":"1.5"},{"qty":2},null,[[3]]],"none":null,"\u0065sc":[],"deep":{"x":{}}}}
        """#

    private func values(_ paths: [String]) throws -> [(PathValue.Kind, String)] {
        let set = PathSet(try paths.map { try EventPath($0) })
        let batch = try decodeEvents(Array(Self.event.utf8), framing: .plain)
        let event = try #require(batch.events.first)
        return set.values(in: event, of: batch.bytes).map { value in
            (value.kind, String(decoding: batch.bytes[value.slice.range], as: UTF8.self))
        }
    }

    @Test(
        "one path leads to one value",
        arguments: [
            ("$.data.model", PathValue.Kind.string, #"lar\"ge"#),
            ("$.data.tokens.input", .number, "812"),
            ("$.data.tokens['a b']", .bool, "true"),
            ("$.data.tokens", .object, #"{"input":812,"output":104,"a b":true}"#),
            ("$.data.items[0].qty", .string, "1.5"),
            ("$.data.items[1].qty", .number, "2"),
            ("$.data.items[2]", .null, "null"),
            ("$.data.items[3][0][0]", .number, "3"),
            ("$.data.items[3]", .array, "[[3]]"),
            ("$.data.items[4]", .missing, ""),
            ("$.data.items.qty", .missing, ""),
            ("$.data.tokens[0]", .missing, ""),
            ("$.data.none", .null, "null"),
            ("$.data.none.x", .missing, ""),
            ("$.data.esc", .array, "[]"),
            ("$.data.deep.x", .object, "{}"),
            ("$.data.deep.x.y", .missing, ""),
            ("$.data.absent", .missing, ""),
            ("$.id", .string, "i1"),
            ("$.source", .string, "s"),
            ("$.type", .string, "t"),
            ("$.subject", .string, "u"),
            ("$.subject.x", .missing, ""),
            ("$.time", .string, "2026-11-01T12:00:00Z"),
            ("$.region", .string, "eu"),
            ("$.level", .number, "7"),
            ("$.tags.a[1]", .number, "2"),
            ("$.specversion", .string, "1.0"),
            ("$.absent", .missing, ""),
        ]
    )
    func onePath(path: String, kind: PathValue.Kind, text: String) throws {
        let value = try #require(try values([path]).first)
        #expect(value.0 == kind)
        #expect(value.1 == text)
    }

    @Test("many paths, also the same one twice, each fill their slot")
    func manyPaths() throws {
        let paths = [
            "$.data.tokens.output", "$.data.model", "$.data.tokens.output", "$.region", "$.region",
            "$.data.items[1].qty", "$.data.items[0]", "$.data", "$.subject", "$.data.nothing",
        ]
        let texts = try values(paths).map(\.1)
        #expect(texts[0] == "104" && texts[2] == "104")
        #expect(texts[3] == "eu" && texts[4] == "eu")
        #expect(texts[1] == #"lar\"ge"#)
        #expect(texts[5] == "2" && texts[6] == #"{"qty":"1.5"}"#)
        #expect(texts[7].hasPrefix("{\"model\"") && texts[7].hasSuffix("}"))
        #expect(texts[8] == "u" && texts[9] == "")
    }

    @Test("an event without data has no values in it")
    func noData() throws {
        let set = PathSet([
            try EventPath("$.data"), try EventPath("$.data.x"), try EventPath("$.id"),
        ])
        let batch = try decodeEvents(Array("{\(VerdictTable.members)}".utf8), framing: .plain)
        let values = set.values(in: batch.events[0], of: batch.bytes)
        #expect(values.map(\.kind) == [.missing, .missing, .string])
        #expect(PathSet([]).values(in: batch.events[0], of: batch.bytes) == [])
    }

    /// Goal: one pass over the bytes finds what walking the tree finds.
    /// Method: drawn events in drawn spellings; drawn paths that lead somewhere, or nearly.
    @Test("extraction equals navigation", arguments: UInt64(1)...10)
    func oracle(seed: UInt64) throws {
        var speller = JSONSpeller(seed: seed)
        for _ in 0..<100 {
            let paths = (0..<speller.draw(below: 8)).map { _ in path(&speller) }
            let set = PathSet(paths)
            for _ in 0..<5 {
                var object: JSONObject = [
                    "id": "i", "source": "s", "type": "t", "subject": "u",
                    "data": .object(speller.object(depth: 0)),
                ]
                object["ext"] = speller.value(depth: 3)
                let spelled = speller.spell(.object(object))
                let batch = try decodeEvents(Array(spelled.utf8), framing: .plain)
                let event = try #require(batch.events.first)
                let values = set.values(in: event, of: batch.bytes)
                for (path, value) in zip(paths, values) {
                    let expected = JSONValue.object(object).value(at: path.steps[...])
                    expectSame(value.document(in: batch.bytes), expected, "\(path) seed \(seed)")
                    expectElements(of: value, in: batch.bytes)
                }
            }
        }
    }

    private func path(_ speller: inout JSONSpeller) -> EventPath {
        var text = speller.pick(["$.data", "$.data", "$.data", "$.ext", "$.id", "$.none"])
        for _ in 0..<speller.draw(below: 4) {
            if speller.chance(1, in: 4) {
                text += "[\(speller.draw(below: 4))]"
            } else {
                let name = speller.pick(JSONSpeller.names)
                text += "['\(name)']"
            }
        }
        guard let path = try? EventPath(text) else { preconditionFailure("no path: \(text)") }
        return path
    }

    private func expectSame(_ one: JSONValue?, _ other: JSONValue?, _ what: String) {
        let isSame =
            switch (one, other) {
            case (let one?, let other?): jsonEqual(one.serialized(), other.serialized())
            case (nil, nil): true
            default: false
            }
        #expect(isSame, "\(what): \(String(describing: one)), not \(String(describing: other))")
    }

    private func expectElements(of value: PathValue, in bytes: [UInt8]) {
        guard value.kind == .array, case .array(let expected)? = value.document(in: bytes) else {
            #expect(elements(of: value, in: bytes).isEmpty || value.kind == .array)
            return
        }
        let found = elements(of: value, in: bytes).compactMap { $0.document(in: bytes) }
        #expect(found == expected)
    }
}
