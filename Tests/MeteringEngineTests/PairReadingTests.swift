import MeteringEngine
import Testing
import UsageModel
import WireFormat

@Suite("Pairs of values") struct PairReadingTests {
    private static func measured(_ events: [String]) throws -> PreparedBatch {
        var definition = MeterTypeDefinition(
            key: try #require(MeterTypeKey("pairs")),
            name: "",
            eventTypes: [try #require(EventTypePattern("*"))],
            aggregation: .uniquePairs
        )
        definition.value = ValueRule("$.data.a")
        definition.secondValue = ValueRule("lower($.data.b)")
        let meterType = MeterType(
            number: 1,
            definition: definition,
            createdAt: Instant(microseconds: 0),
            createdPosition: .zero,
            backfilled: .zero
        )
        let lines = events.enumerated().map { place, data in
            "{\"id\":\"\(place)\",\"source\":\"s\",\"type\":\"t\",\"subject\":\"c\","
                + "\"data\":\(data)}"
        }
        let bytes = Array(lines.joined(separator: "\n").utf8)
        let decoded = try decodeEvents(bytes, framing: .ndjson)
        try #require(decoded.rejected.isEmpty)
        let catalog = MeterCatalog(generation: 1, meterTypes: [meterType])
        return EventPreparer(hashKey: SipHashKey(k0: 1, k1: 2), catalog: catalog)
            .prepare(decoded, arrival: Instant(microseconds: 0))
    }

    @Test(
        "two pairs are one where both halves are",
        arguments: [
            (["ann", "small"], ["ann", "small"], true),
            (["ann", "small"], ["ann", "SMALL"], true),
            (["ann", "small"], ["ann", "large"], false), (["ann", "bob"], ["bob", "ann"], false),
            (["ab", "c"], ["a", "bc"], false), (["", "ab"], ["ab", ""], false),
        ]
    )
    func identity(one: [String], other: [String], isSame: Bool) throws {
        let batch = try Self.measured(
            [one, other].map { "{\"a\":\"\($0[0])\",\"b\":\"\($0[1])\"}" }
        )
        #expect(batch.elements.count == 2)
        #expect((Set(batch.elements).count == 1) == isSame)
    }

    @Test("a number is one however it is spelled, and no text")
    func numbers() throws {
        let batch = try Self.measured(
            ["1", "1.0", "\"1\"", "true"].map { "{\"a\":\($0),\"b\":\"x\"}" }
        )
        #expect(Set(batch.elements).count == 3)
    }

    @Test(
        "a pair that lacks a half, or has no scalar for one, is unreadable",
        arguments: [
            ("{\"a\":1}", UnreadableReason.valueMissing), ("{\"b\":\"x\"}", .valueMissing),
            ("{\"a\":null,\"b\":\"x\"}", .valueMissing),
            ("{\"a\":[1],\"b\":\"x\"}", .valueNotScalar),
            ("{\"a\":1,\"b\":[2]}", .expressionWrongType),
        ]
    )
    func unreadable(data: String, reason: UnreadableReason) throws {
        let batch = try Self.measured([data])
        #expect(batch.contributions.map(\.unreadable) == [reason])
        #expect(batch.elements.isEmpty)
        #expect(batch.unreadable == 1)
    }
}
