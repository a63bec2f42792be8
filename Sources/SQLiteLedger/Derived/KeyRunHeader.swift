import UsageModel

/// The first page of a key run's file; the format is specified in `KeyRun.swift`.
struct KeyRunHeader: Hashable, Sendable {
    static let pageBytes = 4_096
    static let entriesPerPage = 170
    private static let magic: UInt64 = 0x3153_5945_4B4F_444F  // "ODOKEYS1", read little-endian
    private static let format: UInt64 = 1
    private static let fields = 9

    var store: UInt64
    var count = 0
    var pages = 0
    var filterBlocks = 1
    var least = KeyHash(high: 0, low: 0)
    var greatest = KeyHash(high: 0, low: 0)
    var fencesChecksum: UInt64 = 0
    var filterChecksum: UInt64 = 0

    init(store: UInt64) { self.store = store }

    var fencesOffset: Int { (pages + 1) * Self.pageBytes }
    var filterOffset: Int { fencesOffset + pages * 16 }
    var fileBytes: Int { filterOffset + filterBlocks * BlockedFilter.blockBytes }
    var fencesSeed: UInt64 { seed(page: pages + 1) }
    var filterSeed: UInt64 { seed(page: pages + 2) }

    /// What the checksum of a page of this run begins with. Pages of entries count from 0.
    func seed(page: Int) -> UInt64 { store &+ UInt64(page + 1) &* 0x9E37_79B9_7F4A_7C15 }

    /// The place of a page of entries, in bytes.
    func offset(page: Int) -> Int { (page + 1) * Self.pageBytes }

    /// How many entries a page of entries holds.
    func entries(page: Int) -> Int { min(Self.entriesPerPage, count - page * Self.entriesPerPage) }

    func fault(_ path: String, page: Int, _ what: String) -> DerivedFileError {
        DerivedFileError(.corrupt, path, offset: offset(page: page), "page \(page + 1): \(what)")
    }

    /// The header as its page.
    func encoded() -> [UInt8] {
        DerivedHeader.encode(
            magic: Self.magic,
            format: Self.format,
            store: store,
            fields: [
                UInt64(count), UInt64(pages), UInt64(filterBlocks), least.high, least.low,
                greatest.high, greatest.low, fencesChecksum, filterChecksum,
            ],
            bytes: Self.pageBytes
        )
    }

    /// Reads and checks the header of an open file, its length included.
    init(reading file: DerivedFile, store: UInt64) throws(DerivedFileError) {
        let fields = try DerivedHeader.decode(
            file,
            magic: Self.magic,
            format: Self.format,
            store: store,
            fields: Self.fields,
            bytes: Self.pageBytes
        )
        self.store = store
        (count, pages, filterBlocks) = (Int(fields[0]), Int(fields[1]), Int(fields[2]))
        least = KeyHash(high: fields[3], low: fields[4])
        greatest = KeyHash(high: fields[5], low: fields[6])
        (fencesChecksum, filterChecksum) = (fields[7], fields[8])
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
