import UsageModel
import WireFormat

/// What a meter's page looks at: a stretch of time, cut into windows in a zone, and what it is
/// compared with.
struct MeterRange {
    static let windows = ["hour", "day", "week", "month"]
    private static let day: Int64 = 86_400 * 1_000_000
    /// Of a meter without a period.
    private static let daysShown = 30

    let from: String
    let to: String
    /// As people write them.
    let typed: (from: String, to: String)
    let window: String
    let zone: String
    /// The stretch before; nil where there is none.
    let before: (from: String, to: String)?
    /// Whether it is the running period, asked for by its own bounds or by none.
    let isPeriod: Bool

    /// - Parameters:
    ///   - meter: As the API reads it.
    ///   - previous: The period before the running one.
    init(_ visit: Visit, _ meter: JSONValue, previous: JSONValue?) {
        let query = visit.query
        zone = query.text("timezone") ?? meter.text("period", "timezone") ?? "UTC"
        let (start, end) = (meter.text("period", "start"), meter.text("period", "end"))
        let clock = ZoneClock(zone, visit)
        let asked = ["from", "to"].map { query.text($0).map(clock.instant(typed:)) }
        let isRunning = asked == [nil, nil] || asked == [start, end]
        if isRunning, let start, let end {
            (from, to, isPeriod) = (start, end, true)
            before = previous.flatMap { one in
                one.text("start").flatMap { start in one.text("end").map { (start, $0) } }
            }
        } else {
            let days = Self.days(meter, clock, visit.now)
            from = asked[0] ?? days.from
            to = asked[1] ?? days.to
            isPeriod = false
            before = Self.before(from, to, clock)
        }
        typed = (clock.typed(from), clock.typed(to))
        let length = Self.length(from, to)
        let fitting = length <= 2 * Self.day ? "hour" : length <= 100 * Self.day ? "day" : "month"
        window = query.text("window") ?? fitting
    }

    /// The days up to now, or up to the last event where that is long ago: of a meter that never
    /// resets, or whose period has no start.
    private static func days(
        _ meter: JSONValue,
        _ clock: ZoneClock,
        _ now: Instant
    ) -> (from: String, to: String) {
        let today = clock.day(at: now)
        let last = meter.text("lastEventAt").flatMap { Instant(rfc3339: $0) }
            .map(clock.day(at:))
        let isLongAgo = last.map { ZoneClock.days(from: $0, to: today) > daysShown } ?? false
        let ending = isLongAgo ? last ?? today : today
        let first = clock.start(ofDay: ZoneClock.day(ending, plus: 1 - daysShown)) ?? now
        let behind = clock.start(ofDay: ZoneClock.day(ending, plus: 1)) ?? now
        return (first.rfc3339, behind.rfc3339)
    }

    /// As long a stretch before: as many days, where days are looked at, since some are shorter.
    private static func before(
        _ from: String,
        _ to: String,
        _ clock: ZoneClock
    ) -> (from: String, to: String)? {
        guard let start = Instant(rfc3339: from), let end = Instant(rfc3339: to), start < end
        else { return nil }
        if clock.isStart(start), clock.isStart(end) {
            let first = clock.day(at: start)
            let count = ZoneClock.days(from: first, to: clock.day(at: end))
            return clock.start(ofDay: ZoneClock.day(first, plus: -count))
                .map { ($0.rfc3339, from) }
        }
        let earlier = 2 * start.microseconds - end.microseconds
        return (Instant(microseconds: earlier).rfc3339, from)
    }

    private static func length(_ from: String, _ to: String) -> Int64 {
        guard let from = Instant(rfc3339: from), let to = Instant(rfc3339: to) else { return 0 }
        return max(to.microseconds - from.microseconds, 0)
    }

    /// The start of a window as the zone's clocks show it: a day, or a day and an hour.
    func label(_ start: String, _ visit: Visit) -> String {
        let local = Instant(rfc3339: start).flatMap { visit.surroundings.localTime($0, zone) }
        let text = local ?? start
        let day = text.prefix(10)
        return window == "hour" ? day + " " + text.dropFirst(11).prefix(5) : String(day)
    }

    /// Whether an instant lies in a window.
    static func holds(_ reading: JSONValue, _ now: Instant) -> Bool {
        guard let from = reading.text("from").flatMap({ Instant(rfc3339: $0) }),
            let to = reading.text("to").flatMap({ Instant(rfc3339: $0) })
        else { return false }
        return from <= now && now < to
    }
}
