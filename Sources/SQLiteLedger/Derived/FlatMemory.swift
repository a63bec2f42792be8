import Glibc
import Synchronization

/// Memory straight from the kernel, for the flat tables, given back whole.
///
/// What is given back is kept for the next table of the size: a fresh page costs the kernel more
/// than the events that fill it cost us (a fifth of all CPU of intake was spent in clearing pages).
enum FlatMemory {
    private static let hugePageBytes = 2 << 20
    /// What is kept for later, all tables together.
    private static let keptBytesMax = 320 << 20

    // `@unchecked`: nobody holds a block that was given back, so whoever takes it has it alone.
    @unsafe private struct Block: @unchecked Sendable {
        let memory: UnsafeMutableRawPointer
        let bytes: Int
    }

    @safe private struct Kept {
        var blocks: [Block] = unsafe []
        var bytes = 0
    }

    private static let kept = Mutex(Kept())

    /// Memory of at least `bytes` bytes on a page boundary. Fresh pages are zero, and taken up when
    /// first touched. The process ends if the kernel refuses, as it does for any other allocation.
    ///
    /// - Parameter isZeroed: Whether memory that was used before must be zero as well.
    static func allocate(bytes: Int, isZeroed: Bool = true) -> UnsafeMutableRawPointer {
        let block = unsafe kept.withLock { kept -> Block? in
            guard let place = unsafe kept.blocks.lastIndex(where: { unsafe $0.bytes == bytes })
            else { return nil }
            kept.bytes -= bytes
            return unsafe kept.blocks.remove(at: place)
        }
        if let block = unsafe block {
            if isZeroed {
                unsafe block.memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
            }
            return unsafe block.memory
        }
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
        let isKept = kept.withLock { kept in
            guard kept.bytes + bytes <= keptBytesMax else { return false }
            kept.bytes += bytes
            unsafe kept.blocks.append(Block(memory: memory, bytes: bytes))
            return true
        }
        if !isKept { _ = unsafe munmap(memory, bytes) }
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
