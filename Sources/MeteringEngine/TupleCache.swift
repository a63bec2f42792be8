internal import UsageModel
internal import WireFormat

/// Remembers the dimension tuples that a batch's events had last, by the bytes they were read from:
/// most events have a tuple that an event shortly before had, and then nothing is spelled or
/// hashed.
///
/// Direct-mapped; a tuple of more than ``piecesMax`` dimensions is not remembered, nor one of which
/// a part is computed.
struct TupleCache {
    private static let piecesMax = 4
    private static let places = 64

    private struct Entry {
        /// Which group of which plan; 0 for an empty place.
        var group: UInt64 = 0
        var number: UInt32 = 0
    }

    private var entries = [Entry](repeating: Entry(), count: places)
    private var values = [PathValue](repeating: .missing, count: places * piecesMax)

    /// The number that was remembered for the same values, if any.
    func find(
        _ group: TypePlan.Group,
        id: UInt64,
        _ slots: UnsafeMutableBufferPointer<PathValue>,
        _ raw: UnsafeRawBufferPointer
    ) -> UInt32? {
        guard group.pieces.count <= Self.piecesMax, !group.isComputed else { return nil }
        let place = unsafe Self.place(group, id, slots, raw)
        let entry = entries[place]
        guard entry.group == id &+ 1 else { return nil }
        for (index, piece) in group.pieces.enumerated() {
            let one = values[place * Self.piecesMax + index]
            let other = unsafe slots[piece.slot]
            guard one.kind == other.kind, one.slice.count == other.slice.count,
                unsafe Self.areEqual(one.slice, other.slice, raw)
            else { return nil }
        }
        return entry.number
    }

    mutating func remember(
        _ number: UInt32,
        _ group: TypePlan.Group,
        id: UInt64,
        _ slots: UnsafeMutableBufferPointer<PathValue>,
        _ raw: UnsafeRawBufferPointer
    ) {
        guard group.pieces.count <= Self.piecesMax, !group.isComputed else { return }
        let place = unsafe Self.place(group, id, slots, raw)
        entries[place] = Entry(group: id &+ 1, number: number)
        for (index, piece) in group.pieces.enumerated() {
            values[place * Self.piecesMax + index] = unsafe slots[piece.slot]
        }
    }

    /// A cheap mix of the ends of each value: a collision costs a spelling, and no more.
    @inline(__always)
    private static func place(
        _ group: TypePlan.Group,
        _ id: UInt64,
        _ slots: UnsafeMutableBufferPointer<PathValue>,
        _ raw: UnsafeRawBufferPointer
    ) -> Int {
        var mix = id
        for piece in group.pieces {
            let slice = unsafe slots[piece.slot].slice
            mix ^= UInt64(slice.count) << 16
            if !slice.isEmpty {
                let (first, last) = (slice.range.lowerBound, slice.range.upperBound - 1)
                mix ^= unsafe UInt64(raw[first]) | UInt64(raw[last]) << 8
                mix ^= unsafe UInt64(raw[(first + last) / 2]) << 24
            }
            mix &*= 0x9E37_79B9_7F4A_7C15
        }
        return Int(truncatingIfNeeded: mix >> 56) & (places - 1)
    }

    @inline(__always)
    static func areEqual(
        _ one: ByteSlice,
        _ other: ByteSlice,
        _ raw: UnsafeRawBufferPointer
    ) -> Bool {
        guard one.count == other.count else { return false }
        let (here, there) = (Int(one.offset), Int(other.offset))
        let count = Int(one.count)
        var index = 0
        while index &+ 8 <= count {
            let (left, right) = unsafe (
                raw.loadUnaligned(fromByteOffset: here &+ index, as: UInt64.self),
                raw.loadUnaligned(fromByteOffset: there &+ index, as: UInt64.self)
            )
            if left != right { return false }
            index &+= 8
        }
        while index < count {
            if unsafe raw[here &+ index] != raw[there &+ index] { return false }
            index &+= 1
        }
        return true
    }
}
