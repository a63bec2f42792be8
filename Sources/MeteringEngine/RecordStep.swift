internal import Metering
internal import UsageModel

/// One period of one meter, as it is looked at.
struct RecordPeriod: Hashable {
    var meter: Meter
    var range: Range<Instant>
    var zone: String?
    /// Whether somebody ended it before its time.
    var isCutShort = false

    var id: MeterID { meter.id }
    /// Whether somebody said when the meter begins.
    var isEnrolled: Bool { meter.enrolled?.isEnrolled ?? false }

    static func == (one: Self, other: Self) -> Bool {
        one.id == other.id && one.range == other.range
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(id)
        hasher.combine(range)
    }
}

/// What a round of the keeper knows of a meter type: when its meters' periods begin and end.
struct RecordStep {
    let calendar: RecordCalendar
    let now: Instant
    /// Whether there is anybody who owns anything.
    let hasCustomers: Bool

    func rules(at instant: Instant) -> RecordRules {
        calendar.version(at: instant)?.definition.records ?? .standard
    }

    func rules(of period: RecordPeriod) -> RecordRules { rules(at: period.range.lowerBound) }

    func version(of period: RecordPeriod) -> MeterType? {
        calendar.version(at: period.range.lowerBound)
    }

    /// Where a meter's first period starts: with its enrolment, or with the calendar's period of
    /// its first event; nil where it has neither.
    func firstStart(of meter: Meter, _ zone: String?) throws(LedgerError) -> Instant? {
        let enrolled = meter.enrolled.flatMap { $0.isEnrolled ? $0 : nil }
        if let start = enrolled?.enrolment.start { return start }
        let first = meter.span.isEmpty ? nil : meter.span.lowerBound
        let since = enrolled?.since
        guard let begin = [first, since].compactMap(\.self).min() else { return nil }
        // Enrolled before it used anything: from then on. Otherwise the period of the first event.
        if let since, begin == since { return since }
        return try calendar.start(around: begin, customers: zone)
    }

    /// The periods of a meter that are due, in order: at most ``RecordKeeper/periodsPerStep``.
    func due(
        _ meter: Meter,
        from first: Instant,
        _ zone: String?
    ) throws(LedgerError) -> [RecordPeriod] {
        var periods: [RecordPeriod] = []
        try walk(meter, from: first, until: end(of: meter), zone) { period, closes in
            guard periods.count < RecordKeeper.periodsPerStep, let closes, closes <= now else {
                return false
            }
            periods.append(period)
            return true
        }
        return periods
    }

    /// The periods of a meter that began, the last of them cut at this moment; at most
    /// ``RecordKeeper/periodsPerPage``.
    func begun(
        _ meter: Meter,
        from first: Instant,
        _ zone: String?
    ) throws(LedgerError) -> [RecordPeriod] {
        var periods: [RecordPeriod] = []
        let last = min(now, end(of: meter))
        try walk(meter, from: first, until: last, zone) { period, _ in
            var period = period
            period.isCutShort = period.range.upperBound > last
            period.range = period.range.clamped(to: first..<last)
            periods.append(period)
            return periods.count < RecordKeeper.periodsPerPage
        }
        return periods
    }

    /// The periods of a meter that are not due yet and began: where its usage of now goes.
    func running(
        _ meter: Meter,
        from first: Instant,
        _ zone: String?
    ) throws(LedgerError) -> [RecordPeriod] {
        var periods: [RecordPeriod] = []
        try walk(meter, from: first, until: end(of: meter), zone) { period, closes in
            guard period.range.lowerBound <= now else { return false }
            if closes.map({ $0 > now }) ?? true { periods.append(period) }
            return periods.count < RecordKeeper.periodsPerPage
        }
        return periods
    }

    /// Visits the periods of a meter that start before an instant, one after the other, each with
    /// its close, until the body says false; one without an end has no close.
    private func walk(
        _ meter: Meter,
        from first: Instant,
        until last: Instant,
        _ zone: String?,
        _ body: (RecordPeriod, _ closes: Instant?) -> Bool
    ) throws(LedgerError) {
        var start = first
        while start < last {
            let next = try calendar.end(of: start, customers: zone)
            let end = next?.end ?? .end
            let period = RecordPeriod(meter: meter, range: start..<end, zone: zone)
            guard body(period, next?.closes) else { return }
            start = end
        }
    }

    /// Whether a meter that is closed to some instant closes nothing more.
    func isOver(_ meter: Meter, closed until: Instant) -> Bool { end(of: meter) <= until }

    /// From where on a meter has no further periods.
    private func end(of meter: Meter) -> Instant {
        var end = meter.enrolled?.enrolment.end ?? .end
        if let retired = calendar.version(at: now)?.retiredAt { end = min(end, retired) }
        if let word = meter.enrolled?.word(at: now)?.change, word.standing == .closed,
            word.to == nil
        {
            end = min(end, word.from)
        }
        return end
    }
}

/// What a period of a meter comes to.
struct RecordReading {
    var value: Quantity?
    var exact: Quantity?
    var events: Int64
    var dimensions: [UsageRecord.Part]
    var hasMoreDimensions: Bool
    /// Who owned the subject at the last instant of the period.
    var customer: CustomerKey?
    var position: Position
    var evidence: UsageRecord.Evidence?

    var isSomething: Bool { events > 0 || (value ?? .zero) != .zero }
}
