import Metering
import MeteringEngine
import MeteringTestKit
import Testing
import UsageModel

@testable import SQLiteLedger

@Suite("Cells in the shape of their meters") struct CellShapeTests {
    private static let aggregations = Aggregation.allCases
    private static let extremes: [Int128] = [.min, .max, -1, 0, 1, .max / 2, .min / 2]

    /// Goal: events that are added to a lane one by one are what merging their states gives.
    /// Method: each seed adds 200 events, extremes among them, to a table and to plain states.
    @Test("adding events one by one is merging their states", arguments: UInt64(1)...20)
    func adding(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let lanes = Self.aggregations.enumerated().map { number, aggregation in
            MeterShape.Lane(meter: UInt32(number + 3), aggregation: aggregation)
        }
        let table = CellTable(bytesMax: 1 << 20)
        let shape = table.shape(MeterShape(lanes: lanes))
        let places = CellShape(MeterShape(lanes: lanes)).lanes
        // Of the shape, of another one, and of none: each way must give the same.
        let other = table.shape(MeterShape(lanes: Array(lanes.reversed().dropFirst(2))))
        let cells = [shape, other, 0].enumerated().map { subject, shape in
            table.cell(
                CellKey.usage,
                subject: UInt32(subject + 1),
                bucket: 7,
                dimensions: 0,
                shape: shape
            )
        }
        var expected = [MeterState](repeating: MeterState(), count: lanes.count)

        for position in UInt64(1)...200 {
            let lane = Int.random(in: lanes.indices, using: &random)
            let mantissa =
                Bool.random(using: &random)
                ? Self.extremes.randomElement(using: &random)!
                : Int128(Int64.random(in: .min ... .max, using: &random))
            let time = Int64.random(in: -3...3, using: &random)
            for cell in cells {
                table.add(
                    cell,
                    shape,
                    places[lane],
                    mantissa: mantissa,
                    time: time,
                    position: position
                )
            }
            let aggregation = lanes[lane].aggregation
            let state = MeterState(
                aggregation,
                mantissa: mantissa,
                time: time,
                position: position
            )
            expected[lane].merge(state, aggregation)
        }

        for subject in UInt32(1)...3 {
            var found = [MeterState](repeating: MeterState(), count: lanes.count)
            table.visit(CellKey.usage, subject, 0..<8) { _, meter, state in
                found[Int(meter) - 3] = state
            }
            #expect(found == expected, "seed \(seed), subject \(subject)")
        }
    }
}
