internal import Compression
internal import Metering
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

/// A correction as the truth keeps it: what it says of which events.
struct StoredCorrection: Sendable {
    /// What is said of one event, and where the event is counted.
    struct Target: Hashable, Sendable {
        var change: CorrectionHistory.Change
        var subjectHash: UInt64
        var bucket: Int32

        /// Says nothing of an event, and that the rollups of a bucket may one day count one that is
        /// void: a replacement follows its backfill set.
        static func mark(_ subjectHash: UInt64, _ bucket: Int32) -> Target {
            Target(
                change: .init(position: 0, counts: true),
                subjectHash: subjectHash,
                bucket: bucket
            )
        }
    }

    /// Where an event stands in the books.
    struct BooksPlace: Hashable, Sendable {
        var source: String
        var type: String
        /// The hour of its arrival.
        var hour: Int32
    }

    var correction: Correction
    /// The positions it takes in the log: its entry, and the replacements behind it.
    var entries: Range<UInt64>
    var token: String?
    var fingerprint: UInt64
    /// Marks first, then in the order of their positions.
    var targets: [Target]
    /// By how many the void events of a place grow.
    var books: [BooksPlace: Int64]

    /// What it says of events, in the order of their positions.
    var changes: [CorrectionHistory.Change] {
        targets.lazy.map(\.change).filter { $0.position != 0 }
    }

    // MARK: Packed

    private static let targetBytes = 29

    /// Each target in 29 bytes, little-endian: the event's position, that of its replacement or 0,
    /// the hash of its subject, its rollup bucket, and 1 if it counts from here on; then zstd.
    static func packed(_ targets: [Target]) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(targets.count * targetBytes)
        func append(_ word: UInt64, _ count: Int = 8) {
            for byte in 0..<count { bytes.append(UInt8(truncatingIfNeeded: word >> (8 * byte))) }
        }
        for target in targets {
            append(target.change.position)
            append(target.change.replacement)
            append(target.subjectHash)
            append(UInt64(UInt32(bitPattern: target.bucket)), 4)
            append(target.change.counts ? 1 : 0, 1)
        }
        let compressor = ZstdCompressor()
        return try unsafe bytes.withUnsafeBytes {
            try unsafe compressor.compress($0, level: Zstd.quick)
        }
    }

    /// - Returns: nil for bytes that are no targets.
    static func targets(_ packed: [UInt8]) -> [Target]? {
        let bytesMax = (2 * Limits.correctionEventsMax + 1) * targetBytes
        let decompressor = ZstdDecompressor()
        let unpacked = unsafe packed.withUnsafeBytes {
            try? unsafe decompressor.decompress($0, sizeMax: bytesMax)
        }
        guard let bytes = unpacked, bytes.count.isMultiple(of: targetBytes) else { return nil }
        func word(_ start: Int, _ count: Int = 8) -> UInt64 {
            (0..<count).reduce(0) { $0 | UInt64(bytes[start + $1]) << UInt64(8 * $1) }
        }
        return stride(from: 0, to: bytes.count, by: targetBytes).map { start in
            Target(
                change: .init(
                    position: word(start),
                    counts: bytes[start + 28] == 1,
                    replacement: word(start + 8)
                ),
                subjectHash: word(start + 16),
                bucket: Int32(bitPattern: UInt32(word(start + 24, 4)))
            )
        }
    }

    /// `[["source","type",hour,count],…]`
    static func json(_ books: [BooksPlace: Int64]) -> String {
        let rows = books.map { place, count in
            JSONValue.array([
                .string(place.source), .string(place.type), .number(String(place.hour)),
                .number(String(count)),
            ])
        }
        return String(decoding: JSONValue.array(rows).serialized(pretty: false), as: UTF8.self)
    }

    /// - Returns: nil for what ``json(_:)`` did not write.
    static func books(_ json: String) -> [BooksPlace: Int64]? {
        guard case .array(let rows)? = try? JSONValue.parse(Array(json.utf8)) else { return nil }
        var books: [BooksPlace: Int64] = [:]
        for row in rows {
            guard case .array(let cells) = row, cells.count == 4,
                case .string(let source) = cells[0], case .string(let type) = cells[1],
                case .number(let hour) = cells[2], let hour = Int32(hour),
                case .number(let count) = cells[3], let count = Int64(count)
            else { return nil }
            books[BooksPlace(source: source, type: type, hour: hour), default: 0] += count
        }
        return books
    }
}
