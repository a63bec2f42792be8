import Metering
import MeteringTestKit
import Testing
import UsageModel

@Suite("Percentiles") struct PercentileTests {
    private static func definition(
        _ percent: String,
        _ method: Percentile.Method,
        _ rounding: Rounding? = nil
    ) throws -> MeterTypeDefinition {
        let key = try #require(MeterTypeKey("p"))
        var definition = MeterTypeDefinition(
            key: key,
            name: "p",
            eventTypes: [],
            aggregation: .percentile
        )
        definition.percentile = Percentile(percent: try Quantity(percent), method: method)
        definition.rounding = rounding
        return definition
    }

    private static func fold(_ values: some Sequence<Int128>) -> MeterFold {
        var fold = MeterFold()
        for (index, mantissa) in values.enumerated() {
            let position = UInt64(index + 1)
            let state = MeterState(.percentile, mantissa: mantissa, time: 0, position: position)
            fold.state.merge(state, .percentile)
            fold.add(KeyHash(value: mantissa), events: 1, .percentile)
        }
        return fold
    }

    @Test(
        "the table of the page",
        arguments: [
            (["15", "20", "35", "40", "50"], "5", "15", "16"),
            (["15", "20", "35", "40", "50"], "30", "20", "23"),
            (["15", "20", "35", "40", "50"], "40", "20", "29"),
            (["15", "20", "35", "40", "50"], "50", "35", "35"),
            (["15", "20", "35", "40", "50"], "100", "50", "50"),
            (["15", "20", "35", "40", "50"], "0", "15", "15"),
            (["7"], "99.9", "7", "7"),
            (["2", "1"], "50", "1", "1.5"),
            (["2", "1"], "50.000001", "2", "1.50000001"),
            (["3", "3", "3", "9"], "75", "3", "4.5"),
            (["-4", "-2"], "25", "-4", "-3.5"),
            (["0", "0.000000000000000001"], "50", "0", "0"),
            (
                ["0.000000000000000001", "0.000000000000000002"], "50", "0.000000000000000001",
                "0.000000000000000002"
            ),
        ] as [([String], String, String, String)]
    )
    func table(values: [String], percent: String, nearest: String, linear: String) throws {
        let fold = Self.fold(try values.map { try Quantity($0).mantissa })
        let rank = try fold.value(Self.definition(percent, .nearestRank))
        let line = try fold.value(Self.definition(percent, .linear))
        #expect(rank?.description == nearest)
        #expect(line?.description == linear)
    }

    @Test("no events have no percentile; a rounding is applied once, to the exact value")
    func rounding() throws {
        #expect(try MeterFold().value(Self.definition("50", .linear)) == nil)
        let fold = Self.fold([1, 2].map { $0 * 1_000_000_000_000_000_000 })
        let whole = Rounding(mode: .halfUp, places: 0)
        #expect(try fold.value(Self.definition("50", .linear, whole))?.description == "2")
        // 1.45 would be 1.5 in one place and then 2: it is 1.
        #expect(try fold.value(Self.definition("45", .linear, whole))?.description == "1")
        let ends = Self.fold([.max, .min])
        #expect(try ends.value(Self.definition("50", .linear))?.mantissa == 0)
        #expect(throws: MeterValueError.overflow) {
            try ends.value(Self.definition("100", .linear, Rounding(mode: .up, places: 0)))
        }
    }

    @Test("a percentile is 0 to 100 with at most six places")
    func range() throws {
        for wrong in ["-1", "100.000001", "0.0000001", "101"] {
            #expect(Percentile(percent: try Quantity(wrong), method: .linear) == nil, "\(wrong)")
        }
        for right in ["0", "0.000001", "99.95", "100"] {
            let percent = try Quantity(right)
            #expect(Percentile(percent: percent, method: .linear)?.percent == percent)
        }
    }

    @Test("a value as an element keeps its order, and can be read back")
    func elements() {
        var facts = RandomFacts(seed: 81, style: .extremes)
        var values = (1...10_000).map { facts.next(position: $0).mantissa }
        values += [.min, .max, 0, -1, 1]
        #expect(values.allSatisfy { KeyHash(value: $0).value == $0 })
        #expect(values.sorted() == values.map { KeyHash(value: $0) }.sorted().map(\.value))
    }

    /// Goal: no order and no split changes a percentile by a digit.
    /// Method: 10^5 random values as folds of random sizes, merged in random order, against the
    /// sorted list of all: by counting for the nearest rank, by exact parts for the line.
    @Test("any split in any order gives the value of the sorted list", arguments: [UInt64(82), 83])
    func splits(seed: UInt64) throws {
        let style = RandomFacts.Style.allCases[Int(seed % 2)]
        var facts = RandomFacts(seed: seed, style: style)
        let values = (1...100_000).map { facts.next(position: $0).mantissa }
        var left = values[...]
        var folds: [MeterFold] = []
        while !left.isEmpty {
            let size = Int.random(in: 0...9_000, using: &facts.generator)
            folds.append(Self.fold(left.prefix(size)))
            left = left.dropFirst(size)
        }
        folds.shuffle(using: &facts.generator)
        var whole = MeterFold()
        for fold in folds { whole.merge(fold, .percentile) }
        #expect(whole.state.count == 100_000)

        let sorted = values.sorted()
        for _ in 0..<50 {
            let share = Int.random(in: 0...100_000_000, using: &facts.generator)
            let percent = Quantity(mantissa: Int128(share) * 1_000_000_000_000).description
            let rank = try whole.value(Self.definition(percent, .nearestRank))
            let line = try whole.value(Self.definition(percent, .linear))

            let enough = sorted.indices.first { ($0 + 1) * 100_000_000 >= share * sorted.count }
            #expect(rank?.mantissa == sorted[enough ?? 0], "seed \(seed), \(percent)")
            let place = share * (sorted.count - 1)
            let (index, part) = place.quotientAndRemainder(dividingBy: 100_000_000)
            let ends = (sorted[index], sorted[min(index + 1, sorted.count - 1)])
            let fault = Self.fault(of: try #require(line).mantissa, between: ends, Int128(part))
            #expect(fault == nil, "seed \(seed), \(percent)")
        }
    }

    /// Whether a value is the nearest to `lower + (upper - lower) · part / 10^8`, in halves so that
    /// nothing overflows.
    private static func fault(
        of value: Int128,
        between ends: (Int128, Int128),
        _ part: Int128
    ) -> String? {
        let whole: Int128 = 100_000_000
        // value · whole - lower · (whole - part) - upper · part, which is small if value is right.
        func term(_ mantissa: Int128, _ factor: Int128) -> (high: Int128, low: Int128) {
            ((mantissa >> 64) * factor, (mantissa & 0xFFFF_FFFF_FFFF_FFFF) * factor)
        }
        let (one, two, three) = (
            term(value, whole), term(ends.0, whole - part), term(ends.1, part)
        )
        let high = one.high - two.high - three.high
        let low = one.low - two.low - three.low
        guard high.magnitude < 1 << 62 else { return "far off" }
        let distance = (high << 64) + low
        if distance.magnitude * 2 > whole.magnitude { return "not the nearest" }
        let isTie = distance.magnitude * 2 == whole.magnitude
        return isTie && !value.isMultiple(of: 2) ? "a tie to the odd" : nil
    }
}
