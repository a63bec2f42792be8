import UsageModel

/// The first page of a key run's file; the format is specified in `KeyRun.swift`.
struct KeyRunHeader: Hashable, Sendable {
    static let pageBytes = 4_096
    static let entriesPerPage = 170
    private static let magic: UInt64 = 0x3153_5945_4B4F_444F  // "ODOKEYS1", read little-endian
    private static let format: UInt64 = 1
    private static let fields = 13

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
        let words: [UInt64] = [
            Self.magic, 0, Self.format, store, UInt64(count), UInt64(pages), UInt64(filterBlocks),
            least.high, least.low, greatest.high, greatest.low, fencesChecksum, filterChecksum,
        ]
        var page = [UInt8](repeating: 0, count: Self.pageBytes)
        unsafe page.withUnsafeMutableBytes { raw in
            for (index, word) in words.enumerated() {
                unsafe raw.storeBytes(
                    of: word.littleEndian,
                    toByteOffset: index * 8,
                    as: UInt64.self
                )
            }
            let sum = unsafe Self.checksum(UnsafeRawBufferPointer(raw))
            unsafe raw.storeBytes(of: sum.littleEndian, toByteOffset: 8, as: UInt64.self)
        }
        return page
    }

    /// Reads and checks the header of an open file, its length included.
    init(reading file: DerivedFile, store: UInt64) throws(DerivedFileError) {
        let page = try file.bytes(at: 0, count: Self.pageBytes)
        let words = unsafe page.withUnsafeBytes { raw in
            (0..<Self.fields).map { index in
                unsafe UInt64(
                    littleEndian: raw.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
                )
            }
        }
        let sum = unsafe page.withUnsafeBytes { unsafe Self.checksum($0) }
        guard words[1] == sum, words[0] == Self.magic else {
            throw DerivedFileError(.corrupt, file.path, "not the header of a key run")
        }
        guard words[2] == Self.format, words[3] == store else {
            throw DerivedFileError(.unreadable, file.path, "another format or another ledger")
        }
        self.store = store
        (count, pages, filterBlocks) = (Int(words[4]), Int(words[5]), Int(words[6]))
        least = KeyHash(high: words[7], low: words[8])
        greatest = KeyHash(high: words[9], low: words[10])
        (fencesChecksum, filterChecksum) = (words[11], words[12])
        guard fileBytes == file.count else {
            throw DerivedFileError(
                .corrupt,
                file.path,
                offset: min(fileBytes, file.count),
                "the file has \(file.count) bytes and should have \(fileBytes)"
            )
        }
    }

    private static func checksum(_ page: UnsafeRawBufferPointer) -> UInt64 {
        unsafe Checksum64.of(UnsafeRawBufferPointer(rebasing: page[16...]), seed: magic)
    }
}
