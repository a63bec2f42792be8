/// Numbers the distinct texts of one batch from 0, in the order they come by.
///
/// - Complexity: O(1) a text; allocates only for a text that is new.
struct LocalNames {
    private(set) var texts: [[UInt8]] = []
    private var hashes: [UInt64] = []
    /// Open addressing; a slot holds a number + 1. Never more than half full.
    private var slots = [UInt32](repeating: 0, count: 64)
    private var last = 0

    mutating func number(of text: [UInt8], hash: UInt64) -> UInt32 {
        if last < texts.count, hashes[last] == hash, texts[last] == text { return UInt32(last) }
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let number = Int(slots[slot] - 1)
            if hashes[number] == hash, texts[number] == text {
                last = number
                return UInt32(number)
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        texts.append(text)
        hashes.append(hash)
        slots[slot] = UInt32(texts.count)
        last = texts.count - 1
        if texts.count * 2 > slots.count { grow() }
        return UInt32(last)
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        for (number, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(number + 1)
        }
    }
}
