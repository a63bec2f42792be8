public import UsageModel

/// Where actions on many items are kept: what was asked, and how far it is done. A page of items
/// and the mark that says so are one commit, so an action goes on where a crash left it.
public protocol QuarantineActionStore: Sendable {
    /// Items that a filter finds, the oldest first: at most ``Limits/quarantinePageItemsMax``, and
    /// about ``Limits/quarantinePageBytesMax``.
    func items(
        _ filter: QuarantineFilter,
        after: Int64,
        upTo last: Int64,
        limit: Int
    ) async throws(LedgerError) -> QuarantineAnswer

    /// How many items a filter finds.
    func count(_ filter: QuarantineFilter) async throws(LedgerError) -> Int64

    /// Writes an action down, to be run. It is for the items that there are by now.
    /// - Throws: `limitExceeded`.
    func start(_ request: QuarantineActionRequest) async throws(LedgerError) -> QuarantineAction

    func action(_ number: Int64) async throws(LedgerError) -> QuarantineAction?

    /// The action that was asked for first, of those not done.
    func runningAction() async throws(LedgerError) -> QuarantineAction?

    /// Ends an action where it is; what it did stays. One that is done stays done.
    /// - Throws: `notFound`.
    func cancel(_ number: Int64) async throws(LedgerError) -> QuarantineAction

    /// Does a page of an action, in one commit with its mark. Nothing is done where the action was
    /// cancelled or, for a release, an item was changed since it was looked at: look again.
    func perform(_ work: QuarantineWork) async throws(LedgerError)
}

/// An action on all open items that a filter found when it was asked for.
public struct QuarantineAction: Sendable, Hashable {
    public enum State: String, CaseIterable, Hashable, Sendable { case running, done, cancelled }

    /// What became of the items so far.
    public struct Tally: Sendable, Hashable {
        /// Looked at.
        public var items: Int64 = 0
        /// Changed by the repair.
        public var repaired: Int64 = 0
        /// Released, and new.
        public var accepted: Int64 = 0
        /// Released, and known before with the same content.
        public var duplicate: Int64 = 0
        public var discarded: Int64 = 0
        /// Left open: the repair failed, the event was rejected or in conflict, or somebody else
        /// changed the item.
        public var failed: Int64 = 0

        public init() {}
    }

    public var number: Int64
    public var request: QuarantineActionRequest
    public var state: State
    public var createdAt: Instant
    public var changedAt: Instant
    /// How many items it found when it was asked for.
    public var total: Int64
    public var tally: Tally
    /// Items that came later are not its.
    public var lastItem: Int64
    /// Items up to here are dealt with.
    public var afterItem: Int64

    public init(
        number: Int64,
        request: QuarantineActionRequest,
        state: State,
        createdAt: Instant,
        changedAt: Instant,
        total: Int64,
        tally: Tally,
        lastItem: Int64,
        afterItem: Int64
    ) {
        (self.number, self.request, self.state) = (number, request, state)
        (self.createdAt, self.changedAt) = (createdAt, changedAt)
        (self.total, self.tally) = (total, tally)
        (self.lastItem, self.afterItem) = (lastItem, afterItem)
    }

    /// The id on the wire.
    public var id: String { "qa-\(number)" }

    /// The number of an id; nil for what is none.
    public static func number(_ id: String) -> Int64? {
        guard id.hasPrefix("qa-"), let number = Int64(id.dropFirst(3)), number > 0 else {
            return nil
        }
        return number
    }
}

/// One page of an action.
public struct QuarantineWork: Sendable {
    public struct Item: Sendable {
        /// As it was looked at.
        public var item: QuarantinedEvent
        /// What the repair made of its bytes; nil where it changed nothing.
        public var edited: [UInt8]?

        public init(item: QuarantinedEvent, edited: [UInt8]? = nil) {
            (self.item, self.edited) = (item, edited)
        }
    }

    public var action: QuarantineAction
    /// What is to be changed.
    public var items: [Item] = []
    /// The backfill set that all of them were on their way to, and are released into; nil: none.
    public var set: Int64?
    /// How many were looked at, and of those how many could not be repaired.
    public var looked: Int64 = 0
    public var failed: Int64 = 0
    /// Items up to here are dealt with afterwards.
    public var after: Int64
    /// Whether the action is done with it.
    public var isLast = false

    public init(_ action: QuarantineAction) {
        self.action = action
        after = action.afterItem
    }
}

extension QuarantineWork {
    /// The same in parts, each of one set or of none where items are released: the last one says
    /// how far the page gets, so that whatever a crash leaves undone is found again.
    fileprivate var bySet: [QuarantineWork] {
        guard action.request.kind.releases, let last = items.last else { return [self] }
        var rest = self
        rest.set = last.item.backfillSet
        rest.items = items.filter { $0.item.backfillSet == rest.set }
        let others = Dictionary(grouping: items, by: \.item.backfillSet)
            .filter { $0.key != rest.set }
        let parts = others.sorted { $0.key ?? 0 < $1.key ?? 0 }.map { set, items in
            var part = QuarantineWork(action)
            (part.items, part.set, part.looked) = (items, set, Int64(items.count))
            rest.looked -= part.looked
            return part
        }
        return parts + [rest]
    }
}

/// Runs the actions on the quarantine, a page at a time; whoever holds it says when.
public struct QuarantineRunner: Sendable {
    private let store: any QuarantineActionStore
    private let zones: SystemTimeZones

    public init(store: any QuarantineActionStore, zones: SystemTimeZones) {
        (self.store, self.zones) = (store, zones)
    }

    /// Does the next page of the action whose turn it is.
    ///
    /// - Returns: whether there was anything to do.
    /// - Complexity: one commit, and a decoding of each item.
    public func takeTurn() async throws(LedgerError) -> Bool {
        guard let action = try await store.runningAction() else { return false }
        let page = try await store.items(
            action.request.filter,
            after: action.afterItem,
            upTo: action.lastItem,
            limit: Limits.quarantinePageItemsMax
        )
        var repair: QuarantineRepair?
        if let rule = action.request.repair {
            do throws(RepairFaults) {
                repair = try QuarantineRepair(rule, zones: zones)
            } catch {
                // A zone that the expression names is gone from this machine.
                _ = try await store.cancel(action.number)
                return true
            }
        }
        for work in Self.work(action, page, repair).bySet { try await store.perform(work) }
        return true
    }

    private static func work(
        _ action: QuarantineAction,
        _ page: QuarantineAnswer,
        _ repair: QuarantineRepair?
    ) -> QuarantineWork {
        var work = QuarantineWork(action)
        for item in page.events {
            work.looked += 1
            work.after = item.number
            var edited: [UInt8]?
            switch repair?.applied(to: item.bytes) {
            case .changed(let bytes): edited = bytes
            case .failed:
                work.failed += 1
                continue
            case .unchanged where action.request.kind == .repair: continue
            case .unchanged, nil: break
            }
            work.items.append(QuarantineWork.Item(item: item, edited: edited))
        }
        work.isLast = !page.hasMore
        return work
    }
}
