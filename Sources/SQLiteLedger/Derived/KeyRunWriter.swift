import UsageModel

/// Writes a key run, page by page in key order. Memory: the filter, 16 bytes per page, 1 MiB.
@safe final class KeyRunWriter {
    /// Room for the entries of one page, to be laid out by the caller.
    let room: UnsafeMutablePointer<KeyEntry>

    private let file: DerivedFileWriter
    private let page = KeyPages(count: 1)
    private var header: KeyRunHeader
    private var filter: BlockedFilter
    private var fences: [KeyHash] = []

    /// - Parameter countMax: How many entries may come; the filter is made for so many.
    init(_ path: String, store: UInt64, countMax: Int) throws(DerivedFileError) {
        file = try DerivedFileWriter(path)
        header = KeyRunHeader(store: store)
        filter = BlockedFilter(blocks: BlockedFilter.blocks(forKeys: countMax))
        fences.reserveCapacity(countMax / KeyRunHeader.entriesPerPage + 1)
        unsafe room = page.room
        // Room for the header, which is known last.
        try unsafe file.append(page.seal(count: 0, seed: 0))
    }

    /// Writes the entries laid out in ``room``: ascending, greater than all before, without
    /// repeats; a full page, but for the last.
    func turnPage(count: Int) throws(DerivedFileError) {
        precondition(header.count == header.pages * KeyRunHeader.entriesPerPage && count > 0)
        let sealed = unsafe page.seal(count: count, seed: header.seed(page: header.pages))
        let entries = unsafe page.entries(0)
        var ascends = unsafe header.pages == 0 || header.greatest < entries[0].key
        for index in 1..<max(count, 1) {
            let (one, other) = unsafe (entries[index - 1].key, entries[index].key)
            ascends =
                ascends
                && (one.high < other.high || (one.high == other.high && one.low < other.low))
        }
        precondition(ascends, "entries out of order")
        if header.pages == 0 { header.least = unsafe entries[0].key }
        header.greatest = unsafe entries[count - 1].key
        unsafe fences.append(entries[0].key)
        unsafe filter.insert(entries)
        try unsafe file.append(sealed)
        header.pages += 1
        header.count += count
    }

    /// Makes the run durable under its name, and opens it without reading it again.
    func finish() throws(DerivedFileError) -> KeyRun {
        header.filterBlocks = filter.blocks
        let words = fences.flatMap { [$0.high.littleEndian, $0.low.littleEndian] }
        unsafe try withRawBytes(words) { (bytes) throws(DerivedFileError) in
            header.fencesChecksum = unsafe Checksum64.of(bytes, seed: header.fencesSeed)
            try unsafe file.append(bytes)
        }
        unsafe try filter.withBytes { (bytes) throws(DerivedFileError) in
            header.filterChecksum = unsafe Checksum64.of(bytes, seed: header.filterSeed)
            try unsafe file.append(bytes)
        }
        try file.replace(header.encoded(), at: 0)
        try file.finish()
        let written = try DerivedFile(reading: file.path)
        return KeyRun(file: written, header: header, fences: fences, filter: filter)
    }
}

extension KeyRun {
    /// Writes entries as a run.
    ///
    /// - Parameter entries: Ascending by key, without repeats.
    /// - Throws: `full` or `io`; nothing is left behind but, after a crash, `path.tmp`.
    static func write(
        _ entries: [KeyEntry],
        to path: String,
        store: UInt64
    ) throws(DerivedFileError) -> KeyRun {
        let writer = try KeyRunWriter(path, store: store, countMax: entries.count)
        var written = 0
        while written < entries.count {
            let count = min(KeyRunHeader.entriesPerPage, entries.count - written)
            for index in 0..<count { unsafe writer.room[index] = entries[written + index] }
            try writer.turnPage(count: count)
            written += count
        }
        return try writer.finish()
    }
}

/// Lends an array's bytes to a body that throws an error of its own type.
func withRawBytes<Element: BitwiseCopyable, Failure: Error, Result>(
    _ array: [Element],
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
) throws(Failure) -> Result {
    let outcome = unsafe array.withUnsafeBytes { bytes -> Swift.Result<Result, Failure> in
        do throws(Failure) { return .success(try unsafe body(bytes)) } catch {
            return .failure(error)
        }
    }
    return try outcome.get()
}
