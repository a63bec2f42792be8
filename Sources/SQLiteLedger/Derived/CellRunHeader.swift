import UsageModel

// The file of a cell run, format 1. All numbers are little-endian.
//
//   header   128 bytes, as `DerivedHeader`: magic "ODOCELL1", then cells, states, blocks, filter
//            blocks, offset of the fences, checksum of the fences, checksum of the filter
//   blocks   one after another: cells as `CellWriter` spells them, about 16 KiB of them, as one
//            zstd frame (level 1)
//   fences   64 bytes per block: kind, subject, bucket, dimensions, meter of its first cell, number
//            of its cells (4 bytes each); the element of its first cell (high, low); offset and
//            checksum of the frame (8 bytes each); bytes of the frame, bytes of the cells (4 each)
//   filter   `BlockedFilter` over the pairs (kind, subject), 64 bytes a block; here the file ends
//
// Checksums are `Checksum64`, seeded with the store and the number of the block, counted from 1
// (fences: the number of blocks + 1, filter: + 2).

/// The header of a cell run's file.
struct CellRunHeader: Hashable, Sendable {
    static let bytes = 128
    private static let magic: UInt64 = 0x314C_4C45_434F_444F  // "ODOCELL1", read little-endian
    private static let format: UInt64 = 1

    var store: UInt64
    var cells = 0
    var states = 0
    var blocks = 0
    var filterBlocks = 1
    var fencesOffset = CellRunHeader.bytes
    var fencesChecksum: UInt64 = 0
    var filterChecksum: UInt64 = 0

    init(store: UInt64) { self.store = store }

    var filterOffset: Int { fencesOffset + blocks * CellFence.bytes }
    var fileBytes: Int { filterOffset + filterBlocks * BlockedFilter.blockBytes }
    var fencesSeed: UInt64 { seed(block: blocks) }
    var filterSeed: UInt64 { seed(block: blocks + 1) }

    /// What the checksum of a block begins with; blocks count from 0.
    func seed(block: Int) -> UInt64 { store &+ UInt64(block + 1) &* 0x9E37_79B9_7F4A_7C15 }

    func encoded() -> [UInt8] {
        DerivedHeader.encode(
            magic: Self.magic,
            format: Self.format,
            store: store,
            fields: [
                UInt64(cells), UInt64(states), UInt64(blocks), UInt64(filterBlocks),
                UInt64(fencesOffset), fencesChecksum, filterChecksum,
            ],
            bytes: Self.bytes
        )
    }

    init(reading file: DerivedFile, store: UInt64) throws(DerivedFileError) {
        let fields = try DerivedHeader.decode(
            file,
            magic: Self.magic,
            format: Self.format,
            store: store,
            fields: 7,
            bytes: Self.bytes
        )
        self.store = store
        (cells, states, blocks) = (Int(fields[0]), Int(fields[1]), Int(fields[2]))
        (filterBlocks, fencesOffset) = (Int(fields[3]), Int(fields[4]))
        (fencesChecksum, filterChecksum) = (fields[5], fields[6])
        guard fileBytes == file.count else {
            throw DerivedFileError(
                .corrupt,
                file.path,
                offset: min(fileBytes, file.count),
                "the file has \(file.count) bytes and should have \(fileBytes)"
            )
        }
    }
}

/// Where a block of cells is, and what it begins with. In memory as on disk: 64 bytes.
struct CellFence: Hashable, Sendable {
    static let bytes = 64

    var kind: UInt32 = 0
    var subject: UInt32 = 0
    var bucket: Int32 = 0
    var dimensions: UInt32 = 0
    var meter: UInt32 = 0
    var cells: UInt32 = 0
    var elementHigh: UInt64 = 0
    var elementLow: UInt64 = 0
    var offset: UInt64 = 0
    var checksum: UInt64 = 0
    var packedBytes: UInt32 = 0
    var rawBytes: UInt32 = 0

    init(first key: CellKey) {
        (kind, subject, bucket) = (UInt32(key.kind), key.subject, key.bucket)
        (dimensions, meter) = (key.dimensions, key.meter)
        (elementHigh, elementLow) = (key.element.high, key.element.low)
    }

    var key: CellKey {
        CellKey(
            kind: UInt8(truncatingIfNeeded: kind),
            subject: subject,
            bucket: bucket,
            dimensions: dimensions,
            meter: meter,
            element: KeyHash(high: elementHigh, low: elementLow)
        )
    }
}
