/// Where a meter type rounds its value: once, on the exact result, to a number of decimal places.
public struct Rounding: Hashable, Sendable {
    /// Which way. The raw values are the words on the wire.
    public enum Mode: String, CaseIterable, Hashable, Sendable {
        /// To the nearest; a tie goes to the even digit.
        case halfEven = "half-even"
        /// To the nearest; a tie goes away from zero.
        case halfUp = "half-up"
        /// To the nearest; a tie goes toward zero.
        case halfDown = "half-down"
        /// Away from zero.
        case up
        /// Toward zero.
        case down
        /// Toward the greater.
        case ceiling
        /// Toward the lesser.
        case floor
    }

    /// How many places there may be.
    public static let placesRange = 0...Quantity.decimalPlaces

    public let mode: Mode
    /// Decimal places that stay.
    public let places: Int

    /// `nil` where `places` is outside ``placesRange``.
    public init?(mode: Mode, places: Int) {
        guard Self.placesRange.contains(places) else { return nil }
        (self.mode, self.places) = (mode, places)
    }

    private init(uncheckedMode mode: Mode, places: Int) {
        (self.mode, self.places) = (mode, places)
    }

    /// Half-even at the last place of a ``Quantity``: what a division gets where nothing is asked.
    public static let finest = Rounding(uncheckedMode: .halfEven, places: Quantity.decimalPlaces)

    /// The quantity, rounded.
    ///
    /// - Throws: ``QuantityOverflow`` where the rounded value lies beyond the range, which can only
    ///   happen within one unit of ``places`` of its ends.
    public func applied(to quantity: Quantity) throws(QuantityOverflow) -> Quantity {
        guard places < Quantity.decimalPlaces else { return quantity }
        return try quotient(
            of: (high: 0, low: quantity.mantissa.magnitude),
            by: 1,
            isNegative: quantity.mantissa < 0
        )
    }

    /// A 256-bit magnitude in units of 10^-18, divided and rounded in one step.
    ///
    /// The divisor is positive and below 2^63, as a count of events is.
    package func quotient(
        of magnitude: (high: UInt128, low: UInt128),
        by divisor: UInt64,
        isNegative: Bool
    ) throws(QuantityOverflow) -> Quantity {
        let unit = UInt128(Quantity.powersOfTen[Quantity.decimalPlaces - places])
        let divisor = UInt128(divisor) * unit
        guard magnitude.high < divisor else { throw QuantityOverflow() }
        var (quotient, remainder) =
            magnitude.high == 0
            ? magnitude.low.quotientAndRemainder(dividingBy: divisor)
            : divisor.dividingFullWidth(magnitude)
        let limit = UInt128(1) << 127 - (isNegative ? 0 : 1)
        guard quotient <= limit else { throw QuantityOverflow() }
        if goesAway(quotient: quotient, remainder: remainder, divisor, isNegative: isNegative) {
            quotient += 1
        }
        let (units, overflow) = quotient.multipliedReportingOverflow(by: unit)
        guard !overflow, units <= limit else { throw QuantityOverflow() }
        let mantissa = Int128(truncatingIfNeeded: units)
        return Quantity(mantissa: isNegative ? 0 &- mantissa : mantissa)
    }

    /// Whether the magnitude goes up to the next multiple.
    private func goesAway(
        quotient: UInt128,
        remainder: UInt128,
        _ divisor: UInt128,
        isNegative: Bool
    ) -> Bool {
        guard remainder != 0 else { return false }
        let rest = divisor - remainder
        switch mode {
        case .halfEven: return remainder > rest || (remainder == rest && quotient & 1 == 1)
        case .halfUp: return remainder >= rest
        case .halfDown: return remainder > rest
        case .up: return true
        case .down: return false
        case .ceiling: return !isNegative
        case .floor: return isNegative
        }
    }
}
