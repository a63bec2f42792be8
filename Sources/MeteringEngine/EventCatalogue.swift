public import UsageModel

/// The event types that came, and what stands in their events. Nobody declares any of it: it is
/// read from the books and from the log.
public protocol EventCatalogue: Sendable {
    /// The types in the order of their names.
    /// - Complexity: reads the books of all time, a line for each type and hour.
    func eventTypes() async throws(LedgerError) -> [EventTypeLine]

    /// One type, with the fields of its newest events.
    ///
    /// - Returns: nil for a type of which nothing ever came.
    /// - Complexity: that of ``eventTypes()``, and unpacks the blocks of these events.
    func eventType(
        _ type: String,
        events: Int
    ) async throws(LedgerError) -> (line: EventTypeLine, sample: EventTypeSample)?
}

/// What came of one type, over all time.
public struct EventTypeLine: Sendable, Hashable {
    public var type: String
    /// Every receipt, whatever became of it.
    public var received: Int64 = 0
    /// Those that are in the log.
    public var accepted: Int64 = 0
    public var quarantined: Int64 = 0
    /// The start of the first and the last hour in which something came: the books know no more.
    public var firstSeenHour: Instant
    public var lastSeenHour: Instant

    public init(type: String, hour: Instant) {
        self.type = type
        (firstSeenHour, lastSeenHour) = (hour, hour)
    }
}

/// The fields of some events of a type: exact about those, silent about others.
public struct EventTypeSample: Sendable {
    /// One place in the events.
    public struct Field: Sendable, Hashable {
        /// As expressions and meter types spell it.
        public var path: String
        /// The kinds of JSON values that stood there: `number`, `string`, …
        public var kinds: Set<String> = []
        /// JSON of one of them; empty for objects, arrays, and what is too long.
        public var example: [UInt8] = []
        /// In how many of the events the place is there.
        public var events = 0
        /// When the first and the last of those events came.
        public var firstSeenAt: Instant
        public var lastSeenAt: Instant

        public init(path: String, at: Instant) {
            self.path = path
            (firstSeenAt, lastSeenAt) = (at, at)
        }
    }

    /// How many events were read.
    public var events = 0
    /// The oldest and the newest of them; nil where none was.
    public var positions: ClosedRange<Position>?
    /// In the order of their paths.
    public var fields: [Field] = []
    /// Whether there are further fields.
    public var hasMoreFields = false

    public static let eventsDefault = 1_000

    public init() {}
}
