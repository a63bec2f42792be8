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

    let ledger: any UsageLedger
    let store: any UsageRecordStore
    private let zones: any TimeZoneSource
    private let clock: @Sendable () -> Instant
    /// Called after each step that did something: whoever must not be kept from its work has a
    /// turn.
    let rest: @Sendable () async -> Void
    /// When the next period of a meter type closes, as its versions up to one say.
    private let due = Mutex<[MeterTypeKey: (at: Instant, newest: Int)]>([:])

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

    /// Does all that is due: periods that were missed close one after the other, those of one meter
    /// in order. To call it more often than needed does nothing. Not to be called beside itself.
    ///
    /// - Returns: how many records it made.
    /// - Throws: What the ledger and the store throw; what was done stays done. A meter type at
    ///   which they throw keeps no other waiting: the first fault is thrown when all had their
    ///   turn.
    @discardableResult
    public func keep() async throws(LedgerError) -> Int {
        let now = clock()
        var made = 0
        var fault: LedgerError?
        let customers = try await ledger.customers(CustomerQuery(limit: 1))
        for type in try await ledger.meterTypes() where !Task.isCancelled {
            do {
                let versions = try await ledger.versions(of: type.key)
                guard let calendar = RecordCalendar(type.key, versions, zones: zones),
                    calendar.hasPeriods
                else { continue }
                let step = RecordStep(
                    calendar: calendar,
                    now: now,
                    hasCustomers: !customers.customers.isEmpty
                )
                made += try await follow(step)
                made += try await closeDue(step)
            } catch {
                // Its turn comes when that is over.
                if error.code != .backfillRunning { fault = fault ?? error }
            }
        }
        if let fault { throw fault }
        return made
    }

    // MARK: Closing

    private func closeDue(_ step: RecordStep) async throws(LedgerError) -> Int {
        let (calendar, now) = (step.calendar, step.now)
        let known = due.withLock { $0[calendar.key] }
        if let known, known.newest == calendar.newest, now < known.at { return 0 }
        var made = 0
        var place: MeterQuery.Place?
        repeat {
            var query = MeterQuery(meterTypes: [calendar.key], at: now, limit: Self.metersPerStep)
            query.after = place
            let page = try await ledger.meters(query)
            made += try await close(page.meters, step)
            place = page.next
        } while place != nil && !Task.isCancelled
        guard !Task.isCancelled else { return made }
        let next = calendar.nextClose(after: now) ?? .end
        due.withLock { $0[calendar.key] = (next, calendar.newest) }
        return made
    }

    /// Closes all periods of some meters that are due; none of one that neither is enrolled nor
    /// counts anything.
    func close(_ meters: [Meter], _ step: RecordStep) async throws(LedgerError) -> Int {
        var made = 0
        while !meters.isEmpty, !Task.isCancelled {
            let closings = try await store.closings(of: meters.map(\.id))
            var commit = RecordCommit()
            var periods: [RecordPeriod] = []
            for meter in meters {
                let zone = try await zone(of: meter, step.calendar)
                guard let first = try step.firstStart(of: meter, zone) else { continue }
                let due = try step.due(meter, from: closings[meter.id] ?? first, zone)
                guard let end = due.last?.range.upperBound else { continue }
                periods += due
                commit.closings[meter.id] = end
            }
            guard !periods.isEmpty else { break }
            let isFirst = Set(meters.map(\.id).filter { closings[$0] == nil })
            commit.records = try await finals(periods, step, opening: isFirst)
            try await store.keep(commit)
            made += commit.records.count
            await rest()
        }
        return made
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
            let makesZero = step.version(of: period)?.definition.records.makesZeroUsage ?? true
            let isBefore =
                opening.contains(period.id) && !used.contains(period.id) && !period.isEnrolled
            guard isUsed || (makesZero && !isBefore) else { continue }
            records.append(try await record(of: period, reading, after: nil, step))
        }
        return records
    }
}
