/// A JSON number by its value, whatever its length: compared and divided without rounding.
///
/// Its sign, its significant digits (the first and the last are not zero) and the power of ten of
/// the last one. Schemas compare with it where a ``UsageModel/Quantity`` would round.
public struct ExactDecimal: Hashable, Sendable {
    /// Past what any number of an event can shift; keeps sums of exponents small.
    private static let exponentMax = 1_000_000

    public let isNegative: Bool
    /// 0 to 9 each; none for zero.
    public let digits: [UInt8]
    /// The value is the digits, as a whole number, times ten to this power.
    public let exponent: Int

    /// Reads a JSON number.
    ///
    /// - Returns: nil for what is none.
    public init?(_ spelling: String) {
        var (digits, exponent, isNegative) = ([UInt8](), 0, false)
        var (isBehindPoint, sawDigit) = (false, false)
        var rest = Array(spelling.utf8)[...]
        if rest.first == UInt8(ascii: "-") {
            isNegative = true
            rest = rest.dropFirst()
        }
        while let byte = rest.first, byte | 0x20 != UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if byte == UInt8(ascii: "."), !isBehindPoint {
                isBehindPoint = true
                continue
            }
            guard (0x30...0x39).contains(byte) else { return nil }
            sawDigit = true
            if isBehindPoint { exponent -= 1 }
            if !digits.isEmpty || byte != 0x30 { digits.append(byte - 0x30) }
        }
        guard sawDigit else { return nil }
        if !rest.isEmpty {
            guard let power = Self.power(rest.dropFirst()) else { return nil }
            exponent += power
        }
        while digits.last == 0 {
            digits.removeLast()
            exponent += 1
        }
        self.isNegative = isNegative && !digits.isEmpty
        self.digits = digits
        self.exponent = digits.isEmpty ? 0 : exponent
    }

    private static func power(_ bytes: ArraySlice<UInt8>) -> Int? {
        var bytes = bytes
        let isNegative = bytes.first == UInt8(ascii: "-")
        if isNegative || bytes.first == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
        guard !bytes.isEmpty else { return nil }
        var power = 0
        for byte in bytes {
            guard (0x30...0x39).contains(byte) else { return nil }
            power = min(power * 10 + Int(byte - 0x30), exponentMax)
        }
        return isNegative ? -power : power
    }

    public var isZero: Bool { digits.isEmpty }
    public var isWhole: Bool { exponent >= 0 }

    /// Whether the number is a whole multiple of another one. Nothing is a multiple of zero.
    ///
    /// - Precondition: the divisor has at most 18 digits, so that a remainder and one more digit
    ///   fit 64 bits.
    /// - Complexity: O(digits and the difference of the exponents).
    public func isMultiple(of divisor: ExactDecimal) -> Bool {
        precondition(divisor.digits.count <= 18)
        guard !divisor.isZero else { return false }
        if isZero { return true }
        // The last digit is not zero: a multiple of a greater power of ten would end with one.
        guard exponent >= divisor.exponent else { return false }
        let modulus = divisor.digits.reduce(0 as UInt64) { $0 * 10 + UInt64($1) }
        var rest: UInt64 = 0
        for digit in digits { rest = (rest * 10 + UInt64(digit)) % modulus }
        var shift = exponent - divisor.exponent
        while rest != 0, shift > 0 {
            rest = rest * 10 % modulus
            shift -= 1
        }
        return rest == 0
    }
}

extension ExactDecimal: CustomStringConvertible {
    /// The number without an exponent, as short as it goes: meant for numbers of people.
    public var description: String {
        guard !isZero else { return "0" }
        var text = String(decoding: digits.map { $0 + 0x30 }, as: UTF8.self)
        if exponent >= 0 {
            text += String(repeating: "0", count: exponent)
        } else {
            let missing = max(1 - exponent - digits.count, 0)
            text = String(repeating: "0", count: missing) + text
            text.insert(".", at: text.index(text.endIndex, offsetBy: exponent))
        }
        return (isNegative ? "-" : "") + text
    }
}

extension ExactDecimal: Comparable {
    public static func < (one: ExactDecimal, other: ExactDecimal) -> Bool {
        if one.isZero || other.isZero {
            return one.isZero ? !other.isZero && !other.isNegative : one.isNegative
        }
        if one.isNegative != other.isNegative { return one.isNegative }
        return one.isNegative ? one.isLarger(than: other) : other.isLarger(than: one)
    }

    /// Whether it is farther from zero; neither is zero.
    private func isLarger(than other: ExactDecimal) -> Bool {
        let (mine, theirs) = (digits.count + exponent, other.digits.count + other.exponent)
        guard mine == theirs else { return mine > theirs }
        // Both begin at the same power of ten, and none ends with a zero.
        return other.digits.lexicographicallyPrecedes(digits)
    }
}
