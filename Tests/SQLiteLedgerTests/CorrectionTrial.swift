import Foundation
import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Synchronization
import Testing
import UsageModel
import WireFormat

/// One history of the property test of corrections, on a ledger and on a list.
struct CorrectionTrial {
    private static let base: Int64 = 1_793_491_200_000_000

    let seed: UInt64
    var generator: SeededGenerator
    let fixture = LedgerFixture()
    var ledger: SQLiteLedger
    var log = NaiveLog()
    /// The newest of each meter type.
    var definitions: [MeterTypeDefinition] = []
    /// Of each meter type the definitions, and since which position readings follow them.
    var known: [MeterTypeKey: [(since: Int, definition: MeterTypeDefinition)]] = [:]
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
                known[made.key] = [(0, made)]
                _ = try await ledger.create(made)
            }
            if draw(5) == 0 { try await redefine() }
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

    /// Lets a meter type count other events, of all history.
    private mutating func redefine() async throws {
        let place = draw(definitions.count)
        var changed = definitions[place]
        let types = [["llm.*"], ["*"], ["storage"], ["llm.*", "storage"]][draw(4)]
        changed.eventTypes = types.compactMap(EventTypePattern.init)
        guard changed != definitions[place] else { return }
        try await ledger.finishBackfills()
        let versions = known[changed.key]?.count ?? 0
        let made = try await ledger.revise(changed, effective: .always, after: versions)
        try await ledger.finishBackfills()
        let version = try await ledger.versions(of: changed.key).last
        #expect(version?.version == made.version)
        let since = try #require(version?.inForceSince)
        // Of an empty log nothing was known before.
        if log.position > 0 { log.enterVersion() }
        #expect(Int(since.value) == log.position, "seed \(seed)")
        known[changed.key]?.append((Int(since.value), changed))
        definitions[place] = changed
    }

    /// What readings of a meter type follow as of a position.
    func definition(
        _ newest: MeterTypeDefinition,
        asOf position: Int?
    ) -> MeterTypeDefinition {
        guard let position, let all = known[newest.key] else { return newest }
        return (all.last { $0.since <= position } ?? all[0]).definition
    }

    /// Of the days around the base: a period of a day in the year 1 would be followed by as
    /// many as there are since.
    private mutating func event(_ id: String) -> SampleEvent {
        var event = SampleEvent.random(id: id, from: &generator)
        let distance = event.time.microseconds - Self.base
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

    mutating func instant() -> Instant {
        let odd = draw(2) == 0 ? 0 : Int64(draw(900_000_000))
        let quarters = Int64(draw(310) - 10) * 900_000_000
        return Instant(microseconds: Self.base + quarters + odd)
    }
}
