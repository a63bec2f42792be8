internal import Metering
internal import MeteringEngine
internal import UsageModel

/// Looks events up in the log, one after the other, and where they stand in the books.
struct BooksPlaces {
    private struct Block {
        var unpacked: UnpackedBlock
        var batch: PreparedBatch
    }

    private let core: LedgerCore
    private let preparer: EventPreparer
    /// The one that was asked for last: the next event is mostly in it too.
    private var block: Block?

    init(core: LedgerCore, preparer: EventPreparer) {
        (self.core, self.preparer) = (core, preparer)
    }

    /// - Complexity: unpacks a block, some 0.5 ms, where it is not that of the event before.
    mutating func event(
        at position: UInt64
    ) throws -> (event: PreparedEvent, place: StoredCorrection.BooksPlace) {
        let block = try block(holding: position)
        let event = block.batch.events[Int(position - block.unpacked.firstPosition)]
        let origin = block.batch.origins[Int(event.origin)]
        let place = StoredCorrection.BooksPlace(
            source: String(decoding: origin.source, as: UTF8.self),
            type: String(decoding: origin.type, as: UTF8.self),
            hour: RollupBucket.hour(of: block.unpacked.at)
        )
        return (event, place)
    }

    mutating func place(of position: UInt64) throws -> StoredCorrection.BooksPlace {
        try event(at: position).place
    }

    private mutating func block(holding position: UInt64) throws -> Block {
        if let block, block.unpacked.positions.contains(position) { return block }
        guard let stored = try core.truth.block(holding: position) else {
            throw LedgerError(.corrupt, "no event block holds position \(position)")
        }
        let unpacked = try stored.events()
        let next = Block(unpacked: unpacked, batch: unpacked.prepared(by: preparer))
        block = next
        return next
    }
}
