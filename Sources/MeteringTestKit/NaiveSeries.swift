public import UsageModel

/// What the aggregations that carry values mean, said as functions of time and nothing clever: what
/// stands at an instant, and sums over the stretches in which nothing changes.
public struct NaiveSeries: Sendable {
    /// One event: its place in the log, its time, and what it told.
    public struct Fact: Sendable {
        public var mantissa: Int128
        public var time: Int64
        public var position: UInt64

        public init(mantissa: Int128, time: Int64, position: UInt64) {
            (self.mantissa, self.time, self.position) = (mantissa, time, position)
        }
    }

    /// A sum that is too wide for its parts: `high` · 2^64 + `low`.
    public struct Exact: Sendable {
        var high: Int128 = 0
        var low: Int128 = 0

        public static func + (one: Exact, other: Exact) -> Exact {
            Exact(high: one.high + other.high, low: one.low + other.low)
        }

        public static var zero: Exact { Exact() }

        fileprivate mutating func add(_ mantissa: Int128, _ factor: Int128) {
            high += (mantissa >> 64) * factor
            low += (mantissa & 0xFFFF_FFFF_FFFF_FFFF) * factor
        }

        /// Divided, to the nearest, ties to even; nil where it is no quantity.
        public func quotient(by divisor: Int64) -> Quantity? {
            let divisor = Int128(divisor)
            func floored(_ number: Int128) -> (Int128, Int128) {
                let (quotient, rest) = number.quotientAndRemainder(dividingBy: divisor)
                return rest < 0 ? (quotient - 1, rest + divisor) : (quotient, rest)
            }
            let (whole, part) = floored(high + (low >> 64))
            let (steps, rest) = floored(part << 64 + (low & 0xFFFF_FFFF_FFFF_FFFF))
            guard (Int128(Int64.min)...Int128(Int64.max)).contains(whole) else { return nil }
            let below = whole << 64 + steps
            let isUp = rest * 2 > divisor || (rest * 2 == divisor && !below.isMultiple(of: 2))
            return Quantity(mantissa: isUp ? below + 1 : below)
        }
    }

    private let facts: [Fact]
    private let stands: [(time: Int64, mantissa: Int128)]

    public init(_ facts: [Fact]) {
        self.facts = facts
        var last: [Int64: Fact] = [:]
        for fact in facts where fact.position > last[fact.time]?.position ?? 0 {
            last[fact.time] = fact
        }
        stands = last.values.map { ($0.time, $0.mantissa) }.sorted { $0.time < $1.time }
    }

    public func events(in window: Range<Int64>) -> Int64 {
        Int64(facts.count { window.contains($0.time) })
    }

    /// How many samples stand at or before an instant.
    private func count(through time: Int64) -> Int {
        var (low, high) = (0, stands.count)
        while low < high {
            let middle = (low + high) / 2
            if stands[middle].time <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// What is held at an instant.
    private func held(at time: Int64, _ carryMax: Int64?) -> Int128 {
        let count = count(through: time)
        guard count > 0 else { return 0 }
        let last = stands[count - 1]
        if let carryMax, time - last.time >= carryMax { return 0 }
        return last.mantissa
    }

    /// The integral over a window, in microseconds.
    public func area(
        _ window: Range<Int64>,
        carryMax: Int64? = nil,
        until: Int64 = .max
    ) -> Exact {
        let end = min(window.upperBound, max(until, window.lowerBound))
        var stops = [window.lowerBound, end]
        let (from, to) = (count(through: window.lowerBound - 1), count(through: end))
        for sample in stands[max(0, from - 1)..<to] {
            stops.append(sample.time)
            if let carryMax { stops.append(sample.time + carryMax) }
        }
        stops = Set(stops.filter { (window.lowerBound...end).contains($0) }).sorted()
        var area = Exact()
        for (start, stop) in zip(stops, stops.dropFirst()) {
            area.add(held(at: start, carryMax), Int128(stop - start))
        }
        return area
    }

    /// What the counter grew by within a window.
    public func growth(_ window: Range<Int64>) -> Exact {
        var growth = Exact()
        for place in count(through: window.lowerBound - 1)..<count(through: window.upperBound - 1)
        where place > 0 {
            let (before, now) = (stands[place - 1].mantissa, stands[place].mantissa)
            growth.add(now, 1)
            if now >= before { growth.add(before, -1) }
        }
        return growth
    }

    /// How the level changes within a range, what stands at its start and falls away at its end
    /// among it; sums must fit a quantity.
    public func changes(within range: Range<Int64>) -> [(time: Int64, change: Int128)] {
        let known = facts.filter { $0.time < range.upperBound }
        let changes = known.map { (max($0.time, range.lowerBound), $0.mantissa) }
        return changes + [(range.upperBound, -known.reduce(0) { $0 + $1.mantissa })]
    }

    /// The greatest level that changes come to within a window.
    public static func peak(
        of changes: [(time: Int64, change: Int128)],
        in window: Range<Int64>
    ) -> Quantity {
        var levels: [Int64: Int128] = [window.lowerBound: 0]
        for (time, change) in changes where window.contains(time) {
            levels[time, default: 0] += change
        }
        var level: Int128 = 0
        var peak: Int128?
        for (_, change) in levels.sorted(by: { $0.key < $1.key }) {
            level += change
            peak = max(peak ?? level, level)
        }
        return Quantity(mantissa: peak ?? 0)
    }

    /// The greatest of all levels within a window; sums must fit a quantity.
    public func peak(_ window: Range<Int64>) -> Quantity {
        var changes: [Int64: Int128] = [:]
        for fact in facts where fact.time < window.upperBound {
            changes[max(fact.time, window.lowerBound), default: 0] += fact.mantissa
        }
        var level = changes[window.lowerBound] ?? 0
        var peak = level
        for (time, change) in changes.sorted(by: { $0.key < $1.key })
        where time > window.lowerBound {
            level += change
            peak = max(peak, level)
        }
        return Quantity(mantissa: peak)
    }
}
