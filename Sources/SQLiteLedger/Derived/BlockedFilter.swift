import UsageModel

/// A Bloom filter that touches one cache line per key: answers "certainly absent" or "perhaps".
///
/// 512 bits to a block, 32 keys to a block, 8 bits set per key, one in each word of the block:
/// about one absent key in a thousand passes. The high half of a key chooses the block, so that
/// keys in order fill and probe the filter in order; the low half chooses the bits. On disk it is
/// its words, little-endian.
struct BlockedFilter: Sendable {
    static let blockBytes = 64
    private static let blockWords = 8
    private static let keysPerBlock = 32

    /// How many blocks of ``blockBytes``.
    let blocks: Int
    // Eight words more than the blocks need, so that the first block can begin on a cache line.
    private var words: [UInt64]
    private let first: Int

    /// How many blocks `count` keys deserve; at least one.
    static func blocks(forKeys count: Int) -> Int {
        max(1, (count + keysPerBlock - 1) / keysPerBlock)
    }

    /// An empty filter.
    init(blocks: Int) {
        precondition(blocks > 0)
        self.blocks = blocks
        words = Array(repeating: 0, count: (blocks + 1) * Self.blockWords)
        first = unsafe words.withUnsafeBytes { raw in
            let misfit = Int(bitPattern: raw.baseAddress) % Self.blockBytes
            return misfit == 0 ? 0 : (Self.blockBytes - misfit) / 8
        }
        unsafe words.withUnsafeBytes { unsafe FlatMemory.preferHugePages($0) }
    }

    var memoryBytes: Int { words.count * 8 }

    /// Adds keys. The filter must not have been copied before, or its memory is copied here.
    mutating func insert(keys: UnsafeBufferPointer<KeyHash>) {
        insert(count: keys.count) { unsafe keys[$0] }
    }

    /// Adds the keys of entries.
    mutating func insert(_ entries: UnsafeBufferPointer<KeyEntry>) {
        insert(count: entries.count) { unsafe entries[$0].key }
    }

    @inline(__always)
    private mutating func insert(count: Int, _ key: (Int) -> KeyHash) {
        let (first, blocks) = (first, UInt64(blocks))
        unsafe words.withUnsafeMutableBufferPointer { buffer in
            let base = unsafe buffer.baseAddress! + first
            for index in 0..<count {
                let key = key(index)
                let share = key.high.multipliedFullWidth(by: blocks).high
                let block = Int(truncatingIfNeeded: share) &* 8
                var bits = key.low
                for word in 0..<8 {
                    unsafe base[block &+ word] |= 1 &<< (bits & 63)
                    bits &>>= 6
                }
            }
        }
    }

    /// The filter's bytes, as they are on disk.
    func withBytes<Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        var failure: Failure?
        unsafe words.withUnsafeBytes { raw in
            let own = unsafe UnsafeRawBufferPointer(
                rebasing: raw[(first * 8)..<(first * 8 + blocks * Self.blockBytes)]
            )
            do throws(Failure) { try unsafe body(own) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Fills the filter with bytes from disk.
    mutating func fill<Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        var failure: Failure?
        let range = (first * 8)..<(first * 8 + blocks * Self.blockBytes)
        unsafe words.withUnsafeMutableBytes { raw in
            let own = unsafe UnsafeMutableRawBufferPointer(rebasing: raw[range])
            do throws(Failure) { try unsafe body(own) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    func mayHold(_ key: KeyHash) -> Bool {
        unsafe withProbe { unsafe $0.mayHold(key) }
    }

    /// Lends the filter's memory for many probes.
    func withProbe<Result>(_ body: (Probe) -> Result) -> Result {
        unsafe words.withUnsafeBufferPointer { buffer in
            unsafe body(Probe(base: buffer.baseAddress! + first, blocks: UInt64(blocks)))
        }
    }

    /// The filter's memory, valid within ``withProbe(_:)``.
    @unsafe struct Probe {
        fileprivate let base: UnsafePointer<UInt64>
        fileprivate let blocks: UInt64

        /// Brings the key's block near, and returns something of it so that the load is kept.
        /// Touching many keys first lets their cache misses overlap.
        @inline(__always)
        func touch(_ key: KeyHash) -> UInt64 {
            unsafe base[Int(truncatingIfNeeded: key.high.multipliedFullWidth(by: blocks).high) &* 8]
        }

        /// Free of branches.
        @inline(__always)
        func mayHold(_ key: KeyHash) -> Bool {
            let block = unsafe Int(key.high.multipliedFullWidth(by: blocks).high) &* 8
            let words = unsafe base + block
            let bits = key.low
            var all = unsafe words[0] &>> bits & words[1] &>> (bits &>> 6)
            all &= unsafe words[2] &>> (bits &>> 12) & words[3] &>> (bits &>> 18)
            all &= unsafe words[4] &>> (bits &>> 24) & words[5] &>> (bits &>> 30)
            all &= unsafe words[6] &>> (bits &>> 36) & words[7] &>> (bits &>> 42)
            return all & 1 != 0
        }
    }
}
