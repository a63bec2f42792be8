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
            // First: a page of events moves the mark past the corrections that lie among them.
            made += try await followCorrections(mark, upTo: head, step)
            made += try await followEvents(mark, upTo: head, step)
        }
        made += try await watchAll(step, isNew: isFirst || mark.version != calendar.newest)
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

    /// Looks at the events that came: those that lie before what may be closed by now, and where
    /// there are thresholds all of them.
    private func followEvents(
        _ mark: RecordMark,
        upTo head: Position,
        _ step: RecordStep
    ) async throws(LedgerError) -> Int {
        let closed = step.calendar.latestEnd(closedBy: step.now)
        guard let end = step.hasThresholds ? .end : closed else { return 0 }
        var query = EventQuery(range: .earliest..<end, limit: Self.eventsPerStep)
        (query.meterType, query.asOf, query.after) = (step.calendar.key, head, mark.position)
        var made = 0
        while !Task.isCancelled {
            let page = try await ledger.events(query)
            var times: [String: [Instant]] = [:]
            var subjects: Set<String> = []
            for event in page.events {
                if let closed, event.time < closed {
                    times[event.subject, default: []].append(event.time)
                }
                if step.hasThresholds { subjects.insert(event.subject) }
            }
            made += try await settle(times: times, step)
            made += try await watch(subjects: subjects.sorted(), step)
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

    /// Looks at the events that corrections voided, replaced or restored, as at events that come.
    private func followCorrections(
        _ mark: RecordMark,
        upTo head: Position,
        _ step: RecordStep
    ) async throws(LedgerError) -> Int {
        let closed = step.calendar.latestEnd(closedBy: step.now)
        guard closed != nil || step.hasThresholds else { return 0 }
        var query = CorrectedQuery(after: mark.position, upTo: head, limit: Self.eventsPerStep)
        var made = 0
        while !Task.isCancelled {
            let page = try await ledger.corrected(query)
            var times: [String: [Instant]] = [:]
            for event in page.events {
                if let closed, event.time < closed {
                    times[event.subject, default: []].append(event.time)
                }
            }
            made += try await settle(times: times, step)
            if step.hasThresholds {
                let subjects = Set(page.events.map(\.subject))
                made += try await watch(subjects: subjects.sorted(), step)
            }
            guard page.hasMore, let last = page.events.last else { break }
            query.cursor = last.place
        }
        return made
    }

    private func watch(subjects: [String], _ step: RecordStep) async throws(LedgerError) -> Int {
        var made = 0
        for start in stride(from: 0, to: subjects.count, by: Self.metersPerStep) {
            let end = min(start + Self.metersPerStep, subjects.count)
            let some = try await meters(Array(subjects[start..<end]), step)
            made += try await watch(some, step)
        }
        return made
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

    /// Settles meters of which something else is known by now, and closes what is over of them: the
    /// end of one may have been taken back.
    private func settle(
        subjects: [String],
        _ step: RecordStep
    ) async throws(LedgerError) -> Int {
        var made = 0
        for start in stride(from: 0, to: subjects.count, by: Self.metersPerStep) {
            let end = min(start + Self.metersPerStep, subjects.count)
            let some = try await meters(Array(subjects[start..<end]), step)
            for meter in some { made += try await settle(meter, times: nil, step) }
            made += try await close(some, step)
            made += try await watch(some, step)
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
}
