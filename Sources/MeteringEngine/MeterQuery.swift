public import UsageModel

/// A question for meters: `GET /v1/meters`, understood.
public struct MeterQuery: Sendable {
    /// Empty: all of them, the retired ones too.
    public var meterTypes: [MeterTypeKey]
    /// Empty: all of them.
    public var subjects: [String]
    /// Only of subjects that one of these customers owns at ``at``. Empty: all of them.
    public var customers: [CustomerKey]
    /// Only meters that stand so at ``at``. Empty: all of them.
    public var standings: [MeterStanding]
    /// What the subject begins with.
    public var prefix: String
    /// When to look how meters stand and who owns their subjects.
    public var at: Instant
    /// As known when the log ended there: what was counted, enrolled and owned; nil: as of now. A
    /// page may hold fewer meters than its limit, and others follow all the same.
    public var asOf: Position?
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
        customers: [CustomerKey] = [],
        standings: [MeterStanding] = [],
        prefix: String = "",
        at: Instant = .latest,
        asOf: Position? = nil,
        limit: Int,
        after: Place? = nil
    ) {
        (self.meterTypes, self.subjects, self.prefix) = (meterTypes, subjects, prefix)
        (self.customers, self.standings, self.at) = (customers, standings, at)
        (self.asOf, self.limit, self.after) = (asOf, limit, after)
    }
}

/// A meter: the bucket of one subject for one meter type, enrolled or opened by the first event it
/// counts.
public struct Meter: Sendable, Hashable {
    public var id: MeterID
    /// How many events it counts, of all time.
    public var events: Int64
    /// From the quarter of an hour of the earliest event to the end of that of the latest; empty
    /// where it counts none.
    public var span: Range<Instant>
    /// At the time asked for. A meter of a retired type is closed.
    public var standing: MeterStanding
    /// Who owns the subject at the time asked for.
    public var customer: CustomerKey?
    /// What was said of it; nil where nothing was.
    public var enrolled: EnrolledMeter?

    public init(
        id: MeterID,
        events: Int64,
        span: Range<Instant>,
        standing: MeterStanding = .active,
        customer: CustomerKey? = nil,
        enrolled: EnrolledMeter? = nil
    ) {
        (self.id, self.events, self.span) = (id, events, span)
        (self.standing, self.customer, self.enrolled) = (standing, customer, enrolled)
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
