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

    /// The events of a backfill set that were received together.
    private struct Span {
        var positions: Range<UInt64>
        var set: Int64
    }

    private struct SetWord {
        var at: UInt64
        var counts: Bool
    }

    private var words: [UInt64: [Word]] = [:]
    /// In the order of their positions.
    private var spans: [Span] = []
    /// The same, by their sets.
    private var parts: [Int64: [Range<UInt64>]] = [:]
    private var sets: [Int64: [SetWord]] = [:]
    /// Of an event that another stands for by now, the other.
    private var replacements: [UInt64: UInt64] = [:]
    private var replaced: [UInt64: UInt64] = [:]
    /// Of every event that ever stood for another, the other.
    private var origins: [UInt64: UInt64] = [:]
    /// Events that stood for others, until that was taken back: nothing brings them back.
    private var dropped: Set<UInt64> = []

    public init() {}

    public var isEmpty: Bool { words.isEmpty && spans.isEmpty }

    /// Whether corrections let an event count.
    ///
    /// - Parameter position: What was known there.
    /// - Complexity: O(log n) in the calls that backfill sets were sent in.
    public func counts(_ event: UInt64, asOf position: UInt64 = .max) -> Bool {
        !isVoid(event, asOf: position) && isIncluded(event, asOf: position)
    }

    /// Whether the event was voided or replaced itself, whatever became of its backfill set.
    public func isVoid(_ event: UInt64, asOf position: UInt64 = .max) -> Bool {
        guard let said = words[event] else { return false }
        return said.last { $0.at <= position }.map { !$0.counts } ?? false
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

    // MARK: Backfill sets

    /// The backfill set that an event came in.
    public func set(of event: UInt64) -> Int64? {
        var (low, high) = (0, spans.count)
        while low < high {
            let middle = (low + high) / 2
            if spans[middle].positions.upperBound <= event {
                low = middle + 1
            } else {
                high = middle
            }
        }
        guard low < spans.count, spans[low].positions.contains(event) else { return nil }
        return spans[low].set
    }

    /// The set that an event follows: the one it came in; for one that stands for another, that of
    /// the other.
    public func followed(by event: UInt64) -> Int64? {
        guard !spans.isEmpty else { return nil }
        var (event, set) = (event, set(of: event))
        while set == nil, let before = origins[event] {
            event = before
            set = self.set(of: before)
        }
        return set
    }

    /// Whether the set of an event, if it has one, lets it count now.
    public func includes(_ event: UInt64) -> Bool { isIncluded(event, asOf: .max) }

    private func isIncluded(_ event: UInt64, asOf position: UInt64) -> Bool {
        guard let set = followed(by: event) else { return true }
        return sets[set]?.last { $0.at <= position }?.counts ?? false
    }

    /// Whether a set was sent events between two positions.
    public func hasPart(from first: UInt64, upTo last: UInt64) -> Bool {
        // The newest are asked for mostly.
        for span in spans.reversed() {
            if span.positions.lowerBound < first { return false }
            if span.positions.lowerBound <= last { return true }
        }
        return false
    }

    /// Behind the last event that a set was sent.
    public var partsEnd: UInt64 { spans.last?.positions.upperBound ?? 0 }

    /// The events of a set, in order.
    public func events(of set: Int64) -> [UInt64] { (parts[set] ?? []).flatMap { Array($0) } }

    /// How many events a set had at a position.
    ///
    /// - Complexity: O(calls that the set was sent).
    public func eventCount(of set: Int64, asOf position: UInt64) -> Int {
        (parts[set] ?? []).reduce(0) { $0 + $1.clamped(to: 0..<(position + 1)).count }
    }

    /// What was said last of a set by a position: where, and whether it counts; nil: nothing.
    public func said(of set: Int64, asOf position: UInt64) -> (at: UInt64, counts: Bool)? {
        sets[set]?.last { $0.at <= position }.map { ($0.at, $0.counts) }
    }

    /// The events that count as long as a set does, in order: its own, or what stands for them; but
    /// for those that are void.
    ///
    /// - Parameter position: What was known there.
    public func counting(with set: Int64, asOf position: UInt64 = .max) -> [UInt64] {
        events(of: set).map { event in
            var event = event
            while let said = words[event]?.last(where: { $0.at <= position }),
                said.replacement != 0
            {
                event = said.replacement
            }
            return event
        }.filter { !isVoid($0, asOf: position) }.sorted()
    }

    /// - Parameter positions: They lie behind all that were added.
    public mutating func add(_ positions: Range<UInt64>, to set: Int64) {
        guard !positions.isEmpty else { return }
        spans.append(Span(positions: positions, set: set))
        parts[set, default: []].append(positions)
    }

    /// Lets the events of a set count, or not.
    /// - Parameter position: Of the correction that says it; 0 for what is only tried.
    public mutating func say(_ set: Int64, counts: Bool, at position: UInt64) {
        sets[set, default: []].append(SetWord(at: position, counts: counts))
    }

    // MARK: Changes

    /// What voiding an event comes to; nothing where it counts no more.
    public func voiding(_ event: UInt64) -> [Change] {
        let current = current(of: event)
        return counts(current) ? [Change(position: current, counts: false)] : []
    }

    /// What taking back the last correction of an event comes to; nothing where there is none, or
    /// where it is part of a set that does not count. Of one that was replaced, the replacement
    /// comes first.
    public func restoring(_ event: UInt64) -> [Change] {
        let current = current(of: event)
        guard isIncluded(current, asOf: .max) else { return [] }
        if isVoid(current) { return [Change(position: current, counts: true)] }
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
            origins[change.replacement] = change.position
        } else if let other = replacements.removeValue(forKey: change.position) {
            replaced[other] = nil
            dropped.insert(other)
        }
    }
}
