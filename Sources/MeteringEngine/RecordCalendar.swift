internal import Metering
internal import UsageModel

/// The periods of a meter type's meters, as its versions cut them: each period ends where the
/// version in force at its start says, so that a changed schedule takes effect at a boundary.
struct RecordCalendar {
    private struct Ruling {
        var version: MeterType
        var times: Range<Instant>
    }

    let key: MeterTypeKey
    private let rulings: [Ruling]
    private let zones: any TimeZoneSource

    /// - Parameter versions: Those in force; not empty.
    init(_ key: MeterTypeKey, _ versions: [MeterType], zones: any TimeZoneSource) {
        (self.key, self.zones) = (key, zones)
        rulings = versions.map { Ruling(version: $0, times: $0.effective) }
            .sorted { $0.times.lowerBound < $1.times.lowerBound }
    }

    /// Whether any period of it ever ends.
    var hasPeriods: Bool {
        rulings.contains { $0.version.definition.resetSchedule != .never }
    }

    /// The version in force at an instant; before the first of them that one.
    func version(at instant: Instant) -> MeterType? {
        (rulings.last { $0.times.contains(instant) } ?? rulings.first)?.version
    }

    /// The newest of the versions.
    var newest: Int { rulings.map(\.version.version).max() ?? 0 }

    var isInCustomersZone: Bool {
        rulings.contains { $0.version.definition.isInCustomersZone }
    }

    /// The zone that cuts a period that starts at an instant.
    ///
    /// - Parameter customers: The zone of who owns the subject; nil where nobody does.
    /// - Throws: `unavailable` where the machine's database lacks the zone.
    func zone(at instant: Instant, customers: String?) throws(LedgerError) -> TimeZoneRules {
        let definition = version(at: instant)?.definition
        let isCustomers = definition?.isInCustomersZone ?? true
        let name = isCustomers ? customers ?? "UTC" : definition?.timezone ?? "UTC"
        do { return try zones.rules(named: name) } catch {
            throw LedgerError(.unavailable, "the zone \(name) is not to be had here")
        }
    }

    private func calendar(
        at instant: Instant,
        customers: String?
    ) throws(LedgerError) -> PeriodCalendar {
        PeriodCalendar(
            schedule: version(at: instant)?.definition.resetSchedule ?? .never,
            zone: try zone(at: instant, customers: customers)
        )
    }

    /// The start of the calendar's own period around an instant; nil where no reset came before.
    func start(around instant: Instant, customers: String?) throws(LedgerError) -> Instant? {
        try calendar(at: instant, customers: customers).boundary(atOrBefore: instant)
    }

    /// Where a period ends that starts at an instant, and when it closes; nil where it goes on.
    func end(
        of start: Instant,
        customers: String?
    ) throws(LedgerError) -> (end: Instant, closes: Instant)? {
        guard let end = try calendar(at: start, customers: customers).boundary(after: start) else {
            return nil
        }
        let grace = version(at: start)?.definition.records.gracePeriod.microseconds ?? 0
        let closes = end.microseconds.addingReportingOverflow(grace)
        return (end, Instant(microseconds: closes.overflow ? .max : closes.partialValue))
    }
}

extension TimeZoneRules {
    /// An instant as the zone's clocks show it, RFC 3339 with their offset.
    func local(_ instant: Instant) -> String {
        let offset = offsetSeconds(at: instant)
        let shown = Instant(microseconds: instant.microseconds + Int64(offset) * 1_000_000)
        guard shown >= .earliest, shown <= .latest else { return instant.rfc3339 }
        let minutes = abs(offset) / 60
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let sign = offset < 0 ? "-" : "+"
        return shown.rfc3339.dropLast() + "\(sign)\(two(minutes / 60)):\(two(minutes % 60))"
    }
}
