import Testing
import UsageModel

@Suite("Reset schedules") struct ResetScheduleTests {
    @Test("words stand for schedules, and back", arguments: ResetSchedule.words.map(\.word))
    func words(word: String) throws {
        let schedule = try ResetSchedule(word: word)
        #expect(schedule.word == word)
        #expect(schedule.description == word)
    }

    @Test("one unit without an anchor is the word's schedule")
    func plain() throws {
        #expect(try ResetSchedule.every(.init(.quarter)) == .quarterly)
        #expect(try ResetSchedule.every(.init(.minute)).word == nil)
        #expect(try ResetSchedule.every(.init(.month, interval: 2)).description == "every 2 months")
        let anchor = Instant(microseconds: 0)
        let anchored = ResetSchedule.every(try .init(.month, anchor: anchor))
        #expect(anchored.description == "every month from 1970-01-01T00:00:00Z")
        #expect(
            try ResetSchedule.cron(CronSchedule(" 0 0\tl  * * ")).description == "cron 0 0 L * *"
        )
    }

    @Test(
        "what is no word is refused with the words there are",
        arguments: ["Monthly", "", "month"]
    )
    func noWord(word: String) {
        let error = #expect(throws: ResetScheduleError.self) { try ResetSchedule(word: word) }
        #expect(error?.part == .word)
        #expect(error?.found == "\"\(word)\"")
        #expect(error?.expected.contains("monthly, quarterly") == true)
    }

    @Test("cron in place of a word is told how it is written")
    func cronAsWord() {
        let error = #expect(throws: ResetScheduleError.self) {
            try ResetSchedule(word: "0 0 1 * *")
        }
        #expect(error?.remedy == "write cron as {\"cron\":\"0 0 1 * *\"}")
    }

    @Test(
        "parts that make no schedule are refused by name",
        arguments: [
            (ResetSchedule.Unit.month, 0, nil, ResetScheduleError.Part.interval),
            (.month, -1, nil, .interval), (.month, 10_001, nil, .interval),
            (.month, 1, Int64.max, .anchor), (.day, 1, .min, .anchor),
            // Without an anchor, what does not divide a day.
            (.hour, 5, nil, .interval), (.hour, 24, nil, .interval), (.hour, 48, nil, .interval),
            (.minute, 7, nil, .interval), (.minute, 1_440, nil, .interval),
        ] as [(ResetSchedule.Unit, Int, Int64?, ResetScheduleError.Part)]
    )
    func parts(
        unit: ResetSchedule.Unit,
        interval: Int,
        anchor: Int64?,
        part: ResetScheduleError.Part
    ) {
        let error = #expect(throws: ResetScheduleError.self) {
            try ResetSchedule.Cadence(
                unit,
                interval: interval,
                anchor: anchor.map { Instant(microseconds: $0) }
            )
        }
        #expect(error?.part == part)
    }

    @Test("with an anchor, hours and minutes need not divide a day")
    func odd() throws {
        let anchor = Instant(microseconds: 0)
        #expect(try ResetSchedule.Cadence(.hour, interval: 7, anchor: anchor).interval == 7)
        #expect(
            try ResetSchedule.Cadence(.minute, interval: 10_000, anchor: anchor).anchor == anchor
        )
    }
}

@Suite("Cron schedules") struct CronScheduleTests {
    private static func bits(_ numbers: some Sequence<Int>) -> UInt64 {
        numbers.reduce(0) { $0 | 1 << $1 }
    }

    @Test("fields are read as crontab(5) has them")
    func fields() throws {
        let cron = try CronSchedule("5,35-37,*/30 8-20/4 1,15,L jan-mar,12 MON-FRI,7")

        #expect(cron.minutes == Self.bits([0, 5, 30, 35, 36, 37]))
        #expect(UInt64(cron.hours) == Self.bits([8, 12, 16, 20]))
        #expect(UInt64(cron.daysOfMonth) == Self.bits([1, 15]))
        #expect(cron.includesLastDay)
        #expect(UInt64(cron.months) == Self.bits([1, 2, 3, 12]))
        #expect(UInt64(cron.daysOfWeek) == Self.bits(0...5))
        #expect(cron.text == "5,35-37,*/30 8-20/4 1,15,L JAN-MAR,12 MON-FRI,7")
    }

    @Test(
        "days of the week, Sunday being 0 and 7",
        arguments: [
            ("0", [0]), ("7", [0]), ("SUN", [0]), ("5-7", [5, 6, 0]), ("0-2", [0, 1, 2]),
            ("0-7", [0, 1, 2, 3, 4, 5, 6]), ("MON-SUN", [0, 1, 2, 3, 4, 5, 6]), ("*", Array(0...6)),
            ("*/2", [0, 2, 4, 6]), ("*/7", [0]), ("sat,Sun", [0, 6]), ("SUN-SUN", [0]),
            ("1-7/2", [1, 3, 5, 0]),
        ]
    )
    func weekdays(field: String, days: [Int]) throws {
        #expect(try UInt64(CronSchedule("0 0 * * \(field)").daysOfWeek) == Self.bits(days))
    }

    @Test(
        "a star in either day field asks for both, else either will do",
        arguments: [
            ("* *", true), ("1 *", true), ("* 1", true), ("*/2 1", true), ("1 */2", true),
            ("1 1", false), ("L 1", false), ("1-31 1", false), ("1,15 MON", false),
        ]
    )
    func both(fields: String, expected: Bool) throws {
        let days = fields.split(separator: " ")
        let cron = try CronSchedule("0 0 \(days[0]) * \(days[1])")
        #expect(cron.daysMustFitBoth == expected)
    }

    @Test(
        "what is no cron is refused: where, what was found, what to do",
        arguments: [
            ("", 0, "0 fields", "write five"),
            ("0 0 1 *", 7, "4 fields", "write five"),
            ("0 0 0 1 * *", 10, "6 fields", "no seconds"),
            ("@monthly", 0, "\"@MONTHLY\"", "use a word"),
            ("60 0 * * *", 0, "\"60\"", "write *"),
            ("0 24 * * *", 2, "\"24\"", "write *"),
            ("0 0 0 * *", 4, "\"0\"", "write *"),
            ("0 0 32 * *", 4, "\"32\"", "write *"),
            ("0 0 * 13 *", 6, "\"13\"", "write *"),
            ("0 0 * * 8", 8, "\"8\"", "write *"),
            ("0 0 * FOO *", 6, "\"FOO\"", "write *"),
            ("0 0 * MONDAY *", 6, "\"MONDAY\"", "write *"),
            ("MON 0 * * *", 0, "\"MON\"", "write *"),
            ("1,,2 0 * * *", 2, "nothing", "before and after"),
            ("1, 0 * * *", 2, "nothing", "before and after"),
            ("-5 0 * * *", 0, "nothing", "before and after"),
            ("5- 0 * * *", 2, "nothing", "before and after"),
            ("1-2-3 0 * * *", 2, "\"2-3\"", "write *"),
            ("30-10 0 * * *", 0, "\"30-10\"", "30-59,0-10"),
            ("0 0 * * FRI-MON", 8, "\"FRI-MON\"", "5-7,0-1"),
            ("*/0 0 * * *", 2, "\"0\"", "*/2"),
            ("*/60 0 * * *", 2, "\"60\"", "*/2"),
            ("*/ 0 * * *", 2, "nothing", "*/2"),
            ("*/1/2 0 * * *", 2, "\"1/2\"", "*/2"),
            ("5/15 0 * * *", 0, "\"5/15\"", "5-59/15"),
            ("** 0 * * *", 0, "\"**\"", "write *"),
            ("*-5 0 * * *", 0, "\"*\"", "write *"),
            ("0 0 ? * *", 4, "\"?\"", "write *"),
            ("0 0 L-3 * *", 4, "\"L\"", "L alone"),
            ("0 0 LW * *", 4, "\"LW\"", "L alone"),
            ("0 0 * * 5L", 8, "\"5L\"", "L alone"),
            ("0 0 * * 5#2", 8, "\"5#2\"", "L alone"),
            ("L 0 * * *", 0, "\"L\"", "L alone"),
            ("0 0 30 2 *", 4, "\"30\", which no month of \"2\" has", "write L"),
            ("0 0 31 4,6,9,NOV *", 4, "\"31\", which no month of \"4,6,9,NOV\" has", "write L"),
            ("0 0 30 2 */7", 4, "\"30\", which no month of \"2\" has", "write L"),
            ("0x1 0 * * *", 0, "\"0X1\"", "write *"),
            ("٣ 0 * * *", 0, "\"٣\"", "write *"),
            ("0000 0 * * *", 0, "\"0000\"", "write *"),
        ]
    )
    func refused(text: String, position: Int, found: String, remedy: String) {
        let error = #expect(throws: ResetScheduleError.self) { try CronSchedule(text) }
        #expect(error?.part == .cron)
        #expect(error?.position == position)
        #expect(error?.found == found)
        #expect(error?.remedy.contains(remedy) == true, "\(String(describing: error?.remedy))")
    }

    @Test(
        "days that come at some time are taken",
        arguments: [
            "0 0 29 2 *", "0 0 29 2 */7", "0 0 31 1-12/2 *", "0 0 L 2 *", "0 0 30 2 MON",
            "0 0 29-31 2 *", "0 0 30,L 2 *",
        ]
    )
    func rare(text: String) throws {
        #expect(try CronSchedule(text).text == text)
    }

    @Test("a long text is refused before it is read")
    func long() {
        let text = "0 0 * * 1" + String(repeating: ",1", count: 124)
        #expect(throws: Never.self) { try CronSchedule(String(text.prefix(255))) }
        let error = #expect(throws: ResetScheduleError.self) { try CronSchedule(text) }
        #expect(error?.found == "257 bytes")
    }

    @Test("equal are those that are spelled alike but for blanks and case")
    func equality() throws {
        #expect(try CronSchedule("0 0 1 jan *") == CronSchedule(" 0  0\t1 JAN * "))
        #expect(try CronSchedule("0 0 1 JAN *") != CronSchedule("0 0 1 1 *"))
    }
}
