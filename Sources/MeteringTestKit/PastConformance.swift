internal import Metering
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

/// The part of ``LedgerConformance`` about the past: what was listed and read when the log ended at
/// a position is listed and read as of it for ever.
struct PastConformance {
    /// What was known at a position.
    private struct Known: Equatable {
        var meters: [Meter]
        var subjects: [String]
        var unowned: [String]
        var corrections: [Correction]
        var value: Quantity?
        var events: Int64 = 0
        var edges: [Instant?] = []
        var periods: [UsageReading] = []
    }

    private let ledger: any UsageLedger
    private var violations: [String] = []
    private let noon = Instant(microseconds: 1_796_212_800_000_000)
    private var known: [(step: String, position: Position, known: Known)] = []

    init(_ ledger: any UsageLedger) { self.ledger = ledger }

    /// - Returns: what was violated, in words.
    consuming func run() async throws -> [String] {
        try await make()
        try await change()
        let end = try await ledger.status().position
        let ahead = MeterQuery(asOf: Position(end.value + 1), limit: 1)
        do {
            _ = try await ledger.meters(ahead)
            violations.append("a list is of no position that lies ahead")
        } catch {
            if error.code != .positionUnknown { throw error }
        }
        for (step, position, then) in known {
            let now = try await look(asOf: position)
            if now != then { violations.append("after \(step), as of \(position): \(now)") }
        }
        return violations
    }

    private struct NoKey: Error {}

    private var definition: MeterTypeDefinition {
        get throws {
            guard let key = MeterTypeKey("past"), let type = EventTypePattern("past.*") else {
                throw NoKey()
            }
            var definition = MeterTypeDefinition(
                key: key,
                name: "Past",
                eventTypes: [type],
                aggregation: .sum
            )
            definition.value = ValueRule("$.data.amount")
            definition.resetSchedule = .daily
            return definition
        }
    }

    private func meter(_ subject: String) throws -> MeterID {
        guard let id = MeterID(meterType: try definition.key, subject: subject) else {
            throw NoKey()
        }
        return id
    }

    private mutating func make() async throws {
        _ = try await ledger.create(definition)
        try await finishBackfills()
        try await record(("1", "past/a", -30), ("2", "past/b", 0))
        try await remember("the first events")
        try await record(("3", "past/a", 2), ("4", "past/c", -50))
        try await remember("a subject more, and an earlier event")
        try await record(("5", "past/b", 1))
        _ = try await ledger.enrol([MeterEnrolment(id: meter("past/d"), start: noon)])
        try await remember("an enrolment")
    }

    private mutating func change() async throws {
        guard let north = CustomerKey("past-north") else { throw NoKey() }
        try await record(("6", "past/d", 3))
        let owned = [Ownership(subject: "past/a"), Ownership(subject: "past/e")]
        _ = try await ledger.put(CustomerDefinition(key: north, subjects: owned))
        try await remember("an owner")
        try await correct(["5"])
        try await remember("one of two events that is void")
        try await record(("10", "past/c", -49))
        try await correct(["1", "3"])
        try await remember("all of a meter that is void")
        try await record(("7", "past/f", 5))
        var changed = try definition
        changed.filter = "$.data.amount > 1"
        _ = try await ledger.revise(changed, effective: .always, after: 1)
        try await finishBackfills()
        try await remember("a version that counts nothing of before")
        try await record(("8", "past/a", 6))
        let change = StandingChange(.closed, from: noon, reason: "gone")
        _ = try await ledger.say(change, of: meter("past/d"))
        try await remember("a meter that is closed")
        _ = try await ledger.retire(definition.key)
        try await record(("9", "past/g", 7))
        try await remember("a type that is retired")
    }

    private func finishBackfills() async throws {
        while try await !ledger.backfills().isEmpty { await Task.yield() }
    }

    private func record(_ events: (id: String, subject: String, hours: Int64)...) async throws {
        let lines = events.map { event in
            let time = Instant(microseconds: noon.microseconds + event.hours * 3_600_000_000)
            return SampleEvent(
                id: "past-\(event.id)",
                type: "past.use",
                subject: event.subject,
                time: time
            ).json
        }
        let decoded = try decodeEvents(Array(lines.joined(separator: "\n").utf8), framing: .ndjson)
        let batch = ledger.preparer.prepare(decoded, arrival: noon)
        _ = try await ledger.record(batch, isAtomic: false)
    }

    private func correct(_ ids: [String]) async throws {
        let keys = ids.map { EventKey(source: "gateway", id: "past-\($0)") }
        _ = try await ledger.correct(
            CorrectionRequest(.void(.keys(keys)), author: "Ada", reason: "a try")
        )
    }

    private mutating func remember(_ step: String) async throws {
        let position = try await ledger.status().position
        known.append((step, position, try await look(asOf: nil)))
    }

    private func look(asOf position: Position?) async throws -> Known {
        let definition = try definition
        let listed = try await ledger.meters(
            MeterQuery(meterTypes: [definition.key], at: noon, asOf: position, limit: 100)
        )
        let subjects = try await ledger.subjects(
            SubjectQuery(prefix: "past/", at: noon, asOf: position, limit: 100)
        )
        let unowned = try await ledger.subjects(
            SubjectQuery(prefix: "past/", isUnowned: true, at: noon, asOf: position, limit: 100)
        )
        var corrections = CorrectionQuery(limit: 100)
        corrections.asOf = position
        var known = Known(
            meters: listed.meters,
            subjects: subjects.subjects.map(\.subject),
            unowned: unowned.subjects.map(\.subject),
            corrections: try await ledger.corrections(corrections).corrections
        )
        // Where nothing counts any more there is no meter.
        let id = try meter("past/b")
        guard listed.meters.contains(where: { $0.id == id }) else { return known }
        let reading = try await ledger.reading(
            id,
            of: definition,
            in: .utc,
            at: noon,
            asOf: position
        )
        (known.value, known.events) = (reading.value, reading.events)
        known.edges = [reading.firstEventAt, reading.lastEventAt]
        known.periods = try await ledger.pastPeriods(
            id,
            of: definition,
            in: .utc,
            before: Instant(microseconds: noon.microseconds + 86_400_000_000),
            asOf: position,
            limit: 10
        ).readings
        return known
    }
}
