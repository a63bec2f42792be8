public import Metering
public import UsageModel

extension UsageQuery {
    /// The edge's names for what cuts time, so that it needs no room of its own for them.
    public typealias Zone = TimeZoneRules
    public typealias Calendar = PeriodCalendar

    /// The periods of a reset schedule in a zone, as windows.
    public static func calendar(_ schedule: ResetSchedule, in zone: Zone) -> Calendar {
        PeriodCalendar(schedule: schedule, zone: zone)
    }

    /// The period of a calendar that runs at an instant, with the resets to come.
    public static func running(_ calendar: Calendar, at instant: Instant) -> MeterPeriod {
        MeterPeriod(calendar, at: instant, resets: MeterReading.nextResetsMax)
    }

    /// The IANA name of a zone.
    public static func name(of zone: Zone) -> String { zone.name }

    /// Reads the wire's word for a window, so that the edge needs no room of its own for it.
    public static func window(_ text: String) throws(WindowWidthError) -> WindowWidth {
        try WindowWidth(text)
    }

    /// What a caller can do whose window was not understood.
    public static let windowRemedy =
        "give minute, hour, day, week, month, quarter, year or period, or a part of a day such as "
        + "15m or 6h"
}

extension UsageQuery {
    /// The bounds of the period that an instant lies in: nil where no reset comes before, or none
    /// comes any more.
    public static func bounds(
        of calendar: Calendar,
        at instant: Instant
    ) -> (start: Instant?, end: Instant?) {
        let period = calendar.period(containing: instant)
        return (period.isFirst ? nil : period.start, period.isLast ? nil : period.end)
    }
}

extension SystemTimeZones {
    /// An instant as the clocks of a zone show it, RFC 3339 with their offset; nil where the zone
    /// is not to be had.
    public func local(_ instant: Instant, inZone name: String) -> String? {
        (try? rules(named: name))?.local(instant)
    }

    /// The first instant at which the clocks of a zone show a time such as `2026-11-01T00:00:00`,
    /// or a later one where they skip it: the first moment of a day is that of its midnight. nil
    /// where it is no time, or the zone is not to be had.
    public func firstInstant(showing local: String, inZone name: String) -> Instant? {
        guard let plain = Instant(rfc3339: local + "Z"), let rules = try? rules(named: name)
        else { return nil }
        return rules.firstInstant(atOrAfterLocal: LocalDateTime(microseconds: plain.microseconds))
    }
}
