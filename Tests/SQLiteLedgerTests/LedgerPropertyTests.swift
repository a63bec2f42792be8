import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel

@Suite("Readings equal a naive fold") struct LedgerPropertyTests {
    /// Goal: whatever the batches, repeats and restarts, every reading of every aggregation is the
    /// naive fold over the events, to the last digit.
    /// Method: each seed draws events, cuts them into calls, sends some again, closes and opens the
    /// ledger now and then, makes half the meter types late (so that a backfill counts them), and
    /// compares ranges on and off bucket edges, by subject and by dimension, now and as of a
    /// position.
    @Test("any split, any repeat, any restart: equal readings", arguments: UInt64(1)...12)
    func equalsNaive(seed: UInt64) async throws {
        try await run(seed: seed, events: 1_500)
    }

    @Test("a hundred thousand events: equal readings", arguments: [UInt64(100)])
    func manyEvents(seed: UInt64) async throws {
        try await run(seed: seed, events: 100_000)
    }

    private func run(seed: UInt64, events count: Int) async throws {
        var generator = SeededGenerator(seed: seed)
        let fixture = LedgerFixture()
        var ledger = try fixture.open()
        let definitions = Aggregation.allCases.flatMap {
            var plain = MeterTypeDefinition.sample($0, byModel: Bool.random(using: &generator))
            Self.drawParameters(of: &plain, &generator)
            return [plain, Self.computing(plain, &generator)]
        }
        let early = definitions.filter { _ in Bool.random(using: &generator) }
        for definition in early { _ = try await ledger.create(definition) }
        var naive = NaiveUsage()
        var next = 0
        while next < count {
            let size = Int.random(in: 1...max(2, count / 8), using: &generator)
            let fresh = (next..<min(next + size, count)).map {
                SampleEvent.random(id: "e\($0)", from: &generator)
            }
            next += fresh.count
            var call = fresh
            for _ in 0..<(size / 10) {
                if let again = naive.events.randomElement(using: &generator) { call.append(again) }
            }
            let outcome = try await ledger.record(call)
            naive.events += fresh
            #expect(outcome.accepted == fresh.count, "seed \(seed)")
            if Int.random(in: 0..<4, using: &generator) == 0 {
                try ledger.close()
                ledger = try fixture.open()
            }
        }
        for definition in definitions { _ = try await ledger.create(definition) }
        try await ledger.finishBackfills()
        for definition in definitions {
            for _ in 0..<6 {
                try await compare(ledger, naive, definition, seed, &generator)
            }
        }
        try ledger.close()
        let report = try fixture.verified()
        #expect(report.findings == [], "seed \(seed)")
        #expect(report.events == UInt64(count))
    }

    private static func drawParameters(
        of definition: inout MeterTypeDefinition,
        _ generator: inout SeededGenerator
    ) {
        if definition.aggregation == .percentile {
            let percent = Int128.random(in: 0...100_000_000, using: &generator) * 1_000_000_000_000
            definition.percentile = Percentile(
                percent: Quantity(mantissa: percent),
                method: Bool.random(using: &generator) ? .linear : .nearestRank
            )
        }
        if definition.aggregation == .timeWeighted {
            definition.timeUnit = TimeUnit.allCases.randomElement(using: &generator)
            definition.carryMax = ["90s", "4h", "3d", nil].randomElement(using: &generator)
                .flatMap { $0.flatMap(TimeLength.init) }
        }
    }

    /// The same with a filter, and at times with a value and a dimension that are computed.
    private static func computing(
        _ plain: MeterTypeDefinition,
        _ generator: inout SeededGenerator
    ) -> MeterTypeDefinition {
        var definition = plain
        definition.key = MeterTypeKey("\(plain.key)-computed") ?? .fallback
        definition.filter = SampleRule.filterTexts.randomElement(using: &generator)
        if plain.aggregation.needsNumber, Bool.random(using: &generator) {
            definition.value = SampleRule.valueTexts.randomElement(using: &generator)
                .map(ValueRule.init)
        }
        if !plain.dimensions.isEmpty, Bool.random(using: &generator) {
            definition.dimensions =
                SampleRule.modelTexts.randomElement(using: &generator)
                .map { [Dimension(name: "model", value: ValueRule($0))] } ?? []
        }
        return definition
    }

    private static func shown(_ definition: MeterTypeDefinition) -> String {
        "\(definition.key) \(definition.filter ?? "") \(definition.value?.description ?? "")"
    }

    private func compare(
        _ ledger: SQLiteLedger,
        _ naive: NaiveUsage,
        _ definition: MeterTypeDefinition,
        _ seed: UInt64,
        _ generator: inout SeededGenerator
    ) async throws {
        let base: Int64 = 1_793_491_200_000_000
        func instant() -> Instant {
            let isAligned = Bool.random(using: &generator)
            let offset = Int64.random(in: -10...400, using: &generator) * 900_000_000
            let odd = isAligned ? 0 : Int64.random(in: 0..<900_000_000, using: &generator)
            return Instant(microseconds: base + offset + odd)
        }
        let (one, two) = (instant(), instant())
        let isWhole = Int.random(in: 0..<4, using: &generator) == 0
        let range =
            isWhole
            ? Instant(microseconds: .min)..<Instant(microseconds: .max)
            : min(one, two)..<max(one, two)
        let bySubject = Bool.random(using: &generator)
        let byModel = !definition.dimensions.isEmpty && Bool.random(using: &generator)
        let subjects = Bool.random(using: &generator) ? ["customer-2", "customer-5"] : []
        let isPast = Int.random(in: 0..<3, using: &generator) == 0
        let asOf = isPast ? Int.random(in: 0...naive.events.count, using: &generator) : nil
        let window: WindowWidth? =
            isWhole ? nil : [.hour, .day, nil].randomElement(using: &generator) ?? nil
        let windows =
            window.map { Array(WindowCutter(width: $0, zone: .utc).windows(in: range)) } ?? [range]
        let until = Int.random(in: 0..<3, using: &generator) == 0 ? instant() : range.upperBound
        let expected = naive.readings(
            definition,
            windows: windows,
            subjects: subjects,
            bySubject: bySubject,
            byModel: byModel,
            upTo: asOf,
            carriedUntil: until
        )
        let question = UsageQuery(
            meterTypes: [definition.key],
            subjects: subjects,
            range: range,
            window: window,
            groupBy: (bySubject ? [.subject] : []) + (byModel ? [.dimension("model")] : []),
            asOf: asOf.map { Position(UInt64($0)) },
            carriedUntil: until,
            limit: 100_000
        )
        let asked = "seed \(seed), \(Self.shown(definition)), \(range), as of \(asOf ?? -1)"
        do {
            let got = try await ledger.readings(question).readings.filter(\.isSomething)
            #expect(got == expected.filter(\.isSomething), "\(asked), until \(until)")
        } catch {
            // Some values hold for thousands of years.
            #expect(error.code == .valueOverflow, "\(asked)")
            #expect(expected.contains { $0.events > 0 || $0.value == nil }, "\(asked)")
            #expect(expected.contains { $0.value == nil }, "\(asked)")
        }
    }
}
