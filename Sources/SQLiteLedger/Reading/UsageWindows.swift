internal import Metering
internal import MeteringEngine
internal import UsageModel

/// The windows of a question, and which rollup buckets their edges cut.
///
/// A bucket that lies in one window as a whole is read from the rollups; one that an edge cuts, or
/// that holds corrected events, is read from its events, so that every range is exact to the
/// microsecond.
struct UsageWindows {
    /// What the answer shows.
    let ranges: [Range<Instant>]
    /// The starts of the ranges, clamped to the years that exist; and the end of the last.
    let edges: [Int64]
    private let cut: Set<Int32>
    /// Whether everything is read from events: a question about the past.
    let readsEventsOnly: Bool

    /// - Parameter corrected: Buckets whose rollups count events that are void.
    init(
        _ query: UsageQuery,
        readsEventsOnly: Bool,
        corrected: Set<Int32> = []
    ) throws(LedgerError) {
        ranges = try query.windows()
        self.readsEventsOnly = readsEventsOnly
        let clamped = query.range.clamped(to: Instant.reach)
        var edges = ranges.map { max($0.lowerBound, clamped.lowerBound).microseconds }
        edges.append(max(clamped.lowerBound, clamped.upperBound).microseconds)
        self.edges = edges
        cut = Set(
            edges.compactMap { edge in
                let bucket = RollupBucket.index(of: Instant(microseconds: edge))
                return RollupBucket.start(bucket).microseconds == edge ? nil : bucket
            }
        ).union(corrected)
    }

    /// The buckets that the windows touch.
    var buckets: Range<Int32> {
        guard let first = edges.first, let last = edges.last, first < last else { return 0..<0 }
        let upper = RollupBucket.index(of: Instant(microseconds: last - 1)) + 1
        return RollupBucket.index(of: Instant(microseconds: first))..<upper
    }

    /// The window of a bucket; nil where it must be read from its events, or is in none.
    func window(ofBucket bucket: Int32) -> Int? {
        guard !readsEvents(in: bucket) else { return nil }
        return window(at: RollupBucket.start(bucket))
    }

    /// Whether rollups answer for nothing in a bucket.
    func readsEvents(in bucket: Int32) -> Bool { readsEventsOnly || cut.contains(bucket) }

    func window(at time: Instant) -> Int? {
        guard let first = edges.first, let last = edges.last, time.microseconds >= first,
            time.microseconds < last
        else { return nil }
        var (low, high) = (0, edges.count - 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            if edges[middle] <= time.microseconds { low = middle } else { high = middle }
        }
        return low
    }

    /// The stretches of time to be read from events, joined where they touch.
    ///
    /// - Parameter partial: Further buckets of which rollups do not answer for everything.
    func eventRanges(and partial: Set<Int32>) -> [Range<Instant>] {
        guard let first = edges.first, let last = edges.last, first < last else { return [] }
        let whole = Instant(microseconds: first)..<Instant(microseconds: last)
        if readsEventsOnly { return [whole] }
        var joined: [Range<Instant>] = []
        for bucket in cut.union(partial).sorted() {
            let range = (RollupBucket.start(bucket)..<RollupBucket.start(bucket + 1))
                .clamped(to: whole)
            guard !range.isEmpty else { continue }
            if let before = joined.last, before.upperBound == range.lowerBound {
                joined[joined.count - 1] = before.lowerBound..<range.upperBound
            } else {
                joined.append(range)
            }
        }
        return joined
    }
}
