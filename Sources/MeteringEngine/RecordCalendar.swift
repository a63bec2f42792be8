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
    /// All that were ever in force: each may have closed periods.
    private let past: [MeterType]
    private let zones: any TimeZoneSource

    /// - Parameter versions: All there are.
    /// - Returns: nil where none is in force.
    init?(_ key: MeterTypeKey, _ versions: [MeterType], zones: any TimeZoneSource) {
        (self.key, self.zones) = (key, zones)
        past = versions.filter(\.isBackfilled)
        rulings = versions.inForce().map { Ruling(version: $0, times: $0.effective) }
            .sorted { $0.times.lowerBound < $1.times.lowerBound }
        if rulings.isEmpty { return nil }
    }

    /// Whether any period of it ever ends, or did.
    var hasPeriods: Bool { past.contains { $0.definition.resetSchedule != .never } }

    /// Whether any version in force has a threshold.
    var hasThresholds: Bool {
        rulings.contains { !$0.version.definition.records.thresholds.isEmpty }
    }

    /// Whether the versions in force cut time differently.
    var changesSchedule: Bool {
        Set(rulings.map(\.version.definition.resetSchedule)).count > 1
            || Set(rulings.map(\.version.definition.timezone)).count > 1
    }

    /// The version in force at an instant; before the first of them that one.
    func version(at instant: Instant) -> MeterType? { ruling(at: instant)?.version }

    private func ruling(at instant: Instant) -> Ruling? {
        rulings.last { $0.times.contains(instant) } ?? rulings.first
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
        try zone(of: version(at: instant)?.definition, customers: customers)
    }

    private func zone(
        of definition: MeterTypeDefinition?,
        customers: String?
    ) throws(LedgerError) -> TimeZoneRules {
        let isCustomers = definition?.isInCustomersZone ?? true
        let name = isCustomers ? customers ?? "UTC" : definition?.timezone ?? "UTC"
        do { return try zones.rules(named: name) } catch {
            throw LedgerError(.unavailable, "the zone \(name) is not to be had here")
        }
    }

    private func calendar(
        of version: MeterType?,
        customers: String?
    ) throws(LedgerError) -> PeriodCalendar {
        PeriodCalendar(
            schedule: version?.definition.resetSchedule ?? .never,
            zone: try zone(of: version?.definition, customers: customers)
        )
    }

    /// Where a period ends that starts at an instant, and when it closes; nil where it goes on.
    /// One that began under `never` ends at the first boundary of the schedule that follows.
    func end(
        of start: Instant,
        customers: String?
    ) throws(LedgerError) -> (end: Instant, closes: Instant)? {
        var (version, before) = (version(at: start), start)
        if version?.definition.resetSchedule == .never {
            let next = rulings.first { ruling in
                ruling.times.lowerBound > start
                    && ruling.version.definition.resetSchedule != .never
            }
            guard let next else { return nil }
            (version, before) = (next.version, next.times.lowerBound.before)
        }
        let calendar = try calendar(of: version, customers: customers)
        guard let version, let end = calendar.boundary(after: before) else { return nil }
        return (end, Self.close(of: end, version))
    }

    private static func close(of end: Instant, _ version: MeterType) -> Instant {
        let grace = version.definition.records.gracePeriod.microseconds
        let closes = end.microseconds.addingReportingOverflow(grace)
        return Instant(microseconds: closes.overflow ? .max : closes.partialValue)
    }

    // MARK: Looking for a period

    /// The start of the period that holds an instant, of a meter that begins with it: where the
    /// calendar's own period starts, or a later one that an earlier version's last period ends at.
    func start(around instant: Instant, customers: String?) throws(LedgerError) -> Instant {
        let own = try calendar(of: version(at: instant), customers: customers)
            .boundary(atOrBefore: instant)
        return try start(holding: instant, from: own ?? instant, customers: customers)
    }

    /// The start of the period that holds an instant, of those that follow one another from a known
    /// start on; that one for an earlier instant.
    /// - Complexity: O(versions²).
    func start(
        holding instant: Instant,
        from known: Instant,
        customers: String?
    ) throws(LedgerError) -> Instant {
        var start = known
        while let ruling = ruling(at: start), ruling.times.upperBound > start {
            // The last period that a version cuts is the one that holds the last instant it rules.
            let last = ruling.times.upperBound.before
            guard let next = try end(of: last, customers: customers)?.end, next <= instant
            else { break }
            start = next
        }
        let own = try calendar(of: version(at: start), customers: customers)
            .boundary(atOrBefore: instant)
        return max(start, own ?? start)
    }

    // MARK: Closing

    /// No period that ends later is closed, whichever version cut it; nil where none is.
    func latestEnd(closedBy now: Instant) -> Instant? {
        var latest: Instant?
        for version in past where version.definition.resetSchedule != .never {
            let grace = version.definition.records.gracePeriod.microseconds
            let settled = Instant(microseconds: now.microseconds - grace)
            let calendar = commonCalendar(of: version)
            let end = calendar.map { $0.boundary(atOrBefore: settled) } ?? settled
            if let end { latest = max(latest ?? end, end) }
        }
        return latest
    }

    /// No period that is not closed by now closes earlier, whichever version cuts it; nil where
    /// none ever does.
    func nextClose(after now: Instant) -> Instant? {
        var earliest: Instant?
        for ruling in rulings where ruling.version.definition.resetSchedule != .never {
            let grace = ruling.version.definition.records.gracePeriod.microseconds
            let settled = Instant(microseconds: now.microseconds - grace)
            // Any zone may turn its page within a quarter of an hour.
            var closes: Instant? = Instant(microseconds: now.microseconds + 900_000_000)
            if let calendar = commonCalendar(of: ruling.version) {
                closes = calendar.boundary(after: settled).map {
                    Self.close(of: $0, ruling.version)
                }
            }
            if let closes { earliest = min(earliest ?? closes, closes) }
        }
        return earliest
    }

    /// How a version cuts the time of all meters; nil where that is as the customer's clocks say,
    /// or its zone is not to be had here.
    private func commonCalendar(of version: MeterType) -> PeriodCalendar? {
        version.definition.isInCustomersZone ? nil : try? calendar(of: version, customers: nil)
    }
}

extension Instant {
    fileprivate var before: Instant { Instant(microseconds: microseconds - 1) }
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
