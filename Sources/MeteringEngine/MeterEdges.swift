internal import Metering
internal import UsageModel

/// Finds the times of a meter's earliest and latest event.
///
/// Rollups know the quarters of an hour they lie in. Within a quarter, one event is asked for, then
/// one that lies further out than it, and so on until there is none: in a log that came in the
/// order of time that is two questions, each of which reads few blocks.
struct MeterEdges {
    /// As known at ``known``.
    let meter: Meter
    let known: Position
    /// Where the times are to be true; not before ``known``.
    let position: Position

    /// - Returns: nil where a quarter holds so many events in so bad an order that
    ///   ``Limits/meterEdgeRoundsMax`` questions do not find the end.
    func times(in ledger: some UsageLedger) async throws(LedgerError) -> ClosedRange<Instant>? {
        let start = meter.span.lowerBound
        let quarter = RollupBucket.start(RollupBucket.index(of: start) + 1)
        let end = meter.span.upperBound
        let lastMicrosecond = Instant(microseconds: end.microseconds - 1)
        let lastQuarter = RollupBucket.start(RollupBucket.index(of: lastMicrosecond))
        guard var first = try await edge(of: start..<quarter, isLast: false, in: ledger),
            var last = try await edge(of: lastQuarter..<end, isLast: true, in: ledger)
        else { return nil }
        for time in try await timesSince(in: ledger) {
            (first, last) = (min(first, time), max(last, time))
        }
        return first <= last ? first...last : nil
    }

    private func edge(
        of quarter: Range<Instant>,
        isLast: Bool,
        in ledger: some UsageLedger
    ) async throws(LedgerError) -> Instant? {
        var range = quarter
        var found: Instant?
        for round in 0..<Limits.meterEdgeRoundsMax {
            // Many at once, where one at a time leads nowhere.
            var query = query(range, limit: min(1 << (round / 2), UsageQuery.rowsMax))
            (query.asOf, query.isDescending) = (known, isLast)
            let page = try await ledger.events(query)
            let times = page.events.map(\.time)
            guard let best = isLast ? times.max() : times.min() else { return found }
            if !page.hasMore { return best }
            found = best
            let behind = Instant(microseconds: best.microseconds + 1)
            range = isLast ? behind..<range.upperBound : range.lowerBound..<best
            if range.isEmpty { return best }
        }
        return nil
    }

    /// What came in between ``known`` and ``position``: a moment's events.
    private func timesSince(in ledger: some UsageLedger) async throws(LedgerError) -> [Instant] {
        guard position > known else { return [] }
        var query = query(Instant.earliest..<Instant.latest, limit: UsageQuery.rowsMax)
        (query.asOf, query.after) = (position, known)
        var times: [Instant] = []
        while true {
            let page = try await ledger.events(query)
            times += page.events.map(\.time)
            guard page.hasMore, let last = page.events.last else { return times }
            query.after = last.position
        }
    }

    private func query(_ range: Range<Instant>, limit: Int) -> EventQuery {
        var query = EventQuery(range: range, limit: limit)
        (query.subject, query.meterType) = (meter.id.subject, meter.id.meterType)
        return query
    }
}
