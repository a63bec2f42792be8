public import UsageModel

/// What a reading is made of: the state of its events, and the elements that stand beside it.
///
/// Merging is commutative and associative, as that of states is.
public struct MeterFold: Sendable {
    public var state = MeterState()
    /// unique, unique-pairs: what was told apart.
    public var distinct: Set<KeyHash> = []
    /// percentile: how many events had a value, by its mantissa.
    public private(set) var values: [Int128: Int64] = [:]

    /// time-weighted: the integral, in microseconds; counter: the growth; peak-concurrency: the
    /// level with which a window starts, its first instant included.
    public var carried = WideSum.zero
    /// peak-concurrency: by how much the level changes at an instant after the first.
    private var changes: [Int64: WideSum] = [:]

    /// peak-concurrency: whether the window begins later than levels are carried to, so that one
    /// carried into it is none.
    var isBeyond = false

    /// Whether nothing happened in a window, and nothing is carried into it though a series goes
    /// on.
    public var isNothing: Bool { isBeyond && state.count == 0 }

    /// The fold of no events.
    public init() {}

    /// Takes in an element that some events carried.
    ///
    /// - Parameter element: As the aggregation's elements are made: a hash, or a value.
    /// - Returns: whether it is held for the first time.
    @discardableResult
    public mutating func add(
        _ element: KeyHash,
        events: Int64,
        _ aggregation: Aggregation
    ) -> Bool {
        guard aggregation == .percentile else { return distinct.insert(element).inserted }
        values[element.value, default: 0] += events
        return values[element.value] == events
    }

    /// Takes in a change of the level at an instant.
    public mutating func add(_ change: WideSum, at time: Int64) {
        changes[time, default: .zero] += change
    }

    /// Makes the level that a window starts with one that begins at an instant within.
    mutating func beginLater(at time: Int64) {
        add(carried, at: time)
        carried = .zero
    }

    /// What all changes come to.
    var net: WideSum { changes.values.reduce(.zero, +) }

    /// Takes in another fold of the same meter.
    /// - Complexity: O(its elements).
    public mutating func merge(_ other: MeterFold, _ aggregation: Aggregation) {
        state.merge(other.state, aggregation)
        if distinct.isEmpty {
            distinct = other.distinct
        } else {
            distinct.formUnion(other.distinct)
        }
        if values.isEmpty {
            values = other.values
        } else {
            values.merge(other.values, uniquingKeysWith: +)
        }
        carried += other.carried
        isBeyond = isBeyond || other.isBeyond
        if changes.isEmpty {
            changes = other.changes
        } else {
            changes.merge(other.changes, uniquingKeysWith: +)
        }
    }

    /// The value of the meter.
    ///
    /// Of no events, count, sum, the distinct counts and what is carried are zero; the others are
    /// `nil`. Exact, and
    /// then rounded once: as the definition says; else, where something is divided, half-even at
    /// the 18th place.
    ///
    /// - Throws: ``MeterValueError/overflow``. The fold stays usable: further events may bring the
    ///   value back into range.
    /// - Complexity: O(1); of a percentile O(n log n) for n distinct values, of a peak for n
    ///   instants.
    public func value(
        _ definition: MeterTypeDefinition
    ) throws(MeterValueError) -> Quantity? {
        let rounding = definition.rounding
        switch definition.aggregation {
        case .percentile:
            guard let percentile = definition.percentile else { return nil }
            return try value(percentile, rounding)
        case .timeWeighted:
            let unit = definition.timeUnit ?? .second
            return try carried.quotient(by: unit.microseconds.magnitude, rounding)
        case .counter: return try carried.quotient(by: 1, rounding)
        case .peakConcurrency: return try peak.quotient(by: 1, rounding)
        default:
            return try state.result(
                definition.aggregation,
                rounding: rounding,
                distinct: distinct.count
            )
        }
    }
}

// Levels.
extension MeterFold {
    private var peak: WideSum {
        if isNothing { return .zero }
        var (level, peak) = (carried, carried)
        for (_, change) in changes.sorted(by: { $0.key < $1.key }) {
            level += change
            peak = max(peak, level)
        }
        return peak
    }
}

// Percentiles.
extension MeterFold {
    private func value(
        _ percentile: Percentile,
        _ rounding: Rounding?
    ) throws(MeterValueError) -> Quantity? {
        let sorted = values.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        let count = sorted.reduce(UInt64(0)) { $0 + $1.value.magnitude }
        guard count > 0 else { return nil }
        let (share, whole) = (UInt128(percentile.share), UInt128(Percentile.whole))
        switch percentile.method {
        case .nearestRank:
            // The least rank that is at least share · count; of share 0 the first.
            let rank = max(1, (share * UInt128(count) + whole - 1) / whole)
            let exact = WideSum(Self.value(at: UInt64(rank - 1), of: sorted))
            return try exact.quotient(by: 1, rounding)
        case .linear:
            let place = share * UInt128(count - 1)
            let (index, part) = place.quotientAndRemainder(dividingBy: whole)
            let lower = Self.value(at: UInt64(index), of: sorted)
            guard part > 0 else { return try WideSum(lower).quotient(by: 1, rounding) }
            let upper = Self.value(at: UInt64(index) + 1, of: sorted)
            let sum =
                WideSum.product(lower, Int64(whole - part)) + WideSum.product(upper, Int64(part))
            return try sum.quotient(by: Percentile.whole, rounding)
        }
    }

    private static func value(at index: UInt64, of sorted: [(key: Int128, value: Int64)]) -> Int128
    {
        var before: UInt64 = 0
        for (mantissa, events) in sorted {
            before += events.magnitude
            if index < before { return mantissa }
        }
        return sorted.last?.key ?? 0
    }
}
