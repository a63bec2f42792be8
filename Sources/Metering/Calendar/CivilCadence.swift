internal import UsageModel

/// Every so many days, weeks, months, quarters or years of the civil calendar: the boundaries are
/// numbered, 0 is the anchor.
struct CivilCadence: Sendable {
    /// The anchor itself, which is a boundary also where the clock showed its time before.
    private let anchor: Int64?
    /// What the clock shows at the anchor, microseconds.
    private let origin: Int64
    private let day: Int
    /// Months since the year 0.
    private let month: Int
    private let step: Step

    private enum Step {
        /// In microseconds of the local clock, whose days all have 24 hours.
        case days(Int64)
        case months(Int)
    }

    /// Minutes and hours are not of the civil calendar, and taken for days.
    ///
    /// Without an anchor units are counted from 1970-01-01, weeks from Monday the 5th.
    init(_ cadence: ResetSchedule.Cadence, _ zone: TimeZoneRules) {
        let isWeekly = cadence.unit == .week
        let interval = cadence.interval
        let local =
            cadence.anchor.map { zone.local(at: $0) }
            ?? LocalDateTime(CivilDate(year: 1970, month: 1, day: isWeekly ? 5 : 1))
        let date = local.date
        (anchor, origin) = (cadence.anchor?.microseconds, local.microseconds)
        (day, month) = (date.day, date.year * 12 + date.month - 1)
        step =
            switch cadence.unit {
            case .minute, .hour, .day: .days(Int64(interval) * LocalDateTime.microsecondsPerDay)
            case .week: .days(Int64(interval) * 7 * LocalDateTime.microsecondsPerDay)
            case .month: .months(interval)
            case .quarter: .months(interval * 3)
            case .year: .months(interval * 12)
            }
    }

    /// The boundaries at or before, and after, an instant.
    func edges(around time: Int64, _ zone: TimeZoneRules) -> (start: Int64, end: Int64) {
        let number = number(near: zone.latestLocal(through: time))
        let edge = instant(of: number, zone)
        return edge > time
            ? (instant(of: number - 1, zone), edge) : (edge, instant(of: number + 1, zone))
    }

    /// The number of the last boundary that a clock that has come so far has shown, or the next
    /// one: where it comes later in the month, or is an anchor that is the later of two showings.
    private func number(near shown: Int64) -> Int {
        switch step {
        case .days(let step): return Int((shown - origin).flooredQuotient(by: step))
        case .months(let step):
            let date = LocalDateTime(microseconds: shown).date
            return (date.year * 12 + date.month - 1 - month).flooredQuotient(by: step)
        }
    }

    private func local(of number: Int) -> Int64 {
        switch step {
        case .days(let step): return origin + Int64(number) * step
        case .months(let step):
            let months = month + number * step
            let year = months.flooredQuotient(by: 12)
            let month = months - year * 12 + 1
            let last = CivilDate.daysIn(month: month, year: year)
            let date = CivilDate(year: year, month: month, day: Swift.min(day, last))
            let microsecondOfDay =
                origin - LocalDateTime.microsecondsPerDay
                * origin.flooredQuotient(by: LocalDateTime.microsecondsPerDay)
            return LocalDateTime(date, microsecondOfDay: microsecondOfDay).microseconds
        }
    }

    private func instant(of number: Int, _ zone: TimeZoneRules) -> Int64 {
        if number == 0, let anchor { return anchor }
        let local = LocalDateTime(microseconds: local(of: number))
        return zone.firstInstant(atOrAfterLocal: local).microseconds
    }
}

extension CivilDate {
    /// 28…31; the month is within 1…12.
    static func daysIn(month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension TimeZoneRules {
    /// The latest time that a clock on the wall has shown by some instant: where clocks went back,
    /// the time they came to before. All in microseconds.
    ///
    /// What the clock shows first after the instant is later than this, and all that is not later
    /// has been shown or skipped. So the boundary with the last wall time up to here is the last
    /// one at or before the instant.
    func latestLocal(through time: Int64) -> Int64 {
        var stretch = stretch(at: time)
        var latest = time + stretch.offset
        // Two offsets differ by less than twice the greatest.
        while stretch.start > time - 2 * Self.offsetMax {
            let end = stretch.start
            stretch = self.stretch(at: end - 1)
            latest = max(latest, end - 1 + stretch.offset)
        }
        return latest
    }

    /// The first instant of a minute of the local calendar, counted from 1970-01-01T00:00.
    func firstInstant(ofMinute minute: Int) -> Int64 {
        let local = LocalDateTime(microseconds: Int64(minute) * 60_000_000)
        return firstInstant(atOrAfterLocal: local).microseconds
    }
}
