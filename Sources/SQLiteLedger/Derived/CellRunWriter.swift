import Compression
import Metering
import UsageModel

/// Writes a cell run, cell by cell in key order. Memory: 64 bytes per block of 16 KiB, 10 bytes per
/// pair of kind and subject, 2 MiB.
@safe final class CellRunWriter {
    /// The bytes of cells after which a block ends.
    static let blockBytes = 16 << 10

    private let file: DerivedFileWriter
    private let cells = CellWriter()
    private let compressor = ZstdCompressor()
    private var packed: [UInt8] = []
    private var header: CellRunHeader
    private var fences: [CellFence] = []
    private var groups: [KeyHash] = []
    private var last: CellKey?
    private var open: CellFence?

    init(_ path: String, store: UInt64) throws(DerivedFileError) {
        file = try DerivedFileWriter(path)
        header = CellRunHeader(store: store)
        // Room for the header, which is known last.
        let room = [UInt8](repeating: 0, count: CellRunHeader.bytes)
        try append(room)
    }

    /// Adds a cell, greater than the one before, with its states in the order of their meters.
    func add(_ key: CellKey, _ states: StateList) throws(DerivedFileError) {
        if let last {
            precondition(last < key, "cells out of order")
            if last.group != key.group { groups.append(CellRun.groupHash(key.group)) }
        } else {
            groups.append(CellRun.groupHash(key.group))
        }
        last = key
        if open == nil { open = CellFence(first: key) }
        open?.cells += 1
        cells.add(key, states)
        header.cells += 1
        header.states += states.count
        if cells.count >= Self.blockBytes { try endBlock() }
    }

    /// Makes the run durable under its name, and opens it without reading it again.
    func finish() throws(DerivedFileError) -> CellRun {
        try endBlock()
        header.fencesOffset = file.count
        unsafe try withRawBytes(fences) { (bytes) throws(DerivedFileError) in
            header.fencesChecksum = unsafe Checksum64.of(bytes, seed: header.fencesSeed)
            try unsafe file.append(bytes)
        }
        var filter = BlockedFilter(blocks: BlockedFilter.blocks(forKeys: groups.count))
        unsafe groups.withUnsafeBufferPointer { unsafe filter.insert(keys: $0) }
        header.filterBlocks = filter.blocks
        unsafe try filter.withBytes { (bytes) throws(DerivedFileError) in
            header.filterChecksum = unsafe Checksum64.of(bytes, seed: header.filterSeed)
            try unsafe file.append(bytes)
        }
        try file.replace(header.encoded(), at: 0)
        try file.finish()
        let written = try DerivedFile(reading: file.path)
        return CellRun(file: written, header: header, fences: fences, filter: filter)
    }

    private func endBlock() throws(DerivedFileError) {
        guard var fence = open else { return }
        let raw = unsafe cells.bytes
        let room = Zstd.compressedBytesMax(raw.count)
        if packed.count < room { packed = Array(repeating: 0, count: room) }
        var (count, failure): (Int, CompressionError?) = (0, nil)
        unsafe packed.withUnsafeMutableBytes { target in
            do throws(CompressionError) {
                count = try unsafe compressor.compress(raw, level: Zstd.quick, into: target)
            } catch { failure = error }
        }
        if let failure {
            throw DerivedFileError(.io, file.path, offset: file.count, failure.description)
        }
        fence.offset = UInt64(file.count)
        (fence.packedBytes, fence.rawBytes) = (UInt32(count), UInt32(raw.count))
        unsafe try withRawBytes(packed) { (bytes) throws(DerivedFileError) in
            let frame = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<count])
            fence.checksum = unsafe Checksum64.of(frame, seed: header.seed(block: header.blocks))
            try unsafe file.append(frame)
        }
        fences.append(fence)
        header.blocks += 1
        open = nil
        cells.removeAll()
    }

    private func append(_ bytes: [UInt8]) throws(DerivedFileError) {
        unsafe try withRawBytes(bytes) { (raw) throws(DerivedFileError) in
            try unsafe file.append(raw)
        }
    }
}
