import UsageModel
import WireFormat

/// What a meter's page looks at: a stretch of time, cut into windows in a zone, and what it is
/// compared with.
struct MeterRange {
    static let windows = ["hour", "day", "week", "month"]
    private static let day: Int64 = 86_400 * 1_000_000

    let from: String
    let to: String
    let window: String
    let zone: String
    /// The stretch before; nil where there is none.
    let before: (from: String, to: String)?
    /// Whether it is the running period.
    let isPeriod: Bool

    /// - Parameters:
    ///   - meter: As the API reads it.
    ///   - previous: The period before the running one.
    init(_ visit: Visit, _ meter: JSONValue, previous: JSONValue?) {
        let query = visit.query
        zone = query.text("timezone") ?? meter.text("period", "timezone") ?? "UTC"
        let (start, end) = (meter.text("period", "start"), meter.text("period", "end"))
        let isAsked = query.text("from") != nil || query.text("to") != nil
        let length: Int64
        if !isAsked, let start, let end {
            (from, to, isPeriod) = (start, end, true)
            before = previous.flatMap { one in
                one.text("start").flatMap { start in one.text("end").map { (start, $0) } }
            }
            length = Self.length(start, end)
        } else {
            // A meter that never resets, or whose period has no start: the days up to its last
            // event, or to now.
            let now = visit.now.microseconds / Self.day
            let last = meter.text("lastEventAt").flatMap { Instant(rfc3339: $0) }
                .map { $0.microseconds / Self.day }
            let ending = last.map { now - $0 > 30 ? $0 : now } ?? now
            let (first, behind) = ((ending - 29) * Self.day, (ending + 1) * Self.day)
            from = query.text("from") ?? Instant(microseconds: first).rfc3339
            to = query.text("to") ?? Instant(microseconds: behind).rfc3339
            isPeriod = false
            length = Self.length(from, to)
            before = Instant(rfc3339: from).map { start in
                (Instant(microseconds: start.microseconds - length).rfc3339, start.rfc3339)
            }
        }
        let fitting = length <= 2 * Self.day ? "hour" : length <= 100 * Self.day ? "day" : "month"
        window = query.text("window") ?? fitting
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
