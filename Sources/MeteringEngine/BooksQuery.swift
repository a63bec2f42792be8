public import UsageModel

/// A question for the books: `GET /v1/reconciliation`, understood.
public struct BooksQuery: Sendable {
    public enum Group: String, CaseIterable, Hashable, Sendable { case source, type, hour }

    public var groupBy: [Group]
    /// Of the hour of arrival.
    public var range: Range<Instant>
    public var source: String?
    public var type: String?

    public init(groupBy: [Group], range: Range<Instant>, source: String? = nil, type: String? = nil)
    {
        (self.groupBy, self.range, self.source, self.type) = (groupBy, range, source, type)
    }
}

/// One line of the books. It balances: received = counted + unmatched + duplicate + conflict +
/// quarantined.
public struct BooksLine: Sendable, Hashable {
    public var source: String?
    public var type: String?
    /// The start of the hour of arrival.
    public var hour: Instant?
    public var received: Int64 = 0
    /// Accepted, and counted by at least one meter type.
    public var counted: Int64 = 0
    /// Accepted, and counted by none.
    public var unmatched: Int64 = 0
    public var duplicate: Int64 = 0
    public var conflict: Int64 = 0
    public var quarantined: Int64 = 0
    /// Beside the sum: (event, meter type) pairs that matched and could not be read.
    public var unreadable: Int64 = 0
    /// Beside the sum: of those that were accepted, how many corrections made void.
    public var voided: Int64 = 0

    public init(source: String? = nil, type: String? = nil, hour: Instant? = nil) {
        (self.source, self.type, self.hour) = (source, type, hour)
    }

    public var balances: Bool {
        received == counted + unmatched + duplicate + conflict + quarantined
    }
}

public struct BooksAnswer: Sendable {
    public var position: Position
    public var total: BooksLine
    /// By the asked groups, in the order of source, type, hour, byte-wise.
    public var lines: [BooksLine]
    /// Beside the sum: what became of the rejected and conflicting ones.
    public var standing = QuarantineStanding()
    /// The same by source and type, where that was asked, in their order, byte-wise.
    public var standings: [QuarantineStanding] = []

    public init(position: Position, total: BooksLine, lines: [BooksLine]) {
        (self.position, self.total, self.lines) = (position, total, lines)
    }
}

/// How the ledger is, for operators: `odometer status`, `/readyz`, `/metrics`.
public struct LedgerStatus: Sendable {
    public var position: Position = .zero
    public var blocks: Int64 = 0
    public var subjects: Int64 = 0
    public var checkpoint: Position = .zero
    public var keyRuns = 0
    public var cellRuns = 0
    public var truthBytes: Int64 = 0
    public var derivedBytes: Int64 = 0
    public var freeBytes: Int64 = 0
    public var residentBytes: Int64 = 0
    public var derivedMemoryBytes: Int64 = 0
    public var queueEvents = 0
    public var queueBytes = 0
    public var isMerging = false
    /// Whether all derived files that the start found have been checked byte for byte since.
    public var isChecked = false
    public var quarantined: Int64 = 0
    /// Versions of meter types whose history is being counted, or waits for it.
    public var backfills = 0
    /// The events that are left to be counted for the one at work.
    public var backfillEventsLeft: Int64 = 0
    /// How many meters are enrolled, or were suspended or closed.
    public var enrolments: Int64 = 0
    /// Whether meters changed, and the books do not know yet which events count since.
    public var isRecounting = false
    /// Since the start of this process.
    public var counters = IntakeCounters()

    public init() {}
}

/// What intake did since the process started.
public struct IntakeCounters: Sendable {
    public var accepted: Int64 = 0
    public var duplicate: Int64 = 0
    public var conflict: Int64 = 0
    public var rejected: Int64 = 0
    public var commits: Int64 = 0
    public var commitMicroseconds: Int64 = 0
    public var events: Int64 = 0
    public var refusedBusy: Int64 = 0
    /// Events of the history that backfills have counted or passed by.
    public var backfilled: Int64 = 0
    /// Commits by their latency; the bounds are ``commitBoundsMicroseconds``, the last is above
    /// all.
    public var commitHistogram = [Int64](repeating: 0, count: commitBoundsMicroseconds.count + 1)
    /// Commits by the number of events in the group.
    public var groupHistogram = [Int64](repeating: 0, count: groupBounds.count + 1)
    public var groupEvents: Int64 = 0

    public static let commitBoundsMicroseconds: [Int64] = [
        500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    ]
    public static let groupBounds: [Int64] = [1, 10, 100, 1_000, 5_000, 10_000, 50_000]

    public init() {}

    public mutating func committed(events: Int, microseconds: Int64) {
        commits += 1
        commitMicroseconds += microseconds
        groupEvents += Int64(events)
        let latency = Self.commitBoundsMicroseconds.firstIndex { microseconds <= $0 }
        commitHistogram[latency ?? Self.commitBoundsMicroseconds.count] += 1
        let size = Self.groupBounds.firstIndex { Int64(events) <= $0 }
        groupHistogram[size ?? Self.groupBounds.count] += 1
    }
}
