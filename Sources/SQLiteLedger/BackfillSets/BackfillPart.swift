internal import Compression
internal import Metering
internal import MeteringEngine
internal import UsageModel

/// What one call sent to a backfill set.
struct BackfillPart: Sendable {
    /// A quarter of an hour in which some of its events are counted.
    struct Bucket: Hashable, Sendable {
        var subjectHash: UInt64
        var bucket: Int32
    }

    var set: Int64
    /// Of the events that are the set's own, dense; empty where all keys were taken.
    var positions: Range<UInt64>
    var buckets: Set<Bucket> = []
    var books: [StoredCorrection.BooksPlace: Int64] = [:]
    /// The positions of events under the keys that were taken: they make no room for the set.
    var kept: [UInt64] = []

    /// - Parameter decision: Of this call alone.
    init(_ batch: PreparedBatch, _ decision: GroupDecision, set: Int64) {
        self.set = set
        positions = decision.firstPosition..<decision.nextPosition
        guard let share = decision.shares.first, !share.isRefused else {
            positions = decision.firstPosition..<decision.firstPosition
            return
        }
        kept = share.exceptions.map(\.position.value).filter { $0 != 0 }
        let hour = RollupBucket.hour(of: decision.at)
        var counts = [Int64](repeating: 0, count: batch.origins.count)
        for (place, event) in batch.events.enumerated() where share.positions[place] != 0 {
            buckets.insert(Bucket(subjectHash: event.subjectHash, bucket: event.bucket))
            counts[Int(event.origin)] += 1
        }
        for (origin, count) in zip(batch.origins, counts) where count > 0 {
            let place = StoredCorrection.BooksPlace(
                source: String(decoding: origin.source, as: UTF8.self),
                type: String(decoding: origin.type, as: UTF8.self),
                hour: hour
            )
            books[place, default: 0] += count
        }
    }

    init(
        set: Int64,
        positions: Range<UInt64>,
        buckets: Set<Bucket>,
        books: [StoredCorrection.BooksPlace: Int64],
        kept: [UInt64]
    ) {
        (self.set, self.positions, self.buckets) = (set, positions, buckets)
        (self.books, self.kept) = (books, kept)
    }

    /// Whether there is anything to remember.
    var isEmpty: Bool { positions.isEmpty && kept.isEmpty }

    // MARK: Packed

    /// Each in 12 bytes, little-endian: the hash of the subject and the bucket; then zstd.
    func packedBuckets() throws -> [UInt8] {
        let sorted = buckets.sorted {
            ($0.subjectHash, $0.bucket) < ($1.subjectHash, $1.bucket)
        }
        return try Self.packed(
            sorted.flatMap { one in
                Self.bytes(one.subjectHash, 8)
                    + Self.bytes(UInt64(UInt32(bitPattern: one.bucket)), 4)
            }
        )
    }

    /// Each in 8 bytes; then zstd.
    func packedKept() throws -> [UInt8] {
        try Self.packed(Set(kept).sorted().flatMap { Self.bytes($0, 8) })
    }

    private static func bytes(_ word: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
    }

    private static func packed(_ bytes: [UInt8]) throws -> [UInt8] {
        try unsafe bytes.withUnsafeBytes {
            try unsafe ZstdCompressor().compress($0, level: Zstd.quick)
        }
    }

    private static func words(_ packed: [UInt8], _ sizes: [Int]) -> [[UInt64]]? {
        let width = sizes.reduce(0, +)
        let bytesMax = (Limits.batchEventsMax + 1) * width
        let unpacked = unsafe packed.withUnsafeBytes {
            try? unsafe ZstdDecompressor().decompress($0, sizeMax: bytesMax)
        }
        guard let bytes = unpacked, bytes.count.isMultiple(of: width) else { return nil }
        return stride(from: 0, to: bytes.count, by: width).map { start in
            var at = start
            return sizes.map { size in
                defer { at += size }
                return (0..<size).reduce(0) { $0 | UInt64(bytes[at + $1]) << UInt64(8 * $1) }
            }
        }
    }

    /// - Returns: nil for bytes that are none.
    static func buckets(_ packed: [UInt8]) -> Set<Bucket>? {
        words(packed, [8, 4]).map { rows in
            Set(
                rows.map { row in
                    Bucket(
                        subjectHash: row[0],
                        bucket: Int32(bitPattern: UInt32(truncatingIfNeeded: row[1]))
                    )
                }
            )
        }
    }

    static func kept(_ packed: [UInt8]) -> [UInt64]? { words(packed, [8])?.map { $0[0] } }
}
