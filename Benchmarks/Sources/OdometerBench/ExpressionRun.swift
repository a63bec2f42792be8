import Expressions
import Metering
import UsageModel
import WireFormat

/// What an expression costs per event beside a plain path: both from decoded events in memory
/// to a value, in turns, in one run.
struct ExpressionRun {
    /// What a plain path costs today: find the place, read the number.
    static let plainPath = "$.data.tokens.input"

    static let rows: [(text: String, expected: ExpectedResult)] = [
        (plainPath, .number),
        ("$.data.tokens.input + 3 * $.data.tokens.output", .number),
        ("round($.data.latencyMs / 1000, 2)", .number),
        ("$.data.status != \"error\"", .bool),
        ("$.data.model in [\"medium\", \"large\"]", .bool),
        (
            "source startsWith \"gateway-eu\" and $.data.status == \"ok\" "
                + "and $.data.tokens.input > 100",
            .bool
        ),
        ("$.data.user matches \"^user-[0-4]\"", .bool),
        ("hour(time, \"Europe/Berlin\") >= 18", .bool),
        ("concat($.data.model, \"-\", lower(source))", .scalar),
    ]

    /// The shortest time a round took, in nanoseconds per event.
    struct Cost {
        var extraction = Double.infinity
        var whole = Double.infinity
    }

    private let batch: DecodedBatch
    private let expressions: [UsageExpression]
    private let paths: [PathSet]
    /// Keeps the loops from being taken out.
    private var sum: Int64 = 0

    init(_ workload: Workload, zones: any TimeZoneSource) throws {
        var bytes: [UInt8] = []
        for (index, event) in workload.events.enumerated() {
            bytes.append(UInt8(ascii: index == 0 ? "[" : ","))
            event.appendCloudEvent(to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
        batch = try decodeEvents(bytes, framing: .plain)
        expressions = try Self.rows.map { row in
            try UsageExpression(parsing: row.text, expecting: row.expected, zones: zones)
        }
        paths = expressions.map { PathSet($0.paths) }
    }

    /// Measures all rows in turns; the first of the answer is the plain path, read without an
    /// expression.
    mutating func measure(rounds: Int) -> [Cost] {
        var costs = [Cost](repeating: Cost(), count: expressions.count + 1)
        for _ in 0..<rounds {
            costs[0].extraction = min(costs[0].extraction, time { $0.extract(0) })
            costs[0].whole = min(costs[0].whole, time { $0.readPlainPath() })
            for row in expressions.indices {
                let extraction = time { $0.extract(row) }
                let whole = time { $0.evaluate(row) }
                costs[row + 1].extraction = min(costs[row + 1].extraction, extraction)
                costs[row + 1].whole = min(costs[row + 1].whole, whole)
            }
        }
        return costs
    }

    private mutating func time(_ body: (inout ExpressionRun) -> Void) -> Double {
        let start = monotonicNanoseconds()
        body(&self)
        return Double(monotonicNanoseconds() - start) / Double(batch.events.count)
    }

    private func slots(_ row: Int) -> [PathValue] {
        [PathValue](repeating: .missing, count: paths[row].count)
    }

    private mutating func extract(_ row: Int) {
        let paths = paths[row]
        var slots = slots(row)
        var found: Int64 = 0
        unsafe slots.withUnsafeMutableBufferPointer { slots in
            unsafe batch.bytes.withUnsafeBytes { bytes in
                for event in batch.events {
                    unsafe paths.extract(event, bytes: bytes, into: slots)
                    found &+= unsafe Int64(slots[0].slice.count)
                }
            }
        }
        sum &+= found
    }

    private mutating func readPlainPath() {
        let paths = paths[0]
        var slots = slots(0)
        var found: Int64 = 0
        unsafe slots.withUnsafeMutableBufferPointer { slots in
            unsafe batch.bytes.withUnsafeBytes { bytes in
                for event in batch.events {
                    unsafe paths.extract(event, bytes: bytes, into: slots)
                    let range = unsafe slots[0].slice.range
                    let text = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
                    if case .success(let quantity) = unsafe Quantity.read(text) {
                        found &+= Int64(truncatingIfNeeded: quantity.mantissa)
                    }
                }
            }
        }
        sum &+= found
    }

    private mutating func evaluate(_ row: Int) {
        let (paths, expression) = (paths[row], expressions[row])
        var slots = slots(row)
        var scratch = ExpressionScratch()
        var found: Int64 = 0
        unsafe slots.withUnsafeMutableBufferPointer { slots in
            let known = UnsafeBufferPointer(slots)
            unsafe batch.bytes.withUnsafeBytes { bytes in
                for event in batch.events {
                    unsafe paths.extract(event, bytes: bytes, into: slots)
                    switch unsafe expression.evaluate(known, in: bytes, &scratch) {
                    case .bool(let bool): found &+= bool ? 1 : 0
                    case .number(let quantity):
                        found &+= Int64(truncatingIfNeeded: quantity.mantissa)
                    case .text(let text): found &+= Int64(text.slice.count)
                    case .missing, .fault: found &-= 1
                    }
                }
            }
        }
        sum &+= found
    }

    /// The table for docs/performance.md.
    static func markdown(_ costs: [Cost]) -> String {
        let plain = costs[0].whole
        var lines = [
            "| expression | find the places, ns | and the value, ns | beside a plain path |",
            "|---|--:|--:|--:|",
        ]
        let names = ["a plain path, without an expression"] + rows.map { "`\($0.text)`" }
        for (name, cost) in zip(names, costs) {
            let extraction = decimal(cost.extraction, places: 0)
            let whole = decimal(cost.whole, places: 0)
            let ratio = decimal(cost.whole / plain, places: 2)
            lines.append("| \(name) | \(extraction) | \(whole) | \(ratio) |")
        }
        return lines.joined(separator: "\n")
    }
}

extension OdometerBench {
    /// `expressions`: what expressions cost beside a plain path.
    static func expressions(
        _ options: inout Options,
        zones: any TimeZoneSource
    ) throws {
        var shape = try workloadShape(&options)
        let rounds = try options.number("rounds", default: 20)
        try options.finish()
        // As many events as stay in the cache with room: the work is measured, not the memory.
        shape.count = min(shape.count, 10_000)
        var run = try ExpressionRun(Workload(shape), zones: zones)
        say("seed \(shape.seed), \(shape.count) events, the shortest of \(rounds) rounds")
        say("")
        say(ExpressionRun.markdown(run.measure(rounds: rounds)))
    }
}
