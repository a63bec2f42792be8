import Metering
import MeteringTestKit
import Testing
import UsageModel

@Suite("Sets of time") struct TimeSpansTests {
    private static func at(_ second: Int) -> Instant {
        Instant(microseconds: Int64(second))
    }

    /// Goal: inserting and removing ranges in any order is what a list of bits says.
    @Test("a set of time is the naive set of its instants", arguments: UInt64(1)...200)
    func equalsNaive(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var spans = TimeSpans.never
        var naive = [Bool](repeating: false, count: 40)
        for _ in 0..<30 {
            let (one, two) = (
                Int.random(in: 0...40, using: &generator), Int.random(in: 0...40, using: &generator)
            )
            let range = min(one, two)..<max(one, two)
            let isIn = Bool.random(using: &generator)
            let asked = Self.at(range.lowerBound)..<Self.at(range.upperBound)
            if isIn { spans.insert(asked) } else { spans.remove(asked) }
            for place in range { naive[place] = isIn }

            #expect(
                naive.indices.allSatisfy { spans.contains(Self.at($0)) == naive[$0] },
                "seed \(seed)"
            )
            if !range.isEmpty {
                let part = naive[range]
                let low = Int.random(in: 0..<40, using: &generator)
                let high = Int.random(in: (low + 1)...40, using: &generator)
                let some = naive[low..<high]
                let extent = spans.extent(of: Self.at(low)..<Self.at(high))
                let expected: TimeSpans.Extent =
                    some.allSatisfy(\.self) ? .whole : some.contains(true) ? .partial : .none
                #expect(extent == expected, "seed \(seed)")
                #expect(part.allSatisfy { $0 == isIn })
            }
            let joined = zip(spans.ranges, spans.ranges.dropFirst()).allSatisfy { one, two in
                one.upperBound < two.lowerBound
            }
            #expect(joined, "seed \(seed)")
        }
    }

    @Test("the last word about a meter is in force for the time it speaks of")
    func timeline() {
        var timeline = MeterTimeline()
        timeline.setDates(start: Self.at(10), end: Self.at(100))
        timeline.say(.closed, from: Self.at(50), to: .end)
        timeline.say(.suspended, from: Self.at(20), to: Self.at(30))
        timeline.say(.active, from: Self.at(80), to: .end)

        let ranges = timeline.spans.ranges.map {
            [$0.lowerBound.microseconds, $0.upperBound.microseconds]
        }
        #expect(ranges == [[10, 20], [30, 50], [80, 100]])
        let standings = [5, 20, 30, 60, 80, 100].map { timeline.standing(at: Self.at($0)) }
        #expect(standings == [.active, .suspended, .active, .closed, .active, .closed])
    }
}
