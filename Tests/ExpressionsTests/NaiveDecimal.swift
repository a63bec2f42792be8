/// A decimal as a child computes it: digits in an array, one at a time. Shares no code with
/// `Quantity`.
struct NaiveDecimal: Equatable {
    /// Units of 10^-18, decimal digits, the lowest first; no zero at the end.
    private var digits: [Int]
    private var isNegative: Bool

    static let zero = NaiveDecimal(digits: [], isNegative: false)

    private init(digits: [Int], isNegative: Bool) {
        var digits = digits
        while digits.last == 0 { digits.removeLast() }
        (self.digits, self.isNegative) = (digits, isNegative && !digits.isEmpty)
    }

    init(_ integer: Int) {
        let text = String(integer.magnitude) + String(repeating: "0", count: 18)
        self.init(digits: text.reversed().compactMap(\.wholeNumberValue), isNegative: integer < 0)
    }

    /// 2^127, and one less.
    private static let lowest = Array("170141183460469231731687303715884105728")
    private static let highest = Array("170141183460469231731687303715884105727")

    /// Whether a `Quantity` holds it.
    var fits: Bool {
        let limit = (isNegative ? Self.lowest : Self.highest).reversed().compactMap(
            \.wholeNumberValue
        )
        return Self.order(digits, limit) <= 0
    }

    enum Reading: Equatable {
        case value(NaiveDecimal)
        case notANumber
        case outOfRange
    }

    /// Reads a JSON number, rounding half-even at the 18th place.
    static func read(_ text: String) -> Reading {
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if isNegative { rest.removeFirst() }
        func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }
        let whole = rest.prefix(while: isDigit)
        rest = rest.dropFirst(whole.count)
        guard !whole.isEmpty, whole.count == 1 || whole.first != "0" else { return .notANumber }
        var fraction: Substring = ""
        if rest.first == "." {
            rest = rest.dropFirst()
            fraction = rest.prefix(while: isDigit)
            rest = rest.dropFirst(fraction.count)
            if fraction.isEmpty { return .notANumber }
        }
        var exponent = 0
        if let mark = rest.first, mark == "e" || mark == "E" {
            rest = rest.dropFirst()
            var sign = 1
            if let first = rest.first, first == "+" || first == "-" {
                sign = first == "-" ? -1 : 1
                rest = rest.dropFirst()
            }
            guard !rest.isEmpty, rest.allSatisfy(isDigit), let value = Int(rest) else {
                return .notANumber
            }
            (exponent, rest) = (sign * value, "")
        }
        guard rest.isEmpty else { return .notANumber }
        let all = (String(whole) + fraction).compactMap(\.wholeNumberValue)
        let shift = exponent - fraction.count + 18
        var digits = Array(all.reversed())
        if shift >= 0 {
            digits = Array(repeating: 0, count: shift) + digits
            let value = NaiveDecimal(digits: digits, isNegative: isNegative)
            return value.fits ? .value(value) : .outOfRange
        }
        let divisor = Array(repeating: 0, count: -shift) + [1]
        let value = NaiveDecimal(
            digits: quotient(trimmed(digits), divisor),
            isNegative: isNegative
        )
        return value.fits ? .value(value) : .outOfRange
    }

    var text: String {
        let padded = digits + Array(repeating: 0, count: max(0, 19 - digits.count))
        let whole = padded[18...].reversed().map(String.init).joined()
        var fraction = padded[..<18].reversed().map(String.init).joined()
        while fraction.last == "0" { fraction.removeLast() }
        return (isNegative ? "-" : "") + whole + (fraction.isEmpty ? "" : "." + fraction)
    }

    // MARK: Arithmetic; the results may be out of range

    static prefix func - (one: NaiveDecimal) -> NaiveDecimal {
        NaiveDecimal(digits: one.digits, isNegative: !one.isNegative)
    }

    static func + (one: NaiveDecimal, other: NaiveDecimal) -> NaiveDecimal {
        if one.isNegative == other.isNegative {
            return NaiveDecimal(digits: sum(one.digits, other.digits), isNegative: one.isNegative)
        }
        if order(one.digits, other.digits) >= 0 {
            let digits = difference(one.digits, other.digits)
            return NaiveDecimal(digits: digits, isNegative: one.isNegative)
        }
        let digits = difference(other.digits, one.digits)
        return NaiveDecimal(digits: digits, isNegative: other.isNegative)
    }

    static func * (one: NaiveDecimal, other: NaiveDecimal) -> NaiveDecimal {
        var digits: [Int] = []
        for (place, digit) in other.digits.enumerated() {
            let shifted = Array(repeating: 0, count: place) + one.digits
            for _ in 0..<digit { digits = sum(digits, shifted) }
        }
        let one18 = Array(repeating: 0, count: 18) + [1]
        return NaiveDecimal(
            digits: quotient(digits, one18),
            isNegative: one.isNegative != other.isNegative
        )
    }

    /// Nil where the divisor is zero.
    static func / (one: NaiveDecimal, other: NaiveDecimal) -> NaiveDecimal? {
        if other.digits.isEmpty { return nil }
        let dividend = one.digits.isEmpty ? [] : Array(repeating: 0, count: 18) + one.digits
        return NaiveDecimal(
            digits: quotient(dividend, other.digits),
            isNegative: one.isNegative != other.isNegative
        )
    }

    static func % (one: NaiveDecimal, other: NaiveDecimal) -> NaiveDecimal? {
        if other.digits.isEmpty { return nil }
        let rest = division(one.digits, other.digits).rest
        return NaiveDecimal(digits: rest, isNegative: one.isNegative)
    }

    static func < (one: NaiveDecimal, other: NaiveDecimal) -> Bool {
        (one + -other).isNegative
    }

    enum Way { case even, up, down }

    /// To a number of places: half-even, up or down.
    func rounded(to places: Int, _ way: Way) -> NaiveDecimal {
        let unit = Array(repeating: 0, count: 18 - places) + [1]
        let (quotient, rest) = Self.division(digits, unit)
        var result = quotient
        let isAway =
            switch way {
            case .even:
                Self.order(Self.sum(rest, rest), unit) > 0
                    || (Self.order(Self.sum(rest, rest), unit) == 0
                        && (quotient.first ?? 0) % 2 == 1)
            case .up: !rest.isEmpty && !isNegative
            case .down: !rest.isEmpty && isNegative
            }
        if isAway { result = Self.sum(result, [1]) }
        let digits = Array(repeating: 0, count: 18 - places) + result
        return NaiveDecimal(digits: digits, isNegative: isNegative)
    }

    // MARK: Digits

    private static func trimmed(_ digits: [Int]) -> [Int] {
        var digits = digits
        while digits.last == 0 { digits.removeLast() }
        return digits
    }

    private static func order(_ one: [Int], _ other: [Int]) -> Int {
        let (one, other) = (trimmed(one), trimmed(other))
        if one.count != other.count { return one.count < other.count ? -1 : 1 }
        for place in one.indices.reversed() where one[place] != other[place] {
            return one[place] < other[place] ? -1 : 1
        }
        return 0
    }

    private static func sum(_ one: [Int], _ other: [Int]) -> [Int] {
        var (digits, carry): ([Int], Int) = ([], 0)
        for place in 0..<max(one.count, other.count) {
            let left = place < one.count ? one[place] : 0
            let right = place < other.count ? other[place] : 0
            digits.append((left + right + carry) % 10)
            carry = (left + right + carry) / 10
        }
        if carry > 0 { digits.append(carry) }
        return digits
    }

    private static func difference(_ one: [Int], _ other: [Int]) -> [Int] {
        var (digits, borrow): ([Int], Int) = ([], 0)
        for place in one.indices {
            let next = one[place] - borrow - (place < other.count ? other[place] : 0)
            digits.append((next + 10) % 10)
            borrow = next < 0 ? 1 : 0
        }
        return trimmed(digits)
    }

    private static func division(_ one: [Int], _ other: [Int]) -> (quotient: [Int], rest: [Int]) {
        var (quotient, rest): ([Int], [Int]) = ([], [])
        for digit in one.reversed() {
            rest = trimmed([digit] + rest)
            var times = 0
            while order(rest, other) >= 0 {
                rest = difference(rest, other)
                times += 1
            }
            quotient.insert(times, at: 0)
        }
        return (trimmed(quotient), rest)
    }

    /// Rounded half-even.
    private static func quotient(_ one: [Int], _ other: [Int]) -> [Int] {
        let (quotient, rest) = division(one, other)
        let half = order(sum(rest, rest), other)
        let isUp = half > 0 || (half == 0 && (quotient.first ?? 0) % 2 == 1)
        return isUp ? sum(quotient, [1]) : quotient
    }
}
