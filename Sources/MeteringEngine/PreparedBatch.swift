internal import Metering
public import UsageModel
public import WireFormat

/// A call's events, decoded, checked, hashed and measured: all that can be known before the ledger
/// decides which of them are new. Made on the caller's thread; the committer only decides and adds.
public struct PreparedBatch: Sendable {
    /// The bytes that all slices of events point into.
    public var bytes: [UInt8]
    public var events: [PreparedEvent]
    /// The contributions of all events, in the order of the events.
    public var contributions: [Contribution]
    /// The distinct (source, type) pairs of the events.
    public var origins: [Origin]
    /// The distinct dimension tuples, as canonical JSON objects; the first is the empty one.
    public var tuples: [[UInt8]]
    /// Which meter types read an event together: they share its dimension tuple.
    public var shapes: [MeterShape]
    /// The elements that contributions to distinct counts point into.
    public var elements: [KeyHash]
    public var rejected: [RejectedEvent]
    /// How many events the call held, the rejected ones included.
    public var received: Int
    /// When the call came in; the time of events that state none.
    public var arrival: Instant
    /// Which state of the catalog the contributions were measured under.
    public var generation: UInt64
    /// How many contributions are unreadable.
    public var unreadable: Int
    /// Whether it was asked of any event if it came too late: the arrivals are worth keeping then.
    public var judgesLateness = false

    /// What the validation rules found, in the order of the events; see
    /// ``EventPreparer/judged(_:seenAt:)``.
    public var findings: [RuleFinding] = []
    /// Under which state of the catalog the rules were asked; 0 where they were not: of events of
    /// the ledger's own, and of those that are in the log.
    public var judgedUnder: UInt64 = 0
    /// When each event first came, where that was before the call; else empty.
    public var seenAt: [Instant] = []

    /// Visits what a contribution adds beside the sums: see ``Aggregation/hasElements``.
    public func forEachElement(of contribution: Contribution, _ body: (KeyHash) -> Void) {
        if contribution.aggregation == .percentile {
            return body(KeyHash(value: contribution.mantissa))
        }
        let first = Int(contribution.firstElement)
        for element in elements[first..<(first + Int(contribution.elementCount))] { body(element) }
    }

    /// A source and a type that came together.
    public struct Origin: Hashable, Sendable {
        public var source: [UInt8]
        public var type: [UInt8]

        public init(source: [UInt8], type: [UInt8]) { (self.source, self.type) = (source, type) }
    }
}

/// The meter types that read one type of event under the same dimensions, in order: what they make
/// of an event is kept together.
public struct MeterShape: Hashable, Sendable {
    public struct Lane: Hashable, Sendable {
        /// The ledger's number of the meter type.
        public var meter: UInt32
        public var aggregation: Aggregation

        public init(meter: UInt32, aggregation: Aggregation) {
            (self.meter, self.aggregation) = (meter, aggregation)
        }
    }

    public var lanes: [Lane]

    public init(lanes: [Lane]) { self.lanes = lanes }
}

/// One event of a batch.
public struct PreparedEvent: Sendable {
    public var decoded: DecodedEvent
    /// The event's time, or the arrival where it states none.
    public var time: Instant
    public var key: KeyHash
    public var subjectHash: UInt64
    public var bucket: Int32
    /// The place in ``PreparedBatch/origins``.
    public var origin: UInt32
    public var firstContribution: UInt32
    public var contributionCount: UInt32
    /// Whether at least one meter type counts the event.
    public var isCounted: Bool
}

/// What one event means to one meter type that matches it.
public struct Contribution: Sendable {
    /// The ledger's number of the meter type.
    public var meter: UInt32
    /// The place of the dimension tuple in ``PreparedBatch/tuples``.
    public var tuple: UInt32
    /// The value in units of 10^-18; zero where no number is needed.
    public var mantissa: Int128
    /// The place in ``PreparedBatch/shapes``, and of the meter type in that.
    public var shape: UInt32
    public var lane: UInt16
    public var aggregation: Aggregation
    /// Why the event could not be read; nil where it counts.
    public var unreadable: UnreadableReason?
    /// unique, unique-pairs: the event's elements in ``PreparedBatch/elements``.
    public var firstElement: UInt32
    public var elementCount: UInt32
}
