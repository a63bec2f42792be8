import MeteringTestKit
import Testing
import UsageModel

@testable import SQLiteLedger

@Suite("Key index") struct DerivedKeyTests {
    /// Goal: the table is a dictionary, for uniform keys and for keys that crowd.
    /// Method: each seed draws a capacity and keys; a dictionary is told the same.
    @Test("the table finds what was inserted and nothing else", arguments: UInt64(1)...60)
    func table(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let crowded = seed % 3 == 0
        let capacity = Int.random(in: 1...3_000, using: &random)
        let table = KeyTable(capacity: capacity)
        var reference: [KeyHash: Position] = [:]

        for value in 1...UInt64(capacity * (seed % 5 == 0 ? 3 : 1)) {
            let key = crowded ? random.crowdedKey() : random.key()
            #expect(table.find(key) == reference[key], "seed \(seed)")
            table.insert(key, Position(value))
            reference[key] = reference[key] ?? Position(value)
        }

        #expect(table.count == reference.count, "seed \(seed)")
        let sorted = reference.map { KeyEntry(key: $0.key, position: $0.value) }
            .sorted { $0.key < $1.key }
        #expect(table.sortedEntries() == sorted, "seed \(seed)")
        for (key, position) in reference { #expect(table.find(key) == position, "seed \(seed)") }
        for _ in 0..<100 {
            let key = random.key()
            #expect(table.find(key) == reference[key], "seed \(seed)")
        }
    }

    @Test("the least and the greatest key are keys like others")
    func extremes() {
        let table = KeyTable(capacity: 10)
        let keys = [
            KeyHash(high: 0, low: 0), KeyHash(high: .max, low: .max), KeyHash(high: .max, low: 0),
            KeyHash(high: 0, low: .max),
        ]
        for key in keys { #expect(table.find(key) == nil) }
        for (index, key) in keys.enumerated() { table.insert(key, Position(UInt64(index + 1))) }
        for (index, key) in keys.enumerated() {
            #expect(table.find(key) == Position(UInt64(index + 1)))
        }
        #expect(table.sortedEntries().map(\.key) == keys.sorted())
    }

    @Test("looking up many keys is looking up each", arguments: UInt64(1)...20)
    func batch(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let directory = ScratchDirectory()
        let table = KeyTable(capacity: 5_000)
        for value in 1...UInt64(5_000) { table.insert(random.key(), Position(value)) }
        let entries = table.sortedEntries()
        let run = try KeyRun.write(entries, to: directory("run"), store: 7)
        var keys =
            (0..<500).map { _ in random.key() }
            + entries.shuffled(using: &random)[..<500]
            .map(\.key)
        keys.shuffle(using: &random)

        var (inTable, inRun) = (
            [UInt64](repeating: 0, count: 1_000), [UInt64](repeating: 0, count: 1_000)
        )
        inRun[17] = 99
        unsafe keys.withUnsafeBufferPointer { keys in
            unsafe inTable.withUnsafeMutableBufferPointer { unsafe table.find(keys, into: $0) }
        }
        try unsafe keys.withUnsafeBufferPointer { keys in
            try unsafe inRun.withUnsafeMutableBufferPointer { try unsafe run.find(keys, into: $0) }
        }

        for (index, key) in keys.enumerated() {
            let position = table.find(key)?.value ?? 0
            #expect(inTable[index] == position, "seed \(seed)")
            #expect(inRun[index] == (index == 17 ? 99 : position), "seed \(seed)")
            #expect(try run.find(key)?.value ?? 0 == position, "seed \(seed)")
        }
    }

    /// Goal: however keys are split into runs, and however those are merged, the file is the same.
    /// Method: one run of all keys is the reference; each seed draws splits and merge trees.
    @Test("any split and any order of merging gives the same bytes", arguments: UInt64(1)...30)
    func splits(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let directory = ScratchDirectory()
        let crowded = seed % 3 == 0
        let count = Int.random(in: 0...4_000, using: &random)
        let keys = Set((0..<count).map { _ in crowded ? random.crowdedKey() : random.key() })
        let entries = keys.sorted().map { key in
            KeyEntry(key: key, position: Position(random.next() >> 8 | 1))
        }
        let whole = try KeyRun.write(entries, to: directory("whole"), store: 7)

        var parts = [[KeyEntry]](repeating: [], count: Int.random(in: 1...9, using: &random))
        for entry in entries { parts[Int.random(in: parts.indices, using: &random)].append(entry) }
        var runs = try parts.enumerated().map { index, part in
            try KeyRun.write(part, to: directory("part\(index)"), store: 7)
        }
        while runs.count > 1 {
            let width = Int.random(in: 2...min(4, runs.count), using: &random)
            let start = Int.random(in: 0...(runs.count - width), using: &random)
            let merged = try KeyRun.merge(
                Array(runs[start..<(start + width)]),
                to: directory("merged\(runs.count)"),
                store: 7
            )
            runs.replaceSubrange(start..<(start + width), with: [merged])
        }

        #expect(runs[0].count == entries.count)
        #expect(
            try FileBytes.read(runs[0].path) == FileBytes.read(whole.path),
            "seed \(seed)"
        )
        try runs[0].verify()
        let opened = try KeyRun.open(whole.path, store: 7)
        try opened.verify()
        for entry in entries { #expect(try opened.find(entry.key) == entry.position) }
        for _ in 0..<200 {
            let key = crowded ? random.crowdedKey() : random.key()
            let held = entries.first { $0.key == key }?.position
            #expect(try opened.find(key) == held, "seed \(seed)")
        }
        #expect(!directory.names.contains { $0.hasSuffix(".tmp") })
    }

    @Test("of a key in several runs the smallest position stays")
    func duplicates() throws {
        let directory = ScratchDirectory()
        let key = KeyHash(high: 5, low: 6)
        let runs = try [UInt64(9), 3, 4].map { value in
            let entries = [
                KeyEntry(key: key, position: Position(value)),
                KeyEntry(key: KeyHash(high: 7, low: value), position: Position(value)),
            ]
            return try KeyRun.write(entries, to: directory("\(value)"), store: 7)
        }

        let merged = try KeyRun.merge(runs, to: directory("merged"), store: 7)

        #expect(merged.count == 4)
        #expect(try merged.find(key) == Position(3))
        try merged.verify()
    }

    @Test("giving up a merge leaves nothing behind")
    func givingUp() throws {
        struct Stop: Error {}
        let directory = ScratchDirectory()
        var random = SeededGenerator(seed: 1)
        let keys = (0..<40_000).map { _ in random.key() }.sorted()
        let run = try KeyRun.write(
            keys.map { KeyEntry(key: $0, position: Position(1)) },
            to: directory("run"),
            store: 7
        )
        var calls = 0

        #expect(throws: Stop.self) {
            try KeyRun.merge([run], to: directory("merged"), store: 7) {
                calls += 1
                if calls == 2 { throw Stop() }
            }
        }

        #expect(directory.names == ["run"])
    }
}

@Suite("Damage to a key run") struct DerivedKeyDamageTests {
    /// Goal: no byte of the file goes unchecked. Method: every byte is flipped, one after another.
    @Test("every flipped byte is found, and the page is named")
    func flipped() throws {
        let directory = ScratchDirectory()
        let run = try sample(directory, count: 400)
        let bytes = try FileBytes.read(run.path)
        for offset in bytes.indices {
            try FileBytes.flip(run.path, at: offset, from: bytes[offset] ^ 0x10)
            do {
                try KeyRun.open(run.path, store: 7).verify()
                Issue.record("byte \(offset) is not checked")
            } catch {
                #expect(error.code == .corrupt && error.path == run.path)
                let page = error.offset / 4_096
                #expect(page == offset / 4_096 || offset >= 4 * 4_096, "byte \(offset)")
            }
            try FileBytes.flip(run.path, at: offset, from: bytes[offset])
        }
        try KeyRun.open(run.path, store: 7).verify()
    }

    @Test("a lookup in a damaged page throws; in a sound page it answers")
    func lookup() throws {
        let directory = ScratchDirectory()
        let run = try sample(directory, count: 400)
        let entries = try all(run)
        try FileBytes.flip(run.path, at: 2 * 4_096 + 100, from: 0xEE)

        #expect(try run.find(entries[0].key) == entries[0].position)
        #expect(code { _ = try run.find(entries[200].key) } == .corrupt)
        #expect(code { _ = try KeyRun.merge([run], to: directory("m"), store: 7) } == .corrupt)
        #expect(try run.find(entries[399].key) == entries[399].position)
        #expect(!directory.names.contains("m.tmp"))
    }

    @Test("every cut and every surplus is found")
    func cut() throws {
        let directory = ScratchDirectory()
        let run = try sample(directory, count: 400)
        let bytes = try FileBytes.read(run.path)
        for count in stride(from: 0, to: bytes.count, by: 61) {
            try FileBytes.write(Array(bytes.prefix(count)), directory("cut"))
            #expect(code { _ = try KeyRun.open(directory("cut"), store: 7) } == .corrupt)
        }
        try FileBytes.write(bytes + [0], directory("cut"))
        #expect(code { _ = try KeyRun.open(directory("cut"), store: 7) } == .corrupt)
    }

    @Test("pages that changed places are found")
    func swapped() throws {
        let directory = ScratchDirectory()
        let run = try sample(directory, count: 510)
        var bytes = try FileBytes.read(run.path)
        let page = Array(bytes[4_096..<8_192])
        bytes.replaceSubrange(4_096..<8_192, with: bytes[8_192..<12_288])
        bytes.replaceSubrange(8_192..<12_288, with: page)
        try FileBytes.write(bytes, run.path)

        #expect(code { try KeyRun.open(run.path, store: 7).verify() } == .corrupt)
    }

    @Test("a missing file and another ledger's file are told apart")
    func others() throws {
        let directory = ScratchDirectory()
        let run = try sample(directory, count: 10)
        #expect(code { _ = try KeyRun.open(directory("none"), store: 7) } == .missing)
        #expect(code { _ = try KeyRun.open(run.path, store: 8) } == .unreadable)
    }

    private func sample(_ directory: ScratchDirectory, count: Int) throws -> KeyRun {
        var random = SeededGenerator(seed: 42)
        let keys = (0..<count).map { _ in random.key() }.sorted()
        let entries = keys.map { KeyEntry(key: $0, position: Position(random.next() >> 20 | 1)) }
        return try KeyRun.write(entries, to: directory("run"), store: 7)
    }

    private func all(_ run: KeyRun) throws -> [KeyEntry] {
        let cursor = run.cursor(bufferPages: 1)
        var entries: [KeyEntry] = []
        while let page = try unsafe cursor.next() { unsafe entries.append(contentsOf: page) }
        return entries
    }
}

@Suite("Merge policy") struct DerivedMergePolicyTests {
    @Test(
        "neighbours of one tier are merged, the newest tier first",
        arguments: [
            ([], nil), ([5], nil), ([1, 1, 1], nil), ([1, 1, 1, 1], 0..<4),
            ([4, 1, 1, 1], nil), ([4, 1, 1, 1, 1], 1..<5), ([4, 4, 4, 4], 0..<4),
            ([16, 4, 4, 4, 4, 1], 1..<5), ([4, 1, 4, 4], 0..<4), ([1, 1, 1, 16], 0..<4),
            ([0, 0, 0, 0], 0..<4),
        ] as [([Int], Range<Int>?)]
    )
    func table(sizes: [Int], expected: Range<Int>?) {
        #expect(MergePolicy(fanout: 4).choose(sizes: sizes) == expected)
    }

    @Test("runs stay few and entries are seldom rewritten", arguments: [4, 8], UInt64(1)...10)
    func bounds(fanout: Int, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let policy = MergePolicy(fanout: fanout)
        var (sizes, total, rewritten): ([Int], Int, Int) = ([], 0, 0)
        var runsMax = 0
        for _ in 0..<5_000 {
            let size = seed == 1 ? 1_000 : Int.random(in: 1...1_000, using: &random)
            sizes.append(size)
            total += size
            while let range = policy.choose(sizes: sizes) {
                #expect(range.count >= fanout)
                let merged = sizes[range].reduce(0, +)
                rewritten += merged
                sizes.replaceSubrange(range, with: [merged])
            }
            runsMax = max(runsMax, sizes.count)
        }
        var tiers = 1
        while total > 1 { (total, tiers) = (total / fanout, tiers + 1) }
        #expect(runsMax < fanout * tiers, "seed \(seed)")
        #expect(rewritten < sizes.reduce(0, +) * tiers, "seed \(seed)")
    }
}
