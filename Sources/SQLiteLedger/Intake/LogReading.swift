internal import Compression
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

/// An event read back from the log.
struct LoggedEvent {
    enum Comparison { case sameContent, otherContent, otherKey }

    let bytes: [UInt8]
    let event: DecodedEvent

    /// Whether another event has the same key, and the same content: equal as JSON values, member
    /// order, white space, escapes and the spelling of numbers aside.
    func compare(with other: DecodedEvent, in otherBytes: [UInt8]) -> Comparison {
        unsafe bytes.withUnsafeBytes { mine in
            unsafe otherBytes.withUnsafeBytes { theirs in
                let one = unsafe UnsafeRawBufferPointer(rebasing: mine[event.whole.range])
                let two = unsafe UnsafeRawBufferPointer(rebasing: theirs[other.whole.range])
                if unsafe one.elementsEqual(two) { return .sameContent }
                guard unsafe mine[event.source.range].elementsEqual(theirs[other.source.range]),
                    unsafe mine[event.id.range].elementsEqual(theirs[other.id.range])
                else { return .otherKey }
                return unsafe jsonValuesEqual(one, two) ? .sameContent : .otherContent
            }
        }
    }
}

/// The log and its key index, as the committer reads them, with the last frames kept unpacked: a
/// call that is sent twice meets its events in the order it sent them.
final class LogReading {
    /// How many unpacked frames are kept.
    private static let framesMax = 64

    private let truth: Truth
    private let derived: DerivedState
    private var frames: [UnpackedFrame] = []
    /// The block that was read last: its next frame is mostly asked for next.
    private var lastBlock: StoredBlock?
    private let decompressor = ZstdDecompressor()

    init(truth: Truth, derived: DerivedState) { (self.truth, self.derived) = (truth, derived) }

    func position(of key: KeyHash) throws -> UInt64 { try derived.positions(of: [key])[0] }

    func event(at position: UInt64) throws -> LoggedEvent {
        let frame = try frame(holding: position)
        let event = frame.decoded.events[Int(position - frame.firstPosition)]
        return LoggedEvent(bytes: frame.decoded.bytes, event: event)
    }

    private func frame(holding position: UInt64) throws -> UnpackedFrame {
        if let last = frames.last, last.positions.contains(position) { return last }
        if let place = frames.firstIndex(where: { $0.positions.contains(position) }) {
            let frame = frames.remove(at: place)
            frames.append(frame)
            return frame
        }
        let frame = try block(holding: position).frame(holding: position, using: decompressor)
        if frames.count == Self.framesMax { frames.removeFirst() }
        frames.append(frame)
        return frame
    }

    private func block(holding position: UInt64) throws -> StoredBlock {
        if let lastBlock, lastBlock.positions.contains(position) { return lastBlock }
        guard let stored = try truth.block(holding: position) else {
            throw DerivedFileError(
                .corrupt,
                "derived",
                "the key index names position \(position), which no block holds"
            )
        }
        lastBlock = stored
        return stored
    }
}
