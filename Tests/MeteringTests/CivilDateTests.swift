import Metering
import Testing
import UsageModel

@Suite("Civil dates") struct CivilDateTests {
    /// Goal: dates and day numbers agree for all years that RFC 3339 can spell, and beyond.
    /// Method: count day by day with the rules of leap years and month lengths alone.
    @Test("every day from the year -1 to 10000 has its number")
    func everyDay() {
        var date = CivilDate(year: -1, month: 1, day: 1)
        // 1970 years and the leap days among them lie between 0000-01-01 and the epoch.
        var number = -719_528 - 365
        var faults = 0
        while date.year <= 10_000 {
            if date.daysSinceEpoch != number || CivilDate(daysSinceEpoch: number) != date {
                faults += 1
            }
            let isLeap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0)
            let february = isLeap ? 29 : 28
            let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            number += 1
            date.day += 1
            if date.day > lengths[date.month - 1] {
                (date.day, date.month) = (1, date.month + 1)
                if date.month > 12 { (date.month, date.year) = (1, date.year + 1) }
            }
        }
        #expect(faults == 0)
    }

    @Test("months and days beyond their range count on")
    func overflowing() {
        let base = CivilDate(year: 2027, month: 1, day: 1).daysSinceEpoch
        #expect(CivilDate(year: 2026, month: 13, day: 1).daysSinceEpoch == base)
        #expect(CivilDate(year: 2028, month: -11, day: 1).daysSinceEpoch == base)
        #expect(CivilDate(year: 2026, month: 12, day: 32).daysSinceEpoch == base)
    }

    @Test("a local time knows its date, before the epoch too")
    func locals() {
        let date = CivilDate(year: 1969, month: 12, day: 31)
        let local = LocalDateTime(date, microsecondOfDay: 86_399_999_999)
        #expect(local.microseconds == -1)
        #expect(local.date == date)
    }
}

@Suite("Rollup buckets") struct RollupBucketTests {
    @Test(
        "an instant lies in the bucket that starts at or before it",
        arguments: [
            (0, 0), (899_999_999, 0), (900_000_000, 1), (-1, -1), (-900_000_000, -1),
            (-900_000_001, -2), (-62_167_219_200_000_000, -69_074_688),
            (253_402_300_799_999_999, 281_558_111), (Int64.max, Int32.max), (Int64.min, Int32.min),
        ]
    )
    func index(microseconds: Int64, index: Int32) {
        #expect(RollupBucket.index(of: Instant(microseconds: microseconds)) == index)
    }

    @Test("a bucket starts where its index says", arguments: [Int32.min, -69_074_688, -1, 0, .max])
    func start(index: Int32) {
        let start = RollupBucket.start(index)
        #expect(RollupBucket.index(of: start) == index)
        let before = Instant(microseconds: start.microseconds - 1)
        #expect(RollupBucket.index(of: before) == (index == .min ? .min : index - 1))
    }
}
