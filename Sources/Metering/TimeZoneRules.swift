public import UsageModel

/// The offsets of one time zone from UTC, for all time: an immutable value.
///
/// Time is cut into stretches of one offset each. What the zone's file lists is kept as it is; what
/// its closing rule says of the future is spelled out for 400 years, after which the Gregorian
/// calendar, and with it the rule, repeats. So every question is one binary search, for the year
/// 9999 as for today.
public struct TimeZoneRules: Sendable, Equatable {
    /// The name it was asked for by, such as "Europe/Berlin".
    public let name: String
    /// Where each stretch starts, microseconds since the epoch, ascending; the first at the limit.
    private let starts: [Int64]
    /// Microseconds east of UTC, for each stretch.
    private let offsets: [Int64]
    /// From here on time is looked up a whole number of cycles earlier.
    private let cycleEnd: Int64

    public static let utc = TimeZoneRules(name: "UTC", offsetSeconds: 0)

    /// One offset for all time.
    ///
    /// - Parameter offsetSeconds: East of UTC, within ±26 hours; what is beyond is held to that.
    public init(name: String, offsetSeconds: Int) {
        let bound = Int(Self.offsetMax / 1_000_000) - 1
        let seconds = min(max(offsetSeconds, -bound), bound)
        self.init(
            name: name,
            starts: [.min],
            offsets: [Int64(seconds) * 1_000_000],
            cycleEnd: .max
        )
    }

    init(name: String, starts: [Int64], offsets: [Int64], cycleEnd: Int64) {
        (self.name, self.starts, self.offsets) = (name, starts, offsets)
        self.cycleEnd = cycleEnd
    }

    /// 400 Gregorian years, which are whole weeks too, in microseconds.
    static let cycle: Int64 = 146_097 * LocalDateTime.microsecondsPerDay
    /// No offset reaches this (RFC 9636 §3.2), in microseconds.
    static let offsetMax: Int64 = 26 * 3_600_000_000
    /// Beyond these, some 18,000 years from the epoch, an instant has the offset of that end.
    static let reach: ClosedRange<Int64> = (-(1 << 59))...(1 << 59)

    /// Seconds east of UTC at an instant.
    ///
    /// Before the first change that the zone's file lists, this is mostly local mean time.
    public func offsetSeconds(at instant: Instant) -> Int {
        Int(stretch(at: instant.microseconds).offset / 1_000_000)
    }

    /// What a clock on the wall shows at an instant.
    public func local(at instant: Instant) -> LocalDateTime {
        let (sum, overflow) = instant.microseconds.addingReportingOverflow(
            stretch(at: instant.microseconds).offset
        )
        return LocalDateTime(
            microseconds: overflow ? (instant.microseconds < 0 ? .min : .max) : sum
        )
    }

    /// The instants at which a clock on the wall shows a time.
    public enum LocalReading: Hashable, Sendable {
        case once(Instant)
        /// The clock was set back over it.
        case twice(earlier: Instant, later: Instant)
        /// The clock was set forward over it at `transition`. `shifted` is as long after the
        /// transition as the time asked for is after the start of the gap: 02:30 in a gap from
        /// 02:00 to 03:00 is 03:30.
        case never(transition: Instant, shifted: Instant)
    }

    /// The instants at which a clock on the wall shows a time: one, two, or none in a gap.
    public func instants(ofLocal local: LocalDateTime) -> LocalReading {
        let shown = Self.withinReach(local)
        var stretch = stretch(at: shown - Self.offsetMax)
        var (first, last): (Int64?, Int64?)
        var gap = (transition: stretch.start, shifted: shown - stretch.offset)
        // A stretch that starts later than an offset's length past the time cannot show it.
        while true {
            let candidate = shown - stretch.offset
            if stretch.start <= candidate, candidate < stretch.end {
                (first, last) = (first ?? candidate, candidate)
            }
            guard stretch.end <= shown + Self.offsetMax else { break }
            let next = self.stretch(at: stretch.end)
            if next.start + stretch.offset <= shown, shown < next.start + next.offset {
                gap = (next.start, shown - stretch.offset)
            }
            stretch = next
        }
        guard let first, let last else {
            return .never(
                transition: Instant(microseconds: gap.transition),
                shifted: Instant(microseconds: gap.shifted)
            )
        }
        let earlier = Instant(microseconds: first)
        return first == last
            ? .once(earlier) : .twice(earlier: earlier, later: Instant(microseconds: last))
    }

    /// The one instant for a time on the wall: of two the earlier; for none, shifted forward by the
    /// length of the gap. This is what java.time does, and Python with `fold=0`.
    public func instant(ofLocal local: LocalDateTime) -> Instant {
        switch instants(ofLocal: local) {
        case .once(let instant), .twice(let instant, _), .never(_, let instant): instant
        }
    }

    /// The first instant at which a clock on the wall shows this time or a later one.
    ///
    /// It is ``instant(ofLocal:)`` but in a gap, where it is the transition itself: a day whose
    /// midnight is skipped starts with the first moment the day has. It never decreases as `local`
    /// grows, which is why days and months cut by it tile time.
    public func firstInstant(atOrAfterLocal local: LocalDateTime) -> Instant {
        let shown = Self.withinReach(local)
        var stretch = stretch(at: shown - Self.offsetMax)
        while true {
            let candidate = max(shown - stretch.offset, stretch.start)
            if candidate < stretch.end { return Instant(microseconds: candidate) }
            stretch = self.stretch(at: stretch.end)
        }
    }

    /// So far within ``reach`` that an offset leads nowhere outside.
    private static func withinReach(_ local: LocalDateTime) -> Int64 {
        min(max(local.microseconds, reach.lowerBound + cycle), reach.upperBound - cycle)
    }

    /// A maximal time of one offset; all in microseconds.
    struct Stretch {
        /// `Int64.min` where nothing comes before.
        var start: Int64
        /// `Int64.max` where nothing follows.
        var end: Int64
        var offset: Int64
    }

    /// The stretch an instant lies in (within ``reach``; past it, the outermost one there).
    func stretch(at microseconds: Int64) -> Stretch {
        var time = min(max(microseconds, Self.reach.lowerBound), Self.reach.upperBound)
        var shift: Int64 = 0
        if time >= cycleEnd {
            shift = ((time - cycleEnd) / Self.cycle + 1) * Self.cycle
            time -= shift
        }
        var (low, high) = (0, starts.count)
        // Invariant: starts[low] <= time < starts[high].
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= time { low = middle } else { high = middle }
        }
        return Stretch(
            start: low == 0 ? .min : starts[low] + shift,
            end: low + 1 == starts.count ? .max : starts[low + 1] + shift,
            offset: offsets[low]
        )
    }
}

/// Where rules of time zones come from.
public protocol TimeZoneSource: Sendable {
    /// The rules of an IANA zone, such as "Europe/Berlin"; names are exact, case included.
    func rules(named name: String) throws(TimeZoneError) -> TimeZoneRules
}

/// Why there are no rules for a name.
public enum TimeZoneError: Error, Hashable, Sendable {
    /// No zone has this name, or it cannot be a name of a zone.
    case unknown(name: String)
    /// The zone's data does not follow RFC 9636; `reason` is in words.
    case malformed(name: String, reason: String)
}
