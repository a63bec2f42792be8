/// A day of the proleptic Gregorian calendar, as ISO 8601 and RFC 3339 count them; without a zone.
///
/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms". The arithmetic is exact
/// for all years within ±1,000,000, and costs a few nanoseconds.
public struct CivilDate: Hashable, Comparable, Sendable {
    /// Year 0 is the year before year 1.
    public var year: Int
    /// 1…12.
    public var month: Int
    /// 1…31.
    public var day: Int

    /// A month outside 1…12 and a day outside the month count on from there.
    public init(year: Int, month: Int, day: Int) {
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// - Parameter daysSinceEpoch: 0 is 1970-01-01; negative before.
    public init(daysSinceEpoch: Int) {
        // Years begin in March, so that the leap day is the last of its year.
        let days = daysSinceEpoch + 719_468
        let era = days.flooredQuotient(by: 146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01; negative before.
    public var daysSinceEpoch: Int {
        let months = year * 12 + month - 3
        let marchYear = months.flooredQuotient(by: 12)
        let era = marchYear.flooredQuotient(by: 400)
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (months - marchYear * 12) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    public static func < (one: CivilDate, other: CivilDate) -> Bool {
        (one.year, one.month, one.day) < (other.year, other.month, other.day)
    }
}

/// What a clock on the wall shows, to the microsecond: a date and a time of day without a zone.
public struct LocalDateTime: Hashable, Comparable, Sendable {
    /// Microseconds since the clock showed 1970-01-01T00:00:00, every day being 24 hours long.
    public var microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// - Parameters:
    ///   - date: Within the years ±290,000, which 64 bits hold; a year beyond is a caller's fault.
    ///   - microsecondOfDay: 0 is midnight; 24 hours and more count on into later days.
    public init(_ date: CivilDate, microsecondOfDay: Int64 = 0) {
        microseconds = Int64(date.daysSinceEpoch) * Self.microsecondsPerDay + microsecondOfDay
    }

    public static let microsecondsPerDay: Int64 = 86_400_000_000

    public var date: CivilDate { CivilDate(daysSinceEpoch: daysSinceEpoch) }

    var daysSinceEpoch: Int { Int(microseconds.flooredQuotient(by: Self.microsecondsPerDay)) }

    public static func < (one: LocalDateTime, other: LocalDateTime) -> Bool {
        one.microseconds < other.microseconds
    }
}

extension FixedWidthInteger where Self: SignedInteger {
    /// The quotient toward the lesser, for a positive divisor.
    @inline(__always)
    func flooredQuotient(by divisor: Self) -> Self {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return quotient - (remainder < 0 ? 1 : 0)
    }
}
