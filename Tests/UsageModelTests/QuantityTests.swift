import MeteringTestKit
import Testing

@testable import UsageModel

@Suite("Quantity") struct QuantityTests {
    private typealias Outcome = Result<Quantity, Quantity.ReadFault>

    private static func read(_ text: String, _ excess: Quantity.ExcessDigits) -> Outcome {
        var text = text
        return text.withUTF8 {
            unsafe Quantity.read(UnsafeRawBufferPointer($0), excessDigits: excess)
        }
    }

    @Test(
        "a text is read exactly, or refused with its reason",
        arguments: [
            // text, rounded, and where digits past the 18th are rejected ("" = the same)
            ("0", "0", ""), ("-0", "0", ""), ("-0.0e-5", "0", ""), ("12.50", "12.5", ""),
            ("1e3", "1000", ""), ("1E+3", "1000", ""), ("1500e-3", "1.5", ""),
            ("0.30000000000000004", "0.30000000000000004", ""),
            ("1e-18", "0.000000000000000001", ""), ("1000e-20", "0.00000000000000001", ""),
            ("0e-999", "0", ""), ("0e999", "0", ""), ("-0e999999999999999999999999", "0", ""),
            ("1e-999", "0", "excessDigits"), ("1e-99999999999999999999", "0", "excessDigits"),
            ("9e-19", "0.000000000000000001", "excessDigits"),
            ("5e-19", "0", "excessDigits"), ("9e-20", "0", "excessDigits"),
            ("15e-19", "0.000000000000000002", "excessDigits"),
            ("25e-19", "0.000000000000000002", "excessDigits"),
            ("-25e-19", "-0.000000000000000002", "excessDigits"),
            (
                "0.0000000000000000025000000000000000000000000001", "0.000000000000000003",
                "excessDigits"
            ),
            ("0.0000000000000000010000000000000000000000000000", "0.000000000000000001", ""),
            ("99999999999999999.9999999999999999995", "100000000000000000", "excessDigits"),
            (
                "170141183460469231731.687303715884105727",
                "170141183460469231731.687303715884105727", ""
            ),
            (
                "-170141183460469231731.687303715884105728",
                "-170141183460469231731.687303715884105728", ""
            ),
            ("170141183460469231731.687303715884105728", "outOfRange", ""),
            (
                "170141183460469231731.6873037158841057274",
                "170141183460469231731.687303715884105727", "excessDigits"
            ),
            ("170141183460469231731.6873037158841057275", "outOfRange", "excessDigits"),
            (
                "-170141183460469231731.6873037158841057275",
                "-170141183460469231731.687303715884105728", "excessDigits"
            ),
            (
                "-170141183460469231731.6873037158841057285",
                "-170141183460469231731.687303715884105728", "excessDigits"
            ),
            ("-170141183460469231731.68730371588410572850001", "outOfRange", "excessDigits"),
            ("-170141183460469231731.687303715884105729", "outOfRange", ""),
            ("1e21", "outOfRange", ""), ("1e999", "outOfRange", ""),
            ("1e99999999999999999999", "outOfRange", ""),
            ("1" + String(repeating: "0", count: 126) + "e-126", "1", ""),
            ("0." + String(repeating: "0", count: 120) + "5e121", "5", ""),
            ("", "notANumber", ""), ("-", "notANumber", ""), ("+1", "notANumber", ""),
            ("01", "notANumber", ""), ("00", "notANumber", ""), ("-01", "notANumber", ""),
            (".5", "notANumber", ""), ("5.", "notANumber", ""), ("1.e5", "notANumber", ""),
            ("1e", "notANumber", ""), ("1e+", "notANumber", ""), ("1e5.", "notANumber", ""),
            ("1e5 ", "notANumber", ""), (" 1", "notANumber", ""), ("1\n", "notANumber", ""),
            ("1,5", "notANumber", ""), ("1_000", "notANumber", ""), ("0x10", "notANumber", ""),
            ("NaN", "notANumber", ""), ("1.2.3", "notANumber", ""), ("--1", "notANumber", ""),
            ("1-", "notANumber", ""), ("1e--5", "notANumber", ""), ("١", "notANumber", ""),
        ]
    )
    func reading(text: String, rounded: String, rejecting: String) {
        #expect(spell(Self.read(text, .round)) == rounded)
        #expect(spell(Self.read(text, .reject)) == (rejecting.isEmpty ? rounded : rejecting))
    }

    private func spell(_ outcome: Outcome) -> String {
        switch outcome {
        case .success(let quantity): quantity.description
        case .failure(let fault): "\(fault)"
        }
    }

    /// Goal: no length, tie or extreme reads otherwise than the definition says.
    /// Method: random texts, each also read by a reference that keeps every digit in an array.
    @Test("reading agrees with digit-by-digit arithmetic", arguments: [1, 2, 3, 4] as [UInt64])
    func readingAgainstReference(seed: UInt64) {
        var numbers = RandomNumbers(seed: seed)
        for _ in 0..<30_000 {
            let text = numbers.next()
            for excess in Quantity.ExcessDigits.allCases {
                let expected = NaiveDecimal(text).quantity(excess)
                let actual = Self.read(text, excess)
                #expect(actual == expected, "seed \(seed): \(text) with \(excess)")
            }
        }
    }

    @Test("a quantity reads back from its text", arguments: [11, 12] as [UInt64])
    func textRoundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<30_000 {
            let mantissa =
                Int128.random(in: .min ... .max, using: &generator)
                >> Int128.random(in: 0...127, using: &generator)
            let quantity = Quantity(mantissa: mantissa)
            let text = quantity.description
            #expect(try Quantity(text) == quantity, "seed \(seed)")
            #expect(text == NaiveDecimal.spell(mantissa), "seed \(seed)")
            #expect(text.utf8.count <= Quantity.textBytesMax)
        }
        #expect(Quantity(mantissa: .min).description.utf8.count == Quantity.textBytesMax)
    }

    @Test("a broken text never traps, and reads as its grammar says", arguments: [21] as [UInt64])
    func brokenTexts(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("0019.eE+-")
        let grammar = try Regex("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...9, using: &generator)
            let text = String((0..<count).map { _ in alphabet.randomElement(using: &generator)! })
            let isNumber = text.wholeMatch(of: grammar) != nil
            let isRefused = Self.read(text, .round) == .failure(.notANumber)
            #expect(isNumber != isRefused, "seed \(seed): \(text)")
        }
    }

    @Test("arithmetic is exact or an error")
    func arithmetic() throws {
        let most = Quantity(mantissa: .max)
        let least = Quantity(mantissa: .min)
        let unit = Quantity(mantissa: 1)

        #expect(try Quantity("0.1").adding(Quantity("0.2")) == Quantity("0.3"))
        #expect(try Quantity("0.1").subtracting(Quantity("0.3")) == Quantity("-0.2"))
        #expect(try most.negated().subtracting(unit) == least)
        #expect(throws: QuantityOverflow.self) { try most.adding(unit) }
        #expect(throws: QuantityOverflow.self) { try least.subtracting(unit) }
        #expect(throws: QuantityOverflow.self) { try least.negated() }
        #expect(least < Quantity.zero && Quantity.zero < unit && unit < most)
    }
}

@Suite("Rounding") struct RoundingTests {
    @Test(
        "each mode goes its way",
        arguments: [
            // value, then half-even, half-up, half-down, up, down, ceiling, floor; one place
            ("0.25", ["0.2", "0.3", "0.2", "0.3", "0.2", "0.3", "0.2"]),
            ("0.35", ["0.4", "0.4", "0.3", "0.4", "0.3", "0.4", "0.3"]),
            ("-0.25", ["-0.2", "-0.3", "-0.2", "-0.3", "-0.2", "-0.2", "-0.3"]),
            ("-0.35", ["-0.4", "-0.4", "-0.3", "-0.4", "-0.3", "-0.3", "-0.4"]),
            ("0.250000000000000001", ["0.3", "0.3", "0.3", "0.3", "0.2", "0.3", "0.2"]),
            ("-0.249999999999999999", ["-0.2", "-0.2", "-0.2", "-0.3", "-0.2", "-0.2", "-0.3"]),
            ("0.000000000000000001", ["0", "0", "0", "0.1", "0", "0.1", "0"]),
            ("-0.000000000000000001", ["0", "0", "0", "-0.1", "0", "0", "-0.1"]),
            ("7.3", ["7.3", "7.3", "7.3", "7.3", "7.3", "7.3", "7.3"]),
        ]
    )
    func table(value: String, expected: [String]) throws {
        for (mode, text) in zip(Rounding.Mode.allCases, expected) {
            let rounding = try #require(Rounding(mode: mode, places: 1))
            #expect(try rounding.applied(to: Quantity(value)).description == text, "\(mode)")
        }
    }

    @Test("18 places change nothing, none leave a whole number, and no more are offered")
    func places() throws {
        let value = try Quantity("-2.500000000000000001")
        #expect(try Rounding(mode: .up, places: 18)?.applied(to: value) == value)
        #expect(try Rounding(mode: .halfEven, places: 0)?.applied(to: value) == Quantity("-3"))
        #expect(Rounding(mode: .up, places: 19) == nil)
        #expect(Rounding(mode: .up, places: -1) == nil)
    }

    @Test("rounding out of range is an error", arguments: Rounding.Mode.allCases)
    func ends(mode: Rounding.Mode) throws {
        let whole = try #require(Rounding(mode: mode, places: 0))
        for mantissa in [Int128.max, .min] {
            let rounded = Result { try whole.applied(to: Quantity(mantissa: mantissa)) }
            let isTowardZero = mode == .down || mode == (mantissa > 0 ? .floor : .ceiling)
            let kept = mantissa / 1_000_000_000_000_000_000 * 1_000_000_000_000_000_000
            #expect((try? rounded.get()) == (isTowardZero ? Quantity(mantissa: kept) : nil))
        }
    }
}

/// Random number texts: short, long, ties at the 19th place, extremes, exponents.
private struct RandomNumbers {
    private var generator: SeededGenerator
    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    private mutating func pick(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &generator)
    }

    private mutating func digits(_ count: Int) -> String {
        // Runs of 0, 9 and 5 are where rounding and carries happen.
        let alphabet = Array([["0"], ["9"], ["0", "5"], ["4", "5"], []][pick(0...4)])
        return (0..<count).map { _ in
            alphabet.randomElement(using: &generator) ?? "\(pick(0...9))"
        }.joined()
    }

    mutating func next() -> String {
        let sign = pick(0...1) == 0 ? "" : "-"
        switch pick(0...5) {
        case 0: return sign + "\(pick(0...99_999)).\(digits(pick(1...6)))"
        case 1: return sign + "\(pick(0...9)).\(digits(18))5" + digits(pick(0...60))
        case 2:
            let near = "17014118346046923173168730371588410572" + "\(pick(6...9))\(pick(0...9))"
            return sign + near + digits(pick(0...30)) + "e-\(pick(17...21))"
        case 3: return sign + "\(pick(1...9))\(digits(pick(0...100)))e\(pick(-999...999))"
        case 4:
            let zeros = String(repeating: "0", count: pick(0...40))
            return sign + "0.\(zeros)\(digits(pick(1...40)))E\(pick(-30...60))"
        default:
            let whole = pick(0...3) == 0 ? "0" : "\(pick(1...9))" + digits(pick(0...45))
            return sign + whole + "." + digits(pick(1...80)) + "e+\(pick(0...3))"
        }
    }
}

/// The definition, slowly: all the digits in an array.
private struct NaiveDecimal {
    /// Of |value · 10^18|, most significant first.
    private var whole: [Int]
    private var fraction: [Int]
    private let isNegative: Bool

    init(_ text: String) {
        let lower = text.lowercased()
        let halves = lower.split(separator: "e")
        var exponent = halves.count > 1 ? Int(halves[1].drop { $0 == "+" })! : 0
        let body = halves[0].drop { $0 == "-" }
        let parts = body.split(separator: ".")
        isNegative = lower.hasPrefix("-")
        whole = parts[0].map { $0.wholeNumberValue! }
        fraction = parts.count > 1 ? parts[1].map { $0.wholeNumberValue! } : []
        exponent += Quantity.decimalPlaces
        while exponent > 0 {
            whole.append(fraction.isEmpty ? 0 : fraction.removeFirst())
            exponent -= 1
        }
        while exponent < 0 {
            fraction.insert(whole.popLast() ?? 0, at: 0)
            exponent += 1
        }
    }

    func quantity(_ excess: Quantity.ExcessDigits) -> Result<Quantity, Quantity.ReadFault> {
        var digits = Array(whole.drop { $0 == 0 })
        let hasExcess = fraction.contains { $0 != 0 }
        if excess == .round, let first = fraction.first {
            let isTie = first == 5 && !fraction.dropFirst().contains { $0 != 0 }
            if isTie ? (digits.last ?? 0) % 2 == 1 : first >= 5 {
                var at = digits.count - 1
                while at >= 0, digits[at] == 9 { (digits[at], at) = (0, at - 1) }
                if at >= 0 { digits[at] += 1 } else { digits.insert(1, at: 0) }
            }
        }
        let text = digits.isEmpty ? "0" : digits.map(String.init).joined()
        guard let mantissa = Int128((isNegative ? "-" : "") + text) else {
            return .failure(.outOfRange)
        }
        if hasExcess, excess == .reject { return .failure(.excessDigits) }
        return .success(Quantity(mantissa: mantissa))
    }

    static func spell(_ mantissa: Int128) -> String {
        let digits = String(mantissa.magnitude)
        let padded = String(repeating: "0", count: Swift.max(0, 19 - digits.count)) + digits
        var part = padded.suffix(18)
        while part.last == "0" { part.removeLast() }
        let sign = mantissa < 0 ? "-" : ""
        return sign + padded.dropLast(18) + (part.isEmpty ? "" : "." + part)
    }
}
