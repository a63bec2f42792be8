/// A fast 64-bit checksum for pages and blocks (about 15 bytes/ns; no defence against malice).
///
/// Four lanes take the words in turn; each step is a bijection of the lane for a given word and of
/// the word for a given lane, and so is the fold of the lanes at the end. A change within one
/// 8-byte word is therefore always found, any other change but for one in 2^64.
enum Checksum64 {
    private static let odd1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let odd2: UInt64 = 0xC2B2_AE3D_27D4_EB4F

    /// - Parameter seed: Where the bytes belong (file and place), so that the right bytes in the
    ///   wrong place are found too.
    static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        var lanes = SIMD4<UInt64>(seed, seed ^ odd1, seed ^ odd2, ~seed)
        let count = bytes.count
        var offset = 0
        if let base = bytes.baseAddress {
            (lanes[0], lanes[1], lanes[2], lanes[3]) = unsafe stripes(
                base,
                count: count / 32,
                (lanes[0], lanes[1], lanes[2], lanes[3])
            )
            offset = count & ~31
            while offset + 8 <= count {
                let word = unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                lanes[0] = step(lanes[0], UInt64(littleEndian: word))
                offset += 8
            }
        }
        var tail: UInt64 = 0
        for index in offset..<count {
            unsafe tail |= UInt64(bytes[index]) << UInt64((index - offset) * 8)
        }
        lanes[1] = step(lanes[1], tail)
        var hash = UInt64(count) &* odd2
        for lane in 0..<4 { hash = step(hash, lanes[lane] ^ lanes[lane] >> 29) }
        hash = (hash ^ hash >> 32) &* odd2
        return hash ^ hash >> 29
    }

    private typealias Lanes = (UInt64, UInt64, UInt64, UInt64)

    @inline(__always)
    private static func stripes(
        _ base: UnsafeRawPointer,
        count: Int,
        _ lanes: Lanes
    ) -> Lanes {
        var (one, two, three, four) = lanes
        var place = unsafe base
        for _ in 0..<count {
            one = step(one, UInt64(littleEndian: unsafe place.loadUnaligned(as: UInt64.self)))
            two = step(two, unsafe word(place, 8))
            three = step(three, unsafe word(place, 16))
            four = step(four, unsafe word(place, 24))
            unsafe place += 32
        }
        return (one, two, three, four)
    }

    @inline(__always)
    private static func word(_ place: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafe place.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inline(__always)
    private static func step(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        let product = (lane ^ word) &* odd1
        return product << 29 | product >> 35
    }
}
