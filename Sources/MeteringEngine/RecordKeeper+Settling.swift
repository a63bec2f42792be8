internal import Metering
internal import UsageModel

// Settling: what the records of a meter's closed periods say is brought up to its readings.
extension RecordKeeper {
    /// Settles the closed periods of a meter; where its type says so, only notes that they are to
    /// be settled at the next close, if there is to be one.
    ///
    /// - Parameter times: Of events that came; nil: all of its periods may be concerned.
    /// - Returns: how many records it made.
    func settle(
        _ meter: Meter,
        times: [Instant]?,
        _ step: RecordStep
    ) async throws(LedgerError) -> Int {
        guard let closing = try await store.closings(of: [meter.id])[meter.id] else {
            return try await close([meter], step)
        }
        let closed = closing.until
        let zone = try await zone(of: meter, step.calendar)
        var commit = RecordCommit()
        // One that counts nothing any more has no next close either.
        let goesOn = try step.firstStart(of: meter, zone) != nil
        if step.rules(at: step.now).collects, goesOn, !step.isOver(meter, closed: closed) {
            let from = times.map { $0.min() ?? closed } ?? .beginning
            guard from < closed, from < closing.unsettledFrom ?? .end else { return 0 }
            commit.unsettled[meter.id] = from
            try await store.keep(commit)
            return 0
        }
        if times == nil, closing.unsettledFrom != nil {
            commit.settled = [meter.id]
        }
        let definition = step.calendar.version(at: step.now)?.definition
        if let times, definition?.aggregation.isCarried != true {
            let latest = try await store.latest(of: meter.id, holding: times)
            let open = times.filter { time in
                time < closed && !latest.contains { $0.period.contains(time) }
            }
            let periods = try await unrecorded(meter, open, until: closed, zone, step)
            commit.records = try await changes(meter, latest, periods, zone, step)
            return try await keep(commit)
        }
        // What is carried may reach into every period after.
        var made = 0
        try await eachPage(of: meter, since: times?.min(), until: closed, zone, step) {
            records throws(LedgerError) in
            var commit = RecordCommit()
            commit.records = records
            made += try await keep(commit)
        }
        return try await made + keep(commit)
    }

    private func keep(_ commit: RecordCommit) async throws(LedgerError) -> Int {
        guard !commit.isEmpty else { return 0 }
        try await store.keep(commit)
        await rest()
        return commit.records.count
    }

    /// What changed in the closed periods of a meter since the one that holds an instant.
    ///
    /// - Parameter instant: Beyond all time: all of them.
    func changes(
        of meter: Meter,
        since instant: Instant,
        until closed: Instant,
        _ step: RecordStep
    ) async throws(LedgerError) -> [UsageRecord] {
        let zone = try await zone(of: meter, step.calendar)
        let since = instant > .beginning ? instant : nil
        var changes: [UsageRecord] = []
        try await eachPage(of: meter, since: since, until: closed, zone, step) {
            records throws(LedgerError) in changes += records
        }
        return changes
    }

    /// Looks at the closed periods of a meter since the one that holds an instant, a page of them
    /// at a time.
    ///
    /// - Parameters:
    ///   - instant: nil: at all of them.
    ///   - body: Is given the records that say what changed in those of a page.
    private func eachPage(
        of meter: Meter,
        since instant: Instant?,
        until closed: Instant,
        _ zone: String?,
        _ step: RecordStep,
        _ body: ([UsageRecord]) async throws(LedgerError) -> Void
    ) async throws(LedgerError) {
        // Where periods without a record may begin, and after which those with one end.
        var begin = try step.firstStart(of: meter, zone)
        var from = Instant.beginning
        if let instant {
            let start = try start(holding: instant, of: meter, zone, step)
            (begin, from) = (start, start)
        }
        var start = begin
        while !Task.isCancelled {
            let page = try await store.latest(
                of: meter.id,
                endingAfter: from,
                limit: Self.periodsPerPage
            )
            let told = page.records.last?.period.upperBound
            let end = page.hasMore ? told ?? closed : closed
            let periods = try between(page.records, meter, from: start, until: end, zone, step)
            try await body(changes(meter, page.records, periods, zone, step))
            var reached = end
            if periods.count >= Self.periodsPerPage, let last = periods.last {
                reached = last.range.upperBound
            }
            guard reached < closed, reached > from else { break }
            (start, from) = (begin.map { max($0, reached) }, reached)
        }
    }

    /// The records of periods that have none, and adjustments of those that there are.
    private func changes(
        _ meter: Meter,
        _ latest: [UsageRecord],
        _ periods: [RecordPeriod],
        _ zone: String?,
        _ step: RecordStep
    ) async throws(LedgerError) -> [UsageRecord] {
        let told = latest.map { record in
            RecordPeriod(meter: meter, range: record.period, zone: zone)
        }
        var records: [UsageRecord] = []
        for start in stride(from: 0, to: periods.count, by: Self.metersPerStep) {
            let some = Array(periods[start..<min(start + Self.metersPerStep, periods.count)])
            let readings = try await readings(some, step)
            for period in some {
                let makesZero = step.rules(of: period).makesZeroUsage
                guard let reading = readings[period], makesZero || reading.isSomething else {
                    continue
                }
                records.append(try await record(of: period, reading, after: nil, step))
            }
        }
        for start in stride(from: 0, to: told.count, by: Self.metersPerStep) {
            let some = start..<min(start + Self.metersPerStep, told.count)
            let readings = try await readings(Array(told[some]), step)
            for place in some {
                let (record, reading) = (latest[place], readings[told[place]])
                guard let reading, reading.value != record.value || reading.events != record.events
                else { continue }
                records.append(
                    try await self.record(of: told[place], reading, after: record, step)
                )
            }
        }
        return records
    }

    // MARK: Periods without a record

    /// Periods that are over and hold events; and where the first of them lies before the meter's
    /// first record, those between.
    private func unrecorded(
        _ meter: Meter,
        _ times: [Instant],
        until closed: Instant,
        _ zone: String?,
        _ step: RecordStep
    ) async throws(LedgerError) -> [RecordPeriod] {
        guard let earliest = times.min() else { return [] }
        let first = try await store.latest(of: meter.id, endingAfter: .beginning, limit: 1)
        let known = first.records.first?.period.lowerBound ?? closed
        let makesZero = step.rules(at: earliest).makesZeroUsage
        var periods: [RecordPeriod] = []
        if makesZero, earliest < known {
            var start = try start(holding: earliest, of: meter, zone, step)
            while start < known {
                periods += try between([], meter, from: start, until: known, zone, step)
                start = periods.last?.range.upperBound ?? known
            }
        }
        for time in times.sorted() where periods.last?.range.contains(time) != true {
            if makesZero, time < known { continue }
            if let period = try await unrecorded(meter, holding: time, until: closed, zone, step) {
                periods.append(period)
            }
        }
        return periods
    }

    /// The period that holds an instant that lies in none of the meter's records.
    private func unrecorded(
        _ meter: Meter,
        holding time: Instant,
        until closed: Instant,
        _ zone: String?,
        _ step: RecordStep
    ) async throws(LedgerError) -> RecordPeriod? {
        var start = try start(holding: time, of: meter, zone, step)
        var next = try await store.latest(of: meter.id, endingAfter: start, limit: 1).records.first
        // Under other versions that were in force then, periods may have ended elsewhere.
        while let past = next?.period.upperBound, past <= time {
            start = try step.calendar.start(holding: time, from: past, customers: zone)
            next = try await store.latest(of: meter.id, endingAfter: start, limit: 1).records.first
        }
        guard start <= time else { return nil }
        let until = next?.period.lowerBound ?? closed
        let end = try step.calendar.end(of: start, customers: zone)?.end ?? until
        return RecordPeriod(meter: meter, range: start..<min(end, until), zone: zone)
    }

    /// The periods from one on that none of some records is of; all of those that lie before one
    /// of them, and at least ``periodsPerPage`` where there are as many.
    private func between(
        _ latest: [UsageRecord],
        _ meter: Meter,
        from begin: Instant?,
        until closed: Instant,
        _ zone: String?,
        _ step: RecordStep
    ) throws(LedgerError) -> [RecordPeriod] {
        guard var start = begin else { return [] }
        let known = latest.map(\.period)
        var place = 0
        var periods: [RecordPeriod] = []
        while start < closed, place < known.count || periods.count < Self.periodsPerPage {
            while place < known.count, known[place].upperBound <= start { place += 1 }
            if place < known.count, known[place].lowerBound <= start {
                start = known[place].upperBound
                continue
            }
            // All of it is closed, also what would go on as the versions say by now.
            var end = try step.calendar.end(of: start, customers: zone)?.end ?? closed
            if place < known.count { end = min(end, known[place].lowerBound) }
            end = min(end, closed)
            periods.append(RecordPeriod(meter: meter, range: start..<end, zone: zone))
            start = end
        }
        return periods
    }

    /// The start of the period that holds an instant, of those from the meter's first on.
    private func start(
        holding instant: Instant,
        of meter: Meter,
        _ zone: String?,
        _ step: RecordStep
    ) throws(LedgerError) -> Instant {
        guard let first = try step.firstStart(of: meter, zone) else {
            return try step.calendar.start(around: instant, customers: zone)
        }
        return try step.calendar.start(holding: instant, from: first, customers: zone)
    }
}
