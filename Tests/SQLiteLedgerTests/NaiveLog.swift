import MeteringTestKit
import UsageModel

/// A log with corrections as a plain list: the reference for what counts as of a position.
///
/// Of each key it keeps the events that ever stood for it, one upon the other, and of each whether
/// it is void; and which counts, for each position at which that changed.
struct NaiveLog {
    struct Key: Hashable {
        var source: String
        var id: String
    }

    private struct Stack {
        /// Positions.
        var events: [(position: Int, isVoid: Bool)]
        /// The event that counts since a position.
        var known: [(at: Int, active: Int?)]
        /// The place of the backfill set that it came in.
        var set: Int?

        var isVoid: Bool { events.last?.isVoid ?? true }
        var active: Int? { isVoid ? nil : events.last?.position }

        mutating func note(at position: Int) { known.append((position, active)) }

        mutating func say(isVoid: Bool, at position: Int) {
            if !events.isEmpty { events[events.count - 1].isVoid = isVoid }
            note(at: position)
        }
    }

    /// By position, from 1; nil for the entry of a correction or a version.
    private(set) var lines: [SampleEvent?] = []
    private var stacks: [Key: Stack] = [:]
    private(set) var sets: [NaiveSet] = []
    private(set) var keys: [Key] = []
    /// How many corrections were made, and what each changed.
    private(set) var corrections: [(position: Int, keys: [Key])] = []
    /// Events that were received, and are not in the log.
    private(set) var turnedAway = 0

    var position: Int { lines.count }
    var replacements: Int { lines.count { $0 != nil } - keys.count }

    mutating func record(_ events: [SampleEvent], into set: Int? = nil) {
        for event in events {
            let key = Key(source: event.source, id: event.id)
            guard stacks[key] == nil else {
                turnedAway += 1
                if let set { sets[set].kept.insert(key) }
                continue
            }
            lines.append(event)
            stacks[key] = Stack(
                events: [(position, false)],
                known: [(position, position)],
                set: set
            )
            keys.append(key)
        }
    }

    /// A version of a meter type comes into force.
    mutating func enterVersion() { lines.append(nil) }

    /// The event that stands for a key, void or not.
    func top(_ key: Key) -> SampleEvent? {
        stacks[key]?.events.last.flatMap { lines[$0.position - 1] }
    }
    func isVoid(_ key: Key) -> Bool { stacks[key]?.isVoid ?? false }

    /// Whether it is no part of a set that does not count.
    func isIncluded(_ key: Key, asOf position: Int = .max) -> Bool {
        guard let set = stacks[key]?.set else { return true }
        return sets[set].words.last { $0.at <= position }?.counts ?? false
    }

    func counts(_ key: Key) -> Bool { isIncluded(key) && !isVoid(key) }

    /// - Returns: how many events it changed.
    @discardableResult
    mutating func void(_ keys: [Key]) -> Int {
        correct(keys.filter { counts($0) }) { stack, _ in
            stack.events[stack.events.count - 1].isVoid = true
        }
    }

    @discardableResult
    mutating func restore(_ keys: [Key]) -> Int {
        let some = keys.filter { key in
            isIncluded(key) && (isVoid(key) || (stacks[key]?.events.count ?? 0) > 1)
        }
        return correct(some) { stack, _ in
            if stack.isVoid {
                stack.events[stack.events.count - 1].isVoid = false
            } else {
                stack.events.removeLast()
            }
        }
    }

    /// Takes one back, as far as nobody changed the same since.
    @discardableResult
    mutating func takeBack(_ number: Int) -> Int {
        let (at, keys) = corrections[number - 1]
        return restore(keys.filter { stacks[$0]?.known.last?.at == at })
    }

    @discardableResult
    mutating func replace(_ events: [SampleEvent]) -> Int {
        let keys = events.map { Key(source: $0.source, id: $0.id) }
        return correct(keys, adding: events) { stack, replacement in
            stack.events.append((replacement, false))
        }
    }

    private mutating func correct(
        _ keys: [Key],
        adding events: [SampleEvent] = [],
        _ body: (inout Stack, Int) -> Void
    ) -> Int {
        var changed: [Key] = []
        for key in keys where !changed.contains(key) { changed.append(key) }
        guard !changed.isEmpty else { return 0 }
        lines.append(nil)
        let at = position
        for (place, key) in changed.enumerated() {
            body(&stacks[key, default: Stack(events: [], known: [])], at + 1 + place)
            stacks[key]?.note(at: at)
        }
        lines += events.map { $0 }
        corrections.append((at, changed))
        return changed.count
    }

    /// The events that count as of a position, in the order of their own.
    func events(asOf position: Int) -> [SampleEvent] {
        let active = keys.compactMap { key in
            isIncluded(key, asOf: position)
                ? stacks[key]?.known.last { $0.at <= position }?.active : nil
        }
        // A replacement stands behind the correction's own entry.
        return active.filter { $0 <= position }.sorted().compactMap { lines[$0 - 1] }
    }

    /// Events of now and of before that do not count.
    var voided: Int { keys.count + replacements - events(asOf: position).count }

    // MARK: Backfill sets

    mutating func open(replacing: @escaping (SampleEvent) -> Bool = { _ in false }) {
        sets.append(NaiveSet(replacing: replacing))
    }

    /// - Returns: how many events it changed; nil: it was closed already, or is empty.
    mutating func close(_ place: Int) -> Int? {
        let own = keys.filter { stacks[$0]?.set == place }
        guard !own.isEmpty, sets[place].words.last?.counts != true else { return nil }
        let set = sets[place]
        let room = keys.filter { key in
            guard let event = top(key), !set.kept.contains(key), stacks[key]?.set != place else {
                return false
            }
            return counts(key) && set.replacing(event)
        }
        say(place, counts: true)
        let at = position
        for key in room { stacks[key]?.say(isVoid: true, at: at) }
        sets[place].room = (position, room)
        return room.count + own.count { !isVoid($0) }
    }

    /// - Returns: how many events it changed; nil: it was reverted already.
    mutating func revert(_ place: Int) -> Int? {
        guard sets[place].words.last?.counts != false else { return nil }
        let wasClosed = sets[place].words.last?.counts == true
        let own = keys.filter { stacks[$0]?.set == place && !isVoid($0) }
        let back =
            wasClosed
            ? sets[place].room.keys.filter { key in
                stacks[key]?.known.last?.at == sets[place].room.at
            } : []
        say(place, counts: false)
        let at = position
        for key in back { stacks[key]?.say(isVoid: false, at: at) }
        return wasClosed ? back.count + own.count : 0
    }

    private mutating func say(_ place: Int, counts: Bool) {
        lines.append(nil)
        corrections.append((position, []))
        sets[place].words.append((position, counts))
    }
}

/// A backfill set of the naive log.
struct NaiveSet {
    var replacing: (SampleEvent) -> Bool
    var kept: Set<NaiveLog.Key> = []
    var words: [(at: Int, counts: Bool)] = []
    /// What its last close voided, and where.
    var room: (at: Int, keys: [NaiveLog.Key]) = (0, [])
}
