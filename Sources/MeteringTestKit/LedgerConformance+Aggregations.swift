internal import Metering
internal import MeteringEngine
internal import UsageModel

// Aggregations that need more than a state for each quarter of an hour: elements, first and last
// ones, and what reaches beyond its own events.
extension LedgerConformance {
    mutating func aggregations() async throws {
        for aggregation in Aggregation.allCases {
            _ = try await ledger.create(aggregated(aggregation))
        }
        // The second comes late, and is the earliest.
        let first = try await record([told("g1", "5", 2)])
        _ = try await record([told("g2", "3", 0)])
        _ = try await record([told("g3", "1", 5), told("g4", "10", 1, subject: "gauge-b")])
        while try await ledger.meterTypes().contains(where: { !$0.isBackfilled }) {
            await Task.yield()
        }
        let expected: [(Aggregation, [String?])] = [
            (.count, ["4"]), (.sum, ["19"]), (.min, ["1"]), (.max, ["10"]), (.unique, ["4"]),
            (.uniquePairs, ["4"]), (.first, ["3"]), (.latest, ["1"]), (.average, ["4.75"]),
            (.percentile, ["4"]), (.timeWeighted, ["72", "66"]), (.counter, ["3"]),
            (.peakConcurrency, ["19", "19"]),
        ]
        for (aggregation, values) in expected {
            let got = try await windows(of: aggregation)
            check(
                got == values,
                "\(aggregation.rawValue) over two windows is \(values), not \(got)"
            )
        }
        check(
            try await windows(of: .timeWeighted, subject: "gauge-b") == ["50", "60"],
            "a gauge is carried by subject"
        )
        check(
            try await windows(of: .timeWeighted, asOf: first.position) == ["20", "30"],
            "what is carried is known as of a position"
        )
        check(
            try await windows(of: .timeWeighted, until: 7) == ["72", "11"],
            "nothing is carried further than asked"
        )
    }

    private func told(
        _ id: String,
        _ number: String,
        _ hour: Int64,
        subject: String = "gauge-a"
    ) -> SampleEvent {
        SampleEvent(
            id: id,
            type: "gauge.told",
            subject: subject,
            time: Self.hour(hour),
            number: number,
            users: [number]
        )
    }

    private static func hour(_ hour: Int64) -> Instant {
        Instant(microseconds: 1_793_491_200_000_000 + hour * 3_600_000_000)
    }

    private func aggregated(_ aggregation: Aggregation) throws -> MeterTypeDefinition {
        var definition = MeterTypeDefinition(
            key: try key("told-\(aggregation.rawValue)"),
            name: aggregation.rawValue,
            eventTypes: EventTypePattern("gauge.told").map { [$0] } ?? [],
            aggregation: aggregation
        )
        switch aggregation {
        case .count: break
        case .unique: definition.value = ValueRule("$.data.users")
        default: definition.value = ValueRule("$.data.amount")
        }
        if aggregation.takesPair { definition.secondValue = ValueRule("$.subject") }
        if aggregation == .percentile {
            definition.percentile = Percentile(percent: try Quantity("50"), method: .linear)
        }
        if aggregation == .timeWeighted { definition.timeUnit = .hour }
        return definition
    }

    /// The values of two windows of six hours, those that have a row.
    private func windows(
        of aggregation: Aggregation,
        subject: String? = nil,
        asOf: Position? = nil,
        until: Int64 = 100
    ) async throws -> [String?] {
        let answer = try await ledger.readings(
            UsageQuery(
                meterTypes: [key("told-\(aggregation.rawValue)")],
                subjects: subject.map { [$0] } ?? [],
                range: Self.hour(0)..<Self.hour(12),
                window: .fixed(microseconds: 6 * 3_600_000_000),
                asOf: asOf,
                carriedUntil: Self.hour(until)
            )
        )
        return answer.readings.map { $0.value?.description }
    }
}
