import MeteringTestKit
import Testing
import UsageModel

@testable import Metering

@Suite("Windows") struct WindowTests {
    private static let six = WindowWidth.fixed(microseconds: 21_600_000_000)

    private func check(
        _ width: WindowWidth,
        _ zone: TimeZoneRules,
        _ row: [Int64],
        _ edges: (Int, Int)
    ) {
        let cutter = WindowCutter(width: width, zone: zone)
        let expected =
            Instant(seconds: row[0] + row[edges.0])..<Instant(seconds: row[0] + row[edges.1])
        let actual = cutter.window(containing: Instant(seconds: row[0]))
        #expect(actual == expected, "\(width) around \(row[0])")
        // All edges are whole seconds.
        let last = Instant(microseconds: row[0] * 1_000_000 + 999_999)
        #expect(cutter.window(containing: last) == expected)
    }

    @Test("days and hours are those found by definition from zoneinfo", arguments: ZoneRows.all)
    func daysAndHours(zone: ZoneRows) throws {
        for rules in try zone.rules {
            for row in zone.instants {
                check(.day, rules, row, (2, 3))
                check(.hour, rules, row, (4, 5))
            }
        }
    }

    @Test("longer windows are those found by definition from zoneinfo", arguments: ZoneRows.all)
    func longer(zone: ZoneRows) throws {
        let rules = try zone.rules[0]
        #expect(zone.windows.count >= 20)
        for row in zone.windows {
            check(Self.six, rules, row, (1, 2))
            check(.week, rules, row, (3, 4))
            check(.month, rules, row, (5, 6))
            check(.quarter, rules, row, (7, 8))
            check(.year, rules, row, (9, 10))
        }
    }

    /// Goal: every instant lies in exactly one window, short windows within days, days within
    /// months. Method: random zones, widths and instants, most of them around changes.
    @Test("windows tile time and nest", arguments: [41, 42, 43, 44] as [UInt64])
    func tiling(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let zones = try ZoneRows.all.map { try ($0, $0.rules[0]) }
        let widths: [WindowWidth] = [
            .minute, .hour, .day, .week, .month, .quarter, .year, Self.six,
            .fixed(microseconds: 900_000_000), .fixed(microseconds: 43_200_000_000),
            .fixed(microseconds: 25_000_000_000), .fixed(microseconds: 86_400_000_000),
        ]
        for _ in 0..<10_000 {
            let (rows, zone) = try #require(zones.randomElement(using: &generator))
            let width = try #require(widths.randomElement(using: &generator))
            let row = try #require(rows.instants.randomElement(using: &generator))
            let jitter = Int64.random(in: -200_000_000_000...200_000_000_000, using: &generator)
            let instant = Instant(microseconds: row[0] * 1_000_000 + jitter)
            let fault = tilingFault(WindowCutter(width: width, zone: zone), instant)
            #expect(fault == nil, "seed \(seed): \(rows.name) \(width) \(instant)")
        }
    }

    private func tilingFault(_ cutter: WindowCutter, _ instant: Instant) -> String? {
        let window = cutter.window(containing: instant)
        guard window.contains(instant) else { return "the window does not contain its instant" }
        let last = Instant(microseconds: window.upperBound.microseconds - 1)
        if cutter.window(containing: window.lowerBound) != window { return "the start differs" }
        if cutter.window(containing: last) != window { return "the end differs" }
        let next = cutter.window(containing: window.upperBound)
        if next.lowerBound != window.upperBound { return "the next window does not adjoin" }
        if let width = cutter.width.cellMicroseconds {
            let cells = [window.lowerBound, instant, last].map { instant in
                let local = cutter.zone.local(at: instant)
                let midnight = LocalDateTime(local.date).microseconds
                return [midnight, (local.microseconds - midnight) / width]
            }
            if Set(cells).count != 1 { return "the clock leaves the cell" }
        }
        let outer: WindowWidth? =
            switch cutter.width {
            case .minute: .hour
            case .day, .quarter: cutter.width == .day ? .month : .year
            case .month: .quarter
            case .week, .year: nil
            case .hour, .fixed: .day
            }
        let around = outer.map { WindowCutter(width: $0, zone: cutter.zone) }
        if let around = around?.window(containing: instant), window != window.clamped(to: around) {
            return "the window crosses the edge of a larger one"
        }
        return nil
    }

    @Test(
        "days on which clocks are set, by hand",
        arguments: [
            // zone, width, an instant, the window's start and end
            (
                "Europe/Berlin", "day", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z",
                "2026-03-29T22:00:00Z"
            ),
            (
                "Europe/Berlin", "day", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z",
                "2026-10-25T23:00:00Z"
            ),
            (
                "Europe/Berlin", "6h", "2026-03-29T02:00:00Z", "2026-03-28T23:00:00Z",
                "2026-03-29T04:00:00Z"
            ),
            (
                "Europe/Berlin", "6h", "2026-10-25T02:00:00Z", "2026-10-24T22:00:00Z",
                "2026-10-25T05:00:00Z"
            ),
            // 02:00 comes twice, and each is an hour.
            (
                "Europe/Berlin", "hour", "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z",
                "2026-10-25T01:00:00Z"
            ),
            (
                "Europe/Berlin", "hour", "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z",
                "2026-10-25T02:00:00Z"
            ),
            (
                "Europe/Berlin", "15m", "2026-10-25T01:14:00Z", "2026-10-25T01:00:00Z",
                "2026-10-25T01:15:00Z"
            ),
            (
                "Asia/Kathmandu", "hour", "2026-05-05T00:20:00Z", "2026-05-05T00:15:00Z",
                "2026-05-05T01:15:00Z"
            ),
            // Half an hour forward at 02:00, and back.
            (
                "Australia/Lord_Howe", "hour", "2026-10-03T15:30:00Z", "2026-10-03T15:30:00Z",
                "2026-10-03T16:00:00Z"
            ),
            (
                "Australia/Lord_Howe", "hour", "2026-04-04T15:10:00Z", "2026-04-04T14:00:00Z",
                "2026-04-04T15:30:00Z"
            ),
            // The 30th of December 2011 was left out.
            (
                "Pacific/Apia", "day", "2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z",
                "2011-12-30T10:00:00Z"
            ),
            (
                "Pacific/Apia", "day", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z",
                "2011-12-31T10:00:00Z"
            ),
            // 23:30 to 00:30: the 31st of March 1919 starts with the change.
            (
                "America/Toronto", "day", "1919-03-31T04:30:00Z", "1919-03-31T04:30:00Z",
                "1919-04-01T04:00:00Z"
            ),
            // Midnight comes twice; the day starts with the earlier one.
            (
                "America/St_Johns", "day", "2010-11-07T02:30:30Z", "2010-11-07T02:30:00Z",
                "2010-11-08T03:30:00Z"
            ),
            (
                "Europe/Dublin", "week", "2026-03-29T22:59:59Z", "2026-03-23T00:00:00Z",
                "2026-03-29T23:00:00Z"
            ),
            (
                "Pacific/Chatham", "quarter", "2027-01-01T00:00:00Z", "2026-12-31T10:15:00Z",
                "2027-03-31T10:15:00Z"
            ),
            (
                "America/New_York", "year", "2026-06-01T00:00:00Z", "2026-01-01T05:00:00Z",
                "2027-01-01T05:00:00Z"
            ),
        ]
    )
    func byHand(zone: String, width: String, at: String, start: String, end: String) throws {
        let cutter = try WindowCutter(width: WindowWidth(width), zone: ZoneRows.named(zone))
        let expected = try Instant(start)..<Instant(end)
        #expect(try cutter.window(containing: Instant(at)) == expected)
    }

    @Test("the windows of a range cover it and are cut to it")
    func ranges() throws {
        let cutter = try WindowCutter(width: .day, zone: ZoneRows.named("Europe/Berlin"))
        let range = try Instant("2026-03-28T12:00:00Z")..<Instant("2026-03-30T12:00:00Z")

        let windows = Array(cutter.windows(in: range))

        let edges = try [
            range.lowerBound, Instant("2026-03-28T23:00:00Z"), Instant("2026-03-29T22:00:00Z"),
            range.upperBound,
        ]
        #expect(windows == zip(edges, edges.dropFirst()).map { $0..<$1 })
        #expect(Array(cutter.windows(in: range.lowerBound..<range.lowerBound)).isEmpty)
    }

    @Test(
        "all of time is covered, its ends by one window each",
        arguments: ["day", "hour", "year"]
    )
    func ends(width: String) throws {
        let cutter = try WindowCutter(width: WindowWidth(width), zone: ZoneRows.named("Asia/Tokyo"))
        for edge in [Int64.min, .max] {
            let instant = Instant(microseconds: edge == .min ? edge : edge - 1)
            let window = cutter.window(containing: instant)
            #expect(window.contains(instant))
            #expect((edge == .min ? window.lowerBound : window.upperBound).microseconds == edge)
            let inner = edge == .min ? window.upperBound : window.lowerBound
            let beside = Instant(microseconds: inner.microseconds - (edge == .min ? 0 : 1))
            let next = cutter.window(containing: beside)
            #expect((edge == .min ? next.lowerBound : next.upperBound) == inner)
        }
    }

    @Test("a width that does not divide a day starts anew at midnight")
    func odd() {
        let hour: Int64 = 3_600_000_000
        let cutter = WindowCutter(width: .fixed(microseconds: 7 * hour), zone: .utc)
        let day = Instant(microseconds: 0)..<Instant(microseconds: 30 * hour)
        let starts = cutter.windows(in: day).map { $0.lowerBound.microseconds / hour }
        #expect(starts == [0, 7, 14, 21, 24])
    }
}

@Suite("Window widths") struct WindowWidthTests {
    @Test(
        "a width is read from the wire, and spelled canonically",
        arguments: [
            ("minute", "minute"), ("hour", "hour"), ("day", "day"), ("week", "week"),
            ("month", "month"), ("quarter", "quarter"), ("year", "year"), ("15m", "15m"),
            ("6h", "6h"), ("90s", "90s"), ("60m", "1h"), ("3600s", "1h"), ("1s", "1s"),
            ("12h", "12h"), ("0015m", "15m"),
        ]
    )
    func reading(text: String, spelled: String) throws {
        #expect(try WindowWidth(text).description == spelled)
        #expect(try WindowWidth(spelled) == WindowWidth(text))
    }

    @Test(
        "what is no width is refused",
        arguments: [
            ("", WindowWidthError.unreadable), ("m", .unreadable), ("15", .unreadable),
            ("15M", .unreadable), ("Day", .unreadable), ("days", .unreadable), ("1d", .unreadable),
            ("0m", .unreadable), ("-5m", .unreadable), ("1.5h", .unreadable), (" 5m", .unreadable),
            ("999999h", .unreadable), ("99999h", .dividesNoDay), ("7h", .dividesNoDay),
            ("24h", .dividesNoDay), ("50m", .dividesNoDay), ("٣m", .unreadable),
            ("5é", .unreadable),
        ]
    )
    func refusing(text: String, error: WindowWidthError) {
        #expect(throws: error) { try WindowWidth(text) }
    }
}
