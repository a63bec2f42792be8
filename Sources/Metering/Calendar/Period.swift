public import UsageModel

/// One period of a meter: a half-open range of time, never empty.
public struct Period: Hashable, Sendable {
    public let range: Range<Instant>

    init(_ start: Int64, _ end: Int64) {
        range = Instant(microseconds: start)..<Instant(microseconds: end)
    }

    public init(_ range: Range<Instant>) { self.range = range }

    /// The first instant of the period.
    public var start: Instant { range.lowerBound }
    /// The first instant after it, where the next one starts.
    public var end: Instant { range.upperBound }

    /// No reset comes before the start: it is where time begins.
    public var isFirst: Bool { start == PeriodCalendar.reach.lowerBound }
    /// No reset comes any more: the period goes on for ever, and its end is a stand-in.
    public var isLast: Bool { end == PeriodCalendar.reach.upperBound }

    public func contains(_ instant: Instant) -> Bool { range.contains(instant) }
}
