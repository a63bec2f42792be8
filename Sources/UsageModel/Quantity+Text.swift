extension Quantity: CustomStringConvertible {
    /// The longest canonical text, in bytes: a sign, 21 digits, a point, 18 digits.
    public static let textBytesMax = 41

    /// The canonical text: no exponent, no trailing zeros, no "-0"; equal quantities, equal text.
    ///
    /// Examples: `0`, `12.5`, `-0.000000000000000001`. Reading it gives the same quantity.
    public var description: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.textBytesMax)
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the canonical text, at most ``textBytesMax`` bytes; allocates only as `bytes` grows.
    public func append(to bytes: inout [UInt8]) {
        let one = UInt128(Self.powersOfTen[Self.decimalPlaces])
        let (whole, part) = mantissa.magnitude.quotientAndRemainder(dividingBy: one)
        var text = BackwardText()
        if part != 0 { text.writeFraction(UInt64(part)) }
        text.writeWhole(whole)
        if mantissa < 0 { text.write(UInt8(ascii: "-")) }
        for index in text.start..<Self.textBytesMax { bytes.append(text.bytes[index]) }
    }
}

/// Text written from its last byte to its first.
private struct BackwardText {
    var bytes = InlineArray<41, UInt8>(repeating: 0)
    var start = Quantity.textBytesMax

    mutating func write(_ byte: UInt8) {
        start -= 1
        bytes[start] = byte
    }

    mutating func writeFraction(_ part: UInt64) {
        var (left, places) = (part, Quantity.decimalPlaces)
        while left % 10 == 0 { (left, places) = (left / 10, places - 1) }
        for _ in 0..<places { (left, _) = (left / 10, write(digit(left))) }
        write(UInt8(ascii: "."))
    }

    mutating func writeWhole(_ whole: UInt128) {
        // At most 1.7·10^20: a digit or two above what 64 bits hold.
        var high = whole
        while high > UInt128(UInt64.max) {
            write(UInt8(ascii: "0") + UInt8(high % 10))
            high /= 10
        }
        var left = UInt64(high)
        repeat { (left, _) = (left / 10, write(digit(left))) } while left != 0
    }

    private func digit(_ number: UInt64) -> UInt8 {
        UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10)
    }
}
