public import UsageModel

/// A question for meters: `GET /v1/meters`, understood.
public struct MeterQuery: Sendable {
    /// Empty: all of them, the retired ones too.
    public var meterTypes: [MeterTypeKey]
    /// Empty: all of them.
    public var subjects: [String]
    /// What the subject begins with.
    public var prefix: String
    public var limit: Int
    /// Where the page before ended.
    public var after: Place?

    /// A place in the list.
    public struct Place: Sendable, Hashable {
        public var subject: String
        /// The last meter type of the subject that was listed; nil where no more of them come.
        public var meterType: MeterTypeKey?

        public init(subject: String, meterType: MeterTypeKey?) {
            (self.subject, self.meterType) = (subject, meterType)
        }
    }

    public init(
        meterTypes: [MeterTypeKey] = [],
        subjects: [String] = [],
        prefix: String = "",
        limit: Int,
        after: Place? = nil
    ) {
        (self.meterTypes, self.subjects, self.prefix) = (meterTypes, subjects, prefix)
        (self.limit, self.after) = (limit, after)
    }
}

/// A meter: the bucket of one subject for one meter type, opened by the first event it counts.
public struct Meter: Sendable, Hashable {
    public var id: MeterID
    /// How many events it counts, of all time.
    public var events: Int64
    /// From the quarter of an hour of the earliest event to the end of that of the latest.
    public var span: Range<Instant>

    public init(id: MeterID, events: Int64, span: Range<Instant>) {
        (self.id, self.events, self.span) = (id, events, span)
    }
}

public struct MeterAnswer: Sendable {
    public var position: Position
    public var meters: [Meter]
    /// Where the next page begins; nil at the end. A page may hold fewer meters than asked for, or
    /// none, and others follow all the same: see ``Limits/meterStepsMax``.
    public var next: MeterQuery.Place?

    public init(position: Position, meters: [Meter], next: MeterQuery.Place?) {
        (self.position, self.meters, self.next) = (position, meters, next)
    }
}
