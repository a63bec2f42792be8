public import UsageModel

/// Where destinations and their deliveries are kept, as the ``RecordCourier`` and the API need it.
///
/// The records, in their sequence, are the outbox: they are there in the commit that closed their
/// period. What a destination is owed is written down before anything of it is sent.
public protocol DeliveryStore: Sendable {
    /// All that there are, in the order of their keys; at most ``Limits/destinationsMax``.
    func destinations() async throws(LedgerError) -> [Destination]
    func destination(_ key: DestinationKey) async throws(LedgerError) -> Destination?

    /// Makes a destination, or changes the one of that key.
    ///
    /// - Throws: `retired` for a key that was; `limitExceeded`; `outdated` where the condition does
    ///   not hold.
    func put(
        _ definition: DestinationDefinition,
        if condition: @escaping ChangeCondition<Destination>
    ) async throws(LedgerError) -> Destination

    /// Ends a destination for ever: what is pending stays, and is not sent.
    /// - Throws: `notFound`; `outdated` where the condition does not hold.
    func retire(
        destination key: DestinationKey,
        if condition: @escaping ChangeCondition<Destination>
    ) async throws(LedgerError) -> Destination

    /// Writes down what a destination is owed of the records that were made since it was last
    /// asked; in batches as its rules say.
    ///
    /// - Returns: whether to ask again at once.
    func enqueue(_ key: DestinationKey, now: Instant) async throws(LedgerError) -> Bool

    /// Batches that may be sent now, each whole, in the order in which they are due.
    ///
    /// None holds a meter that an earlier pending delivery is of, so that those of one meter go one
    /// after the other; where batches hold more than one record, only the first pending one is.
    ///
    /// - Parameter limit: Of deliveries; the first batch is told whatever its size.
    func due(_ key: DestinationKey, now: Instant, limit: Int) async throws(LedgerError)
        -> [DueBatch]

    /// Writes down what became of batches, in one commit.
    func settle(_ results: [DeliveryResult], of key: DestinationKey) async throws(LedgerError)

    /// Deliveries in the order of their numbers.
    func deliveries(_ query: DeliveryQuery) async throws(LedgerError) -> DeliveryAnswer

    /// How the tries of a batch went, the newest first; at most
    /// ``Limits/deliveryAttemptsKeptMax``. Of those that were taken at the first, only the newest
    /// are known: ``Limits/deliveryPlainTriesKeptMax``.
    func attempts(
        of key: DestinationKey,
        batch: Int64
    ) async throws(LedgerError) -> [DeliveryAttempt]

    /// Makes deliveries pending again, as if they had never been tried.
    ///
    /// - Returns: how many.
    /// - Throws: `retired` for a destination that gets nothing more.
    func resend(_ selection: DeliverySelection, now: Instant) async throws(LedgerError) -> Int

    /// What was made, sent and taken of a destination's records, by meter type and period.
    func books(of query: DeliveryQuery) async throws(LedgerError) -> [DeliveryBook]

    /// How a destination stands.
    func standing(of key: DestinationKey) async throws(LedgerError) -> DestinationStanding
}

/// A batch that is due.
public struct DueBatch: Sendable {
    /// The number of its first delivery.
    public var batch: Int64
    public var items: [DeliveryBatch.Item]
    /// How often it was tried.
    public var attempts: Int

    public init(batch: Int64, items: [DeliveryBatch.Item], attempts: Int) {
        (self.batch, self.items, self.attempts) = (batch, items, attempts)
    }
}

/// What one try of a batch came to.
public struct DeliveryResult: Sendable {
    public var numbers: [Int64]
    public var state: Delivery.State
    public var attempts: Int
    public var at: Instant
    public var nextAttemptAt: Instant?
    public var status: Int?
    public var answer: String
    /// The last of what was sent, and how many requests there were.
    public var requests: [SentRequest] = []
    public var requestCount = 0

    public init(
        numbers: [Int64],
        state: Delivery.State,
        attempts: Int,
        at: Instant,
        nextAttemptAt: Instant? = nil,
        status: Int? = nil,
        answer: String = ""
    ) {
        (self.numbers, self.state, self.attempts) = (numbers, state, attempts)
        (self.at, self.nextAttemptAt) = (at, nextAttemptAt)
        (self.status, self.answer) = (status, answer)
    }
}

/// A question for deliveries. What is empty or nil asks for all.
public struct DeliveryQuery: Sendable {
    public var destination: DestinationKey
    public var states: [Delivery.State] = []
    public var meterTypes: [MeterTypeKey] = []
    public var subjects: [String] = []
    public var customers: [CustomerKey] = []
    /// Of records of periods that end after this.
    public var from: Instant?
    /// Of records of periods that start before this.
    public var to: Instant?
    /// The number that the deliveries come after.
    public var after: Int64 = 0
    /// The number that they come before; for lists that begin with the newest.
    public var before = Int64.max
    /// Whether the newest comes first.
    public var isDescending = false
    public var limit: Int

    public init(destination: DestinationKey, limit: Int) {
        (self.destination, self.limit) = (destination, limit)
    }
}

public struct DeliveryAnswer: Sendable {
    public var deliveries: [Delivery]
    public var hasMore: Bool

    public init(deliveries: [Delivery], hasMore: Bool) {
        (self.deliveries, self.hasMore) = (deliveries, hasMore)
    }
}

/// The two sides of one meter type's records of one period, for one destination.
public struct DeliveryBook: Sendable, Hashable {
    public struct Side: Sendable, Hashable {
        public var records: Int64 = 0
        /// The sum of their amounts; nil where it fits no quantity.
        public var amount: Quantity? = .zero

        public init() {}

        /// Counts a record.
        public mutating func add(_ more: Quantity) {
            records += 1
            amount = amount.flatMap { try? $0.adding(more) }
        }
    }

    public var meterType: MeterTypeKey
    public var period: Range<Instant>
    /// All that the destination is owed.
    public var made = Side()
    /// Tried at least once.
    public var sent = Side()
    public var acknowledged = Side()
    public var failed = Side()
    public var pending = Side()

    public init(meterType: MeterTypeKey, period: Range<Instant>) {
        (self.meterType, self.period) = (meterType, period)
    }

    /// Counts a delivery.
    public mutating func add(_ state: Delivery.State, attempts: Int, amount: Quantity) {
        made.add(amount)
        if attempts > 0 { sent.add(amount) }
        switch state {
        case .pending: pending.add(amount)
        case .delivered: acknowledged.add(amount)
        case .failed: failed.add(amount)
        }
    }
}

/// How a destination stands.
public struct DestinationStanding: Sendable, Hashable {
    public var pending: Int64
    public var delivered: Int64
    public var failed: Int64
    /// Records that were made, and not looked at for it yet.
    public var waiting: Int64
    /// When the oldest pending one was made; nil where none is.
    public var oldestPendingAt: Instant?
    /// Numbers that should be there, and are not: always 0, or the store is damaged.
    public var missing: Int64

    public init(
        pending: Int64,
        delivered: Int64,
        failed: Int64,
        waiting: Int64,
        oldestPendingAt: Instant?,
        missing: Int64
    ) {
        (self.pending, self.delivered, self.failed) = (pending, delivered, failed)
        (self.waiting, self.oldestPendingAt) = (waiting, oldestPendingAt)
        self.missing = missing
    }
}
