import MeteringTestKit
import Testing

@testable import Validation

@Suite("Exact decimals") struct ExactDecimalTests {
    /// A number of few digits, as its spelling and as a whole number of units of 10^-6.
    private struct Drawn {
        var spelling: String
        var units: Int64

        init(from generator: inout SeededGenerator) {
            let places = Int.random(in: 0...6, using: &generator)
            let whole = Int64.random(in: -2_000_000...2_000_000, using: &generator)
            let scale = (0..<places).reduce(1 as Int64) { scale, _ in scale * 10 }
            let shift = Int.random(in: 0...3, using: &generator)
            units = whole * (1_000_000 / scale)
            // The same number is spelled with an exponent, or with a point and zeros behind.
            switch shift {
            case 0: spelling = "\(whole)e-\(places)"
            case 1: spelling = "\(whole)0E-\(places + 1)"
            default:
                let digits = String(whole.magnitude)
                let padded =
                    String(repeating: "0", count: max(places + 1 - digits.count, 0)) + digits
                let point = padded.index(padded.endIndex, offsetBy: -places)
                spelling = (whole < 0 ? "-" : "") + padded[..<point]
                if places > 0 { spelling += "." + padded[point...] + (shift == 2 ? "" : "00") }
            }
        }
    }

    @Test("numbers compare and divide as whole numbers of a common unit do")
    func property() {
        let seed: UInt64 = 0x5EED_0DEC
        var generator = SeededGenerator(seed: seed)
        for round in 0..<20_000 {
            let (one, other) = (Drawn(from: &generator), Drawn(from: &generator))
            guard let left = ExactDecimal(one.spelling), let right = ExactDecimal(other.spelling)
            else {
                Issue.record("seed \(seed), round \(round): \(one.spelling), \(other.spelling)")
                return
            }
            let isMultiple = other.units != 0 && one.units % other.units == 0
            let isSame =
                (left < right) == (one.units < other.units)
                && (left == right) == (one.units == other.units)
                && left.isWhole == (one.units % 1_000_000 == 0)
                && left.isMultiple(of: right) == isMultiple
                && ExactDecimal(left.description) == left
            #expect(isSame, "seed \(seed), round \(round): \(one.spelling), \(other.spelling)")
            guard isSame else { return }
        }
    }

    @Test(
        "spellings of one value are one number; what is no number is none",
        arguments: [
            ("1", "1.0", true), ("1e2", "100", true), ("-0", "0", true), ("0.10", "1e-1", true),
            ("1", "-1", false), ("0.1", "0.10000000000000000001", false),
            ("1e999", "1e998", false), ("12.5", "1.25e1", true),
        ]
    )
    func spellings(one: String, other: String, areEqual: Bool) {
        #expect((ExactDecimal(one) == ExactDecimal(other)) == areEqual)
        for text in ["", "-", "1x", "e1", "1e", "1e+", "1.2.3", "one"] {
            #expect(ExactDecimal(text) == nil, "\(text)")
        }
    }
}
