internal import Compression
internal import MeteringEngine
internal import Synchronization
internal import UsageModel
internal import WireFormat

/// Events as received, packed for storage: what one call, or a few small calls together, leave.
///
/// The payload is a JSON array of the events, in the order of their positions, as zstd frames one
/// behind another, so that `sqlite3` and `zstd -d` are all it takes to read the log. Each frame
/// holds ``frameEvents`` events, the last one what is left: whoever looks for one event unpacks a
/// frame and not the block.
struct PackedBlock: Sendable {
    /// Small calls are packed together up to this many raw bytes.
    static let joinedBytesMax = 256 * 1024
    static let frameEvents = 128
    /// What a block may unpack to: the largest body, and its commas and brackets.
    static let rawBytesMax = Limits.bodyBytesMax + 2 * Limits.batchEventsMax + 1_024

    var count: Int
    var timeMin: Instant
    var timeMax: Instant
    var rawBytes: Int
    var summary: [UInt8]
    /// The arrival of each event, where an event states no time of its own.
    var arrivals: [UInt8]?
    var payload: [UInt8]

    /// Contradicted by any change of the block's bytes or of its place.
    func checksum(firstPosition: UInt64, at: Instant) -> Int64 {
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for number in [
            firstPosition, UInt64(count), UInt64(bitPattern: at.microseconds),
            UInt64(bitPattern: timeMin.microseconds), UInt64(bitPattern: timeMax.microseconds),
            UInt64(rawBytes), checksum64(summary), checksum64(arrivals ?? []),
            checksum64(payload),
        ] {
            for shift in stride(from: 0, to: 64, by: 8) {
                text.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
            }
        }
        return Int64(bitPattern: checksum64(text))
    }
}

/// The checksum of some bytes: no defence against malice, a sure find of one changed word.
func checksum64(_ bytes: [UInt8]) -> UInt64 {
    unsafe bytes.withUnsafeBytes { unsafe Checksum64.of($0, seed: 0) }
}

/// Collects events for one block.
struct BlockPacking {
    private(set) var raw: [UInt8] = []
    /// Where each frame ends but the last.
    private var cuts: [Int] = []
    private(set) var count = 0
    private var timeMin = Instant(microseconds: .max)
    private var timeMax = Instant(microseconds: .min)
    private var subjects: [UInt64] = []
    private var types = Set<[UInt8]>()
    /// The batch at hand, and which of its origins' types are among ``types`` already.
    private var batchAtHand = -1
    private var hasType: [Bool] = []
    private var arrivals: [Int64] = []
    /// Whether reading the block again takes no arrivals.
    private var needsNoArrivals = true

    init(reserving bytes: Int) { raw.reserveCapacity(bytes) }

    mutating func append(_ event: PreparedEvent, of batch: borrowing PreparedBatch, number: Int) {
        if count > 0, count % PackedBlock.frameEvents == 0 { cuts.append(raw.count) }
        raw.append(count == 0 ? UInt8(ascii: "[") : UInt8(ascii: ","))
        raw.append(contentsOf: batch.bytes[event.decoded.whole.range])
        count += 1
        timeMin = min(timeMin, event.time)
        timeMax = max(timeMax, event.time)
        subjects.append(event.subjectHash)
        if batchAtHand != number {
            batchAtHand = number
            hasType = [Bool](repeating: false, count: batch.origins.count)
        }
        if !hasType[Int(event.origin)] {
            hasType[Int(event.origin)] = true
            types.insert(batch.origins[Int(event.origin)].type)
        }
        arrivals.append(
            event.decoded.hasTime ? batch.arrival.microseconds : event.time.microseconds
        )
        if !event.decoded.hasTime || batch.judgesLateness { needsNoArrivals = false }
    }

    consuming func packed(_ compressor: ZstdCompressor) throws -> PackedBlock {
        raw.append(UInt8(ascii: "]"))
        cuts.append(raw.count)
        var payload: [UInt8] = []
        payload.reserveCapacity(raw.count / 4)
        try unsafe raw.withUnsafeBytes { bytes in
            var start = 0
            for end in cuts {
                let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                payload += try unsafe compressor.compress(part, level: Zstd.quick)
                start = end
            }
        }
        return PackedBlock(
            count: count,
            timeMin: timeMin,
            timeMax: timeMax,
            rawBytes: raw.count,
            summary: BlockSummary.bytes(types: types, subjects: subjects),
            arrivals: needsNoArrivals ? nil : ArrivalList.bytes(arrivals),
            payload: payload
        )
    }
}

/// The arrivals of a block's events: 8 bytes each, little-endian microseconds.
enum ArrivalList {
    static func bytes(_ arrivals: [Int64]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(arrivals.count * 8)
        for arrival in arrivals {
            let bits = UInt64(bitPattern: arrival)
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
            }
        }
        return bytes
    }

    static func read(_ bytes: [UInt8]) -> [Instant] {
        stride(from: 0, to: bytes.count - bytes.count % 8, by: 8).map { start in
            var bits: UInt64 = 0
            for offset in (0..<8).reversed() { bits = bits << 8 | UInt64(bytes[start + offset]) }
            return Instant(microseconds: Int64(bitPattern: bits))
        }
    }
}

/// What a block holds, without unpacking it: its event types, and a Bloom filter over its subjects.
///
/// Layout: the number of types as one byte (255: too many to list), each type as a two-byte length
/// and its bytes; then the filter's bits to the end, ten an event, four probes.
struct BlockSummary {
    private static let typesMax = 32
    private static let probes: UInt64 = 4

    private let bytes: [UInt8]
    private let filterStart: Int
    private var types: [Range<Int>] = []
    private let listsTypes: Bool

    static func bytes(types: Set<[UInt8]>, subjects: [UInt64]) -> [UInt8] {
        var bytes: [UInt8] = []
        if types.count > typesMax {
            bytes.append(255)
        } else {
            bytes.append(UInt8(types.count))
            for type in types.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                bytes.append(UInt8(truncatingIfNeeded: type.count))
                bytes.append(UInt8(truncatingIfNeeded: type.count >> 8))
                bytes.append(contentsOf: type)
            }
        }
        let filterStart = bytes.count
        let filterBytes = max(8, subjects.count * 10 / 8)
        bytes.append(contentsOf: repeatElement(0, count: filterBytes))
        for subject in subjects {
            for probe in 0..<probes {
                let bit = bitIndex(subject, probe, bits: UInt64(filterBytes) * 8)
                bytes[filterStart + Int(bit >> 3)] |= 1 << UInt8(bit & 7)
            }
        }
        return bytes
    }

    private static func bitIndex(_ hash: UInt64, _ probe: UInt64, bits: UInt64) -> UInt64 {
        let step = (hash >> 32 | hash << 32) | 1
        return (hash &+ probe &* step).multipliedFullWidth(by: bits).high
    }

    /// - Returns: nil for bytes that are no summary.
    init?(_ bytes: [UInt8]) {
        guard let count = bytes.first else { return nil }
        var at = 1
        if count != 255 {
            for _ in 0..<count {
                guard at + 2 <= bytes.count else { return nil }
                let length = Int(bytes[at]) | Int(bytes[at + 1]) << 8
                guard at + 2 + length <= bytes.count else { return nil }
                types.append((at + 2)..<(at + 2 + length))
                at += 2 + length
            }
        }
        guard bytes.count >= at + 8 else { return nil }
        (self.bytes, filterStart, listsTypes) = (bytes, at, count != 255)
    }

    /// False only if no event of the block has the subject.
    func mayHold(subject hash: UInt64) -> Bool {
        let bits = UInt64(bytes.count - filterStart) * 8
        return (0..<Self.probes).allSatisfy { probe in
            let bit = Self.bitIndex(hash, probe, bits: bits)
            return bytes[filterStart + Int(bit >> 3)] & (1 << UInt8(bit & 7)) != 0
        }
    }

    /// False only if no event of the block has a type of the patterns.
    func mayHold(_ patterns: [EventTypePattern]) -> Bool {
        guard listsTypes else { return true }
        return types.contains { range in
            patterns.contains { $0.matches(bytes[range]) }
        }
    }
}

/// Compressors for callers' threads: borrowed, never shared at one time.
final class CompressorPool: Sendable {
    private let idle = Mutex<[Lease]>([])

    /// A compressor in the hands of one thread at a time: the pool hands each out once.
    private struct Lease: @unchecked Sendable {
        let compressor: ZstdCompressor
    }

    func withCompressor<Result>(_ body: (ZstdCompressor) throws -> Result) rethrows -> Result {
        let lease = idle.withLock { $0.popLast() } ?? Lease(compressor: ZstdCompressor())
        defer { idle.withLock { $0.append(lease) } }
        return try body(lease.compressor)
    }
}
