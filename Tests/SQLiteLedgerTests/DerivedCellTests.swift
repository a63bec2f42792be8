import Metering
import MeteringTestKit
import Testing
import UsageModel

@testable import SQLiteLedger

@Suite("Rollup cells") struct DerivedCellTests {
    /// Goal: table and run tell exactly what a dictionary of folds tells, for any subject and
    /// range.
    @Test("table and run hold what was merged, and nothing else", arguments: UInt64(1)...60)
    func visits(seed: UInt64) throws {
        var world = CellWorld(seed: seed)
        let directory = ScratchDirectory()
        let entries = (1...UInt64(200 + seed * 40)).map { world.entry(position: $0) }
        let reference = CellWorld.fold(entries)
        let table = CellTable(bytesMax: 1 << 20)

        CellWorld.add(entries, to: table)
        table.freeze()
        let run = try table.writeRun(to: directory("run"), store: 7)
        let opened = try CellRun.open(directory("run"), store: 7)
        try opened.verify()

        #expect(table.count == reference.count && run.count == reference.count)
        for _ in 0..<40 {
            let kind = UInt8(world.random.next() % 3)
            let subject = world.random.next() % 5 == 0 ? nil : UInt32(world.random.next() % 450)
            let low = Int32(world.random.next() % 40) - 20
            let buckets = [
                low..<(low + Int32(world.random.next() % 30)), .min..<Int32.max, low..<low,
            ][Int(world.random.next() % 3)]
            let expected = reference.filter { key, _ in
                key.kind == kind && subject ?? key.subject == key.subject
                    && buckets.contains(key.bucket)
            }
            var (inTable, inRun, inOpened) = (CellSight(), CellSight(), CellSight())
            table.visit(kind, subject, buckets) { inTable.take($0, $1, $2) }
            try run.visit(kind, subject, buckets) { inRun.take($0, $1, $2) }
            try opened.visit(kind, subject, buckets) { inOpened.take($0, $1, $2) }

            #expect(inTable.seen == expected && inTable.repeats == 0, "seed \(seed)")
            #expect(inRun.seen == expected && inRun.repeats == 0, "seed \(seed)")
            #expect(inRun.order == expected.keys.sorted(), "seed \(seed)")
            #expect(inOpened.seen == expected && inOpened.order == inRun.order, "seed \(seed)")
        }
    }

    /// Goal: however events are split into tables, and however runs are merged, the file is the
    /// same.
    @Test("any split and any order of merging gives the same bytes", arguments: UInt64(1)...40)
    func splits(seed: UInt64) throws {
        var world = CellWorld(seed: seed)
        let directory = ScratchDirectory()
        let entries = (1...UInt64(100 + seed * 60)).map { world.entry(position: $0) }
        let whole = CellTable(bytesMax: 1 << 20)
        CellWorld.add(entries, to: whole)
        let expected = try whole.writeRun(to: directory("whole"), store: 7)

        let tables = (0..<Int.random(in: 1...7, using: &world.random)).map { _ in
            CellTable(bytesMax: 1 << 20)
        }
        for entry in entries.shuffled(using: &world.random) {
            let table = tables[Int.random(in: tables.indices, using: &world.random)]
            CellWorld.add(CollectionOfOne(entry), to: table)
        }
        var runs = try tables.enumerated().map { index, table in
            try table.writeRun(to: directory("part\(index)"), store: 7)
        }
        while runs.count > 1 {
            let width = Int.random(in: 2...min(4, runs.count), using: &world.random)
            let start = Int.random(in: 0...(runs.count - width), using: &world.random)
            let merged = try CellRun.merge(
                Array(runs[start..<(start + width)]),
                to: directory("merged\(runs.count)"),
                store: 7,
                aggregation: CellWorld.aggregation
            )
            runs.replaceSubrange(start..<(start + width), with: [merged])
        }

        #expect(
            try FileBytes.read(runs[0].path) == FileBytes.read(expected.path),
            "seed \(seed)"
        )
        try runs[0].verify()
        #expect(!directory.names.contains { $0.hasSuffix(".tmp") })
    }

    @Test("meters in any order find their states", arguments: UInt64(1)...20)
    func meterOrder(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let table = CellTable(bytesMax: 1 << 20)
        var counts: [[UInt32: Int64]] = [[:], [:], [:]]
        for _ in 0..<2_000 {
            let (subject, meter) = (Int(random.next() % 3), UInt32(random.next() % 12))
            let cell = table.cell(0, subject: UInt32(subject), bucket: 1, dimensions: 0)
            let state = MeterState(.count, mantissa: 0, time: 0, position: 0)
            table.merge(cell, meter: meter, state: state, aggregation: .count)
            counts[subject][meter, default: 0] += 1
        }
        for subject in 0..<3 {
            var seen: [UInt32: Int64] = [:]
            table.visit(0, UInt32(subject), 0..<2) { _, meter, state in
                #expect(seen[meter] == nil)
                seen[meter] = state.count
            }
            #expect(seen == counts[subject], "seed \(seed)")
        }
    }

    @Test("a table says when it is full, and goes on")
    func full() {
        let table = CellTable(bytesMax: 1 << 20)
        #expect(!table.isFull)
        var cells = 0
        while cells < 400_000 {
            let cell = table.cell(
                0,
                subject: UInt32(cells),
                bucket: Int32(cells % 9),
                dimensions: 0
            )
            let state = MeterState(.sum, mantissa: Int128(cells), time: 0, position: 1)
            for meter in 0..<UInt32(3) {
                table.merge(cell, meter: meter, state: state, aggregation: .sum)
            }
            cells += 1
            if table.bytes < 1 << 20 { #expect(!table.isFull) }
        }
        #expect(table.isFull && table.count == 400_000)
        var (sum, states) = (Int128(0), 0)
        table.visit(0, nil, 0..<9) { _, _, state in
            (sum, states) = (sum + state.mantissa, states + 1)
        }
        #expect(states == 1_200_000 && sum == 3 * 399_999 * 400_000 / 2)
    }

    @Test("a cell of a thousand meters and states of every width come back")
    func wide() throws {
        let directory = ScratchDirectory()
        let table = CellTable(bytesMax: 1 << 20)
        let cell = table.cell(0, subject: 1, bucket: -3, dimensions: .max)
        var expected: [UInt32: MeterState] = [:]
        let words: [UInt64] = [0, 1, 1 << 63, .max, 1_000_000, 10_000_000_000_000_000]
        var meter: UInt32 = 4_000_000
        for low in words {
            for high in words {
                for top in [0, -1, 1, Int64.min, .max] {
                    var state = MeterState()
                    (state.count, state.valueLow, state.valueHigh) = (
                        Int64(bitPattern: high), low, high
                    )
                    if state.count == 0 { state.count = 1 }
                    (state.valueTop, state.time) = (top, Int64(bitPattern: low ^ high))
                    state.position = low &+ high
                    meter -= 3
                    expected[meter] = state
                    table.merge(cell, meter: meter, state: state, aggregation: .sum)
                }
            }
        }

        let run = try table.writeRun(to: directory("run"), store: 7)
        var seen: [UInt32: MeterState] = [:]
        try run.visit(0, 1, -3 ..< -2) { _, meter, state in seen[meter] = state }

        #expect(seen == expected)
    }

    @Test("giving up a merge leaves nothing behind")
    func givingUp() throws {
        struct Stop: Error {}
        var world = CellWorld(seed: 5)
        let directory = ScratchDirectory()
        let table = CellTable(bytesMax: 1 << 20)
        CellWorld.add((1...3_000).map { world.entry(position: $0) }, to: table)
        let run = try table.writeRun(to: directory("run"), store: 7)

        #expect(throws: Stop.self) {
            try CellRun.merge(
                [run, run],
                to: directory("merged"),
                store: 7,
                aggregation: CellWorld.aggregation
            ) { throw Stop() }
        }
        #expect(directory.names == ["run"])
    }
}

@Suite("Damage to a cell run") struct DerivedCellDamageTests {
    @Test("every flipped byte is found")
    func flipped() throws {
        let directory = ScratchDirectory()
        let run = try sample(directory, count: 1_500)
        let bytes = try FileBytes.read(run.path)
        #expect(run.blocks >= 2)
        for offset in bytes.indices {
            try FileBytes.flip(run.path, at: offset, from: bytes[offset] ^ 0x10)
            do {
                try CellRun.open(run.path, store: 7).verify()
                Issue.record("byte \(offset) is not checked")
            } catch {
                #expect(error.code == .corrupt && error.path == run.path)
                #expect(error.offset <= offset || offset < CellRunHeader.bytes)
            }
            try FileBytes.flip(run.path, at: offset, from: bytes[offset])
        }
        try CellRun.open(run.path, store: 7).verify()
    }

    @Test("a reading of a damaged block throws; others answer")
    func reading() throws {
        let directory = ScratchDirectory()
        let run = try sample(directory, count: 1_500)
        var keys: [CellKey] = []
        for kind in CellKey.usage...CellKey.sample {
            try run.visit(kind, nil, .min ..< .max) { key, _, _ in keys.append(key) }
        }
        let (first, last) = (try #require(keys.first), try #require(keys.last))
        try FileBytes.flip(run.path, at: CellRunHeader.bytes + 50, from: 0xEE)

        let (early, late) = (first.bucket, last.bucket)
        #expect(
            code { try run.visit(first.kind, first.subject, early..<(early + 1)) { _, _, _ in } }
                == .corrupt
        )
        var seen = 0
        try run.visit(last.kind, last.subject, late..<(late + 1)) { _, _, _ in seen += 1 }
        #expect(seen > 0)
        #expect(
            code {
                _ = try CellRun.merge(
                    [run],
                    to: directory("m"),
                    store: 7,
                    aggregation: CellWorld.aggregation
                )
            } == .corrupt
        )
        #expect(directory.names == ["run"])
    }

    @Test("every cut and every surplus is found; other ledgers' files are told apart")
    func cut() throws {
        let directory = ScratchDirectory()
        let run = try sample(directory, count: 300)
        let bytes = try FileBytes.read(run.path)
        for count in stride(from: 0, to: bytes.count, by: 31) {
            try FileBytes.write(Array(bytes.prefix(count)), directory("cut"))
            #expect(code { _ = try CellRun.open(directory("cut"), store: 7) } == .corrupt)
        }
        try FileBytes.write(bytes + [0], directory("cut"))
        #expect(code { _ = try CellRun.open(directory("cut"), store: 7) } == .corrupt)
        #expect(code { _ = try CellRun.open(directory("none"), store: 7) } == .missing)
        #expect(code { _ = try CellRun.open(run.path, store: 8) } == .unreadable)
    }

    @Test(
        "cells that make no sense are reported, not read past their end",
        arguments: UInt64(1)...200
    )
    func nonsense(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let bytes = (0..<Int(random.next() % 300)).map { _ in
            UInt8(truncatingIfNeeded: random.next() >> random.next() % 8)
        }
        unsafe bytes.withUnsafeBytes { raw in
            let reader = CellReader()
            unsafe reader.open(raw)
            var steps = 0
            while reader.next() == .cell { steps += 1 }
            #expect(steps <= bytes.count, "seed \(seed)")
        }
    }

    private func sample(_ directory: ScratchDirectory, count: UInt64) throws -> CellRun {
        var world = CellWorld(seed: 3)
        let table = CellTable(bytesMax: 1 << 20)
        CellWorld.add((1...count).map { world.entry(position: $0) }, to: table)
        return try table.writeRun(to: directory("run"), store: 7)
    }
}
