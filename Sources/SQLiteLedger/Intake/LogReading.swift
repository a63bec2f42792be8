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

/// The log and its key index, as the committer reads them, with the last blocks kept unpacked: a
/// call that is sent twice meets its events in the order it sent them.
final class LogReading {
    /// How many unpacked blocks are kept.
    private static let blocksMax = 32

    private let truth: Truth
    private let derived: DerivedState
    private var blocks: [UnpackedBlock] = []

    init(truth: Truth, derived: DerivedState) { (self.truth, self.derived) = (truth, derived) }

    func position(of key: KeyHash) throws -> UInt64 { try derived.positions(of: [key])[0] }

    func event(at position: UInt64) throws -> LoggedEvent {
        let block = try block(holding: position)
        let event = block.decoded.events[Int(position - block.firstPosition)]
        return LoggedEvent(bytes: block.decoded.bytes, event: event)
    }

    private func block(holding position: UInt64) throws -> UnpackedBlock {
        if let last = blocks.last, last.positions.contains(position) { return last }
        if let place = blocks.firstIndex(where: { $0.positions.contains(position) }) {
            let block = blocks.remove(at: place)
            blocks.append(block)
            return block
        }
        guard let stored = try truth.block(holding: position) else {
            throw DerivedFileError(
                .corrupt,
                "derived",
                "the key index names position \(position), which no block holds"
            )
        }
        let block = try stored.events()
        if blocks.count == Self.blocksMax { blocks.removeFirst() }
        blocks.append(block)
        return block
    }
}
