public import Metering
public import UsageModel

/// A question for readings: `GET /v1/usage`, understood.
public struct UsageQuery: Sendable {
    /// The most windows of one question.
    public static let windowsMax = 100_000
    /// The most rows of one answer page.
    public static let rowsMax = 1_000

    public enum Group: Hashable, Sendable {
        case customer
        case subject
        case dimension(String)
    }

    public var meterTypes: [MeterTypeKey]
    /// Reads all events under this version of the one meter type named, whatever it is effective
    /// from; nil: each event under the version in force at its time.
    public var version: Int?
    /// Empty: over all subjects.
    public var subjects: [String]
    /// Only events that one of these owned the subject of, at the time of the event. Empty: all.
    public var customers: [CustomerKey]
    public var range: Range<Instant>
    /// nil: one reading for the whole range.
    public var window: WindowWidth?
    public var zone: TimeZoneRules
    /// Cuts windows instead of ``window`` and ``zone``: the periods of a meter type.
    public var calendar: PeriodCalendar?
    /// Ranges that are windows, instead of those that ``window`` or ``calendar`` cuts: in order,
    /// none into another. What lies between two is a window too.
    public var ranges: [Range<Instant>] = []
    public var groupBy: [Group]
    /// nil: as of now.
    public var asOf: Position?
    /// Values that are carried are carried no further than this: mostly now.
    public var carriedUntil: Instant
    /// Whether windows without an event appear.
    public var fillsZero: Bool
    /// Whether the answer also has the readings without ``groupBy``, of the same position.
    public var addsTotals: Bool
    /// Whether readings that are rounded also have what was rounded.
    public var addsExact = false
    public var limit: Int
    /// The order key of the last row of the page before.
    public var after: UsageReading.OrderKey?

    public init(
        meterTypes: [MeterTypeKey],
        subjects: [String] = [],
        customers: [CustomerKey] = [],
        range: Range<Instant>,
        window: WindowWidth? = nil,
        zone: TimeZoneRules = .utc,
        calendar: PeriodCalendar? = nil,
        groupBy: [Group] = [],
        asOf: Position? = nil,
        carriedUntil: Instant = Instant(microseconds: .max),
        fillsZero: Bool = false,
        addsTotals: Bool = false,
        limit: Int = UsageQuery.rowsMax,
        after: UsageReading.OrderKey? = nil
    ) {
        version = nil
        (self.meterTypes, self.subjects, self.range) = (meterTypes, subjects, range)
        self.customers = customers
        (self.window, self.zone, self.calendar) = (window, zone, calendar)
        (self.groupBy, self.asOf, self.carriedUntil) = (groupBy, asOf, carriedUntil)
        self.fillsZero = fillsZero
        (self.addsTotals, self.limit, self.after) = (addsTotals, limit, after)
    }

    /// Whether the range is cut into windows.
    public var isCut: Bool { window != nil || calendar != nil || !ranges.isEmpty }

    /// The windows in order, each cut to the range; the whole range where there are none asked for.
    ///
    /// - Throws: `limitExceeded` for more than ``windowsMax``.
    public func windows() throws(LedgerError) -> [Range<Instant>] {
        var windows: [Range<Instant>] = []
        func add(_ window: Range<Instant>) throws(LedgerError) {
            guard windows.count < Self.windowsMax else {
                throw LedgerError(
                    .limitExceeded,
                    "the range has more than \(Self.windowsMax) windows"
                )
            }
            windows.append(window)
        }
        if !ranges.isEmpty {
            for range in ranges {
                if let last = windows.last?.upperBound, last < range.lowerBound {
                    try add(last..<range.lowerBound)
                }
                try add(range)
            }
        } else if let calendar {
            for period in calendar.periods(in: range) { try add(period.range.clamped(to: range)) }
        } else if let window {
            for range in WindowCutter(width: window, zone: zone).windows(in: range) {
                try add(range)
            }
        } else {
            windows = [range]
        }
        return windows
    }
}

/// The value of a meter type over a range, as known at a position.
public struct UsageReading: Sendable, Hashable {
    public var meterType: MeterTypeKey
    /// Set where the question names customers or groups by them, and somebody owned the subject.
    public var customer: String?
    /// Set where the question names subjects or groups by them.
    public var subject: String?
    public var range: Range<Instant>
    /// In the order of `groupBy`; nil where the event had none.
    public var dimensions: [Value]
    public var value: Quantity?
    /// The same before it was rounded, where that was asked for and the meter type rounds.
    public var exact: Quantity?
    /// How many events are in it.
    public var events: Int64

    public struct Value: Sendable, Hashable {
        public var name: String
        public var value: String?

        public init(name: String, value: String?) { (self.name, self.value) = (name, value) }
    }

    /// Readings are ordered by the start, the meter type, the customer, the subject, the dimension
    /// values, byte-wise; a missing value comes first.
    public struct OrderKey: Sendable, Hashable, Comparable {
        public var start: Instant
        public var meterType: MeterTypeKey
        /// The customer, the subject, then the values of the dimensions.
        public var groups: [String?]

        public init(start: Instant, meterType: MeterTypeKey, groups: [String?]) {
            (self.start, self.meterType, self.groups) = (start, meterType, groups)
        }

        public static func < (one: Self, other: Self) -> Bool {
            if one.start != other.start { return one.start < other.start }
            if one.meterType != other.meterType { return one.meterType < other.meterType }
            for (left, right) in zip(one.groups, other.groups) where left != right {
                guard let left else { return true }
                guard let right else { return false }
                return left.utf8.lexicographicallyPrecedes(right.utf8)
            }
            return one.groups.count < other.groups.count
        }
    }

    public var orderKey: OrderKey {
        OrderKey(
            start: range.lowerBound,
            meterType: meterType,
            groups: [customer, subject] + dimensions.map(\.value)
        )
    }

    public init(
        meterType: MeterTypeKey,
        customer: String? = nil,
        subject: String?,
        range: Range<Instant>,
        dimensions: [Value],
        value: Quantity?,
        events: Int64
    ) {
        (self.meterType, self.subject, self.range) = (meterType, subject, range)
        self.customer = customer
        (self.dimensions, self.value, self.events) = (dimensions, value, events)
    }
}

public struct UsageAnswer: Sendable {
    /// What the readings know: everything up to here, nothing later.
    public var position: Position
    public var readings: [UsageReading]
    /// Where asked for: one reading for each window, meter type and named subject, on every page.
    public var totals: [UsageReading]
    /// Whether further rows follow the last one.
    public var hasMore: Bool

    public init(
        position: Position,
        readings: [UsageReading],
        totals: [UsageReading] = [],
        hasMore: Bool
    ) {
        (self.position, self.readings) = (position, readings)
        (self.totals, self.hasMore) = (totals, hasMore)
    }
}
