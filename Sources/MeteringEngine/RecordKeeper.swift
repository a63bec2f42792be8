public import Metering
internal import Synchronization
public import UsageModel

/// Makes usage records: closes periods when they are due, and tells of what changes afterwards.
///
/// It follows the clock and the log from outside: intake knows nothing of it. Whatever it does, it
/// commits with how far it got; so a crash repeats a little, and repeating makes no second record.
/// See `docs/decisions/0016-records-follow-the-log.md`.
public final class RecordKeeper: Sendable {
    /// Meters whose periods are closed together, and the periods of each.
    static let metersPerStep = 250
    static let periodsPerStep = 8
    /// Late events that are looked at together.
    static let eventsPerStep = 20_000
    /// Periods of one meter that are looked at together, where many of it are concerned.
    static let periodsPerPage = 1_000
    /// Commits that close periods of one meter type before the others have their turn.
    static let stepsPerTurn = 64

    let ledger: any UsageLedger
    let store: any UsageRecordStore
    private let zones: any TimeZoneSource
    let clock: @Sendable () -> Instant
    /// Called after each step that did something: whoever must not be kept from its work has a
    /// turn.
    let rest: @Sendable () async -> Void
    private let closing = Mutex<[MeterTypeKey: Progress]>([:])
    /// When all meters of a type were last held against its thresholds.
    let watched = Mutex<[MeterTypeKey: Instant]>([:])
    private let turns = TurnTaking()

    public init(
        ledger: any UsageLedger,
        store: any UsageRecordStore,
        zones: any TimeZoneSource,
        clock: @escaping @Sendable () -> Instant,
        rest: @escaping @Sendable () async -> Void = {}
    ) {
        (self.ledger, self.store, self.zones, self.clock) = (ledger, store, zones, clock)
        self.rest = rest
    }

    /// How far the closing of a meter type's periods got.
    private struct Progress {
        /// What its versions up to this one say.
        var newest: Int
        /// When the next one closes, once all meters were gone through.
        var next: Instant?
        /// Where it goes on, until then.
        var place: MeterQuery.Place?
    }

    /// Does all that is due: periods that were missed close one after the other, those of one meter
    /// in order. To call it more often than needed does nothing; what is called beside it waits.
    ///
    /// - Returns: how many records it made.
    /// - Throws: What the ledger and the store throw; what was done stays done. A meter type at
    ///   which they throw keeps no other waiting: the first fault is thrown when all had their
    ///   turn.
    @discardableResult
    public func keep() async throws(LedgerError) -> Int {
        var made = 0
        while true {
            let turn = try await takeTurn()
            made += turn.made
            if turn.isAll || Task.isCancelled { return made }
        }
    }

    /// One turn of every meter type: what came is looked at for all of them, then each closes what
    /// is due, but no more than ``stepsPerTurn`` commits of it, so that a long backlog of one keeps
    /// no other waiting.
    ///
    /// - Returns: how many records it made, and whether nothing else is due.
    public func takeTurn() async throws(LedgerError) -> (made: Int, isAll: Bool) {
        await turns.begin()
        defer { turns.end() }
        let now = clock()
        var made = 0
        var isAll = true
        var fault: LedgerError?
        var steps: [RecordStep] = []
        for type in try await ledger.meterTypes() where !Task.isCancelled {
            do {
                guard let step = try await step(type.key, now: now), step.calendar.hasPeriods
                else { continue }
                made += try await follow(step)
                steps.append(step)
            } catch {
                // Its turn comes when that is over.
                if error.code != .backfillRunning { fault = fault ?? error }
            }
        }
        for step in steps where !Task.isCancelled {
            do {
                let turn = try await closeDue(step)
                made += turn.made
                isAll = isAll && turn.isAll
            } catch {
                if error.code != .backfillRunning { fault = fault ?? error }
            }
        }
        if let fault { throw fault }
        return (made, isAll)
    }

    /// What is known of a meter type now; nil where no version of it is in force.
    private func step(_ key: MeterTypeKey, now: Instant) async throws(LedgerError) -> RecordStep? {
        let versions = try await ledger.versions(of: key)
        guard let calendar = RecordCalendar(key, versions, zones: zones) else { return nil }
        let customers = try await ledger.customers(CustomerQuery(limit: 1))
        return RecordStep(
            calendar: calendar,
            now: now,
            hasCustomers: !customers.customers.isEmpty
        )
    }

    /// Closes the running period of a meter at once, and all before it, grace or not: who leaves is
    /// billed. Its next period begins now.
    ///
    /// - Returns: the records that were made; none where the period began just now.
    /// - Throws: `notFound` for what is no meter.
    public func closeNow(_ id: MeterID) async throws(LedgerError) -> [UsageRecord] {
        try await onOne(id) { meter, step throws(LedgerError) in
            let zone = try await zone(of: meter, step.calendar)
            guard let first = try step.firstStart(of: meter, zone) else { return [] }
            var made: [UsageRecord] = []
            while true {
                let closing = try await store.closings(of: [id])[id]
                let periods = try step.begun(meter, from: closing?.until ?? first, zone)
                guard !periods.isEmpty else { return made }
                var commit = try await self.commit(
                    closing: [Closing(meter: meter, before: closing, periods: periods)],
                    step
                )
                commit.audited = [Self.closed(id, closing, commit)]
                try await store.keep(commit)
                made += try await kept(commit.records)
            }
        }
    }

    /// Tells where the running period of a meter stands.
    ///
    /// - Returns: nil where none is running.
    /// - Throws: `notFound` for what is no meter; `limitExceeded` for too many of one period.
    public func tell(_ id: MeterID) async throws(LedgerError) -> UsageRecord? {
        let records = try await onOne(id) { meter, step throws(LedgerError) in
            guard let period = try await running(meter, step).last else { return [] }
            let reading = try await readings([period], step)[period]
            let before = try await store.interims(of: id, start: period.range.lowerBound)
            guard before.count < Limits.interimRecordsMax else {
                let most = Limits.interimRecordsMax
                throw LedgerError(.limitExceeded, "the period has \(most) interim records")
            }
            guard let reading else { return [] }
            var commit = RecordCommit()
            commit.records = [
                try await interim(period, reading, .onDemand, nil, after: before, step)
            ]
            try await store.keep(commit)
            return try await kept(commit.records)
        }
        return records.first
    }

    private func onOne(
        _ id: MeterID,
        _ body: (Meter, RecordStep) async throws(LedgerError) -> [UsageRecord]
    ) async throws(LedgerError) -> [UsageRecord] {
        await turns.begin()
        defer { turns.end() }
        guard let step = try await step(id.meterType, now: clock()) else { return [] }
        let query = MeterQuery(
            meterTypes: [id.meterType],
            subjects: [id.subject],
            at: step.now,
            limit: 1
        )
        guard let meter = try await ledger.meters(query).meters.first else {
            throw LedgerError(.notFound, "there is no meter \"\(id)\"")
        }
        return try await body(meter, step)
    }

    /// The same records as they are kept: with their sequences.
    private func kept(_ records: [UsageRecord]) async throws(LedgerError) -> [UsageRecord] {
        var kept: [UsageRecord] = []
        for record in records {
            if let record = try await store.record(record.id) { kept.append(record) }
        }
        return kept
    }

    // MARK: Closing

    /// Periods of one meter that close together.
    struct Closing {
        var meter: Meter
        var before: MeterClosing?
        /// In order, at least one.
        var periods: [RecordPeriod]
    }

    private func closeDue(
        _ step: RecordStep
    ) async throws(LedgerError) -> (made: Int, isAll: Bool) {
        let (calendar, now) = (step.calendar, step.now)
        var progress = closing.withLock { $0[calendar.key] }
        if progress?.newest != calendar.newest { progress = nil }
        if let next = progress?.next, now < next { return (0, true) }
        var place = progress?.place
        var budget = Self.stepsPerTurn
        var made = 0
        var isAll = false
        while !Task.isCancelled, budget > 0 {
            var query = MeterQuery(meterTypes: [calendar.key], at: now, limit: Self.metersPerStep)
            query.after = place
            let page = try await ledger.meters(query)
            made += try await close(page.meters, step, budget: &budget)
            // What is left of a page when the budget is spent is looked at again.
            guard budget > 0 else { break }
            place = page.next
            if place == nil {
                isAll = true
                break
            }
        }
        let next = isAll ? calendar.nextClose(after: now) ?? .end : nil
        let reached = Progress(newest: calendar.newest, next: next, place: place)
        closing.withLock { $0[calendar.key] = reached }
        return (made, isAll)
    }

    /// Closes all periods of some meters that are due; none of one that neither is enrolled nor
    /// counts anything.
    func close(_ meters: [Meter], _ step: RecordStep) async throws(LedgerError) -> Int {
        var budget = Int.max
        return try await close(meters, step, budget: &budget)
    }

    /// - Parameter budget: Of commits; each takes one away.
    private func close(
        _ meters: [Meter],
        _ step: RecordStep,
        budget: inout Int
    ) async throws(LedgerError) -> Int {
        var made = 0
        while !meters.isEmpty, !Task.isCancelled, budget > 0 {
            let closings = try await store.closings(of: meters.map(\.id))
            var due: [Closing] = []
            for meter in meters {
                let zone = try await zone(of: meter, step.calendar)
                guard let first = try step.firstStart(of: meter, zone) else { continue }
                let before = closings[meter.id]
                let periods = try step.due(meter, from: before?.until ?? first, zone)
                if !periods.isEmpty {
                    due.append(Closing(meter: meter, before: before, periods: periods))
                }
            }
            guard !due.isEmpty else { break }
            let commit = try await commit(closing: due, step)
            try await store.keep(commit)
            made += commit.records.count
            budget -= 1
            await rest()
        }
        return made
    }

    /// What closing some periods leaves behind: what changed in those before, and the final
    /// records.
    private func commit(
        closing due: [Closing],
        _ step: RecordStep
    ) async throws(LedgerError) -> RecordCommit {
        var commit = RecordCommit()
        var late: [MeterID: [UsageRecord]] = [:]
        for one in due {
            commit.closings[one.meter.id] = one.periods.last?.range.upperBound
            guard let before = one.before, let from = before.unsettledFrom else { continue }
            late[one.meter.id] = try await changes(
                of: one.meter,
                since: from,
                until: before.until,
                step
            )
        }
        let isFirst = Set(due.filter { $0.before == nil }.map(\.meter.id))
        var finals = try await finals(due.flatMap(\.periods), step, opening: isFirst)
        for place in finals.indices {
            let id = finals[place].meter
            guard let changed = late.removeValue(forKey: id) else { continue }
            guard step.rules(at: finals[place].period.lowerBound).latePolicy == .nextPeriod else {
                commit.records += changed
                continue
            }
            finals[place].late = changed.map { record in
                UsageRecord.LatePart(
                    id: record.id,
                    period: record.period,
                    delta: record.delta,
                    events: record.eventsDelta
                )
            }
            commit.records += changed.map { record in
                var record = record
                record.toldIn = finals[place].id
                return record
            }
        }
        // Where no final record is made, there is none to be told in.
        for (_, changed) in late.sorted(by: { $0.key.text < $1.key.text }) {
            commit.records += changed
        }
        commit.records += finals
        return commit
    }

    /// The zone of who owns a meter's subject now, for a type that leaves it to the customer.
    func zone(
        of meter: Meter,
        _ calendar: RecordCalendar
    ) async throws(LedgerError) -> String? {
        guard calendar.isInCustomersZone, let key = meter.customer else { return nil }
        return try await ledger.customer(key)?.definition.timezone
    }

    /// The records of periods that close; those left out that the type makes none of.
    ///
    /// - Parameter opening: Meters whose first periods these are: those before their first event
    ///   are none.
    private func finals(
        _ periods: [RecordPeriod],
        _ step: RecordStep,
        opening: Set<MeterID>
    ) async throws(LedgerError) -> [UsageRecord] {
        let readings = try await readings(periods, step)
        var used: Set<MeterID> = []
        var records: [UsageRecord] = []
        for period in periods {
            guard let reading = readings[period] else { continue }
            let isUsed = reading.isSomething
            if isUsed { used.insert(period.id) }
            let makesZero = step.rules(of: period).makesZeroUsage
            let isBefore =
                opening.contains(period.id) && !used.contains(period.id) && !period.isEnrolled
            guard isUsed || (makesZero && !isBefore) else { continue }
            records.append(try await record(of: period, reading, after: nil, step))
        }
        return records
    }
}
