internal import MeteringEngine
internal import Synchronization
internal import UsageModel

/// One call that waits to be committed.
struct Party: Sendable {
    var batch: PreparedBatch
    /// All its events as one block, made on the caller's thread; nil for a small call.
    var packed: PackedBlock?
    /// What it comes to over all subjects, made on the caller's thread.
    var totals: [SliceTotals]?
    let isAtomic: Bool
    /// The items of the quarantine that its events are; nil for what comes from outside.
    let order: ReleaseOrder?
    /// The backfill set that takes its events; nil: they count at once.
    var set: Int64?
    let answer: @Sendable (Result<BatchOutcome, LedgerError>) -> Void

    /// Calls of fewer events are packed by the committer, several into one block.
    static let packedEventsMin = 64
}

/// What the committer is asked to do.
enum CommitterTask: Sendable {
    case record(Party)
    /// Something that must not run beside a commit.
    case perform(@Sendable (Committer) -> Void)
}
