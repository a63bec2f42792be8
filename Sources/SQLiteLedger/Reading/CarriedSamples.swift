internal import Metering
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

/// What was told to meters whose values reach beyond their events, gathered series by series: by
/// subject, by dimension values and by the stretch in which a version counts the subject, whatever
/// a question groups by.
struct CarriedSamples {
    struct SeriesKey: Hashable {
        /// See ``Coverage/series(of:)``.
        var meter: UInt32
        var subject: UInt32
        var tuple: UInt32
        var stretch: Range<Instant>
    }

    fileprivate var series: [SeriesKey: SampleSeries] = [:]

    fileprivate mutating func add(
        _ key: SeriesKey,
        _ aggregation: Aggregation,
        _ body: (inout SampleSeries) -> Void
    ) {
        body(&series[key, default: SampleSeries(aggregation)])
    }
}

// Samples of the windows' buckets are read one by one, so that edges within a bucket are exact and
// need no events. Of the buckets before, the state of each is enough: the last value told, or the
// sum of the changes. Only where the stretch in which a meter counts begins or ends within such a
// bucket, its samples are read too.
extension UsageReader {
    var hasCarried: Bool { meterTypes.values.contains { $0.definition.aggregation.isCarried } }

    mutating func visitSamples<Fault: Error>(
        _ windows: UsageWindows,
        _ source: (UInt8, UInt32?, Range<Int32>, CellBody) throws(Fault) -> Void
    ) throws(Fault) {
        let buckets = windows.buckets
        guard hasCarried, !buckets.isEmpty else { return }
        let past = firstBucket(before: buckets.lowerBound)..<buckets.lowerBound
        let cut = cutBuckets(past)
        for subject in askedSubjects {
            try source(CellKind.sample, subject, buckets) { take(sample: $0, $1, $2) }
            if !past.isEmpty {
                try source(CellKind.usage, subject, past) { take(past: $0, $1, $2) }
            }
            if !cut.isEmpty {
                try source(CellKind.sample, subject, cut) { take(cut: $0, $1, $2) }
            }
        }
    }

    /// Where values that are still held may have been told.
    private func firstBucket(before bucket: Int32) -> Int32 {
        var first = bucket
        for meterType in meterTypes.values where meterType.definition.aggregation.isCarried {
            guard let carryMax = meterType.definition.carryMax else { return .min }
            let start = RollupBucket.start(bucket).microseconds - carryMax.microseconds
            first = min(first, RollupBucket.index(of: Instant(microseconds: start)))
        }
        return first
    }

    private func cutBuckets(_ past: Range<Int32>) -> Range<Int32> {
        let cut = meterTypes.values.filter(\.definition.aggregation.isCarried)
            .map { coverage.cut(meter: $0.number, in: past) }.filter { !$0.isEmpty }
        guard let first = cut.map(\.lowerBound).min(), let last = cut.map(\.upperBound).max() else {
            return 0..<0
        }
        return first..<last
    }

    /// The aggregation of a cell that is of a series; nil where it is of none that was asked for.
    private func aggregation(_ key: CellKey, _ meter: UInt32) -> Aggregation? {
        guard let aggregation = meterTypes[meter]?.definition.aggregation, aggregation.isCarried
        else { return nil }
        // Changes of a level add up in any order: where no subject shows, those of all together
        // are enough.
        let isOfAll = key.subject == CellKind.allSubjects
        return isOfAll == bySubject.contains(meter) ? nil : aggregation
    }

    private mutating func take(sample key: CellKey, _ meter: UInt32, _ state: MeterState) {
        guard let aggregation = aggregation(key, meter) else { return }
        let time = Instant(microseconds: key.element.microseconds)
        guard let stretch = coverage.stretch(meter: meter, subject: key.subject, time: time) else {
            return
        }
        carried.add(series(key, meter, stretch), aggregation) {
            $0.add(state, at: time.microseconds)
        }
    }

    private mutating func take(cut key: CellKey, _ meter: UInt32, _ state: MeterState) {
        let (subject, bucket) = (key.subject, key.bucket)
        // Where one stretch holds the bucket, its state was taken.
        guard coverage.stretch(meter: meter, subject: subject, holding: bucket) == nil else {
            return
        }
        take(sample: key, meter, state)
    }

    private mutating func take(past key: CellKey, _ meter: UInt32, _ state: MeterState) {
        let (subject, bucket) = (key.subject, key.bucket)
        guard let aggregation = aggregation(key, meter),
            let stretch = coverage.stretch(meter: meter, subject: subject, holding: bucket)
        else { return }
        let start = RollupBucket.start(bucket).microseconds
        carried.add(series(key, meter, stretch), aggregation) { $0.add(past: state, from: start) }
    }

    private func series(
        _ key: CellKey,
        _ meter: UInt32,
        _ stretch: Range<Instant>
    ) -> CarriedSamples.SeriesKey {
        CarriedSamples.SeriesKey(
            meter: coverage.series(of: meter),
            subject: key.subject,
            tuple: key.dimensions,
            stretch: stretch
        )
    }

    // MARK: Events

    /// The stretches of time to be read from events: the past of a series matters too, and what
    /// the rollups have of one is exact as it is.
    func eventRanges(_ windows: UsageWindows) -> [Range<Instant>] {
        let ranges = windows.eventRanges(and: partial)
        guard hasCarried, let last = ranges.last else { return ranges }
        if windows.readsEventsOnly { return [Instant.reach.lowerBound..<last.upperBound] }
        let isAllCarried = meterTypes.values.allSatisfy { $0.definition.aggregation.isCarried }
        return isAllCarried ? [] : ranges
    }

    mutating func takeSamples(
        _ event: PreparedEvent,
        _ position: UInt64,
        of batch: PreparedBatch
    ) {
        let subject = number(of: Array(batch.bytes[event.decoded.subject.range]))
        let first = Int(event.firstContribution)
        for contribution in batch.contributions[first..<(first + Int(event.contributionCount))]
        where contribution.unreadable == nil && contribution.aggregation.isCarried {
            let meter = contribution.meter
            guard let stretch = coverage.stretch(meter: meter, subject: subject, time: event.time)
            else { continue }
            let key = CarriedSamples.SeriesKey(
                meter: coverage.series(of: meter),
                subject: subject,
                tuple: number(of: batch.tuples[Int(contribution.tuple)]),
                stretch: stretch
            )
            held += 1
            let state = MeterState(
                sampleOf: contribution.aggregation,
                mantissa: contribution.mantissa,
                position: position
            )
            carried.add(key, contribution.aggregation) {
                $0.add(state, at: event.time.microseconds)
            }
        }
    }

    // MARK: Rows

    /// Adds what the series are worth to the rows: each in the part of its stretch that belongs to
    /// a customer, where that is asked for.
    mutating func closeSeries(_ windows: UsageWindows) {
        let gathered = carried.series
        carried = CarriedSamples()
        for (key, series) in gathered {
            guard let definition = meterTypes[key.meter]?.definition else { continue }
            let end = min(key.stretch.upperBound, definition.activeTo ?? key.stretch.upperBound)
            let stretch = key.stretch.lowerBound..<max(key.stretch.lowerBound, end)
            for part in coverage.subjects.parts(of: stretch, subject: key.subject) {
                add(series, key, part, windows)
            }
        }
    }

    private mutating func add(
        _ series: SampleSeries,
        _ key: CarriedSamples.SeriesKey,
        _ part: (range: Range<Instant>, customer: UInt32),
        _ windows: UsageWindows
    ) {
        guard let meterType = meterTypes[key.meter] else { return }
        let folds = series.folds(
            over: windows.edges,
            within: part.range.lowerBound.microseconds..<part.range.upperBound.microseconds,
            until: meterType.carries(until: query.carriedUntil).microseconds,
            carryMax: meterType.definition.carryMax?.microseconds
        )
        for (window, fold) in folds {
            let row = RowKey(
                window: window,
                meter: key.meter,
                customer: part.customer,
                subject: showsSubject ? key.subject : 0,
                tuple: showsDimensions ? key.tuple : 0
            )
            rows[row, default: MeterFold()].merge(fold, meterType.definition.aggregation)
        }
    }
}
