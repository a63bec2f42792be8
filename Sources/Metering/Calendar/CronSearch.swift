internal import UsageModel

// Where a cron schedule matches, by bits: the days of a month are one word, so that a month costs
// some nanoseconds; months in which nothing can match are stepped over. A date comes back on the
// same day of the week within 40 years, which bounds the search.
extension CronSchedule {
    /// The last match at or before a time of the local clock, and the first one after it.
    ///
    /// - Parameter local: Microseconds since the clock showed 1970-01-01T00:00.
    /// - Returns: Minutes since then; nil past the years that ``PeriodCalendar/reach`` needs.
    func matches(around local: Int64) -> (last: Int?, next: Int?) {
        let minutes = Int(local.flooredQuotient(by: 60_000_000))
        let day = minutes.flooredQuotient(by: 1_440)
        let minute = minutes - day * 1_440
        let date = CivilDate(daysSinceEpoch: day)
        let month = CronMonth(self, year: date.year, month: date.month)
        let isDay = month.days >> date.day & 1 == 1
        let last: Int?
        if isDay, let time = self.minute(atOrBefore: minute) {
            last = day * 1_440 + time
        } else {
            last = self.day(before: date.day, of: month).map { $0 * 1_440 + lastMinute }
        }
        let next: Int?
        if isDay, let time = self.minute(after: minute) {
            next = day * 1_440 + time
        } else {
            next = self.day(after: date.day, of: month).map { $0 * 1_440 + firstMinute }
        }
        return (last, next)
    }

    // MARK: Days

    private static let years = -2...10_001

    /// Days since the epoch.
    private func day(after day: Int, of month: CronMonth) -> Int? {
        var month = month
        var days = month.days & ~((2 << day) &- 1)
        while days == 0 {
            let later = months & ~((2 << month.month) - 1)
            let year = later == 0 ? month.year + 1 : month.year
            guard Self.years.contains(year) else { return nil }
            let next = later == 0 ? months : later
            month = CronMonth(self, year: year, month: next.trailingZeroBitCount)
            days = month.days
        }
        return month.firstDay + days.trailingZeroBitCount - 1
    }

    /// Days since the epoch.
    private func day(before day: Int, of month: CronMonth) -> Int? {
        var month = month
        var days = month.days & ((1 << day) - 1)
        while days == 0 {
            let earlier = months & ((1 << month.month) - 1)
            let year = earlier == 0 ? month.year - 1 : month.year
            guard Self.years.contains(year) else { return nil }
            let next = earlier == 0 ? months : earlier
            month = CronMonth(self, year: year, month: next.highestBit)
            days = month.days
        }
        return month.firstDay + days.highestBit - 1
    }

    // MARK: Minutes of a day

    private var firstMinute: Int { hours.trailingZeroBitCount * 60 + minutes.trailingZeroBitCount }
    private var lastMinute: Int { hours.highestBit * 60 + minutes.highestBit }

    private func minute(after time: Int) -> Int? {
        let (hour, minute) = time.quotientAndRemainder(dividingBy: 60)
        if hours >> hour & 1 == 1 {
            let later = minutes & ~((2 << minute) - 1)
            if later != 0 { return hour * 60 + later.trailingZeroBitCount }
        }
        let later = hours & ~((2 << hour) - 1)
        guard later != 0 else { return nil }
        return later.trailingZeroBitCount * 60 + minutes.trailingZeroBitCount
    }

    private func minute(atOrBefore time: Int) -> Int? {
        let (hour, minute) = time.quotientAndRemainder(dividingBy: 60)
        if hours >> hour & 1 == 1 {
            let earlier = minutes & ((2 << minute) - 1)
            if earlier != 0 { return hour * 60 + earlier.highestBit }
        }
        let earlier = hours & ((1 << hour) - 1)
        guard earlier != 0 else { return nil }
        return earlier.highestBit * 60 + minutes.highestBit
    }
}

/// One month, and which of its days match.
private struct CronMonth {
    let year: Int
    let month: Int
    /// Bit n is day n, from 1.
    let days: UInt32
    /// The first of the month, days since the epoch; not computed where no day matches by its date.
    let firstDay: Int

    init(_ cron: CronSchedule, year: Int, month: Int) {
        (self.year, self.month) = (year, month)
        let last = CivilDate.daysIn(month: month, year: year)
        let byDate =
            (cron.daysOfMonth | (cron.includesLastDay ? 1 << last : 0)) & ((2 << last) &- 2)
        guard cron.months >> month & 1 == 1, !cron.daysMustFitBoth || byDate != 0 else {
            (days, firstDay) = (0, 0)
            return
        }
        firstDay = CivilDate(year: year, month: month, day: 1).daysSinceEpoch
        // 1970-01-01 was a Thursday. The week, from the first day on, five times over.
        let weekday = firstDay + 4 - (firstDay + 4).flooredQuotient(by: 7) * 7
        let week = UInt64(cron.daysOfWeek >> weekday | cron.daysOfWeek << (7 - weekday)) & 0x7F
        let weeks = week &* (1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28)
        let byWeekday = UInt32(truncatingIfNeeded: weeks << 1) & ((2 << last) &- 2)
        days = cron.daysMustFitBoth ? byDate & byWeekday : byDate | byWeekday
    }
}

extension FixedWidthInteger {
    /// The place of the highest bit that is set; there must be one.
    fileprivate var highestBit: Int { bitWidth - 1 - leadingZeroBitCount }
}
