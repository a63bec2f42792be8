import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Synchronization
import Testing
import UsageModel

@Suite("Usage records equal an independent computation") struct RecordPropertyTests {
    private static let hour: Int64 = 3_600_000_000
    /// 2027-11-01T00:00:00Z: 400 days from there hold 29 February 2028.
    private static let base: Int64 = 1_825_027_200_000_000
    private static let schedules: [(schedule: String, zone: String)] = [
        ("hourly", "Asia/Kathmandu"), ("daily", "Europe/Berlin"), ("daily", "Australia/Lord_Howe"),
        ("daily", "America/St_Johns"), ("daily", "UTC"), ("weekly", "America/New_York"),
        ("weekly", "Asia/Tehran"), ("monthly", "Australia/Sydney"), ("monthly", "UTC"),
        ("quarterly", "Europe/London"), ("yearly", "Pacific/Auckland"),
        ("0 0 L * *", "Europe/Paris"), ("30 2 * * *", "Europe/Berlin"),
        ("0 12 29 2 *", "America/Chicago"), ("15 */6 * * 1-5", "Asia/Kolkata"),
        ("month 2027-10-29T10:30:00Z", "Europe/Madrid"),
        ("month 2027-10-30T23:59:00Z", "America/Sao_Paulo"),
        ("month 2027-10-31T00:00:00Z", "Africa/Cairo"), ("day2 2027-10-31T01:30:00Z", "Asia/Dhaka"),
        ("hour5 2027-10-31T01:30:00Z", "Pacific/Chatham"),
    ]

    private static func schedule(_ text: String) throws -> ResetSchedule {
        if let known = try? ResetSchedule(word: text) { return known }
        let words = text.split(separator: " ")
        if words.count == 5 { return .cron(try CronSchedule(text)) }
        let anchor = Instant(rfc3339: String(words[1]))
        switch words[0] {
        case "day2": return .every(try .init(.day, interval: 2, anchor: anchor))
        case "hour5": return .every(try .init(.hour, interval: 5, anchor: anchor))
        default: return .every(try .init(.month, anchor: anchor))
        }
    }

    private struct Used {
        var type: Int
        var subject: String
        var time: Instant
        var cents: Int64
    }

    /// Goal: whatever the schedule and however long nobody looked, every period closes once, in
    /// order, with the sum of its events.
    /// Method: 400 days of 50 meters over 20 schedules and zones. The clock jumps by hours to
    /// weeks, now and then the server starts anew; events come before the jump over them. Sums are
    /// made event by event.
    @Test("400 days of 50 meters: every period closes once, in order, with its sum")
    func year() async throws {
        let seed: UInt64 = 42
        var generator = SeededGenerator(seed: seed)
        let fixture = LedgerFixture()
        fixture.time.withLock { $0 = Instant(microseconds: Self.base) }
        var ledger = try fixture.open()
        let calendars = try await Self.makeTypes(ledger)
        var used: [Used] = []
        var now = Self.base
        let end = Self.base + 400 * 24 * Self.hour
        while now < end {
            let spans: [Int64] = [1, 7, 30, 24 * 3, 24 * 20]
            let span = (spans.randomElement(using: &generator) ?? 1) * Self.hour
            let later = min(now + Int64.random(in: 1...span, using: &generator), end)
            var events: [SampleEvent] = []
            for _ in 0..<Int.random(in: 0..<40, using: &generator) {
                let meter = Int.random(in: 0..<50, using: &generator)
                let one = Used(
                    type: meter % 20,
                    subject: "s\(meter)",
                    time: Instant(microseconds: Int64.random(in: now..<later, using: &generator)),
                    cents: Int64.random(in: -500...10_000, using: &generator)
                )
                events.append(
                    SampleEvent(
                        id: "\(used.count)",
                        type: "t\(one.type)",
                        subject: one.subject,
                        time: one.time,
                        number: "\(one.cents)e-2"
                    )
                )
                used.append(one)
            }
            try await ledger.record(events)
            now = later
            fixture.time.withLock { [now] in $0 = Instant(microseconds: now) }
            if Int.random(in: 0..<15, using: &generator) == 0 {
                try ledger.close()
                ledger = try fixture.open()
            }
            try await fixture.keeper(ledger).keep()
        }
        try await Self.judge(ledger, used, calendars, now: Instant(microseconds: end), seed)
        try ledger.close()
        #expect(try fixture.verified().findings == [])
    }

    /// A meter type for each schedule and zone.
    private static func makeTypes(_ ledger: SQLiteLedger) async throws -> [PeriodCalendar] {
        var calendars: [PeriodCalendar] = []
        for (place, one) in schedules.enumerated() {
            var definition = MeterTypeDefinition.sample(
                .sum,
                key: "t\(place)",
                types: ["t\(place)"]
            )
            definition.resetSchedule = try schedule(one.schedule)
            definition.timezone = one.zone
            _ = try await ledger.create(definition)
            calendars.append(
                PeriodCalendar(
                    schedule: definition.resetSchedule,
                    zone: try SystemTimeZones.shared.rules(named: one.zone)
                )
            )
        }
        return calendars
    }

    private static func judge(
        _ ledger: SQLiteLedger,
        _ used: [Used],
        _ calendars: [PeriodCalendar],
        now: Instant,
        _ seed: UInt64
    ) async throws {
        let records = try await ledger.allRecords()
        #expect(records.map(\.sequence) == Array(1...Int64(records.count)), "seed \(seed)")
        let byMeter = Dictionary(grouping: records, by: \.meter)
        for (subject, mine) in Dictionary(grouping: used, by: \.subject) {
            let type = mine[0].type
            let key = try #require(MeterTypeKey("t\(type)"))
            let id = try #require(MeterID(meterType: key, subject: subject))
            var periods: [(Range<Instant>, Int64, Int64)] = []
            let first = try #require(mine.map(\.time).min())
            var period = calendars[type].period(containing: first)
            while !period.isLast, period.end.microseconds + hour <= now.microseconds {
                let within = mine.filter { period.contains($0.time) }
                let cents = within.reduce(0) { $0 + $1.cents }
                periods.append((period.range, cents, Int64(within.count)))
                period = calendars[type].period(containing: period.end)
            }
            let own = byMeter[id] ?? []
            #expect(own.map(\.period) == periods.map(\.0), "seed \(seed), \(id)")
            #expect(own.map(\.events) == periods.map(\.2), "seed \(seed), \(id)")
            let sums = periods.map { Quantity(mantissa: Int128($0.1) * 10_000_000_000_000_000) }
            #expect(own.map(\.value) == sums, "seed \(seed), \(id)")
            #expect(own.allSatisfy { $0.kind == .final && $0.value == $0.delta })
        }
    }

    /// Goal: the deltas of a period's records add up to its reading as of now, and each record is
    /// the reading as of its position, whatever comes in whatever order.
    /// Method: random events of any time, lateness, words about meters, changed definitions, jumps
    /// of the clock and restarts, for two aggregations of all by turns; readings are the ledger's,
    /// which other tests hold against a naive fold.
    @Test("records add up to readings, and say what was known", arguments: UInt64(1)...40)
    func addUp(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        func draw(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
        let fixture = LedgerFixture()
        let start: Int64 = 1_793_491_200_000_000
        fixture.time.withLock { $0 = Instant(microseconds: start) }
        // What is said of meters and types afterwards has no position of its own.
        let hasWords = seed % 2 == 1
        var ledger = try fixture.open()
        try await Self.makeTwo(ledger, &generator)
        var now = start
        for step in 0..<8 {
            var events: [SampleEvent] = []
            for place in 0..<draw(25) {
                var event = SampleEvent.random(id: "\(step)-\(place)", from: &generator)
                // Years in which nobody used anything are another test's.
                guard abs(event.time.microseconds - start) < 40 * 86_400_000_000 else { continue }
                if event.number.hasPrefix("-"), draw(2) == 0 { event.number = "3" }
                events.append(event)
            }
            try await ledger.record(events)
            now += Int64(draw(20)) * Self.hour
            fixture.time.withLock { [now] in $0 = Instant(microseconds: now) }
            if hasWords, draw(3) == 0 {
                let type = try await ledger.meterTypes()[draw(2)]
                let id = MeterID(meterType: type.key, subject: "customer-\(draw(7))")
                let from = Instant(microseconds: start + Int64(draw(60)) * Self.hour)
                let to = Instant(microseconds: from.microseconds + Int64(draw(30) + 1) * Self.hour)
                let change = StandingChange(.suspended, from: from, to: to, reason: "test")
                _ = try await ledger.say(change, of: try #require(id))
            }
            if hasWords, draw(4) == 0 {
                let type = try await ledger.meterTypes()[draw(2)]
                var definition = type.definition
                definition.filter = draw(2) == 0 ? nil : "subject != \"customer-\(draw(7))\""
                let from = Instant(microseconds: start + Int64(draw(60)) * Self.hour)
                _ = try await ledger.revise(definition, effective: .at(from), after: type.version)
            }
            if draw(3) == 0 { try await ledger.finishBackfills() }
            if draw(5) == 0 {
                try ledger.close()
                ledger = try fixture.open()
            }
            if draw(3) > 0 { try await fixture.keeper(ledger).keep() }
            if draw(3) == 0, let meter = try await Self.someMeter(ledger, draw(7)) {
                let keeper = fixture.keeper(ledger)
                _ = draw(2) == 0 ? try await keeper.closeNow(meter) : []
                _ = try await keeper.tell(meter)
            }
        }
        now += 3 * 86_400_000_000
        fixture.time.withLock { [now] in $0 = Instant(microseconds: now) }
        try await ledger.finishBackfills()
        try await fixture.keeper(ledger).keep()
        #expect(try await fixture.keeper(ledger).keep() == 0, "seed \(seed)")
        try await Self.judge(ledger, now: Instant(microseconds: now), seed)
        if !hasWords { try await Self.derive(ledger, seed) }
        try ledger.close()
        #expect(try fixture.verified().findings == [], "seed \(seed)")
    }

    private static func makeTwo(
        _ ledger: SQLiteLedger,
        _ generator: inout SeededGenerator
    ) async throws {
        func draw(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
        let aggregations = Aggregation.allCases.shuffled(using: &generator).prefix(2)
        for aggregation in aggregations {
            var definition = MeterTypeDefinition.sample(aggregation, byModel: draw(2) == 0)
            definition.resetSchedule =
                [.hourly, .daily, .every(try .init(.hour, interval: 6))][draw(3)]
            definition.timezone = ["UTC", "Asia/Kathmandu"][draw(2)]
            definition.records.makesZeroUsage = draw(2) == 0
            definition.records.gracePeriod = TimeLength(["0s", "1h", "1d"][draw(3)]) ?? .hour
            definition.records.latePolicy = [.adjust, .adjust, .nextPeriod, .quarantine][draw(4)]
            if definition.records.latePolicy == .adjust, draw(2) == 0 {
                definition.records.lateAdjustments = .collected
            }
            if definition.records.latePolicy != .quarantine, draw(4) == 0 {
                definition.records.lateUntil = TimeLength("\(draw(40))h")
            }
            if draw(2) == 0 {
                let amount = try Quantity("\(draw(10))")
                definition.records.thresholds = [Threshold(name: "some", level: .amount(amount))]
            }
            definition.records.hasEvidence = draw(4) == 0
            _ = try await ledger.create(definition)
        }
    }

    private static func judge(
        _ ledger: SQLiteLedger,
        now: Instant,
        _ seed: UInt64
    ) async throws {
        let all = try await ledger.allRecords()
        let records = all.filter { $0.kind != .interim }
        #expect(all.allSatisfy { $0.sequence > 0 && ($0.kind != .interim || $0.delta == .zero) })
        #expect(
            all.map(\.sequence) == (0..<all.count).map { Int64($0) + 1 },
            "seed \(seed)"
        )
        struct Place: Hashable {
            var meter: MeterID
            var period: Range<Instant>
        }
        for (place, chain) in Dictionary(
            grouping: records,
            by: { Place(meter: $0.meter, period: $0.period) }
        ) {
            let reading = try await Self.reading(ledger, place.meter, place.period, nil, now)
            let sum = try chain.reduce(Quantity.zero) { try $0.adding($1.delta) }
            #expect(sum == reading.value ?? .zero, "seed \(seed), \(place)")
            #expect(chain.map(\.revision) == Array(0..<chain.count), "seed \(seed), \(place)")
            #expect(chain.last?.value == reading.value, "seed \(seed), \(place)")
            #expect(chain.last?.events == reading.events, "seed \(seed), \(place)")
        }
        for (meter, mine) in Dictionary(grouping: records, by: \.meter) {
            // What billing is told adds up too, whichever record tells it.
            let amount = try mine.reduce(Quantity.zero) { try $0.adding($1.amount()) }
            let delta = try mine.reduce(Quantity.zero) { try $0.adding($1.delta) }
            #expect(amount == delta, "seed \(seed), \(meter)")
            let finals = mine.filter { $0.kind == .final }.map(\.period)
                .sorted { $0.lowerBound < $1.lowerBound }
            for (one, other) in zip(finals, finals.dropFirst()) {
                #expect(one.upperBound <= other.lowerBound, "seed \(seed), \(meter)")
            }
        }
    }

    /// Every record says what was known at its position, and can be derived from it again.
    private static func derive(_ ledger: SQLiteLedger, _ seed: UInt64) async throws {
        for record in try await ledger.allRecords() {
            let reading = try await Self.reading(
                ledger,
                record.meter,
                record.period,
                record.position,
                record.createdAt
            )
            #expect(reading.value == record.value, "seed \(seed), \(record.id)")
            #expect(reading.events == record.events, "seed \(seed), \(record.id)")
        }
    }

    private static func someMeter(_ ledger: SQLiteLedger, _ number: Int) async throws -> MeterID? {
        let query = MeterQuery(subjects: ["customer-\(number)"], limit: 10)
        return try await ledger.meters(query).meters.first?.id
    }

    private static func reading(
        _ ledger: SQLiteLedger,
        _ meter: MeterID,
        _ period: Range<Instant>,
        _ position: Position?,
        _ now: Instant
    ) async throws -> UsageReading {
        let query = UsageQuery(
            meterTypes: [meter.meterType],
            subjects: [meter.subject],
            range: period,
            asOf: position,
            carriedUntil: min(now, period.upperBound)
        )
        return try #require(try await ledger.readings(query).readings.first)
    }
}
