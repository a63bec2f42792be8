/// A number as it is spelled, comparable by value without computing it.
///
/// A number is its sign, its significant digits (from the first that is not zero to the last) and
/// the power of ten of the first one.
struct DecimalSpelling: Equatable {
    /// Past what any text of less than 2 GiB can shift.
    private static let exponentMax = 1 << 40

    private let bytes: RawBytes
    private let isNegative: Bool
    private let isZero: Bool
    /// From the first significant digit to the last, perhaps with a point between.
    private let digits: Range<Int>
    private let power: Int

    /// - Parameter range: A JSON number.
    init(_ bytes: RawBytes, _ range: Range<Int>) {
        self.bytes = bytes
        var first = -1
        var last = -1
        var point = -1
        var at = range.lowerBound
        while at < range.upperBound {
            let byte = bytes[at]
            if byte == Ascii.point {
                point = at
            } else if byte | 0x20 == UInt8(ascii: "e") {
                break
            } else if Ascii.isDigit(byte), byte != Ascii.zero {
                if first < 0 { first = at }
                last = at
            }
            at += 1
        }
        if point < 0 { point = at }
        isZero = first < 0
        isNegative = !isZero && bytes[range.lowerBound] == Ascii.minus
        digits = isZero ? 0..<0 : first..<last + 1
        // The digit before the point is the power 0, the one behind it the power -1.
        let place = first < point ? point - first - 1 : point - first
        power = isZero ? 0 : place + Self.exponent(bytes, at, range.upperBound)
    }

    private static func exponent(_ bytes: RawBytes, _ start: Int, _ end: Int) -> Int {
        var at = start + 1
        guard at < end else { return 0 }
        let isNegative = bytes[at] == Ascii.minus
        if isNegative || bytes[at] == Ascii.plus { at += 1 }
        var value = 0
        while at < end, Ascii.isDigit(bytes[at]) {
            value = min(value * 10 + Int(bytes[at] - Ascii.zero), exponentMax)
            at += 1
        }
        return isNegative ? -value : value
    }

    static func == (one: DecimalSpelling, other: DecimalSpelling) -> Bool {
        if one.isZero || other.isZero { return one.isZero == other.isZero }
        guard one.isNegative == other.isNegative, one.power == other.power else { return false }
        var (left, right) = (one.digits.lowerBound, other.digits.lowerBound)
        while true {
            if left < one.digits.upperBound, one.bytes[left] == Ascii.point { left += 1 }
            if right < other.digits.upperBound, other.bytes[right] == Ascii.point { right += 1 }
            guard left < one.digits.upperBound, right < other.digits.upperBound else {
                return left == one.digits.upperBound && right == other.digits.upperBound
            }
            if one.bytes[left] != other.bytes[right] { return false }
            left += 1
            right += 1
        }
    }
}
