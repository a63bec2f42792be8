// How a decimal text becomes a quantity.
//
//     number   = ["-"] integer ["." 1*digit] [("e" / "E") ["+" / "-"] 1*digit]
//     integer  = "0" / (digit1-9 *digit)
//
// That is the grammar of a JSON number (RFC 8259 §6). A number in a JSON string and a number on
// our own wire use it too: no white space, no "+", no leading zeros, no groups, no other notation.

extension Quantity {
    /// What happens to digits past the 18th decimal place. Zeros there are no excess.
    public enum ExcessDigits: String, Sendable, CaseIterable {
        /// Rounded half-even, once, on the exact value, however many digits there are.
        case round
        case reject
    }

    /// Why a text gives no quantity; where several apply, the first in this order.
    public enum ReadFault: Error, Hashable, Sendable {
        /// The text does not follow the grammar.
        case notANumber
        /// The value, rounded to 18 places if need be, does not fit a ``Quantity``.
        case outOfRange
        /// There are non-zero digits past the 18th place, and they are to be rejected.
        case excessDigits
    }

    /// Reads a number, exactly.
    ///
    /// Digits and exponents of any length are read in time linear in the bytes (callers hold
    /// ``Limits/numberBytesMax`` before). A caller who wants to know whether a value was rounded
    /// asks for rejection first and reads again on ``ReadFault/excessDigits``.
    ///
    /// Cost: about 10 ns for up to 19 digits without exponent; no allocation on any path.
    public static func read(
        _ text: UnsafeRawBufferPointer,
        excessDigits: ExcessDigits = .round
    ) -> Result<Quantity, ReadFault> {
        var scan = unsafe NumberScan(text)
        guard unsafe scan.scanAll() else { return .failure(.notANumber) }
        if unsafe scan.isShort {
            let scale = powersOfTen[unsafe decimalPlaces - scan.fractionDigits]
            let product = unsafe scan.leading.multipliedFullWidth(by: scale)
            let magnitude = UInt128(product.high) << 64 | UInt128(product.low)
            let mantissa = Int128(truncatingIfNeeded: magnitude)
            return .success(Quantity(mantissa: unsafe scan.isNegative ? 0 &- mantissa : mantissa))
        }
        return unsafe scan.readLong(excessDigits)
    }

    /// Reads a number from text, with digits past the 18th place rounded half-even.
    public init(_ text: String) throws(ReadFault) {
        var text = text
        let outcome = text.withUTF8 { bytes in
            unsafe Quantity.read(UnsafeRawBufferPointer(bytes), excessDigits: .round)
        }
        self = try outcome.get()
    }

    /// 10^0 … 10^19: every power of ten that fits 64 bits.
    static let powersOfTen: InlineArray<20, UInt64> = [
        1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
        10_000_000_000, 100_000_000_000, 1_000_000_000_000, 10_000_000_000_000,
        100_000_000_000_000, 1_000_000_000_000_000, 10_000_000_000_000_000,
        100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
    ]
}

/// One pass over a number: checks the grammar, and gathers what a short number needs.
@unsafe private struct NumberScan {
    private let text: UnsafeRawBufferPointer
    private var at = 0

    var isNegative = false
    /// The digits as one integer; meaningless past 19 of them, when it has wrapped.
    var leading: UInt64 = 0
    var fractionDigits = 0
    private var digitsStart = 0
    /// Just past the last digit before the exponent.
    private var digitsEnd = 0
    private var digitCount = 0
    private var hasExponent = false
    /// Held within ±``exponentCap``, which no text in memory can outweigh with digits.
    private var exponent = 0
    private static let exponentCap = 1 << 56

    init(_ text: UnsafeRawBufferPointer) { unsafe self.text = unsafe text }

    /// Whether ``leading`` and ``fractionDigits`` say it all: 19 digits fit 64 bits.
    var isShort: Bool {
        unsafe digitCount <= 19 && fractionDigits <= Quantity.decimalPlaces && !hasExponent
    }

    /// Whether the whole text is one number.
    @inline(__always)
    mutating func scanAll() -> Bool {
        let count = unsafe text.count
        guard count > 0 else { return false }
        if unsafe text[0] == UInt8(ascii: "-") { unsafe (isNegative, at) = (true, 1) }
        unsafe digitsStart = at
        let integerDigits = unsafe scanDigits()
        guard integerDigits > 0 else { return false }
        if integerDigits > 1, unsafe text[digitsStart] == UInt8(ascii: "0") { return false }
        if unsafe at < count, unsafe text[at] == UInt8(ascii: ".") {
            unsafe at += 1
            unsafe fractionDigits = scanDigits()
            guard unsafe fractionDigits > 0 else { return false }
        }
        unsafe digitsEnd = at
        unsafe digitCount = integerDigits + fractionDigits
        return unsafe at == count || scanExponent()
    }

    @inline(__always)
    private mutating func scanDigits() -> Int {
        let start = unsafe at
        let count = unsafe text.count
        while unsafe at < count {
            let digit = unsafe text[at] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            unsafe leading = leading &* 10 &+ UInt64(digit)
            unsafe at += 1
        }
        return unsafe at - start
    }

    private mutating func scanExponent() -> Bool {
        guard unsafe text[at] | 0x20 == UInt8(ascii: "e") else { return false }
        unsafe hasExponent = true
        unsafe at += 1
        var isExponentNegative = false
        if unsafe at < text.count {
            let sign = unsafe text[at]
            isExponentNegative = sign == UInt8(ascii: "-")
            if isExponentNegative || sign == UInt8(ascii: "+") { unsafe at += 1 }
        }
        guard unsafe at < text.count else { return false }
        while unsafe at < text.count {
            let digit = unsafe text[at] &- UInt8(ascii: "0")
            guard digit <= 9 else { return false }
            unsafe exponent = Swift.min(exponent * 10 + Int(digit), Self.exponentCap)
            unsafe at += 1
        }
        if isExponentNegative { unsafe exponent = -exponent }
        return true
    }

    /// The quantity of a number that is not short.
    ///
    /// The digits are an integer D, and the value is D·10^shift units. A negative shift drops
    /// digits: they decide the rounding.
    func readLong(_ excessDigits: Quantity.ExcessDigits) -> Result<Quantity, Quantity.ReadFault> {
        let shift = unsafe exponent - fractionDigits + Quantity.decimalPlaces
        let kept = unsafe shift >= 0 ? digitCount : Swift.max(0, digitCount + shift)
        // Where more places are dropped than there are digits, the first of them is a zero.
        var tail = unsafe DroppedDigits(isBelowTenth: digitCount + Swift.min(shift, 0) < 0)
        var magnitude: UInt128 = 0
        var index = 0
        for place in unsafe digitsStart..<digitsEnd {
            let digit = unsafe text[place] &- UInt8(ascii: "0")
            if digit > 9 { continue }  // the point
            if index < kept {
                guard unsafe append(digit, to: &magnitude) else { return .failure(.outOfRange) }
            } else {
                tail.take(digit)
            }
            index += 1
        }
        if shift > 0, magnitude != 0 {
            for _ in 0..<shift {
                guard unsafe append(0, to: &magnitude) else { return .failure(.outOfRange) }
            }
        }
        let roundsUp = tail.roundsUp(isOdd: magnitude & 1 == 1)
        let limit = UInt128(1) << 127 - (unsafe isNegative ? 0 : 1)
        guard magnitude < limit || (magnitude == limit && (!roundsUp || excessDigits == .reject))
        else { return .failure(.outOfRange) }
        if excessDigits == .reject, !tail.isZero { return .failure(.excessDigits) }
        if roundsUp { magnitude += 1 }
        let bits = Int128(truncatingIfNeeded: magnitude)
        return .success(Quantity(mantissa: unsafe isNegative ? 0 &- bits : bits))
    }

    /// Appends a digit; `false` where the result is past every quantity.
    private func append(_ digit: UInt8, to magnitude: inout UInt128) -> Bool {
        // 1.7·10^37 · 10 + 9 is still below 2^128.
        guard magnitude <= UInt128(1) << 127 / 10 else { return false }
        magnitude = magnitude &* 10 &+ UInt128(digit)
        return true
    }
}

/// The digits past the last that is kept: what rounding must know of them, however many.
private struct DroppedDigits {
    private var first: UInt8?
    private var isRestZero = true

    init(isBelowTenth: Bool) { first = isBelowTenth ? 0 : nil }

    var isZero: Bool { (first ?? 0) == 0 && isRestZero }

    mutating func take(_ digit: UInt8) {
        if first == nil { first = digit } else if digit != 0 { isRestZero = false }
    }

    /// Half-even.
    func roundsUp(isOdd: Bool) -> Bool {
        guard let first, first >= 5 else { return false }
        return first > 5 || !isRestZero || isOdd
    }
}
