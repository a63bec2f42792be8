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

        var isVoid: Bool { events.last?.isVoid ?? true }
        var active: Int? { isVoid ? nil : events.last?.position }

        mutating func note(at position: Int) { known.append((position, active)) }
    }

    /// By position, from 1; nil for the entry of a correction.
    private(set) var lines: [SampleEvent?] = []
    private var stacks: [Key: Stack] = [:]
    private(set) var keys: [Key] = []
    /// How many corrections were made, and what each changed.
    private(set) var corrections: [(position: Int, keys: [Key])] = []

    var position: Int { lines.count }
    var replacements: Int { lines.count { $0 != nil } - keys.count }

    mutating func record(_ events: [SampleEvent]) {
        for event in events {
            lines.append(event)
            let key = Key(source: event.source, id: event.id)
            stacks[key] = Stack(events: [(position, false)], known: [(position, position)])
            keys.append(key)
        }
    }

    /// The event that stands for a key, void or not.
    func top(_ key: Key) -> SampleEvent? {
        stacks[key]?.events.last.flatMap { lines[$0.position - 1] }
    }
    func isVoid(_ key: Key) -> Bool { stacks[key]?.isVoid ?? false }

    /// - Returns: how many events it changed.
    @discardableResult
    mutating func void(_ keys: [Key]) -> Int {
        correct(keys.filter { !isVoid($0) }) { stack, _ in
            stack.events[stack.events.count - 1].isVoid = true
        }
    }

    @discardableResult
    mutating func restore(_ keys: [Key]) -> Int {
        let some = keys.filter { isVoid($0) || (stacks[$0]?.events.count ?? 0) > 1 }
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
        let active = stacks.values.compactMap { stack in
            stack.known.last { $0.at <= position }?.active
        }
        // A replacement stands behind the correction's own entry.
        return active.filter { $0 <= position }.sorted().compactMap { lines[$0 - 1] }
    }

    /// Events of now and of before that do not count.
    var voided: Int { keys.count + replacements - events(asOf: position).count }
}
