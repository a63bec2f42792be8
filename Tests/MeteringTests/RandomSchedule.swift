import Metering
import MeteringTestKit
import UsageModel

/// Random reset schedules, anchored about an instant; of cron also what it means.
struct RandomSchedule {
    var schedule: ResetSchedule
    var cron: NaiveCron?

    /// - Returns: nil where cron refuses a text that, by its meaning, matches no day.
    init?(around instant: Instant, using generator: inout SeededGenerator) {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: schedule = ResetSchedule.words.randomElement(using: &generator)?.schedule ?? .never
        case 1...5:
            guard let cadence = Self.cadence(instant, &generator) else { return nil }
            schedule = .every(cadence)
        default:
            let cron = NaiveCron(using: &generator)
            guard let parsed = try? CronSchedule(cron.text) else { return nil }
            (schedule, self.cron) = (.cron(parsed), cron)
        }
    }

    private static func cadence(
        _ instant: Instant,
        _ generator: inout SeededGenerator
    ) -> ResetSchedule.Cadence? {
        let unit = ResetSchedule.Unit.allCases.randomElement(using: &generator) ?? .month
        let isOdd = Int.random(in: 0..<20, using: &generator) == 0
        let interval = Int.random(in: 1...(isOdd ? Limits.resetIntervalMax : 12), using: &generator)
        let spreads: [Int64] = [
            1_000_000, 86_400_000_000, 40_000_000_000_000, 3_000_000_000_000_000,
        ]
        let spread = spreads.randomElement(using: &generator) ?? 1
        let shift = Int64.random(in: -spread...spread, using: &generator)
        let whole: Int64 = Bool.random(using: &generator) ? 1 : 60_000_000
        let anchor = (instant.microseconds + shift) / whole * whole
        let isAnchored = Int.random(in: 0..<3, using: &generator) > 0
        return try? ResetSchedule.Cadence(
            unit,
            interval: interval,
            anchor: isAnchored
                ? min(max(Instant(microseconds: anchor), .earliest), .latest) : nil
        )
    }
}

/// Cron by its definition: sets of numbers, filled while the text is written, and every minute of
/// the civil calendar tried against them.
struct NaiveCron {
    private(set) var text = ""
    private var sets: [Set<Int>] = []
    private var stars: [Bool] = []

    init(using generator: inout SeededGenerator) {
        var fields: [String] = []
        for (low, high) in [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)] {
            let field = Self.field(low, high, &generator)
            fields.append(field.text)
            sets.append(field.set)
            stars.append(field.text.hasPrefix("*"))
        }
        text = fields.joined(separator: " ")
    }

    /// `L` is in the set as 0, which is no day of a month.
    private static func field(
        _ low: Int,
        _ high: Int,
        _ generator: inout SeededGenerator
    ) -> (text: String, set: Set<Int>) {
        if Int.random(in: 0..<3, using: &generator) == 0 { return ("*", Set(low...high)) }
        var elements: [String] = []
        var set: Set<Int> = []
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let first = Int.random(in: low...high, using: &generator)
            let last = Int.random(in: first...high, using: &generator)
            let step = Int.random(in: 1...high, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0:
                elements.append("*/\(step)")
                set.formUnion(stride(from: low, through: high, by: step))
            case 1:
                elements.append("\(first)-\(last)")
                set.formUnion(first...last)
            case 2:
                elements.append("\(first)-\(last)/\(step)")
                set.formUnion(stride(from: first, through: last, by: step))
            case 3 where high == 31:
                elements.append("L")
                set.insert(0)
            default:
                elements.append("\(first)")
                set.insert(first)
            }
        }
        return (elements.joined(separator: ","), set)
    }

    /// - Parameter day: Days since 1970-01-01.
    func takes(day: Int) -> Bool {
        let (date, next) = (CivilDate(daysSinceEpoch: day), CivilDate(daysSinceEpoch: day + 1))
        guard sets[3].contains(date.month) else { return false }
        let byDate = sets[2].contains(date.day) || (next.day == 1 && sets[2].contains(0))
        let weekday = ((day + 4) % 7 + 7) % 7
        let byWeekday = sets[4].contains(weekday)
        return stars[2] || stars[4] ? byDate && byWeekday : byDate || byWeekday
    }

    /// The boundaries whose civil day is within some days of an instant's, in order.
    func boundaries(around instant: Instant, days: Int, in zone: TimeZoneRules) -> [Instant] {
        let today = zone.local(at: instant).date.daysSinceEpoch
        var found: [Instant] = []
        for day in (today - days)...(today + days) where takes(day: day) {
            for minute in 0..<1_440
            where sets[1].contains(minute / 60) && sets[0].contains(minute % 60) {
                let local = Int64(day * 1_440 + minute) * 60_000_000
                found.append(
                    zone.firstInstant(atOrAfterLocal: LocalDateTime(microseconds: local))
                )
            }
        }
        return found
    }
}
