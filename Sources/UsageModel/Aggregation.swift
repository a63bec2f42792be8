/// How a meter turns the values of its events into one value. What each is worth over no event, and
/// to the last digit, is in `docs/reference/aggregations.md`.
public enum Aggregation: String, CaseIterable, Hashable, Sendable {
    /// The number of events; takes no value.
    case count
    case sum
    case min
    case max
    /// The number of distinct values; over an array, of its distinct elements.
    case unique
    /// The number of distinct pairs of two values.
    case uniquePairs = "unique-pairs"
    /// The value of the event with the least time; among equal times, the least position.
    case first
    /// The value of the event with the greatest time; among equal times, the greatest position.
    case latest
    /// Sum divided by count, once, when read.
    case average
    /// The value below which a share of the events' values lies.
    case percentile
    /// The integral of a value over time: each holds until the next one of its series.
    case timeWeighted = "time-weighted"
    /// What an ever-growing counter grew by; where it goes back, it began anew at zero.
    case counter
    /// The greatest level that changes add up to, such as +1 for a start and -1 for a stop.
    case peakConcurrency = "peak-concurrency"

    /// Whether a meter type of this aggregation names a value.
    public var takesValue: Bool { self != .count }
    /// Whether it names a second one.
    public var takesPair: Bool { self == .uniquePairs }
    /// Whether the value must be a number; the others take any scalar.
    public var needsNumber: Bool { takesValue && self != .unique && self != .uniquePairs }
    /// Whether something of each event stands beside the sums, to be told apart.
    public var hasElements: Bool { countsDistinct || self == .percentile }
    /// Whether an event matters to times after its own, so that each is kept with its instant.
    public var isCarried: Bool {
        self == .timeWeighted || self == .counter || self == .peakConcurrency
    }
    /// Whether what is carried is carried in each series by itself, and is added up only then.
    public var hasSeries: Bool { self == .timeWeighted || self == .counter }
    /// How the samples of one instant are merged: the last one told stands, or they add up.
    public var ofSamples: Aggregation { self == .peakConcurrency ? .sum : .latest }
    /// Whether each event counts the distinct things it carries.
    public var countsDistinct: Bool { self == .unique || self == .uniquePairs }
}

/// What an integral over time is counted in, such as the hours of GB-hours.
public enum TimeUnit: String, CaseIterable, Hashable, Sendable {
    case second, minute, hour, day

    public var microseconds: Int64 {
        switch self {
        case .second: 1_000_000
        case .minute: 60_000_000
        case .hour: 3_600_000_000
        case .day: 86_400_000_000
        }
    }
}

/// Which of the sorted values of a meter its percentile is.
public struct Percentile: Hashable, Sendable {
    /// How a place between two values is read. The raw values are the words on the wire.
    public enum Method: String, CaseIterable, Hashable, Sendable {
        /// The least value that at least the share of all values does not exceed: always one of
        /// them.
        case nearestRank = "nearest-rank"
        /// On the straight line between the two values beside the place `share · (n - 1)`, counted
        /// from 0.
        case linear
    }

    /// 100 percent in units of 10^-``Limits/percentilePlacesMax`` percent.
    public static let whole: UInt64 = 100_000_000

    /// The share, in the units of ``whole``: 0…``whole``.
    public let share: UInt64
    public let method: Method

    /// - Parameter percent: 0…100, with at most ``Limits/percentilePlacesMax`` decimal places.
    /// - Returns: nil where it is not.
    public init?(percent: Quantity, method: Method) {
        let (units, rest) = percent.mantissa.quotientAndRemainder(dividingBy: Self.unit)
        guard rest == 0, (0...Int128(Self.whole)).contains(units) else { return nil }
        (share, self.method) = (UInt64(units), method)
    }

    /// The share in percent.
    public var percent: Quantity { Quantity(mantissa: Int128(share) * Self.unit) }

    private static let unit: Int128 = 1_000_000_000_000
}
