import Metering
import MeteringTestKit
import UsageModel

/// What a meter sees of an event.
struct Fact {
    var mantissa: Int128
    var time: Int64
    var position: UInt64

    func state(_ aggregation: Aggregation) -> MeterState {
        MeterState(aggregation, mantissa: mantissa, time: time, position: position)
    }
}

/// Random facts: zeros, negatives, 18 places, ties in time, far past and future.
struct RandomFacts {
    enum Style: CaseIterable {
        /// Amounts up to some thousands; sums fit.
        case ordinary
        /// All over the range and at its ends; sums do not fit.
        case extremes
        /// At the greater end only: the sum grows past 128 bits as far as it can.
        case greatest
    }

    var generator: SeededGenerator
    var style: Style

    init(seed: UInt64, style: Style) {
        (generator, self.style) = (SeededGenerator(seed: seed), style)
    }

    mutating func next(position: Int) -> Fact {
        Fact(mantissa: mantissa(), time: time(), position: UInt64(position))
    }

    private mutating func mantissa() -> Int128 {
        let one: Int128 = 1_000_000_000_000_000_000
        let choice = Int.random(in: 0...5, using: &generator)
        switch (style, choice) {
        case (.greatest, _): return .max - Int128.random(in: 0...2, using: &generator)
        case (_, 0): return 0
        case (.extremes, 1): return .max
        case (.extremes, 2): return .min
        case (.extremes, _): return Int128.random(in: .min ... .max, using: &generator)
        case (.ordinary, 1): return Int128.random(in: -3...3, using: &generator) * one
        case (.ordinary, _): return Int128.random(in: -5_000 * one...5_000 * one, using: &generator)
        }
    }

    private mutating func time() -> Int64 {
        switch Int.random(in: 0...3, using: &generator) {
        case 0: Int64.random(in: 0...3, using: &generator)
        case 1: [Int64.min, .max, -62_167_219_200_000_000].randomElement(using: &generator) ?? 0
        default: Int64.random(in: -1_000_000_000...1_000_000_000_000_000, using: &generator)
        }
    }

    /// The states of batches of random sizes, an empty one among them now and then.
    mutating func batches(of events: [Fact], _ aggregation: Aggregation) -> [MeterState] {
        var states: [MeterState] = []
        var left = events[...]
        while !left.isEmpty {
            let size = Int.random(in: 0...500, using: &generator)
            states.append(
                left.prefix(size).reduce(into: MeterState()) {
                    $0.merge($1.state(aggregation), aggregation)
                }
            )
            left = left.dropFirst(size)
        }
        return states
    }
}

/// The definition of every aggregation, over all events at once.
struct NaiveFold {
    private let events: [Fact]
    /// The sum is `high` · 2^64 + `low`, both exact for as many events as a test has.
    private var high: Int128 = 0
    private var low: Int128 = 0

    init(_ events: [Fact]) {
        self.events = events
        for event in events {
            high += event.mantissa >> 64
            low += event.mantissa & 0xFFFF_FFFF_FFFF_FFFF
        }
    }

    private var first: Fact? {
        events.min { ($0.time, $0.position) < ($1.time, $1.position) }
    }

    private var latest: Fact? {
        events.max { ($0.time, $0.position) < ($1.time, $1.position) }
    }

    /// What is wrong with a state that should be of these events.
    func fault(of state: MeterState, _ aggregation: Aggregation) -> String? {
        if state.count != events.count { return "count \(state.count)" }
        switch aggregation {
        case .count, .unique, .uniquePairs, .percentile:
            return state == counted ? nil : "a value beside the count"
        case .sum, .average, .peakConcurrency: return sumFault(of: state, aggregation)
        case .min: return state.mantissa == events.map(\.mantissa).min() ? nil : "min"
        case .max: return state.mantissa == events.map(\.mantissa).max() ? nil : "max"
        case .first, .latest, .timeWeighted, .counter:
            let fact = aggregation == .first ? first : latest
            let isRight =
                (state.mantissa, state.time, state.position)
                == (fact?.mantissa, fact?.time, fact?.position)
            return isRight ? nil : aggregation.rawValue
        }
    }

    private var counted: MeterState {
        var state = MeterState()
        state.count = Int64(events.count)
        return state
    }

    private func sumFault(of state: MeterState, _ aggregation: Aggregation) -> String? {
        let carried = high + low >> 64
        if state.valueLow != UInt64(truncatingIfNeeded: low) { return "the sum's low bits" }
        if state.valueHigh != UInt64(truncatingIfNeeded: carried) { return "the sum's high bits" }
        if Int128(state.valueTop) != carried >> 64 { return "the sum's top bits" }
        let fits = (Int128(Int64.min)...Int128(Int64.max)).contains(carried)
        let sum = try? state.result(.sum, rounding: nil)
        if fits != (sum != nil) { return "whether the sum fits" }
        if let sum, sum.mantissa != carried << 64 | (low & 0xFFFF_FFFF_FFFF_FFFF) { return "sum" }
        guard aggregation == .average else { return nil }
        guard let average = try? state.result(.average, rounding: nil) else { return "no average" }
        return averageFault(of: average, .finest)
    }

    /// What is wrong with a rounded average: a multiple of `unit`, on the side its mode says.
    func averageFault(of value: Quantity, _ rounding: Rounding) -> String? {
        let unit = (rounding.places..<18).reduce(Int128(1)) { unit, _ in unit * 10 }
        guard value.mantissa % unit == 0 else { return "more places than asked for" }
        let count = Int128(events.count)
        // sum - value · count: the parts are exact, and what they make is small if value is right.
        let highLeft = high - (value.mantissa >> 64) * count
        let lowLeft = low - (value.mantissa & 0xFFFF_FFFF_FFFF_FFFF) * count
        let left = (highLeft << 64) &+ lowLeft
        let step = unit * count
        guard left.magnitude < step.magnitude else { return "not beside the quotient" }
        let isAway = left.signum() * value.mantissa.signum() < 0
        let twice = left.magnitude * 2
        let isRight =
            switch rounding.mode {
            case .halfEven:
                twice < step.magnitude
                    || (twice == step.magnitude && value.mantissa / unit % 2 == 0)
            case .halfUp: twice < step.magnitude || (twice == step.magnitude && isAway)
            case .halfDown: twice < step.magnitude || (twice == step.magnitude && !isAway)
            case .up: left == 0 || isAway
            case .down: !isAway
            case .ceiling: left <= 0
            case .floor: left >= 0
            }
        return isRight ? nil : "rounded the wrong way"
    }
}
