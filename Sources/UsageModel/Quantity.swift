/// An exact decimal amount: a 128-bit integer in units of 10^-18.
///
/// Range: ±170141183460469231731.687303715884105728 (±1.7·10^20), the negative end included, the
/// positive end less one unit. Arithmetic is checked: what does not fit is an error, never a wrap
/// and never a rounded value. Rounding happens where a quantity is read from an event
/// (``read(_:excessDigits:)``) and where a meter type says so (``Rounding``); nowhere else.
public struct Quantity: Hashable, Comparable, Sendable {
    /// How many decimal places are kept.
    public static let decimalPlaces = 18
    public static let zero = Quantity(mantissa: 0)

    /// The amount in units of 10^-18; every value of the type is valid.
    public var mantissa: Int128

    @inlinable public init(mantissa: Int128) { self.mantissa = mantissa }

    @inlinable public static func < (one: Quantity, other: Quantity) -> Bool {
        one.mantissa < other.mantissa
    }

    @inlinable
    public func adding(_ other: Quantity) throws(QuantityOverflow) -> Quantity {
        let (sum, overflow) = mantissa.addingReportingOverflow(other.mantissa)
        guard !overflow else { throw QuantityOverflow() }
        return Quantity(mantissa: sum)
    }

    @inlinable
    public func subtracting(_ other: Quantity) throws(QuantityOverflow) -> Quantity {
        let (difference, overflow) = mantissa.subtractingReportingOverflow(other.mantissa)
        guard !overflow else { throw QuantityOverflow() }
        return Quantity(mantissa: difference)
    }

    /// - Throws: ``QuantityOverflow`` for the least quantity alone, which has no counterpart.
    @inlinable
    public func negated() throws(QuantityOverflow) -> Quantity {
        try Quantity.zero.subtracting(self)
    }
}

/// An exact result that lies outside the range of ``Quantity``.
public struct QuantityOverflow: Error, Hashable, Sendable {
    public init() {}
}
