internal import CPrefetch

/// A hash table from 64-bit hashes to 32-bit references, of which it knows nothing more: the owner
/// compares what a reference stands for.
///
/// It is 256 tables by the top byte of the hash, each of which doubles by itself, so that no insert
/// waits for more than a 256th of all to be moved (0.1 ms for ten million references). A slot holds
/// 32 bits of the hash: almost every comparison that is asked for succeeds, and doubling needs no
/// look at what the references stand for. 11 to 22 bytes per reference.
///
/// The fields are behind pointers that never change: no access needs a check for exclusivity. The
/// owner calls ``free()``.
@unsafe struct SlotTable {
    @unsafe private struct Segment {
        var slots: UnsafeMutablePointer<UInt64>
        var mask: Int
        var count: Int
    }

    private static let segmentCount = 256
    private static let slotsMin = 16
    private let segments: UnsafeMutablePointer<Segment>

    init() {
        unsafe segments = .allocate(capacity: Self.segmentCount)
        for index in unsafe 0..<Self.segmentCount {
            unsafe (segments + index).initialize(to: Self.segment(slots: Self.slotsMin))
        }
    }

    func free() {
        for index in unsafe 0..<Self.segmentCount { unsafe segments[index].slots.deallocate() }
        unsafe segments.deallocate()
    }

    /// The bytes of all slots. O(1) for practical purposes.
    var bytes: Int {
        unsafe (0..<Self.segmentCount).reduce(0) { unsafe $0 + (segments[$1].mask + 1) * 8 }
    }

    /// The reference with this hash that the owner accepts; 0 if there is none.
    @inline(__always)
    func find(_ hash: UInt64, _ accepts: (UInt32) -> Bool) -> UInt32 {
        let segment = unsafe segments + Int(truncatingIfNeeded: hash >> 56)
        let (slots, mask) = unsafe (segment.pointee.slots, segment.pointee.mask)
        let tag = UInt32(truncatingIfNeeded: hash)
        var index = Int(tag) & mask
        while true {
            let slot = unsafe slots[index]
            if slot == 0 { return 0 }
            let reference = UInt32(truncatingIfNeeded: slot)
            if UInt32(truncatingIfNeeded: slot >> 32) == tag && accepts(reference) {
                return reference
            }
            index = (index &+ 1) & mask
        }
    }

    /// Asks for the slot that a search for the hash begins at: of many hashes the misses overlap,
    /// and the searches that follow find their slots in the cache.
    @inline(__always)
    func prefetch(_ hash: UInt64) {
        let segment = unsafe segments + Int(truncatingIfNeeded: hash >> 56)
        let index = unsafe Int(UInt32(truncatingIfNeeded: hash)) & segment.pointee.mask
        unsafe prefetch_line(segment.pointee.slots + index)
    }

    /// The first reference with this hash, which may be another's; 0 if there is none. To be
    /// prefetched, and then found.
    @inline(__always)
    func candidate(_ hash: UInt64) -> UInt32 { unsafe find(hash) { _ in true } }

    /// Adds a reference that is not there yet. It must not be 0.
    func insert(_ hash: UInt64, _ reference: UInt32) {
        let segment = unsafe segments + Int(truncatingIfNeeded: hash >> 56)
        if unsafe segment.pointee.count * 4 >= segment.pointee.mask * 3 {
            let old = unsafe segment.pointee
            unsafe segment.pointee = unsafe Self.segment(slots: (old.mask + 1) * 2)
            for index in unsafe 0...old.mask where unsafe old.slots[index] != 0 {
                unsafe Self.put(old.slots[index], in: segment)
            }
            unsafe old.slots.deallocate()
        }
        let tag = UInt64(UInt32(truncatingIfNeeded: hash))
        unsafe Self.put(tag << 32 | UInt64(reference), in: segment)
    }

    private static func put(_ slot: UInt64, in segment: UnsafeMutablePointer<Segment>) {
        let (slots, mask) = unsafe (segment.pointee.slots, segment.pointee.mask)
        var index = Int(slot >> 32) & mask
        while unsafe slots[index] != 0 { index = (index &+ 1) & mask }
        unsafe slots[index] = slot
        unsafe segment.pointee.count += 1
    }

    private static func segment(slots count: Int) -> Segment {
        let slots = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
        unsafe slots.initialize(repeating: 0, count: count)
        return unsafe Segment(slots: slots, mask: count - 1, count: 0)
    }
}
