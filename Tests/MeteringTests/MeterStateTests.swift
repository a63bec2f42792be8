import Metering
import MeteringTestKit
import Testing
import UsageModel

@Suite("Meter states") struct MeterStateTests {
    /// Goal: no order and no split of events, into batches or restarts, changes a state by a bit.
    /// Method: 10^5 random events, folded one by one by a naive reference; then shuffled, cut into
    /// batches at random, and the batches' states merged pairwise in random order.
    @Test(
        "any split in any order gives the state of the naive fold",
        arguments: Aggregation.allCases
    )
    func splits(aggregation: Aggregation) throws {
        for (seed, style) in zip(UInt64(51)..., RandomFacts.Style.allCases) {
            var facts = RandomFacts(seed: seed, style: style)
            var events = (1...100_000).map { facts.next(position: $0) }
            let expected = NaiveFold(events)

            events.shuffle(using: &facts.generator)
            var states = facts.batches(of: events, aggregation)
            while states.count > 1 {
                let one = states.remove(at: Int.random(in: states.indices, using: &facts.generator))
                let place = Int.random(in: states.indices, using: &facts.generator)
                states[place].merge(one, aggregation)
            }

            let fault = expected.fault(of: states[0], aggregation)
            #expect(fault == nil, "seed \(seed), \(style)")
        }
    }

    @Test("merging commutes and associates, to the bit", arguments: Aggregation.allCases)
    func laws(aggregation: Aggregation) {
        var facts = RandomFacts(seed: 61, style: .extremes)
        var faults = 0
        for number in 1...30_000 {
            var states: [MeterState] = []
            for offset in 0..<3 {
                let isEmpty = Int.random(in: 0...5, using: &facts.generator) == 0
                let event = facts.next(position: number * 3 + offset)
                states.append(isEmpty ? MeterState() : event.state(aggregation))
            }
            let (one, other, third) = (states[0], states[1], states[2])
            let left = merged(merged(one, other, aggregation), third, aggregation)
            let right = merged(one, merged(other, third, aggregation), aggregation)
            let turned = merged(merged(third, other, aggregation), one, aggregation)
            if left != right || left != turned { faults += 1 }
        }
        #expect(faults == 0, "seed 61")
    }

    private func merged(_ one: MeterState, _ other: MeterState, _ kind: Aggregation) -> MeterState {
        var state = one
        state.merge(other, kind)
        return state
    }

    @Test("no events: count, sum and unique are zero, the others nothing")
    func nothing() throws {
        for aggregation in Aggregation.allCases {
            var definition = MeterTypeDefinition(
                key: try #require(MeterTypeKey("n")),
                name: "n",
                eventTypes: [],
                aggregation: aggregation
            )
            definition.timeUnit = .hour
            let value = try MeterFold().value(definition)
            let isZero =
                [.count, .sum].contains(aggregation) || aggregation.countsDistinct
                || aggregation.isCarried
            #expect(value == (isZero ? .zero : nil), "\(aggregation)")
        }
    }

    @Test("unique is what stands beside the state; count is the events")
    func whole() throws {
        let state = MeterState(.unique, mantissa: 0, time: 0, position: 1)
        #expect(try state.result(.unique, rounding: nil, distinct: 3) == Quantity("3"))
        #expect(try state.result(.count, rounding: nil)?.description == "1")
        var most = MeterState()
        most.count = .max
        #expect(try most.result(.count, rounding: nil)?.description == "9223372036854775807")
    }

    @Test("of equal times the greater position is the latest")
    func latestTies() throws {
        var state = MeterState(.latest, mantissa: 1, time: 10, position: 7)
        state.merge(MeterState(.latest, mantissa: 2, time: 10, position: 9), .latest)
        state.merge(MeterState(.latest, mantissa: 3, time: 10, position: 8), .latest)
        state.merge(MeterState(.latest, mantissa: 4, time: 9, position: 99), .latest)
        #expect(try state.result(.latest, rounding: nil) == Quantity(mantissa: 2))
        #expect(state.count == 4)
    }

    @Test("of equal times the lesser position is the first")
    func firstTies() throws {
        var state = MeterState(.first, mantissa: 1, time: 10, position: 7)
        state.merge(MeterState(.first, mantissa: 2, time: 10, position: 5), .first)
        state.merge(MeterState(.first, mantissa: 3, time: 10, position: 6), .first)
        state.merge(MeterState(.first, mantissa: 4, time: 11, position: 1), .first)
        #expect(try state.result(.first, rounding: nil) == Quantity(mantissa: 2))
        #expect(state.count == 4)
    }

    @Test("a sum out of range is an error until it comes back, its average never is")
    func overflow() throws {
        for (mantissa, back) in [(Int128.max, Int128(-1)), (.min, 1)] {
            var sum = MeterState()
            for position in 1...1_000 as ClosedRange<UInt64> {
                let value = position == 1 ? mantissa : (mantissa < 0 ? -1 : 1)
                sum.merge(MeterState(.sum, mantissa: value, time: 0, position: position), .sum)
            }
            #expect(throws: MeterValueError.overflow) { try sum.result(.sum, rounding: nil) }
            for _ in 1...999 {
                sum.merge(MeterState(.sum, mantissa: back, time: 0, position: 1), .sum)
            }
            #expect(try sum.result(.sum, rounding: nil) == Quantity(mantissa: mantissa))

            var average = MeterState()
            for position in 1...1_000 as ClosedRange<UInt64> {
                let one = MeterState(.average, mantissa: mantissa, time: 0, position: position)
                average.merge(one, .average)
            }
            #expect(try average.result(.average, rounding: nil) == Quantity(mantissa: mantissa))
            let whole = Rounding(mode: .up, places: 0)
            #expect(throws: MeterValueError.overflow) {
                try average.result(.average, rounding: whole)
            }
            let end = MeterState(.max, mantissa: mantissa, time: 0, position: 1)
            #expect(throws: MeterValueError.overflow) { try end.result(.max, rounding: whole) }
        }
    }

    @Test(
        "an average is rounded once, on the exact quotient",
        arguments: [
            (["1", "1", "2"], nil, "1.333333333333333333"),
            (["1", "2", "2"], nil, "1.666666666666666667"),
            (["-1", "-2", "-2"], nil, "-1.666666666666666667"),
            // 18 places first would give 0.5, and that 0: the quotient lies above the tie.
            (["0.500000000000000001", "0.5", "0.5"], 0, "1"),
            (["0.1", "0.2"], 1, "0.2"), (["0.2", "0.3"], 1, "0.2"), (["-0.1", "-0.2"], 1, "-0.2"),
            (["0.000000000000000001", "0"], nil, "0"),
            (["0.000000000000000003", "0"], nil, "0.000000000000000002"),
            (["5", "-5"], nil, "0"),
        ] as [([String], Int?, String)]
    )
    func averages(values: [String], places: Int?, expected: String) throws {
        var state = MeterState()
        for (index, value) in values.enumerated() {
            let mantissa = try Quantity(value).mantissa
            let position = UInt64(index + 1)
            state.merge(
                MeterState(.average, mantissa: mantissa, time: 0, position: position),
                .average
            )
        }
        let rounding = places.flatMap { Rounding(mode: .halfEven, places: $0) }
        #expect(try state.result(.average, rounding: rounding)?.description == expected)
    }

    @Test("every mode rounds an average as its definition says", arguments: Rounding.Mode.allCases)
    func averageModes(mode: Rounding.Mode) throws {
        var facts = RandomFacts(seed: 71, style: .ordinary)
        for number in 1...20_000 {
            let count = Int.random(in: 1...9, using: &facts.generator)
            let places = Int.random(in: 0...18, using: &facts.generator)
            let events = (0..<count).map { facts.next(position: number * 10 + $0) }
            let state = events.reduce(into: MeterState()) {
                $0.merge($1.state(.average), .average)
            }
            let rounding = try #require(Rounding(mode: mode, places: places))
            let value = try #require(try state.result(.average, rounding: rounding))
            let fault = NaiveFold(events).averageFault(of: value, rounding)
            #expect(fault == nil, "seed 71, \(number): \(value) at \(places) places")
        }
    }
}
