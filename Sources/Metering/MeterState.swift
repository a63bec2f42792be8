public import UsageModel

/// What a meter remembers of a set of events: enough to tell its value, and to be merged.
///
/// One layout serves every aggregation, so that tables of states are flat memory. Merging is
/// commutative and associative to the last bit: any split of the events into batches, runs and
/// restarts, in any order, gives the same state. A sum is kept in 192 bits, which 2^63 events of
/// the greatest magnitude cannot overflow; whether it fits a ``Quantity`` is asked once, when it is
/// read.
///
/// Some keep elements beside the state, each as a state of its own whose ``count`` is the number of
/// events that carried it: `unique` and `unique-pairs` what they tell apart, `percentile` its
/// values. What is read of state and elements together is a ``MeterFold``.
public struct MeterState: Hashable, Sendable {
    /// The number of events in the state.
    public var count: Int64
    /// sum, average, peak-concurrency: the low 128 bits of the sum; others: the value's mantissa.
    public var valueLow: UInt64
    public var valueHigh: UInt64
    /// sum, average, peak-concurrency: the top 64 bits of the sum. Zero otherwise.
    public var valueTop: Int64
    /// first, latest, time-weighted, counter: when the value's event took place, microseconds. Zero
    /// otherwise.
    public var time: Int64
    /// first, latest, time-weighted, counter: the position of the value's event. Zero otherwise.
    public var position: UInt64

    /// The state of no events: merging it changes nothing.
    public init() {
        (count, valueLow, valueHigh, valueTop, time, position) = (0, 0, 0, 0, 0, 0)
    }

    /// The state of one event.
    ///
    /// - Parameter mantissa: The value in units of 10^-18; ignored by those whose value is not
    ///   in the state.
    @inlinable
    public init(
        _ aggregation: Aggregation,
        mantissa: Int128,
        time: Int64,
        position: UInt64
    ) {
        self.init()
        count = 1
        switch aggregation {
        case .count, .unique, .uniquePairs, .percentile: break
        case .sum, .average, .peakConcurrency:
            setValue(mantissa)
            valueTop = mantissa < 0 ? -1 : 0
        case .min, .max: setValue(mantissa)
        case .first, .latest, .timeWeighted, .counter:
            setValue(mantissa)
            (self.time, self.position) = (time, position)
        }
    }

    /// What one event told at its instant, to be added to a ``SampleSeries``.
    @inlinable
    public init(sampleOf aggregation: Aggregation, mantissa: Int128, position: UInt64) {
        self.init(aggregation.ofSamples, mantissa: mantissa, time: 0, position: position)
    }

    /// The mantissa of min, max, first and latest; of sum and average only if ``fitsQuantity``.
    @inlinable public var mantissa: Int128 {
        Int128(truncatingIfNeeded: UInt128(valueHigh) << 64 | UInt128(valueLow))
    }

    /// Whether the sum fits 128 bits.
    @inlinable public var fitsQuantity: Bool {
        valueTop == (Int64(bitPattern: valueHigh) < 0 ? -1 : 0)
    }

    @inlinable mutating func setValue(_ mantissa: Int128) {
        let bits = UInt128(truncatingIfNeeded: mantissa)
        valueLow = UInt64(truncatingIfNeeded: bits)
        valueHigh = UInt64(truncatingIfNeeded: bits >> 64)
    }

    /// Takes in the events of another state of the same meter. O(1), no allocation.
    @inlinable
    public mutating func merge(_ other: MeterState, _ aggregation: Aggregation) {
        guard other.count != 0 else { return }
        guard count != 0 else {
            self = other
            return
        }
        count &+= other.count
        switch aggregation {
        case .count, .unique, .uniquePairs, .percentile: break
        case .sum, .average, .peakConcurrency:
            let low = valueLow.addingReportingOverflow(other.valueLow)
            let high = valueHigh.addingReportingOverflow(other.valueHigh)
            let carried = high.partialValue.addingReportingOverflow(low.overflow ? 1 : 0)
            valueLow = low.partialValue
            valueHigh = carried.partialValue
            valueTop &+= other.valueTop &+ (high.overflow ? 1 : 0) &+ (carried.overflow ? 1 : 0)
        case .min:
            if other.mantissa < mantissa { setValue(other.mantissa) }
        case .max:
            if other.mantissa > mantissa { setValue(other.mantissa) }
        case .first:
            if (other.time, other.position) < (time, position) {
                setValue(other.mantissa)
                (time, position) = (other.time, other.position)
            }
        case .latest, .timeWeighted, .counter:
            if (other.time, other.position) > (time, position) {
                setValue(other.mantissa)
                (time, position) = (other.time, other.position)
            }
        }
    }
}
