internal import Metering
internal import UsageModel

/// What one boundary of a reset schedule costs: in turn, as a list of coming resets asks, and at
/// random instants of a century, as events do.
struct CalendarRun {
    var boundaries = 1_000_000
    var seed: UInt64 = 1

    static let header = """
        | schedule | zone | boundaries/s in turn | periods/s at random |
        |---|---|--:|--:|
        """

    static func schedules() throws -> [ResetSchedule] {
        let anchor = Instant(rfc3339: "2026-01-31T09:30:00Z")
        let crons = [
            "*/15 * * * *", "0 9 * * MON-FRI", "0 0 L * *", "0 0 1,15 * *", "0 0 1 * MON",
            "0 0 29 2 *", "0 0 29 2 */7",
        ]
        return try [
            .hourly, .daily, .weekly, .monthly, .quarterly, .yearly, .never,
            .every(.init(.hour, interval: 6)), .every(.init(.hour, interval: 6, anchor: anchor)),
            .every(.init(.week, interval: 2, anchor: anchor)),
            .every(.init(.month, anchor: anchor)),
        ] + crons.map { .cron(try CronSchedule($0)) }
    }

    /// A row in Markdown, by CPU time.
    func row(_ schedule: ResetSchedule, _ zone: TimeZoneRules) throws(BenchError) -> String {
        guard let first = Instant(rfc3339: "2000-01-01T00:00:00Z"),
            let last = Instant(rfc3339: "2100-01-01T00:00:00Z")
        else { throw BenchError("the century has no ends") }
        let calendar = PeriodCalendar(schedule: schedule, zone: zone)
        var (instant, sum) = (first, Int64(0))
        var began = ownCPUSeconds()
        for _ in 0..<boundaries {
            let next = calendar.boundary(after: instant) ?? last
            instant = next < last ? next : first
            sum &+= next.microseconds
        }
        let inTurn = ownCPUSeconds() - began
        var dice = SplitMix64(seed: seed)
        let century = UInt64(last.microseconds - first.microseconds)
        began = ownCPUSeconds()
        for _ in 0..<boundaries {
            let shift = Int64(dice.next() % century)
            let period = calendar.period(
                containing: Instant(microseconds: first.microseconds + shift)
            )
            sum &+= period.start.microseconds
        }
        let atRandom = ownCPUSeconds() - began
        // Read, so that no loop is idle.
        guard sum != 0 else { throw BenchError("\(schedule) has no boundary") }
        let rates = [inTurn, atRandom].map { grouped(Double(boundaries) / max($0, 1e-9)) }
        return "| `\(schedule)` | \(zone.name) | \(rates[0]) | \(rates[1]) |"
    }

    /// The rules of the machine's own zone file.
    static func zone(_ name: String) throws -> TimeZoneRules {
        guard let bytes = fileBytes("/usr/share/zoneinfo/" + name) else {
            throw BenchError("there is no /usr/share/zoneinfo/\(name)")
        }
        return try TimeZoneRules(tzif: bytes, name: name)
    }
}

extension OdometerBench {
    static func calendar(_ options: inout Options) throws {
        var run = CalendarRun()
        run.boundaries = try options.number("boundaries", default: run.boundaries)
        run.seed = UInt64(try options.number("seed", default: 1))
        try options.finish()
        say(CalendarRun.header)
        for name in ["UTC", "Europe/Berlin"] {
            let zone = try CalendarRun.zone(name)
            for schedule in try CalendarRun.schedules() { say(try run.row(schedule, zone)) }
        }
    }
}
