import Metering
import MeteringTestKit
import UsageModel

@testable import SQLiteLedger

/// A small world of cells to draw from, and a dictionary that says what must come of it.
struct CellWorld {
    /// Meter n is aggregated by the nth aggregation, over and over.
    static func aggregation(_ meter: UInt32) -> Aggregation {
        Aggregation.allCases[Int(meter) % Aggregation.allCases.count]
    }

    struct Entry {
        var key: CellKey
        var meter: UInt32
        var state: MeterState
    }

    typealias Reference = [CellKey: [UInt32: MeterState]]

    var random: SeededGenerator
    var subjects: UInt32
    var meters: UInt32

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        subjects = UInt32(1 + random.next() % 60)
        meters = UInt32(1 + random.next() % 40)
    }

    /// One state for one meter of one cell, of all kinds and shapes.
    mutating func entry(position: UInt64) -> Entry {
        let kind = UInt8(random.next() % 4)
        let meter = UInt32(random.next() % UInt64(meters))
        var key = CellKey(
            kind: kind,
            subject: random.next() % 4 == 0 ? 0 : UInt32(random.next() % UInt64(subjects)) * 7,
            bucket: Int32(random.next() % 30) - 15,
            dimensions: UInt32(random.next() % 5) * UInt32(random.next() % 5) << 20
        )
        if random.next() % 50 == 0 { key.bucket = [.min, .max - 1, 1_983_000][Int(position % 3)] }
        var state = MeterState(
            kind == CellKey.element
                ? .unique
                : kind == CellKey.sample
                    ? Self.aggregation(meter).ofSamples : Self.aggregation(meter),
            mantissa: mantissa(),
            time: Int64(truncatingIfNeeded: random.next()) >> Int64(random.next() % 64),
            position: position
        )
        if kind == CellKey.element {
            key.meter = meter
            key.element = KeyHash(high: random.next() % 3, low: random.next() % 3)
            state.count = Int64(random.next() % 1_000) - 100
        }
        if kind == CellKey.sample {
            key.meter = meter
            key.element = KeyHash(microseconds: Int64(random.next() % 3) - 1)
        }
        return Entry(key: key, meter: meter, state: state)
    }

    private mutating func mantissa() -> Int128 {
        let digits = Int128(Int64(truncatingIfNeeded: random.next()) >> Int64(random.next() % 64))
        let unit = Int128(1_000_000_000_000_000_000)
        switch random.next() % 8 {
        case 0: return 0
        case 1: return digits % 1_000 * unit / 100
        case 2: return digits % 1_000 * unit / 1_000_000
        case 3: return digits * Int128(Int64.max) + digits
        case 4: return [Int128.max, .min, -1, 1][Int(random.next() % 4)]
        case 5: return digits
        default: return digits % 100_000 * unit
        }
    }

    static func fold(_ entries: [Entry]) -> Reference {
        var reference: Reference = [:]
        for entry in entries {
            let own = aggregation(entry.meter)
            let aggregation: Aggregation =
                entry.key.kind == CellKey.element
                ? .unique : entry.key.kind == CellKey.sample ? own.ofSamples : own
            reference[entry.key, default: [:]][entry.meter, default: MeterState()]
                .merge(entry.state, aggregation)
        }
        return reference
    }

    static func add(_ entries: some Sequence<Entry>, to table: CellTable) {
        for entry in entries {
            let key = entry.key
            if key.kind == CellKey.element {
                table.mergeElement(
                    subject: key.subject,
                    bucket: key.bucket,
                    dimensions: key.dimensions,
                    meter: key.meter,
                    element: key.element,
                    count: entry.state.count
                )
                continue
            }
            if key.kind == CellKey.sample {
                table.mergeSample(
                    subject: key.subject,
                    bucket: key.bucket,
                    dimensions: key.dimensions,
                    meter: key.meter,
                    element: key.element,
                    state: entry.state,
                    aggregation: aggregation(entry.meter)
                )
                continue
            }
            let cell = table.cell(
                key.kind,
                subject: key.subject,
                bucket: key.bucket,
                dimensions: key.dimensions
            )
            table.merge(
                cell,
                meter: entry.meter,
                state: entry.state,
                aggregation: aggregation(entry.meter)
            )
        }
    }
}

/// What a visit saw, in its order.
struct CellSight {
    var seen: CellWorld.Reference = [:]
    var order: [CellKey] = []
    var repeats = 0

    mutating func take(_ key: CellKey, _ meter: UInt32, _ state: MeterState) {
        if seen[key] == nil { order.append(key) }
        if seen[key]?[meter] != nil { repeats += 1 }
        seen[key, default: [:]][meter] = state
    }
}
