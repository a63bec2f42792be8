public import UsageModel

/// Sets of events that come to count together, or are taken back together.
///
/// A set is closed and reverted by ``CorrectionStore/correct(_:)``, with its preview.
public protocol BackfillSetStore: Sendable {
    /// Opens a set. The same request under one token is made once.
    ///
    /// - Throws: `alreadyExists` for a token that another request bore; `invalidCorrection` for an
    ///   expression that cannot be read; `limitExceeded` for more than
    ///   ``UsageModel/Limits/backfillSetsMax``.
    func open(_ request: BackfillSetRequest) async throws(LedgerError) -> BackfillSet

    /// Sets, the newest first.
    func backfillSets(_ query: BackfillSetQuery) async throws(LedgerError) -> BackfillSetAnswer

    func backfillSet(_ number: Int64) async throws(LedgerError) -> BackfillSet?

    /// Records a batch into an open set, as ``UsageLedger/record(_:isAtomic:)`` does: its keys are
    /// taken from now on, and its events do not count yet.
    ///
    /// An event whose key is taken, with the same content or another, is no part of the set, and
    /// makes no room for it either.
    ///
    /// - Throws: `notFound`; `setNotOpen` for a set that is not open; `limitExceeded` for more than
    ///   ``UsageModel/Limits/backfillSetEventsMax`` events.
    func record(
        _ batch: PreparedBatch,
        into set: Int64,
        isAtomic: Bool
    ) async throws(LedgerError) -> BatchOutcome
}

/// A set that is to be opened.
public struct BackfillSetRequest: Sendable, Hashable {
    public var name: String
    public var replacing: EventSelection?
    public var author: String
    /// Why: it stands in the audit trail.
    public var reason: String
    /// The caller's own name for the request.
    public var token: String?

    public init(
        name: String,
        replacing: EventSelection? = nil,
        author: String,
        reason: String,
        token: String? = nil
    ) {
        (self.name, self.replacing) = (name, replacing)
        (self.author, self.reason, self.token) = (author, reason, token)
    }
}

public struct BackfillSetQuery: Sendable {
    public var state: BackfillSet.State?
    public var limit: Int
    /// The number of the last set of the page before.
    public var before: Int64?
    /// As they stood when the log ended there; nil: as of now.
    public var asOf: Position?

    public init(limit: Int, state: BackfillSet.State? = nil, before: Int64? = nil) {
        (self.limit, self.state, self.before) = (limit, state, before)
    }
}

public struct BackfillSetAnswer: Sendable {
    public var sets: [BackfillSet]
    public var hasMore: Bool

    public init(sets: [BackfillSet], hasMore: Bool) { (self.sets, self.hasMore) = (sets, hasMore) }
}
