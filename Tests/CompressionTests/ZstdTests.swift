import Compression
import Testing

@Suite("Zstandard") struct ZstdTests {
    @Test(
        "what was packed comes back",
        arguments: [0, 1, 5, 1_000, 300_000],
        [Zstd.quick, 1, 3, 19]
    )
    func roundTrip(count: Int, level: Int32) throws {
        let bytes = sample(count)

        let packed = try unsafe bytes.withUnsafeBytes { try unsafe Zstd.compress($0, level: level) }
        let unpacked = try unpack(packed, sizeMax: count)

        #expect(unpacked == bytes)
    }

    @Test("one context packs and unpacks many times, also after a failure")
    func reuse() throws {
        let (packer, unpacker) = (ZstdCompressor(), ZstdDecompressor())
        for count in [10, 100_000, 3, 70_000] {
            let bytes = sample(count)
            let packed = try unsafe bytes.withUnsafeBytes {
                try unsafe packer.compress($0, level: 1)
            }

            #expect(throws: CompressionError.self) {
                try unsafe packed.dropLast().withUnsafeBytes {
                    try unsafe unpacker.decompress($0, sizeMax: count)
                }
            }
            let unpacked = try unsafe packed.withUnsafeBytes {
                try unsafe unpacker.decompress($0, sizeMax: count)
            }

            #expect(unpacked == bytes)
        }
    }

    @Test("frames that follow one another are unpacked as one")
    func concatenated() throws {
        let (first, second) = (sample(40_000), sample(7))
        let packed = try pack(first) + pack([]) + pack(second)

        #expect(try unpack(packed, sizeMax: 40_007) == first + second)
        #expect(code { try unpack(packed, sizeMax: 40_006) } == .tooLarge)
    }

    /// The frame was made by `printf 'hello hello hello hello' | zstd`, which cannot know the size.
    @Test("a frame without content size is unpacked, within the limit")
    func withoutSize() throws {
        let frame: [UInt8] = [
            0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x65, 0x00, 0x00, 0x30, 0x68, 0x65, 0x6c, 0x6c,
            0x6f, 0x20, 0x01, 0x00, 0x99, 0x4b, 0x11, 0x17, 0x5e, 0xae, 0x0d,
        ]
        #expect(try unpack(frame, sizeMax: 23) == Array("hello hello hello hello".utf8))
        #expect(code { try unpack(frame, sizeMax: 22) } == .tooLarge)
    }

    @Test("a small frame that claims to be large is refused before it is unpacked")
    func bomb() throws {
        let packed = try pack([UInt8](repeating: 0, count: 50_000_000))
        #expect(packed.count < 10_000)

        #expect(code { try unpack(packed, sizeMax: 1_000_000) } == .tooLarge)
        #expect(code { try unpack(packed + packed, sizeMax: 60_000_000) } == .tooLarge)
    }

    @Test("every cut is found")
    func cut() throws {
        let packed = try pack(sample(5_000))
        for count in 0..<packed.count {
            #expect(code { try unpack(Array(packed.prefix(count)), sizeMax: 5_000) } != nil)
        }
        #expect(code { try unpack([], sizeMax: 5_000) } == .truncated)
    }

    @Test("every flipped byte of a packed text is found")
    func flipped() throws {
        let bytes = sample(2_000)
        let packed = try pack(bytes)
        for index in packed.indices {
            var damaged = packed
            damaged[index] ^= 0x41
            let unpacked = try? unpack(damaged, sizeMax: 2_000)
            #expect(unpacked == nil || unpacked == bytes, "byte \(index)")
        }
    }

    @Test("bytes that are no frame are malformed")
    func noise() {
        #expect(code { try unpack(Array("not packed at all".utf8), sizeMax: 100) } == .malformed)
    }

    private func pack(_ bytes: [UInt8]) throws -> [UInt8] {
        try unsafe bytes.withUnsafeBytes { raw in
            try unsafe Zstd.compress(raw, level: 1)
        }
    }

    private func unpack(_ bytes: [UInt8], sizeMax: Int) throws -> [UInt8] {
        try unsafe bytes.withUnsafeBytes { raw in
            try unsafe Zstd.decompress(raw, sizeMax: sizeMax)
        }
    }
}

/// Text-like bytes that pack, but not to nothing.
func sample(_ count: Int) -> [UInt8] {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: 97 + (state >> 60))
    }
}

/// The code of the error that the body throws; nil if it throws none.
func code(_ body: () throws -> [UInt8]) -> CompressionError.Code? {
    do {
        _ = try body()
        return nil
    } catch { return (error as? CompressionError)?.code }
}
