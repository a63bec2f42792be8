/// Which events of a log count, as known at any position: what corrections said of each, in order.
///
/// A value without memory of the events: all it knows of one is its position.
public struct CorrectionHistory: Sendable {
    /// What one correction said of one event.
    public struct Word: Hashable, Sendable {
        /// The position of the correction.
        public var at: UInt64
        public var counts: Bool
        /// The position of the event that stands for it; 0 where none does.
        public var replacement: UInt64
    }

    /// What a correction is to say of an event.
    public struct Change: Hashable, Sendable {
        public var position: UInt64
        public var counts: Bool
        /// The position of the event that is to stand for it; 0 where none is.
        public var replacement: UInt64

        public init(position: UInt64, counts: Bool, replacement: UInt64 = 0) {
            (self.position, self.counts) = (position, counts)
            self.replacement = replacement
        }
    }

    private var words: [UInt64: [Word]] = [:]
    /// Of an event that another stands for by now, the other.
    private var replacements: [UInt64: UInt64] = [:]
    private var replaced: [UInt64: UInt64] = [:]
    /// Events that stood for others, until that was taken back: nothing brings them back.
    private var dropped: Set<UInt64> = []

    public init() {}

    public var isEmpty: Bool { words.isEmpty }

    /// Whether corrections let an event count.
    ///
    /// - Parameter position: What was known there.
    public func counts(_ event: UInt64, asOf position: UInt64 = .max) -> Bool {
        guard let said = words[event] else { return true }
        return said.last { $0.at <= position }?.counts ?? true
    }

    /// What was said of an event, in order.
    public func words(of event: UInt64) -> [Word] { words[event] ?? [] }

    /// The event that stands for one by now: itself, unless it was replaced.
    public func current(of event: UInt64) -> UInt64 {
        var current = event
        while let next = replacements[current] { current = next }
        return current
    }

    /// Whether an event is the one that stands for its key by now, void or not.
    public func stands(_ event: UInt64) -> Bool {
        replacements[event] == nil && !dropped.contains(event)
    }

    /// What voiding an event comes to; nothing where it counts no more.
    public func voiding(_ event: UInt64) -> [Change] {
        let current = current(of: event)
        return counts(current) ? [Change(position: current, counts: false)] : []
    }

    /// What taking back the last correction of an event comes to; nothing where there is none. Of
    /// one that was replaced, the replacement comes first.
    public func restoring(_ event: UInt64) -> [Change] {
        let current = current(of: event)
        if !counts(current) { return [Change(position: current, counts: true)] }
        guard let before = replaced[current] else { return [] }
        // It may have been void when it was replaced.
        let said = words(of: before)
        let link = said.lastIndex { $0.replacement == current } ?? 0
        let counted = link > 0 ? said[link - 1].counts : true
        return [
            Change(position: current, counts: false), Change(position: before, counts: counted),
        ]
    }

    /// What it comes to that another event stands for one.
    public func replacing(_ event: UInt64, by other: UInt64) -> [Change] {
        [Change(position: current(of: event), counts: false, replacement: other)]
    }

    /// - Parameter position: Of the correction that says it; not before those that were added.
    public mutating func add(_ change: Change, at position: UInt64) {
        let word = Word(at: position, counts: change.counts, replacement: change.replacement)
        words[change.position, default: []].append(word)
        if change.replacement != 0 {
            replacements[change.position] = change.replacement
            replaced[change.replacement] = change.position
        } else if let other = replacements.removeValue(forKey: change.position) {
            replaced[other] = nil
            dropped.insert(other)
        }
    }
}
