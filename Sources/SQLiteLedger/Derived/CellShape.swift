import Metering
import MeteringEngine
import UsageModel

/// How a cell keeps the state of a meter: what the aggregation uses of it, and no more.
enum LaneForm: Sendable {
    /// The number of events.
    case count
    /// And a value of 128 bits.
    case value
    /// And a sum of 192 bits.
    case sum
    /// And a value, its time and its position.
    case instant

    init(_ aggregation: Aggregation) {
        switch aggregation {
        case .count, .unique, .uniquePairs, .percentile: self = .count
        case .min, .max: self = .value
        case .sum, .average, .peakConcurrency: self = .sum
        case .first, .latest, .timeWeighted, .counter: self = .instant
        }
    }

    /// The words of 8 bytes it takes.
    var words: Int {
        switch self {
        case .count: 1
        case .value: 3
        case .sum: 4
        case .instant: 5
        }
    }
}

/// Which meters a cell keeps within itself, and where.
struct CellShape: Sendable {
    struct Lane: Sendable {
        var meter: UInt32
        var aggregation: Aggregation
        /// In words behind the cell's record.
        var offset: Int
    }

    let lanes: [Lane]
    let words: Int

    init(_ shape: MeterShape) {
        var (lanes, words) = ([Lane](), 0)
        for lane in shape.lanes {
            lanes.append(Lane(meter: lane.meter, aggregation: lane.aggregation, offset: words))
            words += LaneForm(lane.aggregation).words
        }
        (self.lanes, self.words) = (lanes, words)
    }
}

/// The state of one meter within a cell: words of flat memory, all zero for no events.
@unsafe struct StateLane {
    let words: UnsafeMutablePointer<UInt64>

    @inline(__always)
    func load(_ form: LaneForm) -> MeterState {
        var state = MeterState()
        state.count = unsafe Int64(bitPattern: words[0])
        if form == .count { return state }
        (state.valueLow, state.valueHigh) = unsafe (words[1], words[2])
        switch form {
        case .sum: state.valueTop = unsafe Int64(bitPattern: words[3])
        case .instant:
            (state.time, state.position) = unsafe (Int64(bitPattern: words[3]), words[4])
        default: break
        }
        return state
    }

    @inline(__always)
    private func store(_ state: MeterState, _ form: LaneForm) {
        unsafe words[0] = UInt64(bitPattern: state.count)
        if form == .count { return }
        unsafe (words[1], words[2]) = (state.valueLow, state.valueHigh)
        switch form {
        case .sum: unsafe words[3] = UInt64(bitPattern: state.valueTop)
        case .instant:
            unsafe words[3] = UInt64(bitPattern: state.time)
            unsafe words[4] = state.position
        default: break
        }
    }

    func merge(_ state: MeterState, _ aggregation: Aggregation) {
        let form = LaneForm(aggregation)
        var own = unsafe load(form)
        own.merge(state, aggregation)
        unsafe store(own, form)
    }

    /// Takes in one event: what merging its state would do.
    @inline(__always)
    func add(_ aggregation: Aggregation, mantissa: Int128, time: Int64, position: UInt64) {
        switch aggregation {
        case .count, .unique, .uniquePairs, .percentile: unsafe words[0] &+= 1
        case .sum, .average, .peakConcurrency:
            unsafe words[0] &+= 1
            let bits = UInt128(truncatingIfNeeded: mantissa)
            let sum = unsafe UInt128(words[2]) << 64 | UInt128(words[1])
            let added = sum.addingReportingOverflow(bits)
            unsafe words[1] = UInt64(truncatingIfNeeded: added.partialValue)
            unsafe words[2] = UInt64(truncatingIfNeeded: added.partialValue >> 64)
            let carried: UInt64 = added.overflow ? 1 : 0
            unsafe words[3] &+= (mantissa < 0 ? .max : 0) &+ carried
        case .min, .max, .first, .latest, .timeWeighted, .counter:
            let state = MeterState(
                aggregation,
                mantissa: mantissa,
                time: time,
                position: position
            )
            unsafe merge(state, aggregation)
        }
    }
}
