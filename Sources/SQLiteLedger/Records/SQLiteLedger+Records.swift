public import MeteringEngine
internal import Synchronization
public import UsageModel

/// Usage records stand in the truth: they are told once, and not derived again.
extension SQLiteLedger: UsageRecordStore {
    public func records(_ query: RecordQuery) async throws(LedgerError) -> RecordAnswer {
        for key in query.meterTypes { _ = try core.versions(of: key) }
        let customers = core.customerRegistry.withLock { $0 }
        for key in query.customers where customers.customer(key) == nil {
            throw LedgerError(.notFound, "there is no customer \"\(key)\"")
        }
        return try keeping("a list of records") { try core.truth.records(query) }
    }

    public func record(_ id: UsageRecordID) async throws(LedgerError) -> UsageRecord? {
        try keeping("reading a record") { try core.truth.record(id) }
    }

    public func closings(of ids: [MeterID]) async throws(LedgerError) -> [MeterID: MeterClosing] {
        try keeping("reading what is closed") { try core.truth.closings(of: ids) }
    }

    public func closedUntil(_ key: MeterTypeKey) async throws(LedgerError) -> Instant? {
        try keeping("reading what is closed") { try core.truth.closedUntil(key) }
    }

    public func interims(
        of id: MeterID,
        start: Instant
    ) async throws(LedgerError) -> [UsageRecord] {
        try keeping("reading interim records") {
            try core.truth.interims(of: id, start: start)
        }
    }

    public func closedMeters(
        of key: MeterTypeKey,
        after subject: String,
        limit: Int
    ) async throws(LedgerError) -> [MeterID] {
        try keeping("reading which meters are closed") {
            try core.truth.closedMeters(of: key, after: subject, limit: limit)
        }
    }

    public func latest(
        of id: MeterID,
        endingAfter instant: Instant,
        limit: Int
    ) async throws(LedgerError) -> RecordAnswer {
        try keeping("reading records of a meter") {
            try core.truth.latestRecords(of: id, endingAfter: instant, limit: limit)
        }
    }

    public func latest(
        of id: MeterID,
        holding instants: [Instant]
    ) async throws(LedgerError) -> [UsageRecord] {
        try keeping("reading records of a meter") {
            try core.truth.latestRecords(of: id, holding: instants)
        }
    }

    public func mark(of key: MeterTypeKey) async throws(LedgerError) -> RecordMark {
        try keeping("reading a mark of the records") { try core.truth.recordMark(of: key) }
    }

    public func keep(_ commit: RecordCommit) async throws(LedgerError) {
        guard !commit.isEmpty else { return }
        try keeping("keeping records") { try core.truth.keep(commit, now: core.clock()) }
    }

    public func changedMeters(
        of key: MeterTypeKey,
        after number: Int64
    ) async throws(LedgerError) -> (meters: [MeterID], last: Int64) {
        let last = core.meterRegistry.withLock { $0.last }
        guard last > number else { return ([], max(last, number)) }
        let changed = try keeping("reading changes of meters") {
            try core.truth.meters(changed: (number + 1)...last)
        }
        let own = changed.filter { $0.meterType == key }
        return (own.sorted { $0.text < $1.text }, last)
    }

    func keeping<Value>(_ what: String, _ body: () throws -> Value) throws(LedgerError)
        -> Value
    {
        do { return try body() } catch {
            if let error = error as? LedgerError { throw error }
            throw core.fault(error, during: what)
        }
    }
}
