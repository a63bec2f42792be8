import Glibc

/// Memory straight from the kernel, for the flat tables: zeroed, and given back whole.
enum FlatMemory {
    private static let hugePageBytes = 2 << 20

    /// Memory of at least `bytes` bytes, all zero, on a page boundary. Pages are taken up when
    /// first touched. The process ends if the kernel refuses, as it does for any other allocation.
    static func allocate(bytes: Int) -> UnsafeMutableRawPointer {
        let memory = unsafe mmap(
            nil,
            bytes,
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS,
            -1,
            0
        )
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else {
            preconditionFailure("no memory for a table of \(bytes) bytes")
        }
        unsafe preferHugePages(UnsafeRawBufferPointer(start: memory, count: bytes))
        return unsafe memory
    }

    static func free(_ memory: UnsafeMutableRawPointer, bytes: Int) {
        _ = unsafe munmap(memory, bytes)
    }

    /// Asks for 2 MiB pages under a table that is probed at random: a tenth of the TLB misses.
    static func preferHugePages(_ memory: UnsafeRawBufferPointer) {
        guard memory.count >= 2 * hugePageBytes else { return }
        let start = Int(bitPattern: memory.baseAddress)
        let first = (start + hugePageBytes - 1) & ~(hugePageBytes - 1)
        let end = (start + memory.count) & ~(hugePageBytes - 1)
        guard end > first else { return }
        // Advice only; where the kernel declines, small pages do.
        _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: first), end - first, MADV_HUGEPAGE)
    }
}
