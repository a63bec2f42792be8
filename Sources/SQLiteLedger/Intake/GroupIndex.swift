internal import UsageModel

/// The keys that are new in the group at hand: key → the event's place in the group.
///
/// Open addressing, at most half full, cleared by clearing the slots that were used; entries can be
/// taken back in the reverse order of their insertion, which restores the table exactly.
struct GroupIndex {
    private var slots: [Int32]
    private(set) var keys: [KeyHash] = []
    private var used: [Int32] = []

    init() { slots = [Int32](repeating: 0, count: 1 << 12) }

    var count: Int { keys.count }

    mutating func clear(expecting count: Int) {
        if slots.count < count * 2 {
            var size = slots.count
            while size < count * 2 { size *= 2 }
            slots = [Int32](repeating: 0, count: size)
        } else {
            for slot in used { slots[Int(slot)] = 0 }
        }
        keys.removeAll(keepingCapacity: true)
        used.removeAll(keepingCapacity: true)
        keys.reserveCapacity(count)
        used.reserveCapacity(count)
    }

    /// - Returns: the place of the key; nil where it is new.
    func find(_ key: KeyHash) -> Int? {
        var slot = Int(truncatingIfNeeded: key.low) & (slots.count - 1)
        while slots[slot] != 0 {
            let place = Int(slots[slot] - 1)
            if keys[place] == key { return place }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// - Returns: the place of the key; nil, and the key is entered at `count`, where it is new.
    mutating func findOrInsert(_ key: KeyHash) -> Int? {
        var slot = Int(truncatingIfNeeded: key.low) & (slots.count - 1)
        while slots[slot] != 0 {
            let place = Int(slots[slot] - 1)
            if keys[place] == key { return place }
            slot = (slot + 1) & (slots.count - 1)
        }
        keys.append(key)
        used.append(Int32(slot))
        slots[slot] = Int32(keys.count)
        return nil
    }

    /// Takes back the newest entries until `count` are left.
    mutating func truncate(to count: Int) {
        while keys.count > count {
            keys.removeLast()
            slots[Int(used.removeLast())] = 0
        }
    }
}
