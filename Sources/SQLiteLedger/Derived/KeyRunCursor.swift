import UsageModel

/// Reads a key run from its first page to its last, some pages at a time.
final class KeyRunCursor {
    private let file: DerivedFile
    private let header: KeyRunHeader
    private let pages: KeyPages
    private let bufferPages: Int
    private var buffered = 0..<0
    private var page = 0

    /// - Parameter bufferPages: How many pages of 4 KiB are read at once.
    init(file: DerivedFile, header: KeyRunHeader, bufferPages: Int) {
        (self.file, self.header, self.bufferPages) = (file, header, bufferPages)
        pages = KeyPages(count: bufferPages)
    }

    /// The entries of the next page, in key order; nil after the last. Valid until the next call.
    func next() throws(DerivedFileError) -> UnsafeBufferPointer<KeyEntry>? {
        guard page < header.pages else { return nil }
        if page >= buffered.upperBound {
            buffered = page..<min(page + bufferPages, header.pages)
            try pages.read(buffered, of: file, header)
        }
        defer { page += 1 }
        return unsafe pages.entries(page - buffered.lowerBound)
    }
}
