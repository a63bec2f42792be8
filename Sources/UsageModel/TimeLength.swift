/// A length of time as people write it: a number of `s`, `m`, `h` or `d`, as in `15m`.
public struct TimeLength: Hashable, Sendable, CustomStringConvertible {
    /// 0 to 999,999 days.
    public let microseconds: Int64

    public static let zero = TimeLength(microseconds: 0)
    public static let second = TimeLength(microseconds: TimeUnit.second.microseconds)
    public static let tenSeconds = TimeLength(microseconds: 10 * TimeUnit.second.microseconds)
    public static let hour = TimeLength(microseconds: TimeUnit.hour.microseconds)

    /// The longest that can be written.
    public static let longest = TimeLength(microseconds: 999_999 * TimeUnit.day.microseconds)

    private static let units: [(letter: Character, unit: TimeUnit)] = [
        ("d", .day), ("h", .hour), ("m", .minute), ("s", .second),
    ]

    private init(microseconds: Int64) { self.microseconds = microseconds }

    /// - Returns: the sum, or the greatest length where it does not fit.
    func adding(_ other: TimeLength) -> TimeLength {
        let sum = microseconds.addingReportingOverflow(other.microseconds)
        return TimeLength(microseconds: sum.overflow ? .max : sum.partialValue)
    }

    /// - Returns: nil for what is not 1 to 6 digits and one of the letters.
    public init?(_ text: String) {
        let digits = text.dropLast()
        guard let unit = Self.units.first(where: { $0.letter == text.last })?.unit,
            (1...6).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(digits)
        else { return nil }
        microseconds = number * unit.microseconds
    }

    /// In the largest unit that is whole; `0s` for none.
    public var description: String {
        if self == .zero { return "0s" }
        for (letter, unit) in Self.units where microseconds % unit.microseconds == 0 {
            return "\(microseconds / unit.microseconds)\(letter)"
        }
        return ""
    }
}
