public import UsageModel

/// A meter's value that no ``Quantity`` can hold. It is reported, never wrapped or cut.
public enum MeterValueError: Error, Hashable, Sendable {
    /// The exact result, rounded as asked, lies beyond ±1.7·10^20.
    case overflow
}

extension MeterState {
    /// The value of the meter over the events of this state, where that tells it: see
    /// ``MeterFold/value(_:)`` for all.
    ///
    /// Of no events, count, sum and the distinct counts are zero; the others are `nil`. An average
    /// is the exact sum divided by the count and rounded in one step: as `rounding` says, else
    /// half-even at the 18th place. Every other aggregation is exact, and then rounded where
    /// `rounding` is given.
    ///
    /// - Parameter distinct: How many elements stand beside a state that counts distinct things.
    /// - Throws: ``MeterValueError/overflow``. The state stays usable: events of the other sign may
    ///   bring the sum back into range.
    public func result(
        _ aggregation: Aggregation,
        rounding: Rounding?,
        distinct: Int = 0
    ) throws(MeterValueError) -> Quantity? {
        switch aggregation {
        case .count: return Self.whole(count)
        case .unique, .uniquePairs: return Self.whole(Int64(distinct))
        case .sum:
            guard fitsQuantity else { throw .overflow }
            return try rounded(rounding)
        case .min, .max, .first, .latest: return count == 0 ? nil : try rounded(rounding)
        case .average: return count == 0 ? nil : try average(rounding ?? .finest)
        case .percentile, .timeWeighted, .counter, .peakConcurrency: return nil
        }
    }

    private static func whole(_ number: Int64) -> Quantity {
        // 2^63 · 10^18 is below 2^123.
        Quantity(mantissa: Int128(number) * 1_000_000_000_000_000_000)
    }

    private func rounded(_ rounding: Rounding?) throws(MeterValueError) -> Quantity {
        let exact = Quantity(mantissa: mantissa)
        do { return try rounding?.applied(to: exact) ?? exact } catch { throw .overflow }
    }

    private func average(_ rounding: Rounding) throws(MeterValueError) -> Quantity {
        let isNegative = valueTop < 0
        var low = UInt128(valueHigh) << 64 | UInt128(valueLow)
        var high = UInt64(bitPattern: valueTop)
        if isNegative {
            low = ~low &+ 1
            high = ~high &+ (low == 0 ? 1 : 0)
        }
        do {
            return try rounding.quotient(
                of: (high: UInt128(high), low: low),
                by: count.magnitude,
                isNegative: isNegative
            )
        } catch { throw .overflow }
    }
}
