import Metering
import MeteringTestKit
import Testing
import UsageModel

@Suite("Periods of random schedules") struct PeriodPropertyTests {
    private static let seeds: [UInt64] = [61, 62, 63, 64, 65]

    /// Zones, and instants in seconds at which their clocks change, or nearly.
    private static func zones() throws -> [(zone: TimeZoneRules, instants: [Int64])] {
        try CalendarRows.all.map { try ($0.rules, $0.rows.map(\.instant)) }
            + ZoneRows.all.map { try ($0.rules[0], $0.instants.map { $0[0] }) }
    }

    private static func instant(
        near instants: [Int64],
        _ generator: inout SeededGenerator
    ) -> Instant {
        let reach = Instant.earliest.microseconds...Instant.latest.microseconds
        if Int.random(in: 0..<5, using: &generator) == 0 {
            return Instant(microseconds: Int64.random(in: reach, using: &generator))
        }
        let spreads: [Int64] = [0, 3_600_000_000, 90_000_000_000]
        let spread = spreads.randomElement(using: &generator) ?? 0
        let jitter = Int64.random(in: -spread...spread, using: &generator)
        return Instant(
            microseconds: (instants.randomElement(using: &generator) ?? 0) * 1_000_000 + jitter
        )
    }

    /// Goal: periods tile time, and every way of asking gives the same ones. Method: 10,000 random
    /// schedules, each in a random zone about a random instant, most of them around changes.
    @Test("periods tile time without gap or overlap", arguments: seeds)
    func tiling(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let zones = try Self.zones()
        var count = 0
        while count < 2_000 {
            let (zone, instants) = try #require(zones.randomElement(using: &generator))
            let instant = Self.instant(near: instants, &generator)
            guard let random = RandomSchedule(around: instant, using: &generator) else { continue }
            let calendar = PeriodCalendar(schedule: random.schedule, zone: zone)
            let fault =
                edgeFault(calendar, instant)
                ?? iterationFault(calendar, instant, &generator)
                ?? anchorFault(calendar)
            #expect(fault == nil, "seed \(seed): \(zone.name) \(random.schedule) \(instant)")
            count += 1
        }
    }

    private func edgeFault(_ calendar: PeriodCalendar, _ instant: Instant) -> String? {
        let period = calendar.period(containing: instant)
        guard period.contains(instant) else { return "the period does not contain its instant" }
        let last = Instant(microseconds: period.end.microseconds - 1)
        if calendar.period(containing: period.start) != period { return "the start differs" }
        if calendar.period(containing: last) != period { return "the end differs" }
        let (end, start) = (period.isLast ? nil : period.end, period.isFirst ? nil : period.start)
        if [instant, period.start, last].contains(where: { calendar.boundary(after: $0) != end }) {
            return "the boundary after differs"
        }
        if [instant, period.start, last].contains(
            where: { calendar.boundary(atOrBefore: $0) != start }
        ) {
            return "the boundary at or before differs"
        }
        let isBefore = calendar.boundary(before: period.start).map { $0 < period.start }
        if isBefore == false { return "a boundary before is not before" }
        if period.start < last, calendar.boundary(before: last) != start {
            return "the boundary before differs"
        }
        if let next = calendar.period(after: period) {
            if next.start != period.end { return "the next period does not adjoin" }
            if calendar.period(before: next) != period { return "the way back differs" }
            if calendar.boundary(before: next.start) != start { return "the start is jumped over" }
        }
        return nil
    }

    private func iterationFault(
        _ calendar: PeriodCalendar,
        _ instant: Instant,
        _ generator: inout SeededGenerator
    ) -> String? {
        let ahead = calendar.next(5, after: instant)
        guard let end = ahead.last else { return nil }
        if zip([instant] + ahead, ahead).contains(where: { $0 >= $1 }) {
            return "boundaries do not ascend"
        }
        let periods = Array(calendar.periods(in: instant..<end))
        guard periods.count == ahead.count else { return "too many or too few periods" }
        for (index, period) in periods.enumerated() {
            if period.end != ahead[index] { return "iteration differs from the boundaries" }
            if index > 0, periods[index - 1].end != period.start { return "a gap, or an overlap" }
            let inside = Instant(
                microseconds: Int64.random(
                    in: period.start.microseconds..<period.end.microseconds,
                    using: &generator
                )
            )
            if calendar.period(containing: inside) != period { return "iteration differs" }
            let enrolled = calendar.period(containing: inside, enrolledAt: inside)
            if enrolled?.range != inside..<period.end { return "the first period differs" }
        }
        return nil
    }

    private func anchorFault(_ calendar: PeriodCalendar) -> String? {
        guard case .every(let cadence) = calendar.schedule, let anchor = cadence.anchor else {
            return nil
        }
        return calendar.period(containing: anchor).start == anchor ? nil : "the anchor is none"
    }

    /// Goal: cron's boundaries are those of its definition. Method: random expressions, whose
    /// meaning is kept as sets of numbers; every minute of some weeks is tried.
    @Test("cron starts periods where its definition does", arguments: seeds)
    func cron(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let zones = try Self.zones()
        var (count, found) = (0, 0)
        while count < 400 {
            let (zone, instants) = try #require(zones.randomElement(using: &generator))
            let instant = Self.instant(near: instants, &generator)
            let inside = Instant.earliest.microseconds / 2...Instant.latest.microseconds / 2
            let naive = NaiveCron(using: &generator)
            guard inside.contains(instant.microseconds) else { continue }
            count += 1
            let context = "seed \(seed): \(naive.text) \(zone.name) \(instant)"
            guard let cron = try? CronSchedule(naive.text) else {
                // Refused: in the eight years around a leap year, no day matches.
                #expect(!(10_000..<13_000).contains { naive.takes(day: $0) }, "\(context)")
                continue
            }
            let period = PeriodCalendar(schedule: .cron(cron), zone: zone)
                .period(containing: instant)
            let boundaries = naive.boundaries(around: instant, days: 45, in: zone)

            let start = boundaries.last { $0 <= instant }
            let end = boundaries.first { $0 > instant }
            found += start == nil || end == nil ? 0 : 1
            // Where there is none within the weeks, theirs must be farther.
            let weeks: Int64 = 43 * 86_400_000_000
            let (far, near) = (period.end.microseconds, period.start.microseconds)
            #expect(
                end.map { $0 == period.end } ?? (far > instant.microseconds + weeks),
                "\(context)"
            )
            #expect(
                start.map { $0 == period.start } ?? (near < instant.microseconds - weeks),
                "\(context)"
            )
        }
        #expect(found > 150)
    }
}
