public import UsageModel

/// A question for stored events: `GET /v1/events`, understood.
public struct EventQuery: Sendable {
    /// Empty: of all.
    public var subjects: Set<String> = []
    public var type: EventTypePattern?
    public var source: String?
    /// Only events of which this holds: looked at by corrections alone.
    public var expression: String?
    /// Only events that this meter type counts: the events behind a reading.
    public var meterType: MeterTypeKey?
    /// Only events with these values of the meter type's dimensions.
    public var dimensions: [UsageReading.Value]
    /// Only events that at least one meter type counts, or only those that none does.
    public var isCounted: Bool?
    /// Of the event's time.
    public var range: Range<Instant>
    public var asOf: Position?
    /// Newest position first.
    public var isDescending: Bool
    public var limit: Int
    /// The position of the last event of the page before.
    public var after: Position?
    /// The last position to look at; nil: to the end of the log. Unlike ``asOf`` it leaves what is
    /// known of an event as it is.
    public var through: Position?
    /// The most blocks to unpack; an answer that takes more is refused with `limitExceeded`. For
    /// questions that are asked beside another, and must not cost more than it.
    public var blocksMax = Int.max

    public init(range: Range<Instant>, limit: Int) {
        (type, source, meterType, dimensions) = (nil, nil, nil, [])
        isCounted = nil
        (self.range, asOf, isDescending, self.limit, after) = (range, nil, false, limit, nil)
    }

    /// All events of a selection.
    public init(_ selection: EventSelection, limit: Int = 1) {
        self.init(range: selection.range, limit: limit)
        subjects = Set([selection.subject].compactMap(\.self))
        (type, source, expression) = (selection.type, selection.source, selection.expression)
    }
}

/// An event as the log keeps it.
public struct StoredEvent: Sendable {
    /// As received.
    public var json: [UInt8]
    public var position: Position
    public var receivedAt: Instant
    /// The event's time, or its arrival where it states none.
    public var time: Instant
    public var source: String
    public var id: String
    public var type: String
    public var subject: String
    public var explanation: [Explanation]
    /// What corrections said of it, as of what was asked for, in their order.
    public var corrections: [Corrected] = []
    /// The number of the backfill set that it came in.
    public var backfillSet: Int64?
    /// Whether corrections, or its backfill set, take it out of all readings.
    public var isVoid = false
    /// The repair rule that mended and released it; nil where none did.
    public var repairedBy: Repaired?

    public init(
        json: [UInt8],
        position: Position,
        receivedAt: Instant,
        time: Instant,
        source: String,
        id: String,
        type: String,
        subject: String,
        explanation: [Explanation]
    ) {
        (self.json, self.position, self.receivedAt) = (json, position, receivedAt)
        (self.time, self.source, self.id) = (time, source, id)
        (self.type, self.subject, self.explanation) = (type, subject, explanation)
    }

    public var isCounted: Bool { explanation.contains(where: \.isCounted) }

    /// How the event came out of quarantine by itself.
    public struct Repaired: Sendable, Hashable {
        /// The number of the item it was.
        public var item: Int64
        /// The key of the rule.
        public var rule: String
        public var version: Int64

        public init(item: Int64, rule: String, version: Int64) {
            (self.item, self.rule, self.version) = (item, rule, version)
        }
    }

    /// What one correction said of the event.
    public struct Corrected: Sendable, Hashable {
        public var correction: Correction
        /// Whether the event counts from there on.
        public var counts: Bool
        /// The event that stands for it from there on.
        public var replacement: Position?

        public init(correction: Correction, counts: Bool, replacement: Position? = nil) {
            (self.correction, self.counts) = (correction, counts)
            self.replacement = replacement
        }
    }

    /// Whether one meter type counts the event, and why.
    public struct Explanation: Sendable {
        public var meterType: MeterTypeKey
        public var version: Int
        public var isCounted: Bool
        public var value: Quantity?
        public var dimensions: [UsageReading.Value]
        /// Why not; empty where it is counted.
        public var because: String

        public init(
            meterType: MeterTypeKey,
            version: Int,
            isCounted: Bool,
            value: Quantity? = nil,
            dimensions: [UsageReading.Value] = [],
            because: String = ""
        ) {
            (self.meterType, self.version, self.isCounted) = (meterType, version, isCounted)
            (self.value, self.dimensions, self.because) = (value, dimensions, because)
        }
    }
}

public struct EventAnswer: Sendable {
    public var position: Position
    public var events: [StoredEvent]
    public var hasMore: Bool

    public init(position: Position, events: [StoredEvent], hasMore: Bool) {
        (self.position, self.events, self.hasMore) = (position, events, hasMore)
    }
}

/// A question for the events that a meter type matched but could not read.
public struct UnreadableQuery: Sendable {
    public var meterType: MeterTypeKey?
    /// As known when the log ended there; nil: as of now.
    public var asOf: Position?
    public var limit: Int
    /// The order key of the last row of the page before.
    public var after: UnreadableEvent.OrderKey?

    public init(meterType: MeterTypeKey?, limit: Int, after: UnreadableEvent.OrderKey? = nil) {
        (self.meterType, self.limit, self.after) = (meterType, limit, after)
    }
}

public struct UnreadableEvent: Sendable {
    public struct OrderKey: Sendable, Hashable {
        public var position: Position
        public var meter: UInt32

        public init(position: Position, meter: UInt32) {
            (self.position, self.meter) = (position, meter)
        }
    }

    public var meterType: MeterTypeKey
    public var reason: UnreadableReason
    public var source: String
    public var id: String
    public var orderKey: OrderKey

    public init(
        meterType: MeterTypeKey,
        reason: UnreadableReason,
        source: String,
        id: String,
        orderKey: OrderKey
    ) {
        (self.meterType, self.reason, self.source) = (meterType, reason, source)
        (self.id, self.orderKey) = (id, orderKey)
    }
}

public struct UnreadableAnswer: Sendable {
    public var events: [UnreadableEvent]
    public var hasMore: Bool

    public init(events: [UnreadableEvent], hasMore: Bool) {
        (self.events, self.hasMore) = (events, hasMore)
    }
}
