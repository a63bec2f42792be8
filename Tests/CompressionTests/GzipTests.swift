import Compression
import Testing

@Suite("gzip") struct GzipTests {
    @Test("what was packed comes back", arguments: [0, 1, 65_536, 300_000], [Int32(1), 6, 9])
    func roundTrip(count: Int, level: Int32) throws {
        let bytes = sample(count)

        let packed = try unsafe bytes.withUnsafeBytes { try unsafe Gzip.compress($0, level: level) }

        #expect(try unpack(packed, sizeMax: count) == bytes)
        if count > 0 { #expect(code { try unpack(packed, sizeMax: count - 1) } == .tooLarge) }
    }

    @Test("members that follow one another are unpacked as one, padding is skipped")
    func members() throws {
        let (first, second) = (sample(100_000), sample(9))
        let packed = try pack(first) + pack(second)

        #expect(try unpack(packed, sizeMax: 100_009) == first + second)
        #expect(try unpack(packed + [0, 0, 0], sizeMax: 100_009) == first + second)
        #expect(code { try unpack(packed + [0, 7], sizeMax: 100_009) } == .malformed)
        #expect(code { try unpack(packed + [7], sizeMax: 100_009) } != nil)
    }

    @Test("pieces cut anywhere give the same bytes", arguments: [1, 2, 7, 1_000])
    func pieces(size: Int) throws {
        let bytes = sample(150_000)
        let packed = try pack(bytes) + pack(bytes)
        let inflater = GzipInflater()
        var unpacked: [UInt8] = []

        for start in stride(from: 0, to: packed.count, by: size) {
            let piece = packed[start..<min(start + size, packed.count)]
            try unsafe piece.withUnsafeBytes { raw in
                try unsafe inflater.inflate(raw) { unsafe unpacked.append(contentsOf: $0) }
            }
        }
        try inflater.finish()

        #expect(unpacked == bytes + bytes)
    }

    @Test("a cut stream is found, whatever was unpacked before")
    func cut() throws {
        let packed = try pack(sample(5_000))
        for count in 0..<packed.count {
            let part = Array(packed.prefix(count))
            #expect(code { try unpack(part, sizeMax: 5_000) } == .truncated)
        }
    }

    @Test("a flipped byte of the content or its checksum is found")
    func flipped() throws {
        let bytes = sample(2_000)
        let packed = try pack(bytes)
        for index in packed.indices {
            var damaged = packed
            damaged[index] ^= 0x41
            // Time, flags and system in the header are free to differ.
            let unpacked = try? unpack(damaged, sizeMax: 4_000)
            #expect(unpacked == nil || unpacked == bytes, "byte \(index)")
        }
    }

    @Test("a bomb is refused as soon as it passes the limit")
    func bomb() throws {
        let packed = try pack([UInt8](repeating: 0, count: 50_000_000))
        #expect(code { try unpack(packed, sizeMax: 1_000_000) } == .tooLarge)
    }

    private func pack(_ bytes: [UInt8]) throws -> [UInt8] {
        try unsafe bytes.withUnsafeBytes { raw in
            try unsafe Gzip.compress(raw)
        }
    }

    private func unpack(_ bytes: [UInt8], sizeMax: Int) throws -> [UInt8] {
        try unsafe bytes.withUnsafeBytes { raw in
            try unsafe Gzip.decompress(raw, sizeMax: sizeMax)
        }
    }
}
