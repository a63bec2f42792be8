import CMalloc

/// How the C library's allocator is set up.
enum Allocation {
    private static let mappedBytesMin: Int32 = 64 << 20
    private static let trimmedBytesMin: Int32 = 256 << 20

    /// Keeps the memory of bodies and batches in the process: they come and go a thousand times a
    /// second, and each time the kernel would have to clear the pages anew. Costs at most 256 MiB.
    static func keepFreedMemory() {
        _ = mallopt(M_MMAP_THRESHOLD, mappedBytesMin)
        _ = mallopt(M_TRIM_THRESHOLD, trimmedBytesMin)
    }
}
