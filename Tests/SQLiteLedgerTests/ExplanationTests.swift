import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel

@Suite("Why an event counts or does not") struct ExplanationTests {
    private let fixture = LedgerFixture()

    private static func definition(
        _ key: String,
        filter: String? = nil,
        value: String? = nil,
        dimension: String? = nil
    ) -> MeterTypeDefinition {
        var definition = MeterTypeDefinition.sample(value == nil ? .count : .sum, key: key)
        definition.filter = filter
        definition.value = value.map(ValueRule.init) ?? definition.value
        definition.dimensions = dimension.map { [Dimension(name: "d", value: .init($0))] } ?? []
        return definition
    }

    @Test("it names the part of the filter that is false, the fault, and what was computed")
    func reasons() async throws {
        var ledger = try fixture.open()
        let definitions = [
            Self.definition("a", filter: "$.data.amount > 1 and source == \"gateway-us\""),
            Self.definition("b", filter: "1 / ($.data.amount - 5) > 0"),
            Self.definition("c", value: "$.data.amount / (2 - 2)"),
            Self.definition("d", filter: "true", value: "$.data.amount + 1", dimension: "1 + 1"),
            Self.definition("e", dimension: "length($.data.users) / 0"),
        ]
        for definition in definitions { _ = try await ledger.create(definition) }
        try await ledger.record([SampleEvent(id: "x", source: "gateway-eu", number: "5")])
        // The definitions come from the database then.
        try ledger.close()
        ledger = try fixture.open()

        let event = try #require(try await ledger.event(source: "gateway-eu", id: "x"))

        #expect(
            event.explanation.map(\.because) == [
                "filter: source == \"gateway-us\" is false (source is \"gateway-eu\")",
                "unreadable: expression-division-by-zero; "
                    + "filter: 1 / ($.data.amount - 5) > 0 "
                    + "has no value: division-by-zero at column 1 ($.data.amount is 5)",
                "unreadable: expression-division-by-zero; value: division-by-zero at column 1",
                "",
                "unreadable: expression-division-by-zero; "
                    + "dimensions/d: division-by-zero at column 1",
            ]
        )
        #expect(event.explanation.map(\.isCounted) == [false, false, false, true, false])
        #expect(event.explanation[3].value == (try Quantity("6")))
        #expect(event.explanation[3].dimensions == [.init(name: "d", value: "2")])
        let unreadable = try await ledger.unreadable(UnreadableQuery(meterType: nil, limit: 10))
        #expect(unreadable.events.map(\.meterType.text) == ["b", "c", "e"])
        #expect(unreadable.events.allSatisfy { $0.reason == .expressionDivisionByZero })
        #expect(try await ledger.meterTypes().map(\.definition) == definitions)
        try ledger.close()
    }

    @Test("an event without a time is explained by its arrival")
    func arrival() async throws {
        let ledger = try fixture.open()
        _ = try await ledger.create(Self.definition("a", filter: "year(time) == 1999"))
        let line = #"{"id":"x","source":"s","type":"llm.x","subject":"c","data":{}}"#
        try await ledger.record(lines: [line])

        let event = try #require(try await ledger.event(source: "s", id: "x"))

        let arrival = Instant(microseconds: 1_793_600_000_000_000).rfc3339
        #expect(
            event.explanation.map(\.because)
                == ["filter: year(time) == 1999 is false (time is \"\(arrival)\")"]
        )
        try ledger.close()
    }
}
