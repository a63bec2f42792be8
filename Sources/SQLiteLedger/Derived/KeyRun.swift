import UsageModel

// The file of a key run, format 1. All numbers are little-endian; a page is 4,096 bytes.
//
//   page 0      header    0 magic "ODOKEYS1"   8 checksum of bytes 16..<4096   16 format
//                        24 store   32 entries   40 pages   48 filter blocks
//                        56 least key (high, low)   72 greatest key (high, low)
//                        88 checksum of the fences   96 checksum of the filter   then zeros
//   pages 1…n   entries   0 checksum of bytes 8..<4096   8 entries in the page   then at 16 up to
//                        170 entries of 24 bytes (key high, key low, position), keys ascending,
//                        all but the last page full; then zeros
//   then        fences    the first key of each page, 16 bytes each
//   then        filter    `BlockedFilter`, 64 bytes a block; here the file ends
//
// Checksums are `Checksum64`, seeded with the store and the number of the page (fences: n + 1,
// filter: n + 2), so that a page in the wrong place or of another ledger does not pass.

/// An immutable run of keys on disk, sorted. Whatever a lookup hands out was checked when it was
/// read. Lookups may run on any number of threads; memory is 2.1 bytes per key, disk 26.2.
final class KeyRun: Sendable {
    let header: KeyRunHeader
    private let file: DerivedFile
    private let fences: [KeyHash]
    private let filter: BlockedFilter

    /// Opens a run and checks header, fences and filter; pages are checked when they are read.
    ///
    /// - Parameter store: The number of the ledger that the run must belong to.
    /// - Throws: `missing`, `corrupt`, `unreadable`, `io`.
    static func open(_ path: String, store: UInt64) throws(DerivedFileError) -> KeyRun {
        let file = try DerivedFile(reading: path)
        let header = try KeyRunHeader(reading: file, store: store)
        let raw = try file.bytes(at: header.fencesOffset, count: header.pages * 16)
        let sum = unsafe raw.withUnsafeBytes { unsafe Checksum64.of($0, seed: header.fencesSeed) }
        guard sum == header.fencesChecksum else {
            throw DerivedFileError(.corrupt, path, offset: header.fencesOffset, "fences")
        }
        let fences = unsafe raw.withUnsafeBytes { bytes in
            (0..<header.pages).map { unsafe KeyHash(littleEndian: bytes, at: $0 * 16) }
        }
        var filter = BlockedFilter(blocks: header.filterBlocks)
        unsafe try filter.fill { (bytes) throws(DerivedFileError) in
            try unsafe file.read(bytes, at: header.filterOffset)
            let sum = unsafe Checksum64.of(UnsafeRawBufferPointer(bytes), seed: header.filterSeed)
            guard sum == header.filterChecksum else {
                throw DerivedFileError(.corrupt, path, offset: header.filterOffset, "filter")
            }
        }
        return KeyRun(file: file, header: header, fences: fences, filter: filter)
    }

    init(file: DerivedFile, header: KeyRunHeader, fences: [KeyHash], filter: BlockedFilter) {
        (self.file, self.header, self.fences, self.filter) = (file, header, fences, filter)
    }

    var path: String { file.path }
    /// The number of keys.
    var count: Int { header.count }
    /// The length of the file.
    var fileBytes: Int { file.count }
    /// The number of the ledger it belongs to.
    var store: UInt64 { header.store }
    var memoryBytes: Int { fences.count * 16 + filter.memoryBytes }

    /// Where the key's event is, if the run holds the key.
    func find(_ key: KeyHash) throws(DerivedFileError) -> Position? {
        guard filter.mayHold(key) else { return nil }
        let page = KeyPages(count: 1)
        return try find(key, page)
    }

    /// Looks up many keys at once: for each whose position is still 0, writes the position if the
    /// run holds the key. The filter is asked for all keys before the first page is read, so that
    /// its cache misses overlap.
    ///
    /// - Throws: `corrupt` or `io`; positions written before the throw are right.
    func find(
        _ keys: UnsafeBufferPointer<KeyHash>,
        into positions: UnsafeMutableBufferPointer<UInt64>
    ) throws(DerivedFileError) {
        precondition(positions.count >= keys.count)
        guard !keys.isEmpty else { return }
        let candidates = UnsafeMutablePointer<Int>.allocate(capacity: keys.count)
        defer { unsafe candidates.deallocate() }
        let passed = unsafe filter.withProbe { unsafe Self.probe($0, keys, positions, candidates) }
        guard passed > 0 else { return }
        let page = KeyPages(count: 1)
        for candidate in 0..<passed {
            let index = unsafe candidates[candidate]
            if let position = try unsafe find(keys[index], page) {
                unsafe positions[index] = position.value
            }
        }
    }

    /// Writes the indexes of the keys that pass the filter; returns how many.
    private static func probe(
        _ probe: BlockedFilter.Probe,
        _ keys: UnsafeBufferPointer<KeyHash>,
        _ positions: UnsafeMutableBufferPointer<UInt64>,
        _ candidates: UnsafeMutablePointer<Int>
    ) -> Int {
        var (passed, start) = (0, 0)
        while start < keys.count {
            let end = min(start &+ 128, keys.count)
            var touched: UInt64 = 0
            for index in start..<end { touched |= unsafe probe.touch(keys[index]) }
            // Never so; without a use of the bits the loads would be optimised away.
            if touched == 0 && passed > keys.count { break }
            for index in start..<end {
                unsafe candidates[passed] = index
                let isOpen = unsafe positions[index] == 0
                passed &+= unsafe (isOpen ? 1 : 0) & (probe.mayHold(keys[index]) ? 1 : 0)
            }
            start = end
        }
        return passed
    }

    private func find(_ key: KeyHash, _ page: KeyPages) throws(DerivedFileError) -> Position? {
        guard let number = pageNumber(of: key) else { return nil }
        try page.read(number..<(number + 1), of: file, header)
        return page.find(key)
    }

    /// The page whose keys begin at or before the key, the last such.
    ///
    /// Keys are uniform, so a rule of three lands within a few pages; from there steps that double
    /// find an interval, which is halved. Wrong guesses cost time, never the answer.
    private func pageNumber(of key: KeyHash) -> Int? {
        guard let first = fences.first, first <= key else { return nil }
        let share = key.high.multipliedFullWidth(by: UInt64(fences.count)).high
        var (low, high) = (Int(share), Int(share) + 1)
        var step = 1
        while fences[low] > key {
            high = low
            low = max(0, low - step)
            step *= 2
        }
        step = 1
        while high < fences.count && fences[high] <= key {
            low = high
            high = min(fences.count, high + step)
            step *= 2
        }
        while high - low > 1 {
            let middle = (low + high) / 2
            if fences[middle] <= key { low = middle } else { high = middle }
        }
        return low
    }

    /// Reads the whole file anew and checks every byte of it, the order of the keys, and that
    /// fences and filter agree with the pages.
    ///
    /// - Parameter isWanted: Asked before every page; false ends the check early.
    /// - Throws: `corrupt`, naming the page at fault, or `io`.
    func verify(while isWanted: () -> Bool = { true }) throws(DerivedFileError) {
        let fresh = try KeyRun.open(path, store: header.store)
        guard fresh.header == header else {
            throw DerivedFileError(.corrupt, path, "the header is not the one that was opened")
        }
        let page = KeyPages(count: 1)
        var last: KeyHash?
        for number in 0..<header.pages {
            guard isWanted() else { return }
            try page.read(number..<(number + 1), of: fresh.file, header)
            let entries = unsafe page.entries(0)
            var sound = unsafe entries[0].key == fences[number]
            for index in entries.indices {
                let entry = unsafe entries[index]
                sound = sound && filter.mayHold(entry.key) && entry.position.value != 0
                if let last { sound = sound && last < entry.key }
                last = entry.key
            }
            guard sound else {
                throw header.fault(path, page: number, "keys out of order, or not in the filter")
            }
        }
        guard last == header.greatest, fences.first == header.least else {
            throw DerivedFileError(.corrupt, path, "the header's least or greatest key")
        }
    }

    /// Reads the entries in key order, some pages at a time.
    func cursor(bufferPages: Int = 64) -> KeyRunCursor {
        KeyRunCursor(file: file, header: header, bufferPages: bufferPages)
    }
}

extension KeyHash {
    /// Reads a key as it is on disk.
    init(littleEndian bytes: UnsafeRawBufferPointer, at offset: Int) {
        self.init(
            high: unsafe UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            ),
            low: unsafe UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
            )
        )
    }
}
