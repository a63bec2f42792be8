import Testing
import UsageModel
import WireFormat

@Suite("Decoding events") struct DecodeEventsTests {
    static let event =
        #"{"id":"a","source":"s","type":"t","subject":"u","#
        + #""time":"2026-11-01T12:00:00Z","data":{"x":1}}"#

    static func decode(_ text: String, _ framing: EventFraming = .plain) throws -> DecodedBatch {
        try decodeEvents(Array(text.utf8), framing: framing)
    }

    static func text(_ slice: ByteSlice, in batch: DecodedBatch) -> String {
        String(decoding: batch.bytes[slice.range], as: UTF8.self)
    }

    @Test("one object is one event, all of it in slices")
    func oneObject() throws {
        let batch = try Self.decode("  \(Self.event)\n")

        let event = try #require(batch.events.first)
        #expect(batch.received == 1)
        #expect(Self.text(event.whole, in: batch) == Self.event)
        #expect(Self.text(event.id, in: batch) == "a")
        #expect(Self.text(event.source, in: batch) == "s")
        #expect(Self.text(event.type, in: batch) == "t")
        #expect(Self.text(event.subject, in: batch) == "u")
        #expect(Self.text(event.data, in: batch) == #"{"x":1}"#)
        #expect(event.hasTime)
        #expect(event.time == Instant(rfc3339: "2026-11-01T12:00:00Z"))
    }

    @Test("one bad event does not take its neighbours with it")
    func neighbours() throws {
        let batch = try Self.decode("[\(Self.event),7,{},\(Self.event)]")

        #expect(batch.events.map(\.index) == [0, 3])
        #expect(batch.rejected.map(\.index) == [1, 2])
        #expect(batch.rejected.map(\.reason) == [.notAnObject, .idMissing])
        #expect(batch.received == 4)
    }

    @Test("a malformed line does not take its neighbours with it")
    func lines() throws {
        let body = "\(Self.event)\r\n\r\n{\"id\":\n  \n\(Self.event) x\n\(Self.event)"
        let batch = try Self.decode(body, .ndjson)

        #expect(batch.events.map(\.index) == [0, 3])
        #expect(batch.rejected.map(\.index) == [1, 2])
        #expect(batch.rejected.map(\.line) == [3, 5])
        #expect(batch.rejected.allSatisfy { $0.reason == .malformedJSON })
        #expect(Self.text(batch.rejected[0].whole, in: batch) == "{\"id\":")
        #expect(Self.text(batch.rejected[1].whole, in: batch) == "\(Self.event) x")
        #expect(Self.text(ByteSlice(offset: batch.rejected[1].offset, count: 1), in: batch) == "x")
    }

    @Test("attributes with escapes are given as text, behind the body")
    func escapes() throws {
        let body = #"""
            {"\u0069d":"a\"b","source":"s\u00e9\ud83d\ude00","type":"t\/x","subject":"\tu",
             "time":"2026-11-01T12:00:00\u005a","specversion":"1\u002e0","data":"\n"}
            """#
        let batch = try Self.decode(body, .cloudEvent)

        let event = try #require(batch.events.first)
        #expect(Self.text(event.id, in: batch) == "a\"b")
        #expect(Self.text(event.source, in: batch) == "sé😀")
        #expect(Self.text(event.type, in: batch) == "t/x")
        #expect(Self.text(event.subject, in: batch) == "\tu")
        #expect(event.time == Instant(rfc3339: "2026-11-01T12:00:00Z"))
        #expect(Self.text(event.data, in: batch) == #""\n""#)
        #expect(Self.text(event.whole, in: batch) == body)
    }
}
