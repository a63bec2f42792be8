public import UsageModel

/// Where rejected and conflicting events wait, and what people make of them.
///
/// Every change of an item raises its version by one and says what version it is of: of two that
/// meet, one is told that it came too late. The bytes as received are never touched. Lists of
/// items are asked of the ``UsageLedger``.
public protocol QuarantineStore: Sendable {
    func item(_ number: Int64) async throws(LedgerError) -> QuarantinedEvent?

    /// Items that have reason, source, type and validation rule in common, the largest group first.
    func groups(_ query: QuarantineGroupQuery) async throws(LedgerError) -> QuarantineGroupAnswer

    /// Changes an item, once the change is on stable storage.
    ///
    /// - Parameter version: That of the item which is to be changed; nil for whichever stands.
    /// - Throws: `notFound`.
    func change(
        _ number: Int64,
        version: Int64?,
        _ change: QuarantineChange,
        _ note: QuarantineNote
    ) async throws(LedgerError) -> QuarantineOutcome

    /// Judges an open item's bytes as they stand like those of any call, and counts the event under
    /// its own key and time. The item is marked in the commit that counts.
    ///
    /// In the books a release is one more receipt: of what was accepted, or a duplicate. What is
    /// rejected again, or in conflict, leaves nothing there: the item stays open, with that reason.
    ///
    /// - Parameter version: That of the item which is to be released; nil for whichever stands.
    /// - Throws: `notFound`, and what ``UsageLedger/record(_:isAtomic:)`` throws.
    func release(
        _ number: Int64,
        version: Int64?,
        _ note: QuarantineNote
    ) async throws(LedgerError) -> QuarantineOutcome
}

/// A change of one item that counts nothing.
public enum QuarantineChange: Sendable, Hashable {
    /// Other bytes for an open item: an event, as JSON, whether sound or not yet.
    case edit([UInt8])
    /// An open item shall not count.
    case discard
    /// A discarded item is open again.
    case reopen
}

/// What became of a change.
public enum QuarantineOutcome: Sendable {
    /// The item as it stands now; for a release, what became of its event.
    case changed(QuarantinedEvent, Verdict?)
    /// Another change came before: the item as that left it.
    case outdated(QuarantinedEvent)
    /// The item's state does not allow it.
    case settled(QuarantinedEvent)
}

/// A question for what is in quarantine, newest first.
public struct QuarantineQuery: Sendable {
    public var filter: QuarantineFilter
    public var limit: Int
    /// The number of the last item of the page before.
    public var before: Int64?

    public init(_ filter: QuarantineFilter = QuarantineFilter(), limit: Int, before: Int64? = nil) {
        (self.filter, self.limit, self.before) = (filter, limit, before)
    }
}

/// An event that could not be counted. The same bytes rejected again for the same reason are one
/// item, seen once more, whatever became of it since.
public struct QuarantinedEvent: Sendable, Hashable {
    public var number: Int64
    /// Why it was rejected; after a release that failed, why it was rejected then.
    public var reason: String
    /// A JSON pointer to the attribute at fault; empty for the whole event.
    public var pointer: String
    public var detail: String
    /// The key of the validation rule that rejected it; empty for all other reasons.
    public var rule = ""
    /// The number of the backfill set that it was on its way to; it is released into that one.
    public var backfillSet: Int64?
    public var source: String
    public var eventID: String
    public var type: String
    public var firstSeenAt: Instant
    public var lastSeenAt: Instant
    /// How many times it was received.
    public var seen: Int64
    /// The bytes as received; empty where they are no longer kept.
    public var original: [UInt8]
    public var state = QuarantineState.open
    /// 1, and one more with every change.
    public var version: Int64 = 1
    /// The bytes of the last edit.
    public var edited: [UInt8]?
    /// The last change; nil where there was none.
    public var changedAt: Instant?
    /// Who made the last change, and why.
    public var note = QuarantineNote()
    /// Where the event stands in the log, once it is released.
    public var releasedPosition: Position?
    /// What a repair rule did to it; nil where none did anything.
    public var repair: RepairMark?
    /// When its bytes were dropped, long after it was settled; nil while they are kept.
    public var droppedAt: Instant?

    public init(
        number: Int64,
        reason: String,
        pointer: String,
        detail: String,
        source: String,
        eventID: String,
        type: String,
        firstSeenAt: Instant,
        lastSeenAt: Instant,
        seen: Int64,
        original: [UInt8]
    ) {
        (self.number, self.reason, self.pointer) = (number, reason, pointer)
        (self.detail, self.source, self.eventID) = (detail, source, eventID)
        (self.type, self.firstSeenAt, self.lastSeenAt) = (type, firstSeenAt, lastSeenAt)
        (self.seen, self.original) = (seen, original)
    }

    /// The bytes as they stand: what a release would count.
    public var bytes: [UInt8] { edited ?? original }

    /// The id on the wire.
    public var id: String { Self.id(number) }

    public static func id(_ number: Int64) -> String { "q-\(number)" }

    /// The number of an id; nil for what is none.
    public static func number(_ id: String) -> Int64? {
        guard id.hasPrefix("q-"), let number = Int64(id.dropFirst(2)), number > 0 else {
            return nil
        }
        return number
    }
}

public struct QuarantineAnswer: Sendable {
    public var events: [QuarantinedEvent]
    public var hasMore: Bool

    public init(events: [QuarantinedEvent], hasMore: Bool) {
        (self.events, self.hasMore) = (events, hasMore)
    }
}

/// A question for groups of items.
public struct QuarantineGroupQuery: Sendable {
    public var filter: QuarantineFilter
    public var limit: Int
    /// How many groups were shown before.
    public var skipped: Int

    public init(_ filter: QuarantineFilter = QuarantineFilter(), limit: Int, skipped: Int = 0) {
        (self.filter, self.limit, self.skipped) = (filter, limit, skipped)
    }
}

/// Items with the same reason, source, type and validation rule.
public struct QuarantineGroup: Sendable, Hashable {
    public var reason: String
    public var source: String
    public var type: String
    /// Of ``QuarantinedEvent/rule``.
    public var rule = ""
    public var items: Int64
    /// Of them, those that are open.
    public var open: Int64
    /// How many times they were received, all together.
    public var seen: Int64
    public var firstSeenAt: Instant
    public var lastSeenAt: Instant
    /// The newest of them.
    public var sample: Int64

    public init(
        reason: String,
        source: String,
        type: String,
        items: Int64,
        open: Int64,
        seen: Int64,
        firstSeenAt: Instant,
        lastSeenAt: Instant,
        sample: Int64
    ) {
        (self.reason, self.source, self.type) = (reason, source, type)
        (self.items, self.open, self.seen) = (items, open, seen)
        (self.firstSeenAt, self.lastSeenAt, self.sample) = (firstSeenAt, lastSeenAt, sample)
    }
}

public struct QuarantineGroupAnswer: Sendable {
    public var groups: [QuarantineGroup]
    public var hasMore: Bool

    public init(groups: [QuarantineGroup], hasMore: Bool) {
        (self.groups, self.hasMore) = (groups, hasMore)
    }
}

/// What became of receipts that were rejected or in conflict. Over all time, open + released +
/// discarded = quarantined + conflict.
public struct QuarantineStanding: Sendable, Hashable {
    public var source: String?
    public var type: String?
    public var open: Int64 = 0
    public var released: Int64 = 0
    public var discarded: Int64 = 0

    public init(source: String? = nil, type: String? = nil) {
        (self.source, self.type) = (source, type)
    }
}
