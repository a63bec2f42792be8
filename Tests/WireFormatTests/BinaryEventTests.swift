import Testing
import UsageModel
import WireFormat

@Suite("Binary mode") struct BinaryEventTests {
    private static let attributes = [
        ("specversion", "1.0"), ("ID", "a"), ("source", "s"), ("type", "t"), ("subject", "u"),
    ]

    private func event(
        _ contentType: String?,
        _ body: [UInt8],
        _ more: [(String, String)] = []
    ) throws -> (JSONValue?, DecodedBatch) {
        let attributes = (Self.attributes + more).map { (name: $0.0, value: $0.1) }
        let object = try structuredEvent(
            fromBinary: attributes,
            contentType: contentType,
            body: body
        )
        return (try? JSONValue.parse(object), try decodeEvents(object, framing: .cloudEvent))
    }

    @Test(
        "a JSON body is data as it is",
        arguments: [
            nil, "application/json", "application/json; charset=utf-8", "Application/Vnd.x+JSON",
        ]
    )
    func json(contentType: String?) throws {
        let (value, batch) = try event(contentType, Array(" {\"x\" :1}\n".utf8))
        #expect(batch.events.count == 1)
        #expect(value?["data"]?["x"] == 1)
        #expect(value?["datacontenttype"]?.stringValue == contentType)
        #expect(DecodeEventsTests.text(batch.events[0].data, in: batch) == "{\"x\" :1}")
    }

    @Test("text is data as a string, other bytes are base64")
    func otherBodies() throws {
        #expect(try event("text/plain", Array("a\"é".utf8)).0?["data"] == "a\"é")
        #expect(try event("text/plain", [0xff]).0?["data_base64"] == "/w==")
        #expect(try event("text/plain", [0x61, 0]).0?["data_base64"] == "YQA=")
        #expect(try event("text/plain; charset=latin1", [0x61]).0?["data_base64"] == "YQ==")
        #expect(try event("application/xml", Array("<a/>".utf8)).0?["data_base64"] == "PGEvPg==")
        #expect(try event("image/png", [1, 2, 3]).0?["data_base64"] == "AQID")
        let (empty, batch) = try event("image/png", [])
        #expect(empty?["data"] == nil && empty?["data_base64"] == nil)
        #expect(batch.events.count == 1 && batch.events[0].data.isEmpty)
    }

    @Test("header values are decoded once")
    func headers() throws {
        let (value, _) = try event(
            nil,
            [],
            [("a", "\"x\\\"y\""), ("b", "%E2%82%AC%2520%"), ("c", "ü")]
        )
        #expect(value?["a"] == "x\"y")
        #expect(value?["b"] == "€%20%")
        #expect(value?["c"] == "ü")
    }

    @Test("the verdict on the attributes is the decoder's")
    func verdicts() throws {
        #expect(try event(nil, [], [("id", "b")]).1.rejected.map(\.reason) == [.duplicateMember])
        #expect(try event(nil, [], [("x", "%FF")]).1.rejected.map(\.reason) == [.invalidUTF8])
        #expect(try event(nil, [], [("time", "now")]).1.rejected.map(\.reason) == [.timeInvalid])
        let twice = try event(nil, Array(#"{"a":1,"a":2}"#.utf8)).1
        #expect(twice.rejected.map(\.pointer) == ["/data/a"])
    }

    @Test(
        "a JSON body that is not JSON is refused with its byte",
        arguments: [
            ("{\"a\":}", 5), (" ", 0), ("{} x", 3), ("}", 0), ("1,\"id\":\"b\"", 1), ("[1", 2),
        ]
    )
    func malformed(body: String, offset: Int) {
        let fault = #expect(throws: MalformedBody.self) { try event(nil, Array(body.utf8)) }
        #expect(fault?.offset == offset)
    }
}
