import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel

@Suite("Periods of meters") struct PeriodTests {
    private static let base: Int64 = 1_793_491_200_000_000

    private static func schedule(_ generator: inout SeededGenerator) throws -> ResetSchedule {
        let anchor = Instant(
            microseconds: base + Int64.random(in: 0..<1_000_000_000_000, using: &generator)
        )
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: return .hourly
        case 1: return .daily
        case 2: return .weekly
        case 3: return .every(try .init(.hour, interval: 5, anchor: anchor))
        case 4: return .every(try .init(.day, interval: 2, anchor: anchor))
        default: return .cron(try CronSchedule("7 */4 * * *"))
        }
    }

    /// Ledger against fold: the calendar's periods are found by asking it for each event, and the
    /// ledger's answers come page by page through the questions that the API asks.
    @Test("the periods of a meter add up to its readings, and each is the fold of its events")
    func addUp() async throws {
        for seed in UInt64(1)...12 {
            var generator = SeededGenerator(seed: seed)
            let fixture = LedgerFixture()
            let ledger = try fixture.open()
            var naive = NaiveUsage()
            var definitions: [MeterTypeDefinition] = [
                .sample(.sum, byModel: true), .sample(.count),
            ]
            for place in definitions.indices {
                definitions[place].resetSchedule = try Self.schedule(&generator)
                _ = try await ledger.create(definitions[place])
            }
            for batch in 0..<4 {
                var events: [SampleEvent] = []
                for number in 0..<60 {
                    let time = Self.base + Int64.random(in: 0..<864_000_000_000, using: &generator)
                    events.append(
                        SampleEvent(
                            id: "\(batch)-\(number)",
                            subject: "s\(Int.random(in: 0..<4, using: &generator))",
                            time: Instant(microseconds: time),
                            number: "\(Int.random(in: -50...500, using: &generator)).25",
                            model: number % 3 == 0 ? nil : "m\(number % 3)"
                        )
                    )
                }
                try await ledger.record(events)
                naive.events += events
            }

            for definition in definitions {
                try await Self.compare(ledger, naive, definition, seed: seed)
            }
            try ledger.close()
        }
    }

    /// Goal: the edges of a meter's time are found within busy quarters of an hour. Method: all
    /// events lie in two quarters, some at the same instant, and come in three orders.
    @Test(
        "a meter knows its first and its last event, whatever the order they came in",
        arguments: ["ascending", "descending", "random"],
        UInt64(1)...4
    )
    func edges(order: String, seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let fixture = LedgerFixture()
        let ledger = try fixture.open()
        let definition = MeterTypeDefinition.sample(.sum)
        _ = try await ledger.create(definition)
        var times = (0..<600).map { _ in
            Self.base + Int64.random(in: 0..<1_800_000_000, using: &generator) / 250_000 * 250_000
        }
        if order == "ascending" { times.sort() }
        if order == "descending" { times.sort(by: >) }
        for batch in 0..<6 {
            let events = (batch * 100..<(batch + 1) * 100).map { number in
                SampleEvent(
                    id: "\(number)",
                    subject: "s\(number % 3)",
                    time: Instant(microseconds: times[number]),
                    number: "1"
                )
            }
            try await ledger.record(events)

            for subject in 0..<3 {
                let known = times.prefix((batch + 1) * 100).enumerated()
                    .filter { $0.offset % 3 == subject }.map(\.element)
                let id = try #require(MeterID(meterType: definition.key, subject: "s\(subject)"))
                let now = Instant(microseconds: Self.base)
                let reading = try await ledger.reading(id, of: definition, in: .utc, at: now)
                #expect(reading.firstEventAt?.microseconds == known.min(), "seed \(seed) \(id)")
                #expect(reading.lastEventAt?.microseconds == known.max(), "seed \(seed) \(id)")
            }
        }
        try ledger.close()
    }

    /// Goal: no meter costs a walk through the log. Method: a hundred blocks reach over the first
    /// quarter and hold the subject, but only one has an event of it there.
    @Test("an edge that would take a walk through the log is left out, and the other one is told")
    func edgesLeftOut() async throws {
        let ledger = try LedgerFixture().open()
        let definition = MeterTypeDefinition.sample(.sum)
        _ = try await ledger.create(definition)
        func event(_ id: String, _ subject: String, _ minutes: Int64) -> SampleEvent {
            let time = Instant(microseconds: Self.base + minutes * 60_000_000)
            return SampleEvent(id: id, subject: subject, time: time, number: "1")
        }
        try await ledger.record([event("first", "s", 1)])
        for number in 0..<100 {
            try await ledger.record([
                event("a\(number)", "other", -60), event("b\(number)", "other", 60),
                event("c\(number)", "s", 120 + Int64(number)),
            ])
        }

        let id = try #require(MeterID(meterType: definition.key, subject: "s"))
        let now = Instant(microseconds: Self.base)
        let reading = try await ledger.reading(id, of: definition, in: .utc, at: now)

        #expect(reading.firstEventAt == nil)
        #expect(reading.lastEventAt?.microseconds == Self.base + 219 * 60_000_000)
        try ledger.close()
    }

    private static func compare(
        _ ledger: SQLiteLedger,
        _ naive: NaiveUsage,
        _ definition: MeterTypeDefinition,
        seed: UInt64
    ) async throws {
        let now = Instant(microseconds: base + 9 * 86_400_000_000)
        let calendar = PeriodCalendar(schedule: definition.resetSchedule, zone: .utc)
        var pages: [Meter] = []
        var after: MeterQuery.Place?
        repeat {
            let query = MeterQuery(meterTypes: [definition.key], limit: 3, after: after)
            let page = try await ledger.meters(query)
            (pages, after) = (pages + page.meters, page.next)
        } while after != nil
        #expect(Set(pages.map(\.id.subject)) == ["s0", "s1", "s2", "s3"], "seed \(seed)")
        for meter in pages {
            let id = meter.id
            let times = naive.events.filter { $0.subject == id.subject }.map(\.time)
            #expect(meter.events == Int64(times.count), "seed \(seed) \(id)")
            let past = try await past(ledger, id, definition, before: now)
            let reading = try await ledger.reading(id, of: definition, in: .utc, at: now)
            var expected: [UsageReading] = []
            let first = try calendar.period(containing: #require(times.min()))
            var period = calendar.period(before: calendar.period(containing: now))
            while let one = period, one.start >= first.start {
                let found = naive.readings(
                    definition,
                    windows: [one.range],
                    subjects: [id.subject]
                )
                expected.append(
                    found.first
                        ?? UsageReading(
                            meterType: id.meterType,
                            subject: id.subject,
                            range: one.range,
                            dimensions: [],
                            value: .zero,
                            events: 0
                        )
                )
                period = calendar.period(before: one)
            }
            #expect(past == expected, "seed \(seed) \(id)")
            let later = calendar.period(containing: now).range
            #expect(reading.period.range == later, "seed \(seed) \(id)")
            #expect(reading.firstEventAt == times.min(), "seed \(seed) \(id)")
            #expect(reading.lastEventAt == times.max(), "seed \(seed) \(id)")
            let known = naive.readings(definition, windows: [later], subjects: [id.subject])
            #expect(reading.value == known.first?.value ?? .zero, "seed \(seed) \(id)")
            try await addsUp(ledger, reading, past, first.start, seed: seed)
        }
    }

    private static func past(
        _ ledger: SQLiteLedger,
        _ id: MeterID,
        _ definition: MeterTypeDefinition,
        before now: Instant
    ) async throws -> [UsageReading] {
        var past: [UsageReading] = []
        var before: Instant? = now
        while let instant = before {
            let page = try await ledger.pastPeriods(
                id,
                of: definition,
                in: .utc,
                before: instant,
                limit: 7
            )
            past += page.readings
            before = page.next
        }
        return past
    }

    /// The periods' sum is the reading over their range, and that of the dimensions the period's.
    private static func addsUp(
        _ ledger: SQLiteLedger,
        _ reading: MeterReading,
        _ past: [UsageReading],
        _ start: Instant,
        seed: UInt64
    ) async throws {
        let id = reading.meter.id
        let range = start..<reading.period.range.upperBound
        let whole = try await ledger.readings(
            UsageQuery(meterTypes: [id.meterType], subjects: [id.subject], range: range)
        )
        let values = try (past.map(\.value) + [reading.value]).map { try #require($0) }
        let sum = values.reduce(Int128(0)) { $0 + $1.mantissa }
        #expect(whole.readings.first?.value?.mantissa == sum, "seed \(seed) \(id)")
        guard !reading.dimensions.isEmpty else { return }
        let parts = try reading.dimensions.map { try #require($0.value) }
        #expect(
            parts.reduce(Int128(0)) { $0 + $1.mantissa } == reading.value?.mantissa,
            "seed \(seed) \(id)"
        )
    }
}
