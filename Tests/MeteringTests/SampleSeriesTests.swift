import Metering
import MeteringTestKit
import Testing
import UsageModel

@Suite("Values that are carried") struct SampleSeriesTests {
    private static func definition(
        _ aggregation: Aggregation,
        unit: TimeUnit = .second
    ) throws -> MeterTypeDefinition {
        var definition = MeterTypeDefinition(
            key: try #require(MeterTypeKey("s")),
            name: "s",
            eventTypes: [],
            aggregation: aggregation
        )
        if aggregation == .timeWeighted { definition.timeUnit = unit }
        return definition
    }

    private static func series(_ aggregation: Aggregation, _ facts: [Fact]) -> SampleSeries {
        var series = SampleSeries(aggregation)
        for fact in facts {
            let (mantissa, position) = (fact.mantissa, fact.position)
            series.add(
                MeterState(sampleOf: aggregation, mantissa: mantissa, position: position),
                at: fact.time
            )
        }
        return series
    }

    /// Facts from (hour, value), in the order of their positions.
    private static func facts(_ told: [(Int64, String)]) throws -> [Fact] {
        try told.enumerated().map { index, fact in
            Fact(
                mantissa: try Quantity(fact.1).mantissa,
                time: fact.0 * 3_600_000_000,
                position: UInt64(index + 1)
            )
        }
    }

    private static let hours = (0...4).map { Int64($0) * 3_600_000_000 }

    /// The values of four windows of an hour, and - for those that have no row.
    private static func values(
        _ aggregation: Aggregation,
        _ told: [(Int64, String)],
        until: Int64 = 100,
        carryMax: Int64? = nil
    ) throws -> String {
        let definition = try definition(aggregation, unit: .hour)
        let folds = series(aggregation, try facts(told)).folds(
            over: hours,
            until: until * 3_600_000_000,
            carryMax: carryMax.map { $0 * 3_600_000_000 }
        )
        var values = ["-", "-", "-", "-"]
        for (window, fold) in folds {
            let value = try fold.value(definition)?.description ?? "nil"
            values[window] = fold.state.count > 0 ? value + "!" : value
        }
        return values.joined(separator: " ")
    }

    @Test(
        "a gauge holds until it is told anew, before and behind the range too",
        arguments: [
            ([], "- - - -"),
            ([(0, "5")], "5! 5 5 5"),
            ([(-9, "5")], "5 5 5 5"),
            ([(2, "5")], "- - 5! 5"),
            ([(0, "5"), (2, "0")], "5! 5 0! -"),
            ([(2, "0"), (0, "5")], "5! 5 0! -"),
            ([(-3, "7"), (-2, "2"), (1, "-3")], "2 -3! -3 -3"),
            ([(0, "5"), (0, "6")], "6! 6 6 6"),
            ([(4, "5"), (9, "1")], "- - - -"),
        ] as [([(Int64, String)], String)]
    )
    func gauges(told: [(Int64, String)], expected: String) throws {
        #expect(try Self.values(.timeWeighted, told) == expected)
    }

    @Test("a gauge holds no longer than it may, nor into the future")
    func ends() throws {
        #expect(try Self.values(.timeWeighted, [(0, "5")], carryMax: 2) == "5! 5 - -")
        #expect(try Self.values(.timeWeighted, [(-3, "5")], carryMax: 2) == "- - - -")
        #expect(try Self.values(.timeWeighted, [(-1, "5")], carryMax: 2) == "5 - - -")
        #expect(try Self.values(.timeWeighted, [(0, "5")], until: 3) == "5! 5 5 -")
        #expect(try Self.values(.timeWeighted, [(2, "5")], until: 1) == "- - 0! -")
        #expect(try Self.values(.peakConcurrency, [(0, "5")], until: 2) == "5! 5 0 0")
        #expect(try Self.values(.peakConcurrency, [(0, "5"), (3, "1")], until: 2) == "5! 5 0 6!")
    }

    @Test(
        "a counter counts from its first sample on, and from zero where it went back",
        arguments: [
            ([(0, "5")], "0! - - -"),
            ([(-5, "5"), (1, "7")], "- 2! - -"),
            ([(-5, "5"), (1, "7"), (3, "7")], "- 2! - 0!"),
            ([(0, "5"), (1, "3"), (2, "4")], "0! 3! 1! -"),
            ([(2, "4"), (0, "5"), (1, "3")], "0! 3! 1! -"),
            ([(0, "5"), (1, "0")], "0! 0! - -"),
            ([(1, "5"), (1, "9"), (2, "10")], "- 0! 1! -"),
        ] as [([(Int64, String)], String)]
    )
    func counters(told: [(Int64, String)], expected: String) throws {
        #expect(try Self.values(.counter, told) == expected)
    }

    @Test(
        "a peak is the greatest level in a window, what came before included",
        arguments: [
            ([(0, "1"), (0, "1"), (1, "-1")], "2! 1! 1 1"),
            ([(-2, "3"), (1, "-3")], "3 0! - -"),
            ([(-2, "3"), (1, "-3"), (1, "1"), (2, "-1")], "3 1! 0! -"),
            ([(1, "-1"), (2, "2")], "- -1! 1! 1"),
        ] as [([(Int64, String)], String)]
    )
    func peaks(told: [(Int64, String)], expected: String) throws {
        #expect(try Self.values(.peakConcurrency, told) == expected)
    }

    @Test("within a window it is the time between, to the microsecond")
    func within() throws {
        var facts = try Self.facts([(0, "3"), (0, "1.5")])
        facts[1].time = 3_600_000_000 / 4
        let folds = Self.series(.timeWeighted, facts).folds(over: [0, 3_600_000_000])
        let hours = try folds[0].fold.value(Self.definition(.timeWeighted, unit: .hour))
        #expect(hours?.description == "1.875")
        let days = try folds[0].fold.value(Self.definition(.timeWeighted, unit: .day))
        #expect(days?.description == "0.078125")
        var peaks = try Self.facts([(0, "1"), (0, "1"), (0, "-2")])
        (peaks[1].time, peaks[2].time) = (5, 6)
        let peak = Self.series(.peakConcurrency, peaks).folds(over: [0, 10])
        #expect(try peak[0].fold.value(Self.definition(.peakConcurrency))?.description == "2")
        let overflow = Fact(mantissa: .max, time: 0, position: 1)
        let area = Self.series(.timeWeighted, [overflow]).folds(over: [0, 7_200_000_000])
        #expect(throws: MeterValueError.overflow) {
            try area[0].fold.value(Self.definition(.timeWeighted, unit: .hour))
        }
        #expect(
            try area[0].fold.value(Self.definition(.timeWeighted, unit: .day))?.mantissa
                == Int128.max / 12 + 1
        )
    }

    /// Goal: no order and no split changes what is carried by a digit.
    /// Method: 10^5 random events with ties in time, shuffled; those before the first window come
    /// as the states of quarters of an hour, the others one by one; then every window against the
    /// function of time that the aggregation is.
    @Test(
        "any split in any order gives the naive function of time",
        arguments: Aggregation.allCases.filter(\.isCarried),
        [UInt64(91), 92, 93]
    )
    func splits(aggregation: Aggregation, seed: UInt64) throws {
        let style: RandomFacts.Style =
            seed == 92 && aggregation != .peakConcurrency ? .extremes : .ordinary
        var random = RandomFacts(seed: seed, style: style)
        let quarter: Int64 = 900_000_000
        let facts = (1...100_000).map { position in
            var fact = random.next(position: position)
            let place = Int64.random(in: -400...400, using: &random.generator)
            let isTied = Bool.random(using: &random.generator)
            let offset = isTied ? 0 : Int64.random(in: 0..<quarter, using: &random.generator)
            fact.time = place * quarter + offset
            if aggregation == .counter, seed != 93 { fact.mantissa = fact.mantissa / 2 }
            return fact
        }
        var edges: [Int64] = [-200 * quarter]
        while edges.count < 60 {
            edges.append(
                (edges.last ?? 0) + Int64.random(in: 1...(20 * quarter), using: &random.generator)
            )
        }
        let carryMax = seed == 91 ? nil : Int64.random(in: 1...quarter, using: &random.generator)
        let until = seed == 93 ? 300 * quarter : .max

        var series = SampleSeries(aggregation)
        var past: [Int64: MeterState] = [:]
        for fact in facts.shuffled(using: &random.generator) {
            if fact.time >= edges[0] {
                let one = Self.series(aggregation, [fact])
                series.merge(one)
                continue
            }
            let start = (fact.time - (fact.time % quarter + quarter) % quarter)
            past[start, default: MeterState()].merge(fact.state(aggregation), aggregation)
        }
        for (start, state) in past { series.add(past: state, from: start) }
        let folds = series.folds(over: edges, until: until, carryMax: carryMax)

        let naive = NaiveSeries(
            facts.map { .init(mantissa: $0.mantissa, time: $0.time, position: $0.position) }
        )
        let definition = try Self.definition(aggregation)
        for window in edges.indices.dropLast() {
            let range = edges[window]..<edges[window + 1]
            let fold = folds.first { $0.window == window }?.fold ?? MeterFold()
            let expected =
                switch aggregation {
                case .timeWeighted:
                    naive.area(range, carryMax: carryMax, until: until).quotient(by: 1_000_000)
                case .counter: naive.growth(range).quotient(by: 1)
                // A level is carried into no window that begins later.
                default:
                    range.lowerBound >= until && naive.events(in: range) == 0
                        ? .zero : naive.peak(range)
                }
            let value = try? fold.value(definition)
            #expect(value == expected, "seed \(seed), window \(window)")
            #expect(fold.state.count == naive.events(in: range), "seed \(seed), \(window)")
        }
    }
}
