internal import CPrefetch
import UsageModel

/// Names and their numbers, for ever: subjects, dimension tuples, sources, types.
///
/// Numbers are dense and begin at 1; 0 is no name's. The bytes lie in one arena and are found by a
/// 64-bit hash of the caller's, which must be the same each time. 35 bytes of memory per name more
/// than its own. For one thread at a time.
///
/// `@unchecked`: the ledger keeps the table in the state that its lock guards, and the compiler
/// cannot follow flat memory through that.
@safe final class NameTable: @unchecked Sendable {
    // A name in the arena: its hash, its number, its length, then its bytes. The slots refer to it
    // directly, so that a look-up waits for memory twice and not three times.
    private struct Head {
        var hash: UInt64
        var number: UInt32
        var count: UInt32
    }

    static let nameBytesMax = 1 << 20

    private let arena: FlatArena
    private let slots: SlotTable
    private let places: FlatArena
    private let counter: UnsafeMutablePointer<UInt32>

    init() {
        unsafe arena = FlatArena()
        unsafe slots = SlotTable()
        unsafe places = FlatArena()
        unsafe counter = .allocate(capacity: 1)
        unsafe counter.initialize(to: 0)
    }

    deinit {
        unsafe arena.free()
        unsafe slots.free()
        unsafe places.free()
        unsafe counter.deallocate()
    }

    /// How many names there are, which is the greatest number.
    var count: UInt32 { unsafe counter.pointee }
    var memoryBytes: Int { unsafe arena.bytes + places.bytes + slots.bytes }

    /// The name's number, which it gets now if it has none yet.
    @inline(__always)
    func intern(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32 {
        let known = unsafe number(bytes, hash)
        return unsafe known != 0 ? known : add(bytes, hash)
    }

    /// Asks for the slot of a name; see ``SlotTable/prefetch(_:)``.
    @inline(__always)
    func prefetchSlot(hash: UInt64) { unsafe slots.prefetch(hash) }

    /// Asks for the name itself, whose slot was asked for before.
    @inline(__always)
    func prefetchName(hash: UInt64) {
        let place = unsafe slots.candidate(hash)
        if place != 0 { unsafe prefetch_line(arena.pointer(place, as: Head.self)) }
    }

    func intern(_ bytes: [UInt8], hash: UInt64) -> UInt32 {
        unsafe bytes.withUnsafeBytes { unsafe intern($0, hash: hash) }
    }

    /// The name's number, if it has one.
    func find(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32? {
        let known = unsafe number(bytes, hash)
        return known == 0 ? nil : known
    }

    func find(_ bytes: [UInt8], hash: UInt64) -> UInt32? {
        unsafe bytes.withUnsafeBytes { unsafe find($0, hash: hash) }
    }

    /// The name of a number, which must be one that was given out.
    func bytes(of number: UInt32) -> [UInt8] { unsafe Array(raw(number)) }

    /// The name of a number, valid as long as the table.
    func raw(_ number: UInt32) -> UnsafeRawBufferPointer {
        precondition(number > 0 && number <= count, "a number that no name has")
        return unsafe content(head(number))
    }

    @inline(__always)
    private func number(_ bytes: UnsafeRawBufferPointer, _ hash: UInt64) -> UInt32 {
        let place = unsafe slots.find(hash) { place in
            let head = unsafe arena.pointer(place, as: Head.self)
            guard unsafe head.pointee.hash == hash else { return false }
            return unsafe Self.equal(content(head), bytes)
        }
        return place == 0 ? 0 : unsafe arena.pointer(place, as: Head.self).pointee.number
    }

    private func add(_ bytes: UnsafeRawBufferPointer, _ hash: UInt64) -> UInt32 {
        precondition(bytes.count <= Self.nameBytesMax && count < .max)
        let place = unsafe arena.reserve(
            bytes: MemoryLayout<Head>.size + bytes.count,
            inLines: true
        )
        let head = unsafe arena.pointer(place, as: Head.self)
        // One unit each and none before the first: a place's reference is its name's number.
        let number = unsafe places.append(UInt64(place))
        unsafe head.initialize(
            to: Head(hash: hash, number: number, count: UInt32(bytes.count))
        )
        if let source = bytes.baseAddress {
            unsafe UnsafeMutableRawPointer(head + 1).copyMemory(
                from: source,
                byteCount: bytes.count
            )
        }
        unsafe counter.pointee = number
        unsafe slots.insert(hash, place)
        return number
    }

    @inline(__always)
    private func head(_ number: UInt32) -> UnsafeMutablePointer<Head> {
        let place = unsafe places.pointer(number, as: UInt64.self).pointee
        return unsafe arena.pointer(UInt32(truncatingIfNeeded: place), as: Head.self)
    }

    @inline(__always)
    private func content(_ head: UnsafeMutablePointer<Head>) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: head + 1, count: Int(head.pointee.count))
    }

    @inline(__always)
    private static func equal(
        _ one: UnsafeRawBufferPointer,
        _ other: UnsafeRawBufferPointer
    ) -> Bool {
        guard one.count == other.count else { return false }
        guard let left = one.baseAddress, let right = other.baseAddress else {
            return true
        }
        var index = 0
        while index + 8 <= one.count {
            let (here, there) = unsafe (
                left.loadUnaligned(fromByteOffset: index, as: UInt64.self),
                right.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            )
            if here != there { return false }
            index &+= 8
        }
        while index < one.count {
            if unsafe one[index] != other[index] { return false }
            index &+= 1
        }
        return true
    }
}
