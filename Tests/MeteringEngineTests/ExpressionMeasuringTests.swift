import Metering
import MeteringEngine
import Testing
import UsageModel
import WireFormat

@Suite("Meter types that compute") struct ExpressionMeasuringTests {
    private static let arrival = Instant(microseconds: 1_793_534_400_000_000)  // 12:00

    private static func type(
        _ aggregation: Aggregation = .count,
        filter: String? = nil,
        value: String? = nil,
        dimension: String? = nil,
        number: UInt32 = 1
    ) -> MeterType {
        var definition = MeterTypeDefinition(
            key: MeterTypeKey("m\(number)")!,
            name: "",
            eventTypes: [EventTypePattern("*")!],
            aggregation: aggregation
        )
        definition.filter = filter
        definition.value = value.map(ValueRule.init)
        definition.dimensions = dimension.map { [Dimension(name: "d", value: .init($0))] } ?? []
        return MeterType(
            number: number,
            definition: definition,
            createdAt: arrival,
            createdPosition: .zero,
            backfilled: .zero
        )
    }

    private static func measured(
        _ types: [MeterType],
        _ data: [String],
        time: String? = "2026-11-01T06:00:00Z",
        arrivals: [Instant] = []
    ) throws -> PreparedBatch {
        let lines = data.enumerated().map { place, data in
            let time = time.map { ",\"time\":\"\($0)\"" } ?? ""
            return "{\"id\":\"e\(place)\",\"source\":\"s\",\"type\":\"t\",\"subject\":\"c\"\(time)"
                + ",\"data\":\(data)}"
        }
        let bytes = Array(lines.joined(separator: "\n").utf8)
        let decoded = try decodeEvents(bytes, framing: .ndjson)
        try #require(decoded.rejected.isEmpty)
        let catalog = MeterCatalog(generation: 1, meterTypes: types)
        let preparer = EventPreparer(hashKey: SipHashKey(k0: 1, k1: 2), catalog: catalog)
        return preparer.prepare(decoded, arrival: arrival, arrivals: arrivals)
    }

    private static func tuples(_ batch: PreparedBatch) -> [String] {
        batch.contributions.map { String(decoding: batch.tuples[Int($0.tuple)], as: UTF8.self) }
    }

    @Test("an event that a filter excludes means nothing to the meter type, and all to the others")
    func excluded() throws {
        let types = [
            Self.type(filter: "$.data.n > 1", number: 1), Self.type(number: 2),
            Self.type(.sum, filter: "$.data.n > 1", value: "$.data.n", number: 3),
        ]

        let batch = try Self.measured(types, ["{\"n\":1}", "{\"n\":2}", "{}"])

        let meters = batch.events.map { event in
            let first = Int(event.firstContribution)
            return batch.contributions[first..<first + Int(event.contributionCount)].map(\.meter)
        }
        #expect(meters == [[2], [1, 2, 3], [2]])
        #expect(batch.unreadable == 0)
        let alone = try Self.measured([types[0]], ["{\"n\":1}"])
        #expect(alone.events[0].isCounted == false)
        #expect(alone.contributions.isEmpty)
    }

    @Test("a tuple that no filter lets through is not kept")
    func tuples() throws {
        let type = Self.type(filter: "$.data.on", dimension: "$.data.name")

        let batch = try Self.measured(
            [type],
            ["{\"on\":false,\"name\":\"a\"}", "{\"on\":true,\"name\":\"b\"}"]
        )

        #expect(
            batch.tuples.map { String(decoding: $0, as: UTF8.self) } == ["{}", "{\"d\":\"b\"}"]
        )
    }

    @Test(
        "what an expression cannot compute is unreadable, with the kind of fault",
        arguments: [
            ("1 / $.data.n > 0", "{\"n\":0}", UnreadableReason.expressionDivisionByZero),
            ("$.data.n * 1e19 > 0", "{\"n\":100}", .expressionOutOfRange),
            ("$.data.n + 1 > 0", "{\"n\":\"one\"}", .expressionWrongType),
            ("$.data.n", "{\"n\":7}", .expressionWrongType),
            ("hour($.data.n) == 1", "{\"n\":\"noon\"}", .expressionWrongType),
            ("1 in $.data.n", "{\"n\":1}", .expressionWrongType),
            ("no expression", "{}", .expressionInvalid),
        ]
    )
    func filterFaults(filter: String, data: String, reason: UnreadableReason) throws {
        let batch = try Self.measured([Self.type(filter: filter), Self.type(number: 2)], [data])

        #expect(batch.contributions.map(\.unreadable) == [reason, nil])
        #expect(batch.unreadable == 1)
        #expect(batch.events[0].isCounted)
    }

    @Test(
        "a value that faults is unreadable; a missing one is missing",
        arguments: [
            ("$.data.n / 0", "{\"n\":1}", UnreadableReason.expressionDivisionByZero),
            ("$.data.n + 1", "{}", .valueMissing),
            ("$.data.n + 1", "{\"n\":[]}", .expressionWrongType),
            (
                "length(concat($.data.n, $.data.n, $.data.n))", "{\"n\":\"LONG\"}",
                .expressionTextTooLong
            ),
            ("\"text\"", "{}", .expressionInvalid),
        ]
    )
    func valueFaults(value: String, data: String, reason: UnreadableReason) throws {
        let long = data.replacing("LONG", with: String(repeating: "x", count: 30_000))

        let batch = try Self.measured([Self.type(.sum, value: value)], [long])

        #expect(batch.contributions.map(\.unreadable) == [reason])
        #expect(batch.events[0].isCounted == false)
    }

    @Test("a meter type that rejects excess digits rejects them where it computes")
    func excessDigits() throws {
        var type = Self.type(.sum, value: "$.data.n * 2")
        type.definition.excessDigits = .reject
        let data = "{\"n\":0.0000000000000000001}"

        let rejecting = try Self.measured([type], [data])
        type.definition.excessDigits = .round
        let rounding = try Self.measured([type], [data])

        #expect(rejecting.contributions.map(\.unreadable) == [.expressionExcessDigits])
        #expect(rounding.contributions.map(\.mantissa) == [0])
    }

    @Test("the time of an event that states none is its arrival, in filters, values and dimensions")
    func arrivals() throws {
        let types = [
            Self.type(filter: "hour(time) == 12"),
            Self.type(.sum, value: "hour($.time)", dimension: "time", number: 2),
            Self.type(dimension: "$.time", number: 3),
        ]
        let other = Instant(microseconds: Self.arrival.microseconds + 3_600_000_000)

        let fresh = try Self.measured(types, ["{}", "{}"], time: nil)
        let stored = try Self.measured(
            types,
            ["{}", "{}"],
            time: nil,
            arrivals: [Self.arrival, other]
        )
        let stated = try Self.measured(types, ["{}"])

        #expect(fresh.contributions.map(\.meter) == [1, 2, 3, 1, 2, 3])
        #expect(stored.contributions.map(\.meter) == [1, 2, 3, 2, 3])
        #expect(stated.contributions.map(\.meter) == [2, 3])
        let one: Int128 = 1_000_000_000_000_000_000
        #expect(stored.contributions.map(\.mantissa) == [0, 12 * one, 0, 13 * one, 0])
        #expect(
            Self.tuples(stored)
                == [
                    "{}", "{\"d\":\"2026-11-01T12:00:00Z\"}", "{\"d\":null}",
                    "{\"d\":\"2026-11-01T13:00:00Z\"}", "{\"d\":null}",
                ]
        )
        #expect(Self.tuples(stated).allSatisfy { $0 == "{\"d\":\"2026-11-01T06:00:00Z\"}" })
    }

    @Test(
        "a computed dimension is spelled as one that stands in the event",
        arguments: [
            "{\"v\":\"plain\"}", "{\"v\":\"a\\\"b\\\\c\\n\\u0007\"}", "{\"v\":\"caf\\u00e9 ü\"}",
            "{\"v\":1.50}", "{\"v\":true}", "{\"v\":null}", "{}",
        ]
    )
    func spelling(data: String) throws {
        let types = [
            Self.type(dimension: "$.data.v"),
            Self.type(dimension: "if(true, $.data.v, 1)", number: 2),
        ]

        let batch = try Self.measured(types, [data, data])

        #expect(Set(Self.tuples(batch)).count == 1)
        #expect(batch.contributions.count == 4)
        #expect(batch.contributions.allSatisfy { $0.unreadable == nil })
    }

    @Test("a computed dimension that is too long or no scalar is unreadable")
    func dimensionFaults() throws {
        let types = [
            Self.type(dimension: "concat($.data.v, $.data.v)"),
            Self.type(dimension: "coalesce($.data.list, 1)", number: 2),
        ]
        let text = String(repeating: "x", count: 129)

        let batch = try Self.measured(types, ["{\"v\":\"\(text)\",\"list\":[]}"])

        #expect(
            batch.contributions.map(\.unreadable) == [.dimensionTooLong, .expressionWrongType]
        )
    }

    @Test(
        "a computed element is the same as one that stands in the event",
        arguments: ["\"a\"", "\"a\\\"b\"", "1.0", "true"]
    )
    func elements(value: String) throws {
        let types = [
            Self.type(.unique, value: "$.data.v"),
            Self.type(.unique, value: "if(true, $.data.v, 0)", number: 2),
        ]

        let batch = try Self.measured(types, ["{\"v\":\(value)}"])

        #expect(batch.elements.count == 2)
        #expect(Set(batch.elements).count == 1)
        #expect(batch.contributions.map(\.elementCount) == [1, 1])
    }

    @Test("a path in brackets, or an attribute's name, is read as the path it is")
    func plain() throws {
        let types = [
            Self.type(.unique, value: "($.data.users)"),
            Self.type(.unique, value: "$.data.users", number: 2),
            Self.type(dimension: "subject", number: 3),
        ]

        let batch = try Self.measured(types, ["{\"users\":[\"a\",\"b\"]}"])

        #expect(batch.contributions.map(\.elementCount) == [2, 2, 0])
        #expect(Self.tuples(batch).last == "{\"d\":\"c\"}")
    }

    @Test("a definition at fault says which field, where, and what to write")
    func faults() throws {
        var definition = Self.type(.sum, filter: "$.data.a + 1", value: "\"five\"").definition
        definition.dimensions = [
            Dimension(name: "a", value: .init("$.data.a")),
            Dimension(name: "b", value: .init("hour(time, \"Berlin\")")),
        ]

        let faults = definition.expressionFaults(zones: SystemTimeZones.shared)

        #expect(faults.map(\.pointer) == ["/filter", "/value", "/dimensions/b"])
        #expect(
            faults.last?.reason == "column 12: found \"Berlin\", expected a time zone"
        )
        #expect(faults.last?.remedy == "use an IANA name such as \"Europe/Berlin\"")
        definition.aggregation = .unique
        definition.filter = nil
        definition.dimensions = []
        #expect(definition.expressionFaults(zones: SystemTimeZones.shared) == [])
    }
}
