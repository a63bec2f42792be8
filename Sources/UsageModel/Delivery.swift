/// The sending of one record to one destination, as far as it got.
public struct Delivery: Hashable, Sendable {
    /// The raw values are stored, and the words of the wire.
    public enum State: String, CaseIterable, Hashable, Sendable {
        /// It was not sent yet, or not taken yet.
        case pending
        /// The other side said that it has it.
        case delivered
        /// It was given up, and waits for somebody to send it again.
        case failed
    }

    public var destination: DestinationKey
    /// Its place among all of the destination: dense from 1, in the order of the records. Who
    /// receives them sees a gap.
    public var number: Int64
    /// The number of the first of those that are sent together with it.
    public var batch: Int64
    public var record: UsageRecord
    public var state: State
    public var attempts: Int
    /// When it is tried next; for one that is pending.
    public var nextAttemptAt: Instant?
    public var lastAttemptAt: Instant?
    public var deliveredAt: Instant?
    /// What the other side answered last: its status, and what it calls the record, or why not.
    public var status: Int?
    public var answer: String

    public init(destination: DestinationKey, number: Int64, batch: Int64, record: UsageRecord) {
        (self.destination, self.number, self.batch) = (destination, number, batch)
        self.record = record
        (state, attempts, answer) = (.pending, 0, "")
        (nextAttemptAt, lastAttemptAt, deliveredAt, status) = (nil, nil, nil, nil)
    }
}

/// One try of a sending, as it went.
public struct DeliveryAttempt: Hashable, Sendable {
    public var at: Instant
    /// What became of the delivery by it; pending where it is tried again.
    public var state: Delivery.State
    /// The status of the answer; nil where none came, or there is no such thing.
    public var status: Int?
    /// What the other side calls the record, or why it was not taken.
    public var answer: String
    /// The last of what was sent, in order; nothing of tries of long ago.
    public var requests: [SentRequest]
    /// How many requests there were.
    public var requestCount: Int

    public init(
        at: Instant,
        state: Delivery.State,
        status: Int?,
        answer: String,
        requests: [SentRequest] = [],
        requestCount: Int = 0
    ) {
        (self.at, self.state) = (at, state)
        (self.status, self.answer) = (status, answer)
        (self.requests, self.requestCount) = (requests, requestCount)
    }
}

/// Which deliveries are sent again.
public struct DeliverySelection: Sendable, Hashable {
    public enum What: Sendable, Hashable {
        /// All that were given up.
        case failed
        /// Those with numbers from one to another, whatever became of them.
        case numbers(ClosedRange<Int64>)
        case records([UsageRecordID])
    }

    public var destination: DestinationKey
    public var what: What

    public init(destination: DestinationKey, what: What) {
        (self.destination, self.what) = (destination, what)
    }
}
