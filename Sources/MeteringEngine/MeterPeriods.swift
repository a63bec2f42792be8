public import Metering
public import UsageModel

/// A meter at some time: the period that it lies in, its value, and the resets to come.
public struct MeterReading: Sendable {
    public var meter: Meter
    /// With at most ``nextResetsMax`` resets to come.
    public var period: MeterPeriod
    /// The times of the earliest and of the latest event the meter counts, of all time, as known at
    /// ``position``; nil where it takes too much to say (``Limits/meterEdgeBlocksMax``).
    public var firstEventAt: Instant?
    public var lastEventAt: Instant?
    /// Over the whole period, as known at ``position``.
    public var value: Quantity?
    public var events: Int64
    /// The value by the meter type's dimensions, in their order; empty where it has none.
    public var dimensions: [UsageReading]
    /// Whether there are more than ``Limits/meterDimensionRowsMax``, and the rest is left out.
    public var hasMoreDimensions: Bool
    public var position: Position

    /// How many of the next resets are told.
    public static let nextResetsMax = 3
}

/// One page of a meter's past periods.
public struct PeriodAnswer: Sendable {
    public var position: Position
    /// Newest first; each with its value. Their ranges adjoin.
    public var readings: [UsageReading]
    /// Where the next page goes on: the start of the last period. Nil where no event is older.
    public var next: Instant?
}

/// Questions that any ledger answers with its readings, cut by a meter type's calendar.
extension UsageLedger {
    /// The version of a meter type whose calendar, zone and dimensions hold: the newest in force,
    /// or the newest where none is yet.
    ///
    /// - Throws: `notFound`.
    public func meterTypeInForce(
        _ key: MeterTypeKey,
        asOf position: Position? = nil
    ) async throws(LedgerError) -> MeterType {
        try await calendar(of: key, asOf: position).meterType
    }

    /// One meter and what it counted of all time.
    ///
    /// - Parameters:
    ///   - instant: When to look how it stands and who owns its subject.
    ///   - position: As known when the log ended there; nil: as of now.
    /// - Throws: `notFound` where there is no such meter type, or the subject used nothing of it
    ///   and is not enrolled.
    /// - Complexity: O(the subject's rollup cells).
    public func meter(
        _ id: MeterID,
        at instant: Instant,
        asOf position: Position? = nil
    ) async throws(LedgerError) -> Meter {
        try await knownMeter(id, at: instant, asOf: position).meter
    }

    /// The same, with the position it is known at.
    private func knownMeter(
        _ id: MeterID,
        at instant: Instant,
        asOf position: Position?
    ) async throws(LedgerError) -> (meter: Meter, position: Position) {
        let query = MeterQuery(
            meterTypes: [id.meterType],
            subjects: [id.subject],
            at: instant,
            asOf: position,
            limit: 1
        )
        let answer = try await meters(query)
        guard let meter = answer.meters.first else {
            throw LedgerError(.notFound, "there is no meter \(id)")
        }
        return (meter, answer.position)
    }

    /// A meter in the period that an instant lies in.
    ///
    /// - Parameters:
    ///   - definition: The meter's type.
    ///   - zone: The rules of the type's zone.
    ///   - now: Values that are carried are carried no further than this.
    ///   - asOf: As known when the log ended there; nil: as of now.
    /// - Throws: What ``meter(_:at:)`` and ``readings(_:)`` throw.
    public func reading(
        _ id: MeterID,
        of definition: MeterTypeDefinition,
        in zone: TimeZoneRules,
        at instant: Instant,
        carriedUntil now: Instant = Instant(microseconds: .max),
        asOf: Position? = nil
    ) async throws(LedgerError) -> MeterReading {
        let (meter, known) = try await knownMeter(id, at: instant, asOf: asOf)
        let calendar = try await calendar(of: id.meterType, asOf: asOf)
        let found = try calendar.period(
            of: meter,
            in: zone,
            at: instant,
            resets: MeterReading.nextResetsMax
        )
        let groups = definition.dimensions.map { UsageQuery.Group.dimension($0.name) }
        let answer = try await readings(
            UsageQuery(
                meterTypes: [id.meterType],
                subjects: [id.subject],
                range: found.range,
                groupBy: groups,
                asOf: asOf,
                carriedUntil: now,
                addsTotals: true,
                limit: Limits.meterDimensionRowsMax
            )
        )
        let times = try await MeterEdges(meter: meter, known: known, position: answer.position)
            .times(in: self)
        return MeterReading(
            meter: meter,
            period: found,
            firstEventAt: times.first,
            lastEventAt: times.last,
            value: answer.totals.first?.value,
            events: answer.totals.first?.events ?? 0,
            dimensions: groups.isEmpty ? [] : answer.readings,
            hasMoreDimensions: answer.hasMore,
            position: answer.position
        )
    }

    /// The periods of a meter that ended by an instant, newest first, each with its value: back to
    /// the one of its earliest event. Periods in between without an event are among them.
    ///
    /// - Parameters:
    ///   - instant: Now; or for a further page, what the page before said.
    ///   - now: Values that are carried are carried no further than this.
    ///   - asOf: As known when the log ended there; nil: as of now.
    ///   - limit: At most ``UsageQuery/rowsMax``.
    /// - Throws: What ``meter(_:at:)`` and ``readings(_:)`` throw.
    public func pastPeriods(
        _ id: MeterID,
        of definition: MeterTypeDefinition,
        in zone: TimeZoneRules,
        before instant: Instant,
        carriedUntil now: Instant = Instant(microseconds: .max),
        asOf: Position? = nil,
        limit: Int
    ) async throws(LedgerError) -> PeriodAnswer {
        let meter = try await meter(id, at: instant, asOf: asOf)
        let span = meter.span
        let calendar = PeriodCalendar(schedule: definition.resetSchedule, zone: zone)
        var periods: [Period] = []
        var period = calendar.period(before: calendar.period(containing: instant))
        // The span begins with a quarter of an hour, and short periods in it may lie before the
        // first event: they are all read, some 15 at most, to know which.
        let firstQuarter = RollupBucket.start(RollupBucket.index(of: span.lowerBound) + 1)
        while let past = period, past.end > span.lowerBound,
            periods.count < limit || past.end <= firstQuarter
        {
            periods.append(past)
            period = calendar.period(before: past)
        }
        guard !span.isEmpty, let newest = periods.first, let oldest = periods.last else {
            let position = if let asOf { asOf } else { try await status().position }
            return PeriodAnswer(position: position, readings: [], next: nil)
        }
        let answer = try await readings(
            UsageQuery(
                meterTypes: [id.meterType],
                subjects: [id.subject],
                range: oldest.start..<newest.end,
                calendar: calendar,
                asOf: asOf,
                carriedUntil: now,
                fillsZero: true,
                limit: periods.count
            )
        )
        var readings = Array(answer.readings.reversed())
        let reachesBack = period.map { $0.end <= span.lowerBound } ?? true
        if reachesBack { while readings.last?.events == 0 { readings.removeLast() } }
        let isLast = reachesBack && readings.count <= limit
        readings.removeLast(max(0, readings.count - limit))
        if let start = meter.enrolled?.enrolment.start,
            let first = readings.lastIndex(where: { $0.range.contains(start) })
        {
            readings[first].range = start..<readings[first].range.upperBound
        }
        return PeriodAnswer(
            position: answer.position,
            readings: readings,
            next: isLast ? nil : readings.last?.range.lowerBound
        )
    }
}
