import UsageModel

/// What the key index knows of one event: its key and its place in the log. 24 bytes, flat.
struct KeyEntry: Hashable, Sendable {
    var key: KeyHash
    /// Never ``Position/zero``, which marks an absent key.
    var position: Position

    init(key: KeyHash, position: Position) { (self.key, self.position) = (key, position) }
}
