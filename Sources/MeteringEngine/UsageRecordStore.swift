public import UsageModel

/// Where usage records are kept, as the ``RecordKeeper`` needs it: records that are only ever
/// added, and marks of how far it got, in one commit with them.
public protocol UsageRecordStore: Sendable {
    /// Records in the order of their sequence.
    func records(_ query: RecordQuery) async throws(LedgerError) -> RecordAnswer
    func record(_ id: UsageRecordID) async throws(LedgerError) -> UsageRecord?

    /// Until when the periods of meters are closed; those that never closed one are left out.
    func closings(of ids: [MeterID]) async throws(LedgerError) -> [MeterID: MeterClosing]

    /// The end of the last period that any meter of a type closed; nil where none did.
    /// - Complexity: O(meters).
    func closedUntil(_ key: MeterTypeKey) async throws(LedgerError) -> Instant?

    /// The interim records of a meter's period that starts at an instant, in their order.
    func interims(of id: MeterID, start: Instant) async throws(LedgerError) -> [UsageRecord]

    /// Meters of a type that closed a period, in the order of their subjects' bytes.
    func closedMeters(of key: MeterTypeKey, after subject: String, limit: Int)
        async throws(LedgerError) -> [MeterID]

    /// Of the periods of a meter that end after an instant, the final or adjustment record that was
    /// made last of each, in the order of the periods.
    ///
    /// - Parameter limit: Of periods, more than 0.
    /// - Returns: whether there are more besides.
    func latest(of id: MeterID, endingAfter instant: Instant, limit: Int) async throws(LedgerError)
        -> RecordAnswer

    /// Of the periods of a meter that hold one of some instants, the final or adjustment record
    /// that was made last of each.
    func latest(of id: MeterID, holding instants: [Instant]) async throws(LedgerError)
        -> [UsageRecord]

    /// How far the keeper followed a meter type.
    func mark(of key: MeterTypeKey) async throws(LedgerError) -> RecordMark

    /// Adds records, gives them their sequences in their order, and moves marks: all of it or
    /// nothing. A record that is there already, by its id, is left as it is.
    func keep(_ commit: RecordCommit) async throws(LedgerError)

    /// Meters that something was said of after a change of some number, and the number of the last
    /// change there is.
    func changedMeters(of key: MeterTypeKey, after number: Int64) async throws(LedgerError)
        -> (meters: [MeterID], last: Int64)
}

/// How far a meter is closed.
public struct MeterClosing: Sendable, Hashable {
    public var until: Instant
    /// Closed periods that end after this may have changed, which is told at the next close; nil
    /// where none has.
    public var unsettledFrom: Instant?

    public init(until: Instant, unsettledFrom: Instant? = nil) {
        (self.until, self.unsettledFrom) = (until, unsettledFrom)
    }
}

/// What one commit of the keeper holds.
public struct RecordCommit: Sendable {
    public var records: [UsageRecord] = []
    /// Whoever is closed further is settled as well.
    public var closings: [MeterID: Instant] = [:]
    /// Meters that closed a period before, and since when their periods may have changed; the
    /// earlier stands.
    public var unsettled: [MeterID: Instant] = [:]
    /// Meters that are settled.
    public var settled: [MeterID] = []
    public var mark: (key: MeterTypeKey, mark: RecordMark)?
    /// What somebody asked for by hand; what the keeper does by itself is told by the records.
    public var audited: [AuditedChange] = []

    public init() {}

    public var isEmpty: Bool {
        records.isEmpty && closings.isEmpty && unsettled.isEmpty && settled.isEmpty && mark == nil
            && audited.isEmpty
    }
}

/// How far the keeper followed one meter type.
public struct RecordMark: Sendable, Hashable {
    /// Events up to here are in its records, or belong to periods that are open.
    public var position: Position
    /// The number of the last change of a meter that its records know.
    public var change: Int64
    /// The number of the newest version that its records know.
    public var version: Int

    public init(position: Position = .zero, change: Int64 = 0, version: Int = 0) {
        (self.position, self.change, self.version) = (position, change, version)
    }
}

/// A question for records: `GET /v1/usage-records`, understood. What is empty or nil asks for all.
public struct RecordQuery: Sendable {
    public var meterTypes: [MeterTypeKey] = []
    public var subjects: [String] = []
    public var customers: [CustomerKey] = []
    public var kinds: [UsageRecord.Kind] = []
    /// Periods that end after this.
    public var from: Instant?
    /// Periods that start before this.
    public var to: Instant?
    /// Only records that know no more than this.
    public var asOf: Position?
    /// The sequence that the records come after.
    public var after: Int64 = 0
    /// The sequence that the records come before; for lists that begin with the newest.
    public var before = Int64.max
    /// Whether the newest comes first.
    public var isDescending = false
    public var limit: Int

    public init(limit: Int) { self.limit = limit }
}

public struct RecordAnswer: Sendable {
    public var records: [UsageRecord]
    /// Whether further records follow the last one.
    public var hasMore: Bool

    public init(records: [UsageRecord], hasMore: Bool) {
        (self.records, self.hasMore) = (records, hasMore)
    }
}
