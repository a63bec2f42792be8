public import UsageModel

/// Where repair rules are kept, and what they are to mend.
///
/// An event that is rejected comes into quarantine first, like any other. A rule acts on the item
/// afterwards, so its bytes as received and its place in the books are what they always are.
public protocol RepairRuleStore: Sendable {
    /// All rules, in the order of their keys.
    func repairRules() async throws(LedgerError) -> [RepairRule]

    func repairRule(_ key: RepairRuleKey) async throws(LedgerError) -> RepairRule?

    /// Makes a rule, for the items that come from now on. The same definition twice is one.
    ///
    /// - Parameter appliesToOpen: Whether an action does the same to the items that are open now.
    /// - Throws: `alreadyExists` where the key has another definition; `limitExceeded`.
    func add(
        _ definition: RepairRuleDefinition,
        appliesToOpen: Bool
    ) async throws(LedgerError) -> RepairRuleOutcome

    /// Changes a rule. Items that wait for it are mended by the version that stands when their turn
    /// comes.
    ///
    /// - Parameter version: That which is to be changed.
    /// - Throws: `notFound`, `limitExceeded`.
    func revise(
        _ definition: RepairRuleDefinition,
        version: Int64,
        appliesToOpen: Bool
    ) async throws(LedgerError) -> RepairRuleOutcome

    /// Takes a rule away; what it did stays.
    ///
    /// - Parameter version: That which is to be deleted; nil for whichever stands.
    /// - Throws: `notFound`.
    func delete(
        _ key: RepairRuleKey,
        version: Int64?
    ) async throws(LedgerError) -> RepairRuleOutcome

    /// The next items that no rule has looked at; nil where there are none, or no rule is enabled.
    ///
    /// - Complexity: an index entry for each; at most ``Limits/quarantinePageItemsMax`` items, and
    ///   about ``Limits/quarantinePageBytesMax``.
    func repairsDue() async throws(LedgerError) -> RepairsDue?

    /// Releases the mended items and marks the others, in one commit with the mark of how far the
    /// rules have looked. Nothing is done where an item or a rule was changed meanwhile: look
    /// again.
    func repair(_ work: RepairWork) async throws(LedgerError)
}

/// What became of a change of a rule.
public enum RepairRuleOutcome: Sendable {
    /// The rule as it stands now, or stood last, and the action that was started for open items.
    case changed(RepairRule, QuarantineAction?)
    /// It was so already.
    case unchanged(RepairRule)
    /// Another change came before: the rule as that left it.
    case outdated(RepairRule)
}

/// Open items that wait for the rules, and the rules that are enabled.
public struct RepairsDue: Sendable {
    /// In the order of their keys: the first whose match holds has the item.
    public var rules: [RepairRule]
    /// The oldest first.
    public var items: [QuarantinedEvent]

    public init(rules: [RepairRule], items: [QuarantinedEvent]) {
        (self.rules, self.items) = (rules, items)
    }
}

/// What the rules make of a page of items.
public struct RepairWork: Sendable {
    public struct Item: Sendable {
        public enum Attempt: Sendable, Hashable {
            /// The bytes to be released.
            case mended([UInt8])
            /// Why it is left as it is.
            case failed(String)
        }

        public var item: QuarantinedEvent
        public var rule: RepairRule
        public var attempt: Attempt

        public init(item: QuarantinedEvent, rule: RepairRule, attempt: Attempt) {
            (self.item, self.rule, self.attempt) = (item, rule, attempt)
        }
    }

    public var items: [Item] = []
    /// The backfill set that all of them were on their way to, and are released into; nil: none.
    public var set: Int64?
    /// Items up to here are looked at afterwards.
    public var after: Int64

    public init(after: Int64) { self.after = after }

    /// The same in parts, each of one set or of none: the last one says how far the page gets.
    fileprivate var bySet: [RepairWork] {
        let parts = Dictionary(grouping: items, by: \.item.backfillSet)
            .sorted { $0.key ?? 0 < $1.key ?? 0 }
            .map { set, items in
                var part = RepairWork(after: 0)
                (part.items, part.set) = (items, set)
                return part
            }
        guard var last = parts.last else { return [self] }
        last.after = after
        return parts.dropLast() + [last]
    }
}

/// Lets the repair rules mend what came into quarantine, a page at a time; whoever holds it says
/// when.
public struct RepairRunner: Sendable {
    private let store: any RepairRuleStore
    private let zones: SystemTimeZones

    public init(store: any RepairRuleStore, zones: SystemTimeZones) {
        (self.store, self.zones) = (store, zones)
    }

    /// Does the next page.
    ///
    /// - Returns: whether there was anything to do.
    /// - Complexity: one commit, and a decoding of each item that a rule matches.
    public func takeTurn() async throws(LedgerError) -> Bool {
        guard let due = try await store.repairsDue(), let last = due.items.last else {
            return false
        }
        var work = RepairWork(after: last.number)
        var compiled: [RepairRuleKey: QuarantineRepair?] = [:]
        for item in due.items {
            // What somebody has changed since it came is theirs.
            guard item.version == 1, let rule = due.rules.first(where: { $0.takes(item) }) else {
                continue
            }
            let repair =
                compiled[rule.key]
                ?? {
                    let made = try? QuarantineRepair(rule.definition.repair, zones: zones)
                    compiled[rule.key] = .some(made)
                    return made
                }()
            work.items.append(
                RepairWork.Item(item: item, rule: rule, attempt: Self.attempt(repair, item))
            )
        }
        for work in work.bySet { try await store.repair(work) }
        return true
    }

    private static func attempt(
        _ repair: QuarantineRepair?,
        _ item: QuarantinedEvent
    ) -> RepairWork.Item.Attempt {
        switch repair?.applied(to: item.bytes) {
        case .changed(let bytes): .mended(bytes)
        case .unchanged: .failed("the repair changes nothing")
        case .failed(let words): .failed(words)
        // A zone that an expression names is gone from this machine.
        case nil: .failed("the repair cannot be compiled here")
        }
    }
}

extension RepairRule {
    /// Whether an item that came is for this rule to mend.
    func takes(_ item: QuarantinedEvent) -> Bool {
        definition.isEnabled && item.number > afterItem && definition.match.holds(of: item)
    }
}

extension QuarantineFilter {
    /// Whether it finds an item: what a store answers by its indexes, asked of one.
    ///
    /// - Complexity: O(bytes) where a text is asked for.
    public func holds(of item: QuarantinedEvent) -> Bool {
        func isAsked<Value: Equatable>(_ asked: Value?, _ value: Value) -> Bool {
            asked.map { $0 == value } ?? true
        }
        guard isAsked(reason, item.reason), isAsked(source, item.source),
            isAsked(type, item.type), isAsked(eventID, item.eventID), isAsked(state, item.state),
            isAsked(rule, item.rule)
        else { return false }
        if let seenFrom, item.lastSeenAt < seenFrom { return false }
        if let seenTo, item.firstSeenAt >= seenTo { return false }
        guard let text, !text.isEmpty else { return true }
        return item.bytes.contains(Array(text.utf8))
    }
}
