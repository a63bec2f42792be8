public import Metering
public import UsageModel

/// A period as callers are told it.
public struct MeterPeriod: Sendable, Hashable {
    public var period: Period
    /// The name of the zone that cuts it.
    public var zone: String
    /// The resets to come, as many as were asked for; fewer where no more come.
    public var nextResets: [Instant]

    init(period: Period, zone: String, nextResets: [Instant]) {
        (self.period, self.zone, self.nextResets) = (period, zone, nextResets)
    }

    /// The period of a calendar that holds an instant.
    init(_ calendar: PeriodCalendar, at instant: Instant, resets count: Int) {
        self.init(
            period: calendar.period(containing: instant),
            zone: calendar.zone.name,
            nextResets: count > 0 ? calendar.next(count, after: instant) : []
        )
    }

    public var range: Range<Instant> { period.range }

    /// Nil where no reset came before, or where none comes any more.
    public var start: Instant? { period.isFirst ? nil : period.start }
    public var end: Instant? { period.isLast ? nil : period.end }
}

/// How the time of a meter type's meters is cut: by the calendar in force, and across versions that
/// cut it differently as usage records will, so that a change of the schedule shows before it takes
/// effect.
///
/// It is found once and asked for many meters: a question costs no reading.
public struct MeterCalendar: Sendable {
    /// The version whose calendar, zone and dimensions hold.
    public let meterType: MeterType
    /// nil where all versions agree.
    private let changing: RecordCalendar?

    /// - Parameters:
    ///   - versions: All that the type has.
    ///   - position: As known when the log ended there; nil: as of now.
    /// - Returns: nil where there is no version.
    public init?(_ key: MeterTypeKey, _ versions: [MeterType], asOf position: Position? = nil) {
        let ruling = versions.inForce(asOf: position)
        guard let inForce = ruling.last ?? versions.newest else { return nil }
        meterType = inForce
        let known = Set(ruling.map(\.number))
        let calendar = RecordCalendar(
            key,
            position == nil ? versions : versions.filter { known.contains($0.number) },
            zones: SystemTimeZones.shared
        )
        changing = calendar.flatMap { $0.changesSchedule ? $0 : nil }
    }

    /// The period of a meter around an instant, as known at the position of this calendar.
    ///
    /// - Parameters:
    ///   - zone: The zone of the type; where that is the customer's, of who owns the subject.
    ///   - count: How many resets at most; fewer where no more come.
    /// - Throws: `unavailable` where the machine's database lacks the zone of a version.
    public func period(
        of meter: Meter,
        in zone: TimeZoneRules,
        at instant: Instant,
        resets count: Int = 0
    ) throws(LedgerError) -> MeterPeriod {
        let customers = meterType.definition.isInCustomersZone ? zone.name : nil
        if let changing {
            let step = RecordStep(calendar: changing, now: instant, hasCustomers: false)
            if let first = try step.firstStart(of: meter, customers), first <= instant {
                return try Self.period(
                    changing,
                    from: first,
                    in: zone,
                    customers,
                    at: instant,
                    count
                )
            }
        }
        // The first period begins where the meter does.
        var found = own(in: zone, at: instant, resets: count)
        if let start = meter.enrolled?.enrolment.start, start <= instant, start > found.period.start
        {
            found.period = Period(start..<found.period.end)
        }
        return found
    }

    /// The period around an instant of meters that were there since ever.
    ///
    /// - Throws: `unavailable` where the machine's database lacks the zone of a version.
    public func period(
        in zone: TimeZoneRules,
        at instant: Instant,
        resets count: Int = 0
    ) throws(LedgerError) -> MeterPeriod {
        guard let changing else { return own(in: zone, at: instant, resets: count) }
        let customers = meterType.definition.isInCustomersZone ? zone.name : nil
        let first = PeriodCalendar.reach.lowerBound
        return try Self.period(changing, from: first, in: zone, customers, at: instant, count)
    }

    private func own(
        in zone: TimeZoneRules,
        at instant: Instant,
        resets count: Int
    ) -> MeterPeriod {
        let schedule = meterType.definition.resetSchedule
        let calendar = PeriodCalendar(schedule: schedule, zone: zone)
        return MeterPeriod(calendar, at: instant, resets: count)
    }

    private static func period(
        _ calendar: RecordCalendar,
        from first: Instant,
        in zone: TimeZoneRules,
        _ customers: String?,
        at instant: Instant,
        _ count: Int
    ) throws(LedgerError) -> MeterPeriod {
        let start = try calendar.start(holding: instant, from: first, customers: customers)
        let end = try calendar.end(of: start, customers: customers)?.end
        var resets = [end].compactMap(\.self)
        while let last = resets.last, resets.count < count,
            let next = try calendar.end(of: last, customers: customers)?.end
        {
            resets.append(next)
        }
        return MeterPeriod(
            period: Period(start..<(end ?? PeriodCalendar.reach.upperBound)),
            zone: zone.name,
            nextResets: Array(resets.prefix(count))
        )
    }
}

extension UsageLedger {
    /// How the time of a type's meters is cut.
    ///
    /// - Throws: `notFound`.
    public func calendar(
        of key: MeterTypeKey,
        asOf position: Position? = nil
    ) async throws(LedgerError) -> MeterCalendar {
        let versions = try await versions(of: key)
        guard let calendar = MeterCalendar(key, versions, asOf: position) else {
            throw LedgerError(.notFound, "there is no meter type \"\(key)\"")
        }
        return calendar
    }
}
