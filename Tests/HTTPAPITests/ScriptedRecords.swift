import MeteringEngine
import Synchronization
import UsageModel

/// Records that are there; what a keeper would ask is not asked here.
final class ScriptedRecords: UsageRecordStore {
    private let all: [UsageRecord]
    private let last = Mutex<RecordQuery?>(nil)

    init(_ records: [UsageRecord]) { all = records }

    /// The last question.
    var asked: RecordQuery? { last.withLock { $0 } }

    func records(_ query: RecordQuery) async throws(LedgerError) -> RecordAnswer {
        last.withLock { $0 = query }
        let found = all.filter { Self.fits($0, query) }
        return RecordAnswer(
            records: Array(found.prefix(query.limit)),
            hasMore: found.count > query.limit
        )
    }

    private static func fits(_ record: UsageRecord, _ query: RecordQuery) -> Bool {
        func holds<Value: Equatable>(_ asked: [Value], _ value: Value?) -> Bool {
            asked.isEmpty || value.map(asked.contains) == true
        }
        return record.sequence > query.after
            && holds(query.customers, record.customer) && holds(query.kinds, record.kind)
            && record.period.upperBound > query.from ?? .beginning
            && record.period.lowerBound < query.to ?? .end
    }

    func record(_ id: UsageRecordID) async throws(LedgerError) -> UsageRecord? {
        all.first { $0.id == id }
    }

    func closedUntil(_ key: MeterTypeKey) async throws(LedgerError) -> Instant? {
        all.filter { $0.meter.meterType == key }.map(\.period.upperBound).max()
    }

    func closings(of ids: [MeterID]) async throws(LedgerError) -> [MeterID: MeterClosing] { [:] }

    func interims(
        of id: MeterID,
        start: Instant
    ) async throws(LedgerError) -> [UsageRecord] { [] }

    func closedMeters(
        of key: MeterTypeKey,
        after subject: String,
        limit: Int
    ) async throws(LedgerError) -> [MeterID] { [] }

    func latest(
        of id: MeterID,
        endingAfter instant: Instant,
        limit: Int
    ) async throws(LedgerError) -> RecordAnswer { RecordAnswer(records: [], hasMore: false) }

    func latest(
        of id: MeterID,
        holding instants: [Instant]
    ) async throws(LedgerError) -> [UsageRecord] { [] }

    func mark(of key: MeterTypeKey) async throws(LedgerError) -> RecordMark { RecordMark() }

    func keep(_ commit: RecordCommit) async throws(LedgerError) {}

    func changedMeters(
        of key: MeterTypeKey,
        after number: Int64
    ) async throws(LedgerError) -> (meters: [MeterID], last: Int64) { ([], number) }
}
