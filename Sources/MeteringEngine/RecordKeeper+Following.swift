internal import Metering
internal import UsageModel

// What changes after a close: late events, and what is said of meters and their types.
extension RecordKeeper {
    /// Tells of what changed since the last round in periods that are closed.
    func follow(_ step: RecordStep) async throws(LedgerError) -> Int {
        let calendar = step.calendar
        var mark = try await store.mark(of: calendar.key)
        let head = try await head(calendar.key)
        let changes = try await store.changedMeters(of: calendar.key, after: mark.change)
        let isFirst = mark.version == 0
        var made = 0
        if !isFirst, mark.version != calendar.newest {
            made += try await settleAll(step)
        } else if !isFirst, !changes.meters.isEmpty {
            made += try await settle(subjects: changes.meters.map(\.subject), step)
        }
        // At first everything is closed for the first time, and nothing is late.
        if !isFirst, head > mark.position {
            made += try await settleLate(mark, upTo: head, step)
        }
        guard !Task.isCancelled else { return made }
        let followed = RecordMark(
            position: max(head, mark.position),
            change: changes.last,
            version: calendar.newest
        )
        guard followed != mark else { return made }
        mark = followed
        var commit = RecordCommit()
        commit.mark = (calendar.key, mark)
        try await store.keep(commit)
        return made
    }

    /// The last event that readings of a meter type know now.
    private func head(_ key: MeterTypeKey) async throws(LedgerError) -> Position {
        let start = Instant(microseconds: 0)
        let query = UsageQuery(
            meterTypes: [key],
            subjects: ["-"],
            range: start..<Instant(microseconds: 1),
            carriedUntil: .earliest
        )
        return try await ledger.readings(query).position
    }

    /// Looks at events that lie before what may be closed by now.
    private func settleLate(
        _ mark: RecordMark,
        upTo head: Position,
        _ step: RecordStep
    ) async throws(LedgerError) -> Int {
        guard let end = try closedEnd(step) else { return 0 }
        var query = EventQuery(range: .earliest..<end, limit: Self.eventsPerStep)
        (query.meterType, query.asOf, query.after) = (step.calendar.key, head, mark.position)
        var made = 0
        while !Task.isCancelled {
            let page = try await ledger.events(query)
            var times: [String: [Instant]] = [:]
            for event in page.events { times[event.subject, default: []].append(event.time) }
            made += try await settle(times: times, step)
            guard page.hasMore, let last = page.events.last else { break }
            query.after = last.position
            var commit = RecordCommit()
            var reached = mark
            reached.position = last.position
            commit.mark = (step.calendar.key, reached)
            try await store.keep(commit)
        }
        return made
    }

    /// No period that ends later is closed; nil where none is.
    private func closedEnd(_ step: RecordStep) throws(LedgerError) -> Instant? {
        let grace = step.calendar.version(at: step.now)?.definition.records.gracePeriod
        let settled = Instant(
            microseconds: step.now.microseconds - (grace ?? .zero).microseconds
        )
        if step.calendar.isInCustomersZone { return settled }
        return try step.calendar.start(around: settled, customers: nil)
    }

    /// Goes through all meters that closed a period, also those that count nothing any more.
    private func settleAll(_ step: RecordStep) async throws(LedgerError) -> Int {
        var made = 0
        var after = ""
        while !Task.isCancelled {
            let ids = try await store.closedMeters(
                of: step.calendar.key,
                after: after,
                limit: Self.metersPerStep
            )
            guard let last = ids.last else { break }
            made += try await settle(subjects: ids.map(\.subject), step)
            after = last.subject
        }
        return made
    }

    private func settle(
        subjects: [String],
        _ step: RecordStep
    ) async throws(LedgerError) -> Int {
        var made = 0
        for meter in try await meters(subjects, step) {
            made += try await settle(meter, times: nil, step)
        }
        return made
    }

    private func settle(
        times: [String: [Instant]],
        _ step: RecordStep
    ) async throws(LedgerError) -> Int {
        var made = 0
        for meter in try await meters(times.keys.sorted(), step) {
            made += try await settle(meter, times: times[meter.id.subject] ?? [], step)
        }
        return made
    }

    private func meters(
        _ subjects: [String],
        _ step: RecordStep
    ) async throws(LedgerError) -> [Meter] {
        var meters: [Meter] = []
        for start in stride(from: 0, to: subjects.count, by: Self.metersPerStep) {
            let some = subjects[start..<min(start + Self.metersPerStep, subjects.count)]
            let query = MeterQuery(
                meterTypes: [step.calendar.key],
                subjects: Array(some),
                at: step.now,
                limit: some.count
            )
            let known = try await ledger.meters(query).meters
            meters += known
            // One that counted something once, and nothing by now.
            let missing = Set(some).subtracting(known.map(\.id.subject)).sorted()
            meters += missing.compactMap { subject in
                MeterID(meterType: step.calendar.key, subject: subject).map { id in
                    let never = Instant(microseconds: 0)
                    return Meter(id: id, events: 0, span: never..<never)
                }
            }
        }
        return meters
    }

    /// Brings the records of a meter's closed periods up to what its readings say.
    ///
    /// - Parameter times: Of events that came; nil: all of its periods may be concerned.
    private func settle(
        _ meter: Meter,
        times: [Instant]?,
        _ step: RecordStep
    ) async throws(LedgerError) -> Int {
        guard let closed = try await store.closings(of: [meter.id])[meter.id] else {
            var step = step
            return try await close([meter], &step)
        }
        let zone = try await zone(of: meter, step.calendar)
        let isCarried =
            step.calendar.version(at: step.now)?.definition.aggregation.isCarried ?? false
        let latest: [UsageRecord]
        let periods: [RecordPeriod]
        if let times, !isCarried {
            latest = try await store.latest(of: meter.id, holding: times)
            let open = times.filter { time in
                time < closed && !latest.contains { $0.period.contains(time) }
            }
            periods = try await missing(meter, open, until: closed, zone, step)
        } else {
            // What is carried may reach into every period after.
            latest = try await store.latest(
                of: meter.id,
                endingAfter: times?.min() ?? .beginning,
                limit: Self.periodsMax
            )
            periods = try missing(meter, times, latest, until: closed, zone, step)
        }
        let told = latest.map { record in
            RecordPeriod(meter: meter, range: record.period, zone: zone)
        }
        var commit = RecordCommit()
        for start in stride(from: 0, to: periods.count, by: Self.metersPerStep) {
            let some = Array(periods[start..<min(start + Self.metersPerStep, periods.count)])
            for (period, reading) in try await readings(some, step).sorted(by: Self.inOrder) {
                let makesZero = step.version(of: period)?.definition.records.makesZeroUsage ?? true
                guard makesZero || reading.isSomething else { continue }
                commit.records.append(try await record(of: period, reading, after: nil, step))
            }
        }
        for start in stride(from: 0, to: told.count, by: Self.metersPerStep) {
            let some = start..<min(start + Self.metersPerStep, told.count)
            let readings = try await readings(Array(told[some]), step)
            for place in some {
                let (record, reading) = (latest[place], readings[told[place]])
                guard let reading, reading.value != record.value || reading.events != record.events
                else { continue }
                commit.records.append(
                    try await self.record(of: told[place], reading, after: record, step)
                )
            }
        }
        guard !commit.records.isEmpty else { return 0 }
        try await store.keep(commit)
        await rest()
        return commit.records.count
    }

    private static func inOrder(
        _ one: (key: RecordPeriod, value: RecordReading),
        _ other: (key: RecordPeriod, value: RecordReading)
    ) -> Bool {
        one.key.range.lowerBound < other.key.range.lowerBound
    }

    /// Periods that are over, hold events and have no record; and where the first of them lies
    /// before the meter's first record, those between.
    private func missing(
        _ meter: Meter,
        _ times: [Instant],
        until closed: Instant,
        _ zone: String?,
        _ step: RecordStep
    ) async throws(LedgerError) -> [RecordPeriod] {
        guard let earliest = times.min() else { return [] }
        let first = try await store.latest(of: meter.id, endingAfter: .beginning, limit: 1).first
        let begin = try step.firstStart(of: meter, zone)
        let known = first?.period.lowerBound ?? closed
        let makesZero = step.calendar.version(at: earliest)?.definition.records.makesZeroUsage
        var periods: [RecordPeriod] = []
        func add(from start: Instant) throws(LedgerError) -> Instant? {
            guard var end = try step.calendar.end(of: start, customers: zone)?.end else {
                return nil
            }
            end = min(end, start < known ? known : closed)
            periods.append(RecordPeriod(meter: meter, range: start..<end, zone: zone))
            return end
        }
        func start(around time: Instant) throws(LedgerError) -> Instant {
            let start = try step.calendar.start(around: time, customers: zone) ?? time
            return max(start, begin ?? start)
        }
        if makesZero ?? true, earliest < known {
            var next: Instant? = try start(around: earliest)
            while let start = next, start < known, periods.count < Self.periodsMax {
                next = try add(from: start)
            }
        }
        for time in times.sorted() where periods.last?.range.contains(time) != true {
            if makesZero ?? true, time < known { continue }
            _ = try add(from: try start(around: time))
        }
        return periods
    }

    /// Periods that are over and have no record: those before a meter's first one, and those that
    /// were left out as nothing was used.
    private func missing(
        _ meter: Meter,
        _ times: [Instant]?,
        _ latest: [UsageRecord],
        until closed: Instant,
        _ zone: String?,
        _ step: RecordStep
    ) throws(LedgerError) -> [RecordPeriod] {
        let begin = try step.firstStart(of: meter, zone)
        guard var start = times == nil ? begin : try earliest(times ?? [], zone, step, begin) else {
            return []
        }
        let known = latest.map(\.period)
        var place = 0
        var periods: [RecordPeriod] = []
        while start < closed, periods.count < Self.periodsMax {
            while place < known.count, known[place].upperBound <= start { place += 1 }
            if place < known.count, known[place].lowerBound <= start {
                start = known[place].upperBound
                continue
            }
            guard var end = try step.calendar.end(of: start, customers: zone)?.end else { break }
            if place < known.count { end = min(end, known[place].lowerBound) }
            end = min(end, closed)
            periods.append(RecordPeriod(meter: meter, range: start..<end, zone: zone))
            start = end
        }
        return periods
    }

    private func earliest(
        _ times: [Instant],
        _ zone: String?,
        _ step: RecordStep,
        _ begin: Instant?
    ) throws(LedgerError) -> Instant? {
        guard let first = times.min() else { return nil }
        let start = try step.calendar.start(around: first, customers: zone) ?? first
        return max(start, begin ?? start)
    }
}
