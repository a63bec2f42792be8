import Compression
import UsageModel

/// Memory to read blocks of cell runs with: packed and unpacked bytes, a zstd context, the cells.
/// Used again from block to block and from run to run. For one thread at a time.
@safe final class CellBlock {
    let cells = CellReader()
    private let decompressor = ZstdDecompressor()
    private var packed: UnsafeMutableRawBufferPointer
    private var raw: UnsafeMutableRawBufferPointer

    init() {
        unsafe packed = .allocate(byteCount: CellRunWriter.blockBytes, alignment: 16)
        unsafe raw = .allocate(byteCount: 2 * CellRunWriter.blockBytes, alignment: 16)
    }

    deinit {
        unsafe packed.deallocate()
        unsafe raw.deallocate()
    }

    /// Reads, checks and unpacks a block.
    func load(
        _ fence: CellFence,
        of file: DerivedFile,
        seed: UInt64,
        fault: (String) -> DerivedFileError
    ) throws(DerivedFileError) {
        unsafe Self.makeRoom(&packed, Int(fence.packedBytes))
        unsafe Self.makeRoom(&raw, Int(fence.rawBytes))
        let frame = unsafe UnsafeMutableRawBufferPointer(
            rebasing: packed[..<Int(fence.packedBytes)]
        )
        try unsafe file.read(frame, at: Int(fence.offset))
        guard unsafe Checksum64.of(UnsafeRawBufferPointer(frame), seed: seed) == fence.checksum
        else { throw fault("checksum") }
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: raw[..<Int(fence.rawBytes)])
        let count: Int
        do throws(CompressionError) {
            count = try unsafe decompressor.decompress(UnsafeRawBufferPointer(frame), into: target)
        } catch {
            throw fault(error.description)
        }
        guard count == Int(fence.rawBytes) else { throw fault("its unpacked length") }
        unsafe cells.open(UnsafeRawBufferPointer(target))
    }

    private static func makeRoom(_ memory: inout UnsafeMutableRawBufferPointer, _ bytes: Int) {
        guard bytes > memory.count else { return }
        unsafe memory.deallocate()
        unsafe memory = .allocate(byteCount: bytes, alignment: 16)
    }
}
