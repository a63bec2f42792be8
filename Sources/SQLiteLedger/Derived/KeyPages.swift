import UsageModel

/// Memory for pages of a key run, each checked as it is read. For one thread at a time.
@safe final class KeyPages {
    private static let entriesOffset = 16
    private let memory: UnsafeMutableRawBufferPointer
    private var counts: [Int]

    /// - Parameter count: How many pages the memory holds.
    init(count: Int) {
        precondition(count > 0)
        unsafe memory = .allocate(byteCount: count * KeyRunHeader.pageBytes, alignment: 64)
        counts = Array(repeating: 0, count: count)
    }

    deinit { unsafe memory.deallocate() }

    /// Reads neighbouring pages and checks each of them.
    ///
    /// - Throws: `corrupt`, naming the page, or `io`.
    func read(
        _ pages: Range<Int>,
        of file: DerivedFile,
        _ header: KeyRunHeader
    ) throws(DerivedFileError) {
        precondition(pages.count <= counts.count && pages.upperBound <= header.pages)
        let size = KeyRunHeader.pageBytes
        try unsafe file.read(
            UnsafeMutableRawBufferPointer(rebasing: memory[..<(pages.count * size)]),
            at: header.offset(page: pages.lowerBound)
        )
        for number in pages {
            let place = number - pages.lowerBound
            let page = unsafe UnsafeRawBufferPointer(
                rebasing: memory[(place * size)..<((place + 1) * size)]
            )
            let sum = unsafe Self.checksum(page, seed: header.seed(page: number))
            let held = unsafe UInt64(littleEndian: page.load(as: UInt64.self))
            let count = unsafe UInt64(
                littleEndian: page.load(fromByteOffset: 8, as: UInt64.self)
            )
            guard held == sum, count == UInt64(header.entries(page: number)) else {
                throw header.fault(file.path, page: number, "checksum")
            }
            counts[place] = Int(count)
        }
    }

    /// The entries of one of the pages read last; valid until the next read.
    func entries(_ place: Int) -> UnsafeBufferPointer<KeyEntry> {
        // On disk as in memory: three little-endian words. Big-endian machines are not supported.
        let start = unsafe memory.baseAddress! + place * KeyRunHeader.pageBytes
        return unsafe UnsafeBufferPointer(
            start: UnsafeRawPointer(start + Self.entriesOffset)
                .assumingMemoryBound(to: KeyEntry.self),
            count: counts[place]
        )
    }

    /// Looks a key up in the first page, by halving.
    func find(_ key: KeyHash) -> Position? {
        let entries = unsafe entries(0)
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low &+ high) &>> 1
            let held = unsafe entries[middle].key
            if held.high < key.high || (held.high == key.high && held.low < key.low) {
                low = middle &+ 1
            } else {
                high = middle
            }
        }
        guard low < entries.count, unsafe entries[low].key == key else { return nil }
        return unsafe entries[low].position
    }

    /// Room to lay out the entries of the first page, for the writer.
    var room: UnsafeMutablePointer<KeyEntry> {
        unsafe (memory.baseAddress! + Self.entriesOffset).assumingMemoryBound(to: KeyEntry.self)
    }

    /// Finishes the first page, which holds `count` entries.
    func seal(count: Int, seed: UInt64) -> UnsafeRawBufferPointer {
        counts[0] = count
        let filled = Self.entriesOffset + count * MemoryLayout<KeyEntry>.stride
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[filled..<KeyRunHeader.pageBytes])
            .initializeMemory(as: UInt8.self, repeating: 0)
        unsafe memory.storeBytes(of: UInt64(count).littleEndian, toByteOffset: 8, as: UInt64.self)
        let page = unsafe UnsafeRawBufferPointer(
            rebasing: UnsafeRawBufferPointer(memory)[..<KeyRunHeader.pageBytes]
        )
        let sum = unsafe Self.checksum(page, seed: seed)
        unsafe memory.storeBytes(of: sum.littleEndian, as: UInt64.self)
        return unsafe page
    }

    private static func checksum(_ page: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        unsafe Checksum64.of(UnsafeRawBufferPointer(rebasing: page[8...]), seed: seed)
    }
}
