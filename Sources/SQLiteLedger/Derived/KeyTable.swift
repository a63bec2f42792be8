import UsageModel

/// The newest keys, in memory: an ordered hash table of 24-byte slots.
///
/// A key's high half, scaled, is its slot; whoever collides moves on, and the slots stay in key
/// order (Amble and Knuth, "Ordered hash tables", 1974). So an absent key is known at the first
/// greater one (about two slots at the full load of 3/4), and the sorted entries are the slots as
/// they lie. Keys are uniform hashes; others are found too, but slowly.
///
/// Not for two threads at a time, but see ``freeze()``.
///
/// `@unchecked`: the compiler cannot see that flat memory which nobody writes is safe to share. The
/// ledger changes a table only under its lock, and lends it to others only once it is frozen.
@safe final class KeyTable: @unchecked Sendable {
    private static let tailSlots = 256

    /// How many keys the table is made for. It takes more, but at the price of a pause.
    private(set) var capacity: Int
    private(set) var isFrozen = false

    // Unchecked, because checking would cost more than the work: every access is a plain load or
    // store within one call, and nothing here calls out.
    @exclusivity(unchecked) private var held = 0
    @exclusivity(unchecked) private var limit: Int
    @exclusivity(unchecked) private var slots: UnsafeMutablePointer<KeyEntry>
    // The slots that a key can be aimed at; the tail behind them takes the last cluster's overflow,
    // and its last slot is always empty, so that no search runs off the end.
    @exclusivity(unchecked) private var aims: UInt64
    @exclusivity(unchecked) private var slotCount: Int

    init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
        unsafe limit = capacity + capacity / 8
        unsafe aims = UInt64(capacity + (capacity + 2) / 3)
        unsafe slotCount = unsafe Int(aims) + Self.tailSlots
        unsafe slots = Self.memory(slotCount)
    }

    deinit { unsafe FlatMemory.free(slots, bytes: slotCount * MemoryLayout<KeyEntry>.stride) }

    var count: Int { unsafe held }
    var isFull: Bool { count >= capacity }
    var memoryBytes: Int { unsafe slotCount * MemoryLayout<KeyEntry>.stride }

    /// Ends all changing: from here on the table may be read from any thread.
    func freeze() {
        isFrozen = true
        // The next insert finds the table at its limit, and there the flag.
        unsafe limit = 0
    }

    /// Where the key's event is, if the table holds the key.
    @inline(__always)
    func find(_ key: KeyHash) -> Position? {
        let slot = unsafe slot(key)
        return unsafe Self.isAt(slot, key) ? slot.pointee.position : nil
    }

    /// Looks up many keys: writes the position of each that is held, and leaves the others' alone.
    ///
    /// The slots of 32 keys are touched before the first is searched, so that their misses overlap.
    func find(
        _ keys: UnsafeBufferPointer<KeyHash>,
        into positions: UnsafeMutableBufferPointer<UInt64>
    ) {
        precondition(positions.count >= keys.count)
        var start = 0
        while start < keys.count {
            let end = min(start + 32, keys.count)
            unsafe touch(keys, start..<end)
            for index in start..<end {
                let slot = unsafe slot(keys[index])
                if unsafe Self.isAt(slot, keys[index]) {
                    unsafe positions[index] = unsafe slot.pointee.position.value
                }
            }
            start = end
        }
    }

    /// Adds keys whose positions follow one another, as ``insert(_:_:)`` does each.
    func insert(_ keys: UnsafeBufferPointer<KeyHash>, first position: UInt64) {
        var start = 0
        while start < keys.count {
            let end = min(start + 32, keys.count)
            unsafe touch(keys, start..<end)
            for index in start..<end {
                insert(unsafe keys[index], Position(position + UInt64(index)))
            }
            start = end
        }
    }

    @inline(__always)
    private func touch(_ keys: UnsafeBufferPointer<KeyHash>, _ range: Range<Int>) {
        var touched: UInt64 = 0
        for index in range { touched |= unsafe slots[home(keys[index])].position.value }
        // All positions may be zero; asking keeps the loads from being optimised away.
        if touched == .max { preconditionFailure("a position that no log reaches") }
    }

    /// Adds a key. Of a key that is held already, the smaller position stays.
    func insert(_ key: KeyHash, _ position: Position) {
        precondition(position.value != 0)
        let slot = unsafe slot(key)
        if unsafe Self.isAt(slot, key) {
            unsafe slot.pointee.position = unsafe min(slot.pointee.position, position)
            return
        }
        var end = unsafe slot
        while unsafe end.pointee.position.value != 0 { unsafe end += 1 }
        if unsafe end == slots + (slotCount - 1) || held >= limit {
            grow()
            return insert(key, position)
        }
        while unsafe end > slot {
            unsafe end.pointee = unsafe (end - 1).pointee
            unsafe end -= 1
        }
        unsafe slot.pointee = KeyEntry(key: key, position: position)
        unsafe held += 1
    }

    /// All entries in key order. O(slots).
    func sortedEntries() -> [KeyEntry] {
        unsafe [KeyEntry](unsafeUninitializedCapacity: count) { buffer, filled in
            for index in unsafe 0..<slotCount where unsafe slots[index].position.value != 0 {
                unsafe buffer.initializeElement(at: filled, to: slots[index])
                filled += 1
            }
        }
    }

    @inline(__always)
    private func home(_ key: KeyHash) -> Int {
        unsafe Int(truncatingIfNeeded: key.high.multipliedFullWidth(by: aims).high)
    }

    /// The slot of the key, or the one it would take: the first that is empty or not smaller.
    @inline(__always)
    private func slot(_ key: KeyHash) -> UnsafeMutablePointer<KeyEntry> {
        var slot = unsafe slots + home(key)
        while true {
            let entry = unsafe slot.pointee
            if entry.position.value == 0 || entry.key.high > key.high { return unsafe slot }
            if entry.key.high == key.high && entry.key.low >= key.low { return unsafe slot }
            unsafe slot += 1
        }
    }

    @inline(__always)
    private static func isAt(_ slot: UnsafeMutablePointer<KeyEntry>, _ key: KeyHash) -> Bool {
        let entry = unsafe slot.pointee
        return entry.key.high == key.high && entry.key.low == key.low && entry.position.value != 0
    }

    /// Doubles the slots: for whoever passes the capacity, and for keys that are not uniform.
    private func grow() {
        precondition(!isFrozen, "a frozen table is only read")
        let entries = sortedEntries()
        unsafe FlatMemory.free(slots, bytes: memoryBytes)
        capacity *= 2
        unsafe limit = capacity + capacity / 8
        let tail = unsafe max((slotCount - Int(aims)) * 2, entries.count / 4)
        unsafe aims *= 2
        unsafe slotCount = unsafe Int(aims) + tail
        unsafe slots = Self.memory(slotCount)
        // In key order each entry goes behind the one before it, or to its own aim.
        var next = 0
        for (index, entry) in entries.enumerated() {
            let place = max(next, home(entry.key))
            guard unsafe place < slotCount - 1 else {
                unsafe held = index
                for rest in entries[index...] { insert(rest.key, rest.position) }
                return
            }
            unsafe slots[place] = entry
            next = place + 1
        }
    }

    private static func memory(_ slots: Int) -> UnsafeMutablePointer<KeyEntry> {
        let bytes = slots * MemoryLayout<KeyEntry>.stride
        return unsafe FlatMemory.allocate(bytes: bytes)
            .bindMemory(to: KeyEntry.self, capacity: slots)
    }
}
