public import UsageModel

/// A signed sum of 256 bits: of products of quantities with times or shares.
///
/// A quantity over all the time there is takes 186 bits, so 2^69 of those fit: no sum of what a
/// ledger can hold overflows. Whether it fits a ``Quantity`` is asked once, when it is divided.
public struct WideSum: Hashable, Comparable, Sendable {
    private var high: Int128
    private var low: UInt128

    public static let zero = WideSum(0)

    public init(_ mantissa: Int128) {
        (high, low) = (mantissa < 0 ? -1 : 0, UInt128(truncatingIfNeeded: mantissa))
    }

    /// The sum that a state of `sum` or `peak-concurrency` holds.
    public init(sumOf state: MeterState) {
        high = Int128(state.valueTop)
        low = UInt128(state.valueHigh) << 64 | UInt128(state.valueLow)
    }

    public static func product(_ mantissa: Int128, _ factor: Int64) -> WideSum {
        let (high, low) = mantissa.multipliedFullWidth(by: Int128(factor))
        var product = WideSum(0)
        (product.high, product.low) = (high, low)
        return product
    }

    public static func + (one: WideSum, other: WideSum) -> WideSum {
        var sum = one
        let (low, carries) = one.low.addingReportingOverflow(other.low)
        sum.low = low
        sum.high = one.high &+ other.high &+ (carries ? 1 : 0)
        return sum
    }

    public static func += (one: inout WideSum, other: WideSum) { one = one + other }

    public static prefix func - (one: WideSum) -> WideSum {
        var turned = one
        turned.low = ~one.low &+ 1
        turned.high = ~one.high &+ (turned.low == 0 ? 1 : 0)
        return turned
    }

    public static func < (one: WideSum, other: WideSum) -> Bool {
        one.high != other.high ? one.high < other.high : one.low < other.low
    }

    /// Divides once, and rounds the exact quotient.
    ///
    /// - Parameter divisor: Positive and below 2^63.
    /// - Throws: ``MeterValueError/overflow`` where the result is no quantity.
    public func quotient(
        by divisor: UInt64,
        _ rounding: Rounding?
    ) throws(MeterValueError) -> Quantity {
        let isNegative = high < 0
        let magnitude = isNegative ? -self : self
        do {
            return try (rounding ?? .finest).quotient(
                of: (high: UInt128(truncatingIfNeeded: magnitude.high), low: magnitude.low),
                by: divisor,
                isNegative: isNegative
            )
        } catch { throw .overflow }
    }
}
