/// Memory for records that are made one after another and freed together, named by 32-bit
/// references.
///
/// A reference counts units of 8 bytes; 0 names nothing. Memory comes in chunks of 16 MiB that
/// never move, so growing copies nothing. Records must be plain memory: nothing is destroyed. At
/// most 32 GiB. The owner calls ``free()``.
@unsafe struct FlatArena {
    private struct State {
        /// The unit the next record begins at.
        var next = 1
        var chunks = 0
    }

    private static let chunkShift = 21
    private static let chunkUnits = 1 << chunkShift
    private static let chunkBytes = chunkUnits * 8
    private static let chunksMax = 1 << (32 - chunkShift)

    private let state: UnsafeMutablePointer<State>
    private let chunks: UnsafeMutablePointer<UnsafeMutableRawPointer>

    init() {
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State())
        unsafe chunks = .allocate(capacity: Self.chunksMax)
    }

    func free() {
        for index in unsafe 0..<state.pointee.chunks {
            unsafe FlatMemory.free(chunks[index], bytes: Self.chunkBytes)
        }
        unsafe chunks.deallocate()
        unsafe state.deallocate()
    }

    /// The bytes taken up by records.
    var bytes: Int { unsafe state.pointee.next * 8 }

    @inline(__always)
    func pointer<Record>(
        _ reference: UInt32,
        as type: Record.Type
    ) -> UnsafeMutablePointer<Record> {
        let chunk = unsafe chunks[Int(reference >> UInt32(Self.chunkShift))]
        let offset = unsafe (Int(reference) & (Self.chunkUnits - 1)) &* 8
        return unsafe (chunk + offset).assumingMemoryBound(to: type)
    }

    /// Makes room for a record that starts with the value given.
    @inline(__always)
    func append<Record>(_ record: Record) -> UInt32 {
        let reference = unsafe reserve(bytes: MemoryLayout<Record>.size)
        unsafe pointer(reference, as: Record.self).initialize(to: record)
        return reference
    }

    /// Makes room for some bytes, which lie together and hold anything. At most 16 MiB.
    ///
    /// - Parameter inLines: Whether they shall lie in as few cache lines as they fit into.
    @inline(__always)
    func reserve(bytes: Int, inLines: Bool = false) -> UInt32 {
        let units = (bytes &+ 7) &>> 3
        var first = unsafe state.pointee.next
        let isFirst = first == 1
        if inLines, !isFirst, (first & 7) &+ units > (units &+ 7) & ~7 {
            first = (first &+ 7) & ~7
        }
        let isFresh = unsafe first & (Self.chunkUnits - 1) == 0 || isFirst
        let end = first &+ units &- 1
        if unsafe isFresh || first >> Self.chunkShift != end >> Self.chunkShift {
            first = unsafe enterChunk(first, units)
        }
        unsafe state.pointee.next = first &+ units
        return UInt32(truncatingIfNeeded: first)
    }

    /// Where the record goes, now that it does not fit into what is left of the last chunk.
    private func enterChunk(_ first: Int, _ units: Int) -> Int {
        unsafe precondition(units <= Self.chunkUnits - 1, "a record larger than a chunk")
        let count = unsafe state.pointee.chunks
        guard count > 0 else {
            unsafe addChunk()
            return first
        }
        unsafe addChunk()
        return unsafe count << Self.chunkShift
    }

    private func addChunk() {
        let count = unsafe state.pointee.chunks
        unsafe precondition(
            count < Self.chunksMax,
            "the arena is full; its owner should have asked isFull"
        )
        unsafe (chunks + count).initialize(
            to: FlatMemory.allocate(bytes: Self.chunkBytes, isZeroed: false)
        )
        unsafe state.pointee.chunks = count + 1
    }
}
