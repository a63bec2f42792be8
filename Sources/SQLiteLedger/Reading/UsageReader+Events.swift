internal import Metering
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

// What rollups do not answer for is read from the events.
extension UsageReader {
    mutating func readEvents(_ windows: UsageWindows, upTo position: UInt64) throws {
        var last = try visitEvents(windows, upTo: position) { reader, batch, first in
            reader.take(batch, from: first, upTo: position, windows)
        }
        guard let tried else { return }
        let end = position + 1
        let preparer = last.preparer(of: asSeen.filter { $0.covers(Position(end)) })
        take(preparer.prepareAgain(tried), from: end, upTo: .max, windows)
    }

    /// The versions as a question about a position sees them.
    private var asSeen: [MeterType] {
        meterTypes.values.sorted { $0.number < $1.number }.map { meterType in
            // As of a position its own: the type counts all of history up to there.
            var meterType = meterType
            meterType.backfilled = meterType.countsAfter ?? .zero
            return meterType
        }
    }

    /// Visits the events of the blocks that rollups did not answer for, as the versions measure
    /// them.
    ///
    /// - Returns: what they were measured with at last.
    @discardableResult
    mutating func visitEvents(
        _ windows: UsageWindows,
        upTo position: UInt64,
        _ body: (inout UsageReader, PreparedBatch, _ first: UInt64) -> Void
    ) throws -> LastPreparer {
        let asked = asSeen
        let scan = scan(windows, upTo: position)
        var last = LastPreparer(hashKey: core.truth.hashKey)
        try scan.visit { block in
            let first = block.firstPosition
            let preparer = last.preparer(of: asked.filter { $0.covers(Position(first)) })
            body(&self, block.prepared(by: preparer), first)
            return true
        }
        return last
    }

    /// The blocks that hold what the rollups did not answer for.
    func scan(_ windows: UsageWindows, upTo position: UInt64) -> BlockScan {
        BlockScan(
            truth: core.truth,
            upTo: position,
            // Where nobody is asked for, no block is.
            ranges: asked?.isEmpty == true ? [] : eventRanges(windows),
            subjects: asked.map { Array($0) } ?? [],
            types: meterTypes.values.flatMap(\.definition.eventTypes)
        )
    }

    mutating func take(
        _ batch: PreparedBatch,
        from first: UInt64,
        upTo position: UInt64,
        _ windows: UsageWindows
    ) {
        for (place, event) in batch.events.enumerated() {
            let at = first + UInt64(place)
            let isCut = windows.readsEvents(in: event.bucket)
            guard at >= since, at <= position, event.contributionCount > 0,
                asked?.contains(event.subjectHash) ?? true,
                corrections.history.counts(at, asOf: position)
            else { continue }
            if windows.readsEventsOnly, hasCarried { takeSamples(event, at, of: batch) }
            guard isCut || partial.contains(event.bucket),
                let window = windows.window(at: event.time)
            else { continue }
            var subject: UInt32 = 0
            if showsCustomer || !bySubject.isEmpty {
                subject = number(of: Array(batch.bytes[event.decoded.subject.range]))
            }
            take(event, of: subject, at, batch, window, isCut: isCut)
        }
    }

    /// - Parameter isCut: Whether no state of the event's bucket was taken; otherwise those that
    ///   belong as a whole were.
    private mutating func take(
        _ event: PreparedEvent,
        of subject: UInt32,
        _ position: UInt64,
        _ batch: PreparedBatch,
        _ window: Int,
        isCut: Bool
    ) {
        let customer = coverage.subjects.owner(of: subject, at: event.time)
        let first = Int(event.firstContribution)
        for contribution in batch.contributions[first..<(first + Int(event.contributionCount))] {
            let meter = contribution.meter
            guard contribution.unreadable == nil, !contribution.aggregation.isCarried,
                coverage.instant(meter: meter, subject: subject, time: event.time),
                isCut
                    || coverage.bucket(meter: meter, subject: subject, bucket: event.bucket)
                        == .partial
            else { continue }
            let key = RowKey(
                window: window,
                meter: meter,
                customer: customer,
                subject: showsSubject ? subject : 0,
                tuple: showsDimensions ? number(of: batch.tuples[Int(contribution.tuple)]) : 0
            )
            add(contribution, of: batch, event.time, position, to: key)
        }
    }

    private mutating func add(
        _ contribution: Contribution,
        of batch: PreparedBatch,
        _ time: Instant,
        _ position: UInt64,
        to key: RowKey
    ) {
        let state = MeterState(
            contribution.aggregation,
            mantissa: contribution.mantissa,
            time: time.microseconds,
            position: position
        )
        if rows[key] == nil { held += 1 }
        rows[key, default: MeterFold()].state.merge(state, contribution.aggregation)
        batch.forEachElement(of: contribution) { element in
            let isNew = rows[key, default: MeterFold()]
                .add(element, events: 1, contribution.aggregation)
            if isNew { held += 1 }
        }
    }
}
