/// A dictionary in 256 parts: who holds a copy makes a change copy one part, and not all of it.
struct ShardedTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var shards = [[Key: Value]](repeating: [:], count: 256)
    private(set) var count = 0

    private static func shard(of key: Key) -> Int { key.hashValue & 255 }

    subscript(key: Key) -> Value? {
        get { shards[Self.shard(of: key)][key] }
        set {
            let shard = Self.shard(of: key)
            let before = shards[shard].count
            shards[shard][key] = newValue
            count += shards[shard].count - before
        }
    }

    /// Changes the value of a key in place.
    mutating func update(_ key: Key, default value: Value, _ body: (inout Value) -> Void) {
        let shard = Self.shard(of: key)
        let before = shards[shard].count
        body(&shards[shard][key, default: value])
        count += shards[shard].count - before
    }

    func visit(_ body: (Key, Value) -> Void) {
        for shard in shards {
            for (key, value) in shard { body(key, value) }
        }
    }
}
