public import UsageModel

/// A set of time: half-open ranges in order, none empty, no two of which touch.
public struct TimeSpans: Hashable, Sendable {
    public private(set) var ranges: [Range<Instant>]

    public static let always = TimeSpans(.allTime)
    public static let never = TimeSpans(ranges: [])

    private init(ranges: [Range<Instant>]) { self.ranges = ranges }

    public init(_ range: Range<Instant>) { ranges = range.isEmpty ? [] : [range] }

    public var isEmpty: Bool { ranges.isEmpty }

    /// - Complexity: O(log n).
    public func contains(_ instant: Instant) -> Bool {
        range(containing: instant) != nil
    }

    /// The range of the set that an instant lies in.
    /// - Complexity: O(log n).
    public func range(containing instant: Instant) -> Range<Instant>? {
        let place = firstRange(endingAfter: instant)
        guard place < ranges.count, ranges[place].lowerBound <= instant else { return nil }
        return ranges[place]
    }

    /// How much of a range is in the set.
    public enum Extent: Hashable, Sendable { case whole, partial, none }

    /// - Parameter range: Not empty.
    /// - Complexity: O(log n).
    public func extent(of range: Range<Instant>) -> Extent {
        let place = firstRange(endingAfter: range.lowerBound)
        guard place < ranges.count, ranges[place].lowerBound < range.upperBound else {
            return .none
        }
        let isWhole =
            ranges[place].lowerBound <= range.lowerBound
            && ranges[place].upperBound >= range.upperBound
        return isWhole ? .whole : .partial
    }

    public mutating func insert(_ range: Range<Instant>) {
        guard !range.isEmpty else { return }
        var joined = range
        var rest: [Range<Instant>] = []
        for known in ranges {
            if known.upperBound < joined.lowerBound || known.lowerBound > joined.upperBound {
                rest.append(known)
            } else {
                joined =
                    min(
                        known.lowerBound,
                        joined.lowerBound
                    )..<max(
                        known.upperBound,
                        joined.upperBound
                    )
            }
        }
        let place = rest.firstIndex { $0.lowerBound > joined.lowerBound } ?? rest.count
        rest.insert(joined, at: place)
        ranges = rest
    }

    public mutating func remove(_ range: Range<Instant>) {
        guard !range.isEmpty else { return }
        ranges = ranges.flatMap { known -> [Range<Instant>] in
            guard known.overlaps(range) else { return [known] }
            return [
                known.lowerBound..<max(known.lowerBound, range.lowerBound),
                min(known.upperBound, range.upperBound)..<known.upperBound,
            ].filter { !$0.isEmpty }
        }
    }

    public func clamped(to range: Range<Instant>) -> TimeSpans {
        TimeSpans(ranges: ranges.map { $0.clamped(to: range) }.filter { !$0.isEmpty })
    }

    private func firstRange(endingAfter instant: Instant) -> Int {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound > instant { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
