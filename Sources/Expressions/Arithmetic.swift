import UsageModel

// Arithmetic on mantissas, units of 10^-18. Nil where the exact result, rounded, does not fit.

/// The product, rounded half-even at the 18th place.
func product(_ one: Int128, _ other: Int128) -> Int128? {
    let isNegative = (one < 0) != (other < 0)
    let wide = one.magnitude.multipliedFullWidth(by: other.magnitude)
    return try? Rounding.finest.quotient(
        of: (high: wide.high, low: wide.low),
        by: 1_000_000_000_000_000_000,
        isNegative: isNegative
    ).mantissa
}

/// The quotient by what is not zero, rounded half-even at the 18th place.
func quotient(_ one: Int128, _ other: Int128) -> Int128? {
    let isNegative = (one < 0) != (other < 0)
    let wide = one.magnitude.multipliedFullWidth(by: 1_000_000_000_000_000_000)
    let divisor = other.magnitude
    guard wide.high < divisor else { return nil }
    var (quotient, remainder) =
        wide.high == 0
        ? wide.low.quotientAndRemainder(dividingBy: divisor)
        : divisor.dividingFullWidth((high: wide.high, low: wide.low))
    let rest = divisor - remainder
    let limit = UInt128(1) << 127 - (isNegative ? 0 : 1)
    guard quotient <= limit else { return nil }
    if remainder > rest || (remainder == rest && quotient & 1 == 1) { quotient += 1 }
    guard quotient <= limit else { return nil }
    let mantissa = Int128(truncatingIfNeeded: quotient)
    return isNegative ? 0 &- mantissa : mantissa
}

/// What truncated division by what is not zero leaves; it has the sign of the dividend.
func remainder(_ one: Int128, _ other: Int128) -> Int128 {
    let rest = Int128(truncatingIfNeeded: one.magnitude % other.magnitude)
    return one < 0 ? 0 &- rest : rest
}
