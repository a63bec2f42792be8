import Foundation
import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Synchronization
import Testing
import UsageModel
import WireFormat

@Suite("Corrections equal a naive model") struct CorrectionPropertyTests {
    private static let base: Int64 = 1_793_491_200_000_000

    /// How many histories are lived: as many as `ODOMETER_HISTORIES` says, if it does.
    private static let seeds =
        1...(ProcessInfo.processInfo.environment["ODOMETER_HISTORIES"]
        .flatMap { UInt64($0) } ?? 100)

    /// Goal: whatever is voided, replaced and restored, by keys, by filter and by correction,
    /// whatever sets are filled, closed and reverted, in whatever order with events, meter types
    /// made and changed later and restarts, every reading as of every
    /// position is that of the events that counted then; records add up to the readings of now; no
    /// key is ever free again; the books balance and know how many are void; and `verify` finds
    /// nothing.
    /// Method: each seed lives a history on a ledger and on a list of events with a stack a key.
    /// Three meter types of any aggregations, one of them made in the middle; restarts with the
    /// derived files, without them, and while periods close.
    @Test(
        "any corrections of any history: equal readings as of any position",
        arguments: seeds
    )
    func equalsNaive(seed: UInt64) async throws {
        var trial = try Trial(seed: seed)
        try await trial.live()
        try await trial.judge()
    }

    private struct Trial {
        let seed: UInt64
        var generator: SeededGenerator
        let fixture = LedgerFixture()
        var ledger: SQLiteLedger
        var log = NaiveLog()
        var definitions: [MeterTypeDefinition] = []
        var recorded: [SampleEvent] = []

        init(seed: UInt64) throws {
            self.seed = seed
            generator = SeededGenerator(seed: seed)
            ledger = try fixture.open()
        }

        mutating func draw(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

        // MARK: A history

        mutating func live() async throws {
            let aggregations = Aggregation.allCases.shuffled(using: &generator)
            for step in 0..<10 {
                if step == 0 || step == 1 || step == 6 {
                    var made = MeterTypeDefinition.sample(
                        aggregations[definitions.count],
                        types: [["llm.*"], ["*"], ["storage"]][draw(3)],
                        byModel: draw(2) == 0
                    )
                    made.resetSchedule = [.daily, .weekly, .never][draw(3)]
                    made.records.makesZeroUsage = false
                    definitions.append(made)
                    _ = try await ledger.create(made)
                }
                let events = (0..<(1 + draw(25))).map { place in event("e\(step)-\(place)") }
                try await ledger.record(events)
                log.record(events)
                recorded += events
                for _ in 0..<draw(4) { try await correct() }
                for _ in 0..<draw(4) { try await backfill("b\(step)") }
                if draw(4) == 0 { try await restart() }
                if draw(3) == 0 { _ = try await fixture.keeper(ledger).keep() }
            }
            try await ledger.finishBackfills()
        }

        /// Of the days around the base: a period of a day in the year 1 would be followed by as
        /// many as there are since.
        private mutating func event(_ id: String) -> SampleEvent {
            var event = SampleEvent.random(id: id, from: &generator)
            let distance = event.time.microseconds - CorrectionPropertyTests.base
            if abs(distance) > 30 * 86_400_000_000 { event.time = instant() }
            return event
        }

        private mutating func restart() async throws {
            try ledger.close()
            if draw(2) == 0 {
                try FileManager.default.removeItem(atPath: fixture.directory + "/derived")
            }
            ledger = try fixture.open()
        }

        private mutating func correct() async throws {
            let keys = (0..<(1 + draw(5))).compactMap { _ in
                log.keys.randomElement(using: &generator)
            }.filter { log.isIncluded($0) }
            guard !keys.isEmpty else { return }
            let events = keys.map { EventKey(source: $0.source, id: $0.id) }
            let expected: Int
            let what: CorrectionRequest.What
            switch draw(7) {
            case 0, 1:
                what = .void(.keys(events))
                expected = log.void(keys)
            case 2:
                what = .restore(.keys(events))
                expected = log.restore(keys)
            case 3:
                let (query, found) = filter()
                what = .void(.matching(query))
                expected = log.void(found)
            case 4:
                let (query, found) = filter()
                what = .restore(.matching(query))
                expected = log.restore(found.filter { log.isVoid($0) })
            case 5 where !log.corrections.isEmpty:
                let number = 1 + draw(log.corrections.count)
                guard let known = try await ledger.correction(Int64(number)) else { return }
                guard [.void, .replace].contains(known.kind) else {
                    return try await refuses(number)
                }
                what = .restore(.correction(Int64(number)))
                expected = log.takeBack(number)
            default:
                let others = Set(keys).map { key in
                    var other = event(key.id)
                    other.source = key.source
                    return other
                }
                what = .replace(try batch(others))
                expected = log.replace(others)
            }
            let made = try await ledger.correct(.init(what, author: "Ada", reason: "a test"))
            #expect(made.correction?.events ?? 0 == Int64(expected), "seed \(seed), \(what)")
            let entry = log.corrections.last?.position
            #expect(expected == 0 || made.correction?.position.value == entry.map(UInt64.init))
        }

        /// Opens a set, sends to one, closes or reverts one.
        private mutating func backfill(_ id: String) async throws {
            let who = ("Ada", "a test")
            guard !log.sets.isEmpty, draw(4) > 0 else {
                var selection = EventSelection()
                if draw(2) == 0 { selection.source = "gateway-\(draw(3))" }
                if draw(2) == 0 { selection.subject = "customer-\(draw(7))" }
                if draw(3) == 0 { selection.expression = "$.data.model == \"small\"" }
                let replacing = selection.isEmpty ? nil : selection
                log.open { event in
                    !selection.isEmpty
                        && (selection.source == nil || event.source == selection.source)
                        && (selection.subject == nil || event.subject == selection.subject)
                        && (selection.expression == nil || event.model == "small")
                }
                let request = BackfillSetRequest(
                    name: "a set",
                    replacing: replacing,
                    author: who.0,
                    reason: who.1
                )
                #expect(try await ledger.open(request).number == Int64(log.sets.count))
                return
            }
            let place = draw(log.sets.count)
            let number = Int64(place + 1)
            var what = CorrectionRequest.What.close(number)
            var expected: Int?
            switch draw(4) {
            case 0, 1:
                guard log.sets[place].words.isEmpty else {
                    await #expect(throws: LedgerError.self) {
                        try await ledger.record([event(id)], into: number)
                    }
                    return
                }
                var events = (0..<(1 + draw(12))).map { event("\(id)-\(recorded.count)-\($0)") }
                if let known = recorded.randomElement(using: &generator) { events.append(known) }
                try await ledger.record(events, into: number)
                log.record(events, into: place)
                recorded += events
                return
            case 2: expected = log.close(place)
            default:
                expected = log.revert(place)
                what = .revert(number)
            }
            let request = CorrectionRequest(what, author: who.0, reason: who.1)
            do {
                let made = try await ledger.correct(request).correction
                #expect(made?.events == expected.map(Int64.init), "seed \(seed), \(what)")
                let at = log.corrections.last?.position
                #expect(expected == nil || made?.position.value == at.map(UInt64.init))
            } catch {
                // One without events is not closed.
                #expect(error.code == .invalidCorrection && expected == nil, "seed \(seed)")
            }
        }

        private func refuses(_ number: Int) async throws {
            let request = CorrectionRequest(
                .restore(.correction(Int64(number))),
                author: "Ada",
                reason: "a test"
            )
            await #expect(throws: LedgerError.self) { try await ledger.correct(request) }
        }

        private func batch(_ events: [SampleEvent]) throws -> PreparedBatch {
            let text = events.map(\.json).joined(separator: "\n")
            let decoded = try decodeEvents(Array(text.utf8), framing: .ndjson)
            return ledger.preparer.prepare(decoded, arrival: Instant(microseconds: 0))
        }

        /// A question for events, and the keys whose topmost events it finds.
        private mutating func filter() -> (EventQuery, [NaiveLog.Key]) {
            let (one, two) = (instant(), instant())
            var query = EventQuery(
                range: draw(2) == 0 ? .allTime : min(one, two)..<max(one, two),
                limit: 1
            )
            if draw(2) == 0 { query.subjects = ["customer-\(draw(7))"] }
            if draw(3) == 0 { query.type = EventTypePattern("llm.*") }
            if draw(3) == 0 { query.source = "gateway-\(draw(3))" }
            let found = log.keys.filter { key in
                guard let event = log.top(key) else { return false }
                return query.range.contains(event.time)
                    && (query.subjects.isEmpty || query.subjects.contains(event.subject))
                    && (query.type == nil || event.type.hasPrefix("llm."))
                    && (query.source == nil || query.source == event.source)
            }
            return (query, found)
        }

        private mutating func instant() -> Instant {
            let odd = draw(2) == 0 ? 0 : Int64(draw(900_000_000))
            let quarters = Int64(draw(310) - 10) * 900_000_000
            return Instant(microseconds: CorrectionPropertyTests.base + quarters + odd)
        }

        // MARK: Judgement

        mutating func judge() async throws {
            for definition in definitions {
                for _ in 0..<4 {
                    try await compare(definition, asOf: nil)
                    try await compare(definition, asOf: draw(log.position + 1))
                }
                try await explain(definition)
                try await judgeRecords(definition)
            }
            try await judgeBooks()
            let again = try await ledger.record(recorded)
            #expect(again.accepted == 0, "seed \(seed)")
            #expect(again.exceptions.allSatisfy { $0.verdict == .duplicate }, "seed \(seed)")
            try ledger.close()
            #expect(try fixture.verified().findings == [], "seed \(seed)")
        }

        private mutating func compare(_ definition: MeterTypeDefinition, asOf: Int?) async throws {
            let (one, two) = (instant(), instant())
            let isWhole = draw(3) == 0
            let range = isWhole ? .allTime : min(one, two)..<max(one, two)
            let window: WindowWidth? = isWhole || draw(2) == 0 ? nil : .hour
            let windows =
                window.map { Array(WindowCutter(width: $0, zone: .utc).windows(in: range)) }
                ?? [range]
            let bySubject = draw(2) == 0
            let byModel = !definition.dimensions.isEmpty && draw(2) == 0
            let subjects = draw(3) == 0 ? ["customer-2", "customer-5"] : []
            let until = isWhole ? instant() : range.upperBound
            let query = UsageQuery(
                meterTypes: [definition.key],
                subjects: subjects,
                range: range,
                window: window,
                groupBy: (bySubject ? [.subject] : []) + (byModel ? [.dimension("model")] : []),
                asOf: asOf.map { Position(UInt64($0)) },
                carriedUntil: until,
                limit: 100_000
            )
            let answer = try await ledger.readings(query)
            let expected = NaiveUsage(log.events(asOf: asOf ?? log.position)).readings(
                definition,
                windows: windows,
                subjects: subjects,
                bySubject: bySubject,
                byModel: byModel,
                carriedUntil: until
            )
            #expect(
                answer.readings.filter(\.isSomething) == expected.filter(\.isSomething),
                "seed \(seed), \(definition.key), \(range), as of \(asOf ?? -1)"
            )
        }

        /// The steps from one state of knowledge to another add up, and each is what a reading
        /// says.
        private mutating func explain(_ definition: MeterTypeDefinition) async throws {
            let (one, two) = (draw(log.position + 1), draw(log.position + 1))
            let query = UsageQuery(
                meterTypes: [definition.key],
                subjects: draw(2) == 0 ? ["customer-\(draw(7))"] : [],
                range: .allTime,
                carriedUntil: instant()
            )
            let found = try await ledger.difference(
                UsageDifferenceQuery(
                    usage: query,
                    from: Position(UInt64(min(one, two))),
                    to: Position(UInt64(max(one, two)))
                )
            )
            var last = found.before
            var sum = Int128(0)
            for step in found.steps {
                #expect(step.before.value == last.value, "seed \(seed)")
                #expect(step.before.events == last.events, "seed \(seed)")
                sum += (step.amount ?? .zero).mantissa
                last = step.after
            }
            #expect(last.value == found.after.value, "seed \(seed)")
            #expect(sum == (found.amount ?? .zero).mantissa, "seed \(seed)")
            for state in [found.before, found.after] {
                let expected = NaiveUsage(log.events(asOf: Int(state.position.value))).readings(
                    definition,
                    windows: [.allTime],
                    subjects: query.subjects,
                    carriedUntil: query.carriedUntil
                ).first { $0.isSomething }
                #expect(state.events == expected?.events ?? 0, "seed \(seed)")
                #expect(state.value ?? .zero == expected?.value ?? .zero, "seed \(seed)")
            }
        }

        /// What the records of each closed period come to is its reading.
        private mutating func judgeRecords(_ definition: MeterTypeDefinition) async throws {
            while try await fixture.keeper(ledger).keep() > 0 {}
            var query = RecordQuery(limit: 100_000)
            query.meterTypes = [definition.key]
            let records = try await ledger.records(query).records
            let usage = NaiveUsage(log.events(asOf: log.position))
            let now = fixture.time.withLock { $0 }
            for (_, same) in Dictionary(grouping: records, by: { "\($0.meter) \($0.period)" }) {
                guard let last = same.max(by: { $0.revision < $1.revision }) else { continue }
                let reading = usage.readings(
                    definition,
                    windows: [last.period],
                    subjects: [last.meter.subject],
                    carriedUntil: min(now, last.period.upperBound)
                ).first { $0.isSomething }
                #expect(last.value ?? .zero == reading?.value ?? .zero, "seed \(seed), \(last.id)")
                #expect(last.events == reading?.events ?? 0, "seed \(seed), \(last.id)")
            }
        }

        private func judgeBooks() async throws {
            let books = try await ledger.books(.all)
            #expect(books.total.balances, "seed \(seed)")
            #expect(books.total.received == Int64(log.position + log.turnedAway), "seed \(seed)")
            #expect(books.total.voided == Int64(log.voided), "seed \(seed)")
        }
    }
}
