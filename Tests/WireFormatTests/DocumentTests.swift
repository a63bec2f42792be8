import Testing
import UsageModel
import WireFormat

@Suite("Documents") struct DocumentTests {
    private func spelled(_ value: JSONValue, pretty: Bool = false) -> String {
        String(decoding: value.serialized(pretty: pretty), as: UTF8.self)
    }

    @Test("a document keeps the order of members and the spelling of numbers")
    func keeps() throws {
        let text = #"{"b":1.50,"a":[1e3,-0,"\u00e9\n"],"c":{},"d":[]}"#
        let value = try JSONValue.parse(Array(text.utf8))
        #expect(spelled(value) == #"{"b":1.50,"a":[1e3,-0,"é\n"],"c":{},"d":[]}"#)
        #expect(value["b"]?.numberValue == "1.50")
        #expect(value["a"]?.arrayValue?.count == 3)
        #expect(value["x"] == nil)
        #expect(value["c"]?["y"] == nil)
        #expect(value.objectValue?.names == ["b", "a", "c", "d"])
    }

    @Test("pretty text has a member a line, empty containers stay whole")
    func pretty() {
        let value: JSONValue = ["a": [1, "x"], "b": [:], "c": [], "d": .null, "e": true]
        #expect(
            spelled(value, pretty: true) == """
                {
                  "a": [
                    1,
                    "x"
                  ],
                  "b": {},
                  "c": [],
                  "d": null,
                  "e": true
                }
                """
        )
    }

    @Test("members are replaced in place, added at the end, removed by nil")
    func members() {
        var object: JSONObject = ["a": 1, "b": 2]
        object["a"] = 3
        object["c"] = 4
        object["b"] = nil
        #expect(spelled(.object(object)) == #"{"a":3,"c":4}"#)
    }

    @Test(
        "a fault in a document is told with its byte",
        arguments: [
            ("", 0), ("{", 1), ("[1,]", 3), (#"{"a":1,"a":2}"#, 7), (#"["\ud800"]"#, 2),
            ("[1] x", 4), ("nul", 0), (#"{"a":"#, 5), ("1e1000", 0), ("\"a", 2), ("tru", 0),
        ]
    )
    func faults(text: String, offset: Int) {
        let fault = #expect(throws: MalformedBody.self) {
            try JSONValue.parse(Array(text.utf8))
        }
        #expect(fault?.offset == offset)
    }

    @Test("the writer escapes what must be, and puts the commas")
    func writer() throws {
        var writer = JSONWriter()
        writer.beginObject()
        writer.name("text")
        writer.string("a\"\\\u{1}\n\u{7f}é")
        writer.name("na\"me")
        writer.beginArray()
        writer.integer(-7)
        writer.bool(false)
        writer.null()
        writer.raw(Array("{\"x\":1}".utf8))
        writer.beginObject()
        writer.endObject()
        writer.endArray()
        writer.name("at")
        writer.instant(Instant(microseconds: 1_500_000))
        writer.endObject()
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"text":"a\"\\\u0001\n\#u{7f}é","na\"me":[-7,false,null,{"x":1},{}],"#
                + #""at":"1970-01-01T00:00:01.500Z"}"#
        )
        let value = try JSONValue.parse(writer.bytes)
        #expect(value["text"]?.stringValue == "a\"\\\u{1}\n\u{7f}é")
    }

    @Test("the writer repairs text that is not UTF-8")
    func repairs() {
        var writer = JSONWriter()
        let bytes: [UInt8] = [0x61, 0xff, 0xc3, 0xa9]
        unsafe bytes.withUnsafeBytes { unsafe writer.string($0) }
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "\"a\u{fffd}é\"")
    }

    @Test("a problem is written as RFC 9457 has it")
    func problem() {
        let problem = Problem(
            slug: "invalid-field",
            title: "A field is not valid",
            status: 400,
            detail: "1 field",
            errors: [.init(pointer: "/aggregation", reason: "unknown", remedy: "use sum")],
            extra: ["limit": 7, "status": 200]
        )
        #expect(
            String(decoding: problem.serialized(), as: UTF8.self)
                == #"{"type":"/problems/invalid-field","title":"A field is not valid","#
                + #""status":400,"detail":"1 field","errors":[{"pointer":"/aggregation","#
                + #""reason":"unknown","remedy":"use sum"}],"limit":7}"#
        )
    }
}
