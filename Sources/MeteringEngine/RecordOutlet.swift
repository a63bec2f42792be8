public import UsageModel

/// Where records leave the house: one kind of destination.
///
/// Whatever happens here may have happened before: the process may be killed between the other
/// side's "yes" and ours. So everything that is sent carries a key that says what it is, the same
/// at each try, and the other side, or the name of a file, makes it one.
public protocol RecordOutlet: Sendable {
    /// Sends a batch once. Never throws: what went wrong is an outcome, in words for whoever looks
    /// after the destination, without secrets.
    func send(_ batch: DeliveryBatch) async -> DeliveryOutcome
}

/// Records that are sent together; as long as it is not delivered it holds the same ones at each
/// try.
public struct DeliveryBatch: Sendable {
    public struct Item: Sendable {
        /// See ``Delivery/number``.
        public var number: Int64
        public var record: UsageRecord

        public init(number: Int64, record: UsageRecord) {
            (self.number, self.record) = (number, record)
        }
    }

    public var destination: DestinationKey
    /// At least one, in the order of their numbers, which follow one another.
    public var items: [Item]
    /// From 1.
    public var attempt: Int
    public var sentAt: Instant
    /// A try of the destination, with a record that is none: it says so wherever it can.
    public var isTest: Bool

    public init(
        destination: DestinationKey,
        items: [Item],
        attempt: Int = 1,
        sentAt: Instant,
        isTest: Bool = false
    ) {
        (self.destination, self.items, self.attempt) = (destination, items, attempt)
        (self.sentAt, self.isTest) = (sentAt, isTest)
    }

    /// The same at each try: the id of a record that goes alone, else made of the destination and
    /// the numbers.
    public var idempotencyKey: String {
        guard items.count != 1 else { return items[0].record.id.text }
        return "\(destination)-\(items.first?.number ?? 0)-\(items.last?.number ?? 0)"
    }
}

/// What became of a batch.
public enum DeliveryOutcome: Hashable, Sendable {
    /// The other side has it.
    ///
    /// - Parameters:
    ///   - status: Of an HTTP answer.
    ///   - reference: What the other side calls it; empty where it does not say.
    case delivered(status: Int?, reference: String)
    /// It may work later.
    ///
    /// - Parameter after: How long the other side asked us to wait, in seconds.
    case retry(status: Int?, reason: String, after: Int?)
    /// It will not work however often it is tried, unless something is changed.
    case refused(status: Int?, reason: String)
}
