import MeteringTestKit
import Testing

@testable import SQLiteLedger

@Suite("Names and their numbers") struct DerivedNameTests {
    /// Few values, so that hashes collide often; all of its bits in use, as a real one.
    private static func hash(_ name: [UInt8]) -> UInt64 {
        var random = SeededGenerator(seed: UInt64(name.reduce(0) { ($0 &* 31 &+ Int($1)) % 257 }))
        return random.next()
    }

    private static func name(_ random: inout SeededGenerator) -> [UInt8] {
        (0..<Int(random.next() % 12)).map { _ in UInt8(97 + random.next() % 3) }
    }

    @Test("a name keeps its number, through checkpoints and restarts", arguments: UInt64(1)...30)
    func numbers(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let directory = ScratchDirectory()
        var table = NameTable()
        var reference: [[UInt8]: UInt32] = [:]
        var (saved, bytes) = (UInt32(0), 0)

        for round in 0..<8 {
            for _ in 0..<(random.next() % 400) {
                let name = Self.name(&random)
                #expect(table.find(name, hash: Self.hash(name)) == reference[name])
                let number = table.intern(name, hash: Self.hash(name))
                if reference[name] == nil { reference[name] = UInt32(reference.count + 1) }
                #expect(number == reference[name], "seed \(seed)")
            }
            guard round % 2 == 1 else { continue }
            let last = table.count
            let appendix = table.encoded(from: saved, upTo: last)
            if seed % 3 == 0 {
                // A crash after an append that no manifest came to know of.
                _ = try NameTable.append(appendix, to: directory("names"), at: bytes)
            }
            bytes = try NameTable.append(appendix, to: directory("names"), at: bytes)
            saved = last
            table = try NameTable.load(directory("names"), bytes: bytes, hash: Self.hash)
        }

        #expect(Int(table.count) == reference.count)
        for (name, number) in reference {
            #expect(table.bytes(of: number) == name)
            #expect(table.find(name, hash: Self.hash(name)) == number)
        }
    }

    @Test("bytes behind the ones that count are not read, and are overwritten")
    func surplus() throws {
        let directory = ScratchDirectory()
        let table = NameTable()
        for name in ["a", "b", "c"] { _ = table.intern(Array(name.utf8), hash: 1) }
        let bytes = try NameTable.append(table.encoded(from: 0, upTo: 2), to: directory("n"), at: 0)
        let lost = table.encoded(from: 2, upTo: 3)
        _ = try NameTable.append(lost, to: directory("n"), at: bytes)

        let loaded = try NameTable.load(directory("n"), bytes: bytes) { _ in 1 }
        #expect(loaded.count == 2)
        _ = loaded.intern(Array("other".utf8), hash: 1)
        let whole = try NameTable.append(
            loaded.encoded(from: 2, upTo: 3),
            to: directory("n"),
            at: bytes
        )
        let again = try NameTable.load(directory("n"), bytes: whole) { _ in 1 }
        #expect(again.bytes(of: 3) == Array("other".utf8))
        #expect(try FileBytes.read(directory("n")).count == whole)
    }

    @Test("a hundred thousand names fill several frames")
    func many() throws {
        let directory = ScratchDirectory()
        let table = NameTable()
        func hash(_ name: [UInt8]) -> UInt64 {
            name.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        }
        for number in 0..<100_000 {
            let name = Array("customer-number-\(number)".utf8)
            #expect(table.intern(name, hash: hash(name)) == UInt32(number + 1))
        }
        let bytes = try NameTable.append(
            table.encoded(from: 0, upTo: table.count),
            to: directory("n"),
            at: 0
        )
        let loaded = try NameTable.load(directory("n"), bytes: bytes, hash: hash)
        #expect(loaded.count == 100_000)
        #expect(loaded.bytes(of: 77_778) == Array("customer-number-77777".utf8))
    }

    @Test("every flipped byte and every cut is found")
    func damage() throws {
        let directory = ScratchDirectory()
        let table = NameTable()
        for number in 0..<100 {
            let name = Array("name \(number)".utf8)
            _ = table.intern(name, hash: Self.hash(name))
        }
        var count = try NameTable.append(
            table.encoded(from: 0, upTo: 60),
            to: directory("n"),
            at: 0
        )
        count = try NameTable.append(
            table.encoded(from: 60, upTo: 100),
            to: directory("n"),
            at: count
        )
        let bytes = try FileBytes.read(directory("n"))
        for offset in bytes.indices {
            try FileBytes.flip(directory("n"), at: offset, from: bytes[offset] ^ 0x10)
            let found = code {
                _ = try NameTable.load(directory("n"), bytes: count, hash: Self.hash)
            }
            #expect(found == .corrupt, "byte \(offset)")
            try FileBytes.flip(directory("n"), at: offset, from: bytes[offset])
        }
        for length in 0..<bytes.count {
            try FileBytes.write(Array(bytes.prefix(length)), directory("n"))
            let found = code {
                _ = try NameTable.load(directory("n"), bytes: count, hash: Self.hash)
            }
            #expect(found == .corrupt)
        }
    }
}
