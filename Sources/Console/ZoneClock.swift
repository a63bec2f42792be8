import UsageModel

/// The clocks of a zone: which day they show, and when a day of theirs begins.
///
/// A zone that is not to be had is taken for UTC: the API says so where it is asked in it.
struct ZoneClock {
    let zone: String
    private let surroundings: Console.Surroundings

    init(_ zone: String, _ visit: Visit) {
        (self.zone, surroundings) = (zone, visit.surroundings)
    }

    /// The day that is shown at an instant, such as `2026-11-01`.
    func day(at instant: Instant) -> String {
        String((surroundings.localTime(instant, zone) ?? instant.rfc3339).prefix(10))
    }

    /// The first instant of a day: its midnight, or what comes first where that is skipped. nil
    /// where there is no such day.
    func start(ofDay day: String) -> Instant? {
        let midnight = day + "T00:00:00"
        return surroundings.firstInstant(midnight, zone) ?? Instant(rfc3339: midnight + "Z")
    }

    /// What people write of a time, as RFC 3339: a day alone is its first moment here, and a time
    /// without an offset is shown by these clocks. The rest goes as it is, for the API to judge.
    func instant(typed text: String) -> String {
        if text.utf8.count == 10, let start = start(ofDay: text) { return start.rfc3339 }
        let plain = text.replacing(" ", with: "T")
        let whole = plain.utf8.count == 16 ? plain + ":00" : plain
        guard whole.utf8.count == 19, Instant(rfc3339: whole + "Z") != nil else { return text }
        return surroundings.firstInstant(whole, zone)?.rfc3339 ?? text
    }

    /// A time as people write it: the day alone where it is the first moment of one, which
    /// ``instant(typed:)`` reads again.
    func typed(_ text: String) -> String {
        guard let instant = Instant(rfc3339: text), isStart(instant) else { return text }
        return day(at: instant)
    }

    /// A time as these clocks show it, to the minute: `2026-11-01 00:00 in Europe/Berlin`. What is
    /// no time stays what it is.
    func words(for text: String) -> String {
        guard let instant = Instant(rfc3339: text) else { return text }
        let local = surroundings.localTime(instant, zone) ?? instant.rfc3339
        return local.prefix(16).replacing("T", with: " ") + " in " + zone
    }

    /// Whether an instant is the first one of a day.
    func isStart(_ instant: Instant) -> Bool { start(ofDay: day(at: instant)) == instant }

    // MARK: The calendar

    /// So many days later, or earlier.
    static func day(_ day: String, plus count: Int) -> String {
        guard let noon = Instant(rfc3339: day + "T12:00:00Z") else { return day }
        let moved = noon.microseconds + Int64(count) * 86_400_000_000
        return String(Instant(microseconds: moved).rfc3339.prefix(10))
    }

    /// How many days lie between two of them.
    static func days(from first: String, to last: String) -> Int {
        guard let first = Instant(rfc3339: first + "T00:00:00Z"),
            let last = Instant(rfc3339: last + "T00:00:00Z")
        else { return 0 }
        return Int((last.microseconds - first.microseconds) / 86_400_000_000)
    }

    /// A calendar month: its label such as `2026-11`, and its first instant and the next month's.
    struct Month {
        var label: String
        var from: String
        var to: String
    }

    /// The month that runs and those before it, the newest first.
    func newestMonths(_ count: Int, at now: Instant) -> [Month] {
        let parts = day(at: now).prefix(7).split(separator: "-").compactMap { Int($0) }
        guard parts.count == 2 else { return [] }
        let running = parts[0] * 12 + parts[1] - 1
        return (0..<count).compactMap { back in
            let label = Self.label(running - back)
            let next = Self.label(running - back + 1)
            guard let from = start(ofDay: label + "-01"), let to = start(ofDay: next + "-01")
            else { return nil }
            return Month(label: label, from: from.rfc3339, to: to.rfc3339)
        }
    }

    private static func label(_ month: Int) -> String {
        let number = month % 12 + 1
        return "\(month / 12)-\(number < 10 ? "0" : "")\(number)"
    }
}
