import Compression
import Metering
import UsageModel

/// An immutable run of rollup cells on disk, sorted by key. What it hands out was checked when it
/// was read. Any number of threads may read. Memory: 64 bytes per block of 16 KiB, 2 bytes per
/// subject.
final class CellRun: Sendable {
    let header: CellRunHeader
    private let file: DerivedFile
    private let fences: [CellFence]
    private let filter: BlockedFilter

    /// Opens a run and checks header, fences and filter; blocks are checked when they are read.
    ///
    /// - Parameter store: The number of the ledger that the run must belong to.
    /// - Throws: `missing`, `corrupt`, `unreadable`, `io`.
    static func open(_ path: String, store: UInt64) throws(DerivedFileError) -> CellRun {
        let file = try DerivedFile(reading: path)
        let header = try CellRunHeader(reading: file, store: store)
        let raw = try file.bytes(
            at: header.fencesOffset,
            count: header.blocks * CellFence.bytes
        )
        let fences = unsafe try withRawBytes(raw) { (bytes) throws(DerivedFileError) in
            guard unsafe Checksum64.of(bytes, seed: header.fencesSeed) == header.fencesChecksum
            else { throw DerivedFileError(.corrupt, path, offset: header.fencesOffset, "fences") }
            return (0..<header.blocks).map { block in
                unsafe bytes.loadUnaligned(
                    fromByteOffset: block * CellFence.bytes,
                    as: CellFence.self
                )
            }
        }
        var filter = BlockedFilter(blocks: header.filterBlocks)
        unsafe try filter.fill { (bytes) throws(DerivedFileError) in
            try unsafe file.read(bytes, at: header.filterOffset)
            let sum = unsafe Checksum64.of(UnsafeRawBufferPointer(bytes), seed: header.filterSeed)
            guard sum == header.filterChecksum else {
                throw DerivedFileError(.corrupt, path, offset: header.filterOffset, "filter")
            }
        }
        return CellRun(file: file, header: header, fences: fences, filter: filter)
    }

    init(file: DerivedFile, header: CellRunHeader, fences: [CellFence], filter: BlockedFilter) {
        (self.file, self.header, self.fences, self.filter) = (file, header, fences, filter)
    }

    var path: String { file.path }
    /// The number of cells.
    var count: Int { header.cells }
    /// The length of the file.
    var fileBytes: Int { file.count }
    /// The number of the ledger it belongs to.
    var store: UInt64 { header.store }
    var memoryBytes: Int { fences.count * CellFence.bytes + filter.memoryBytes }
    var blocks: Int { fences.count }

    /// The key under which the filter knows a kind and subject.
    static func groupHash(_ group: UInt64) -> KeyHash {
        let one = (group ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        let high = one.high ^ one.low
        let other = (high ^ group).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
        return KeyHash(high: high, low: other.high ^ other.low)
    }

    /// Visits every state of a kind in some buckets, in the order of the keys and meters.
    ///
    /// - Parameters:
    ///   - subject: The subject whose cells to visit; only their blocks are read. Nil for those of
    ///     all subjects and of the pseudo-subject 0: all blocks of the kind are read.
    ///   - block: Memory to read with; hand in the same for several runs.
    ///   - body: Takes the cell, the meter and the state; of an element, a state with its count.
    /// - Throws: `corrupt`, naming the block, or `io`; what was visited before is right.
    func visit(
        _ kind: UInt8,
        _ subject: UInt32?,
        _ buckets: Range<Int32>,
        using block: CellBlock? = nil,
        _ body: (CellKey, UInt32, MeterState) -> Void
    ) throws(DerivedFileError) {
        if let subject {
            let group = UInt64(kind) << 32 | UInt64(subject)
            guard filter.mayHold(Self.groupHash(group)) else { return }
        }
        let block = block ?? CellBlock()
        let from = buckets.lowerBound
        let first = CellKey.first(kind, subject ?? 0, from: subject == nil ? .min : from)
        let lastGroup = UInt64(kind) << 32 | UInt64(subject ?? .max)
        var number = max(0, blockCount(notAfter: first) - 1)
        while number < fences.count, fences[number].key.group <= lastGroup {
            try load(number, block)
            number += 1
            let cells = block.cells
            while try next(block, number - 1) {
                let key = cells.key
                if key < first { continue }
                if key.group > lastGroup { return }
                if subject != nil && key.bucket >= buckets.upperBound { return }
                guard buckets.contains(key.bucket) else { continue }
                let states = unsafe cells.states.all
                for index in 0..<cells.states.count {
                    unsafe body(key, states[index].meter, states[index].state)
                }
            }
        }
    }

    /// Reads the whole file anew and checks every byte of it, the order of the cells, and that
    /// fences and filter agree with the blocks.
    ///
    /// - Parameter isWanted: Asked before every block; false ends the check early.
    /// - Throws: `corrupt`, naming the block at fault, or `io`.
    func verify(while isWanted: () -> Bool = { true }) throws(DerivedFileError) {
        let fresh = try CellRun.open(path, store: header.store)
        guard fresh.header == header else {
            throw DerivedFileError(.corrupt, path, "the header is not the one that was opened")
        }
        let block = CellBlock()
        var (last, cells, states): (CellKey?, Int, Int) = (nil, 0, 0)
        for number in fences.indices {
            guard isWanted() else { return }
            try fresh.load(number, block)
            var inBlock = 0
            while try fresh.next(block, number) {
                let key = block.cells.key
                let isFirst = inBlock > 0 || key == fences[number].key
                guard isFirst, last.map({ $0 < key }) ?? true,
                    filter.mayHold(Self.groupHash(key.group))
                else { throw fault(number, "cells out of order, or not in the filter") }
                last = key
                inBlock += 1
                states += block.cells.states.count
            }
            guard inBlock == Int(fences[number].cells) else {
                throw fault(number, "\(inBlock) cells instead of \(fences[number].cells)")
            }
            cells += inBlock
        }
        guard cells == header.cells, states == header.states else {
            throw DerivedFileError(.corrupt, path, "the header's number of cells or states")
        }
    }

    /// Reads the cells in order.
    func cursor() -> CellRunCursor { CellRunCursor(self) }

    /// Reads and checks a block, and begins its cells.
    func load(_ number: Int, _ block: CellBlock) throws(DerivedFileError) {
        let fence = fences[number]
        try block.load(fence, of: file, seed: header.seed(block: number)) {
            fault(number, $0)
        }
    }

    /// Goes to the next cell of a block that was loaded; false at its end.
    @inline(__always)
    func next(_ block: CellBlock, _ number: Int) throws(DerivedFileError) -> Bool {
        switch block.cells.next() {
        case .cell: return true
        case .end: return false
        case .nonsense: throw fault(number, "cells that make no sense")
        }
    }

    /// How many blocks begin at or before a key.
    private func blockCount(notAfter key: CellKey) -> Int {
        var (low, high) = (0, fences.count)
        while low < high {
            let middle = (low + high) / 2
            if key < fences[middle].key { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private func fault(_ number: Int, _ what: String) -> DerivedFileError {
        let offset = Int(fences[number].offset)
        return DerivedFileError(.corrupt, path, offset: offset, "block \(number): \(what)")
    }
}
