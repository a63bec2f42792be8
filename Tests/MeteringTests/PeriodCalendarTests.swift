import Metering
import MeteringTestKit
import Testing
import UsageModel

@Suite("Period calendars") struct PeriodCalendarTests {
    @Test("there are at least 1,000 rows of at least 16 zones, of every kind of schedule")
    func rowsAreThere() {
        let rows = CalendarRows.all.flatMap(\.rows)
        #expect(CalendarRows.all.count >= 16)
        #expect(rows.count >= 1_000)
        for kind in ["never", "cron "] + ResetSchedule.Unit.allCases.map({ "every \($0) " }) {
            #expect(rows.contains { $0.schedule.hasPrefix(kind) }, "\(kind)")
        }
    }

    @Test("periods are those found by brute force from zoneinfo", arguments: CalendarRows.all)
    func rows(zone: CalendarRows) throws {
        let rules = try zone.rules
        for row in zone.rows {
            let calendar = try PeriodCalendar(
                schedule: ResetSchedule(row: row.schedule),
                zone: rules
            )
            let reach = PeriodCalendar.reach
            let start = row.start.map { Instant(seconds: $0) } ?? reach.lowerBound
            let end = row.end.map { Instant(seconds: $0) } ?? reach.upperBound

            let first = calendar.period(containing: Instant(seconds: row.instant))
            let micro = Instant(microseconds: row.instant * 1_000_000 + 999_999)

            #expect(first.range == start..<end, "\(zone.name) \(row)")
            // All boundaries are whole seconds.
            #expect(calendar.period(containing: micro) == first, "\(zone.name) \(row)")
        }
    }

    /// Zone, schedule, an instant, the boundaries after it.
    static let byHand: [(String, String, String, [String])] = [
        // The anchor's day comes back: 31, 28, 31, 30.
        (
            "Europe/Berlin", "every month 1 1769851800", "2026-01-31T09:30:00Z",
            ["2026-02-28T09:30:00Z", "2026-03-31T08:30:00Z", "2026-04-30T08:30:00Z"]
        ),
        // A leap day, every year.
        (
            "UTC", "every year 1 1709164800", "2024-03-01T00:00:00Z",
            ["2025-02-28T00:00:00Z", "2026-02-28T00:00:00Z", "2027-02-28T00:00:00Z"]
        ),
        // 02:30 is skipped on 29 March: 03:00, the end of the gap; the day after at 02:30.
        (
            "Europe/Berlin", "cron 30 2 * * *", "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"]
        ),
        // 02:30 comes twice on 25 October: the earlier.
        (
            "Europe/Berlin", "cron 30 2 * * *", "2026-10-24T12:00:00Z",
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        ),
        // Four quarters of an hour are skipped: one boundary.
        (
            "Europe/Berlin", "cron */15 * * * *", "2026-03-29T00:40:00Z",
            ["2026-03-29T00:45:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z"]
        ),
        // Cron counts 02:00 once; hours count it twice.
        (
            "Europe/Berlin", "cron 0 * * * *", "2026-10-24T23:30:00Z",
            ["2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z"]
        ),
        (
            "Europe/Berlin", "every hour 1 -", "2026-10-24T23:30:00Z",
            ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"]
        ),
        // Six hours from midnight stay on the clock; from an anchor they are elapsed.
        (
            "Europe/Berlin", "every hour 6 -", "2026-03-28T22:59:59Z",
            ["2026-03-28T23:00:00Z", "2026-03-29T04:00:00Z", "2026-03-29T10:00:00Z"]
        ),
        (
            "Europe/Berlin", "every hour 6 1774738800", "2026-03-28T22:59:59Z",
            ["2026-03-28T23:00:00Z", "2026-03-29T05:00:00Z", "2026-03-29T11:00:00Z"]
        ),
        // The later 02:30 of 25 October as an anchor is a boundary; the year after it is plain.
        (
            "Europe/Berlin", "every year 1 1792891800", "2026-10-25T00:30:00Z",
            ["2026-10-25T01:30:00Z", "2027-10-25T00:30:00Z"]
        ),
        // The 30th of December 2011 was left out: two days' boundaries meet.
        (
            "Pacific/Apia", "every day 1 -", "2011-12-29T00:00:00Z",
            ["2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"]
        ),
        (
            "Pacific/Apia", "cron 0 12 30 12 *", "2011-12-01T00:00:00Z",
            ["2011-12-30T10:00:00Z", "2012-12-29T22:00:00Z"]
        ),
        // Midnight is skipped in Santiago.
        (
            "America/Santiago", "every week 1 -", "2026-08-31T12:00:00Z",
            ["2026-09-07T03:00:00Z", "2026-09-14T03:00:00Z"]
        ),
        (
            "America/Santiago", "every day 1 -", "2026-09-05T12:00:00Z",
            ["2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"]
        ),
        (
            "UTC", "cron 0 0 29 2 */7", "2026-01-01T00:00:00Z",
            ["2032-02-29T00:00:00Z", "2060-02-29T00:00:00Z", "2088-02-29T00:00:00Z"]
        ),
        // Over 2100, which has no leap day: 40 years.
        (
            "UTC", "cron 0 0 29 2 */7", "2088-03-01T00:00:00Z",
            ["2128-02-29T00:00:00Z"]
        ),
        // Either day, where both are restricted; both, where one begins with a star.
        (
            "UTC", "cron 0 0 1 * MON", "2026-01-26T12:00:00Z",
            ["2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", "2026-02-09T00:00:00Z"]
        ),
        (
            "UTC", "cron 0 0 */2 * MON", "2026-01-26T12:00:00Z",
            ["2026-02-09T00:00:00Z", "2026-02-23T00:00:00Z", "2026-03-09T00:00:00Z"]
        ),
        (
            "Asia/Kathmandu", "every quarter 1 -", "2026-02-01T00:00:00Z",
            ["2026-03-31T18:15:00Z", "2026-06-30T18:15:00Z"]
        ),
    ]

    @Test("the next resets, by hand", arguments: byHand)
    func next(zone: String, schedule: String, after: String, boundaries: [String]) throws {
        let calendar = try PeriodCalendar(
            schedule: ResetSchedule(row: schedule),
            zone: CalendarRows.named(zone)
        )
        let next = try calendar.next(boundaries.count, after: Instant(after))
        #expect(next.map(\.rfc3339) == boundaries)
    }

    @Test("units without an anchor are the windows of readings")
    func windows() throws {
        var generator = SeededGenerator(seed: 51)
        let pairs: [(ResetSchedule, WindowWidth)] = [
            (.hourly, .hour), (.daily, .day), (.weekly, .week), (.monthly, .month),
            (.quarterly, .quarter), (.yearly, .year),
        ]
        for zone in CalendarRows.all {
            let rules = try zone.rules
            for _ in 0..<500 {
                let (schedule, width) = try #require(pairs.randomElement(using: &generator))
                let row = try #require(zone.rows.randomElement(using: &generator))
                let jitter = Int64.random(in: -90_000_000_000...90_000_000_000, using: &generator)
                let instant = Instant(microseconds: row.instant * 1_000_000 + jitter)

                let period = PeriodCalendar(schedule: schedule, zone: rules)
                    .period(containing: instant)
                let window = WindowCutter(width: width, zone: rules).window(containing: instant)

                #expect(period.range == window, "seed 51: \(zone.name) \(schedule) \(instant)")
            }
        }
    }

    @Test("a meter's first period starts with its enrolment")
    func enrolment() throws {
        let calendar = PeriodCalendar(schedule: .monthly, zone: .utc)
        let enrolment = try Instant("2026-01-20T12:00:00Z")
        let february = try Instant("2026-02-01T00:00:00Z")
        let march = try Instant("2026-03-01T00:00:00Z")
        func period(_ text: String) throws -> Range<Instant>? {
            try calendar.period(containing: Instant(text), enrolledAt: enrolment)?.range
        }

        #expect(try period("2026-01-20T11:59:59Z") == nil)
        #expect(try period("2026-01-20T12:00:00Z") == enrolment..<february)
        #expect(try period("2026-01-31T23:59:59Z") == enrolment..<february)
        #expect(try period("2026-02-01T00:00:00Z") == february..<march)
        // Enrolled on a boundary, the first period is a whole one.
        #expect(calendar.period(containing: february, enrolledAt: february)?.end == march)
        let all = try Instant("2020-01-01T00:00:00Z")..<Instant("2026-02-01T00:00:01Z")
        let periods = Array(calendar.periods(in: all, enrolledAt: enrolment))
        #expect(periods.map(\.range) == [enrolment..<february, february..<march])
        let before = all.lowerBound..<enrolment
        #expect(Array(calendar.periods(in: before, enrolledAt: enrolment)).isEmpty)
    }

    @Test("never is one period, from the beginning of time to its end")
    func never() throws {
        let calendar = PeriodCalendar(schedule: .never, zone: .utc)
        let now = try Instant("2026-01-01T00:00:00Z")
        let period = calendar.period(containing: now)

        #expect(period.range == PeriodCalendar.reach)
        #expect(period.isFirst && period.isLast)
        #expect(calendar.boundary(after: now) == nil && calendar.boundary(before: now) == nil)
        #expect(calendar.boundary(atOrBefore: now) == nil && calendar.next(3, after: now).isEmpty)
        #expect(calendar.period(before: period) == nil && calendar.period(after: period) == nil)
        #expect(calendar.period(containing: now, enrolledAt: now)?.start == now)
    }

    @Test("past the ends of time an instant counts as the nearest inside")
    func ends() throws {
        let schedules: [ResetSchedule] = try [
            .hourly, .daily, .weekly, .monthly, .quarterly, .yearly, .never,
            .every(.init(.year, interval: 10_000, anchor: Instant("2026-01-31T10:30:00Z"))),
            .every(.init(.hour, interval: 7, anchor: .latest)),
            .every(.init(.month, interval: 10_000, anchor: .earliest)),
            .cron(CronSchedule("0 0 29 2 */7")), .cron(CronSchedule("* * * * *")),
        ]
        for zone in CalendarRows.all {
            let rules = try zone.rules
            for schedule in schedules {
                let calendar = PeriodCalendar(schedule: schedule, zone: rules)
                let low = calendar.period(containing: Instant(microseconds: .min))
                let high = calendar.period(containing: Instant(microseconds: .max))

                #expect(low == calendar.period(containing: .earliest) && low.isFirst)
                #expect(high == calendar.period(containing: .latest) && high.isLast)
                #expect(calendar.boundary(after: Instant(microseconds: .max)) == nil)
                #expect(calendar.boundary(after: .latest) == nil)
                #expect(calendar.boundary(before: .earliest) == nil)
                #expect(calendar.boundary(before: Instant(microseconds: .min)) == nil)
                let first = calendar.boundary(after: Instant(microseconds: .min))
                #expect(first == (low.isLast ? nil : low.end), "\(zone.name) \(schedule)")
            }
        }
    }
}
