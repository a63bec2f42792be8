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

    /// - Returns: nil for an edge whose quarter is spread over so many blocks, or in so bad an
    ///   order, that ``Limits/meterEdgeRoundsMax`` questions of ``Limits/meterEdgeBlocksMax`` do
    ///   not find it.
    func times(
        in ledger: some UsageLedger
    ) async throws(LedgerError) -> (first: Instant?, last: Instant?) {
        let (start, end) = (meter.span.lowerBound, meter.span.upperBound)
        let second = RollupBucket.start(RollupBucket.index(of: start) + 1)
        let lastMicrosecond = Instant(microseconds: end.microseconds - 1)
        let last = RollupBucket.start(RollupBucket.index(of: lastMicrosecond))
        let since = try await timesSince(in: ledger)
        let first = try await edge(of: start..<second, isLast: false, in: ledger)
        let latest = try await edge(of: last..<end, isLast: true, in: ledger)
        return (
            first.map { since.reduce($0) { min($0, $1) } },
            latest.map { since.reduce($0) { max($0, $1) } }
        )
    }

    private func edge(
        of quarter: Range<Instant>,
        isLast: Bool,
        in ledger: some UsageLedger
    ) async throws(LedgerError) -> Instant? {
        var range = quarter
        var found: Instant?
        for round in 0..<Limits.meterEdgeRoundsMax {
            // More at once, where few at a time lead nowhere.
            var query = query(range, limit: min(1 << round, UsageQuery.rowsMax))
            (query.asOf, query.isDescending) = (known, isLast)
            query.blocksMax = Limits.meterEdgeBlocksMax
            guard let page = try await page(query, in: ledger) else { return nil }
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

    private func page(
        _ query: EventQuery,
        in ledger: some UsageLedger
    ) async throws(LedgerError) -> EventAnswer? {
        do throws(LedgerError) { return try await ledger.events(query) } catch {
            if error.code == .limitExceeded { return nil }
            throw error
        }
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
        (query.subjects, query.meterType) = ([meter.id.subject], meter.id.meterType)
        return query
    }
}
