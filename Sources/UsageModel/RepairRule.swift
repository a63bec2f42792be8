/// The name a repair rule is known by, for ever: spelled as the key of a meter type.
public struct RepairRuleKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    /// - Returns: nil where the text is no key of a meter type either.
    public init?(_ text: String) {
        guard let key = MeterTypeKey(text) else { return nil }
        self.text = key.text
    }

    public static func < (one: Self, other: Self) -> Bool {
        one.text.utf8.lexicographicallyPrecedes(other.text.utf8)
    }

    public var description: String { text }
}

/// How items of the quarantine are mended by themselves, as somebody wrote it down.
public struct RepairRuleDefinition: Hashable, Sendable {
    public var key: RepairRuleKey
    public var description: String
    /// Which items, as they come. Neither a state nor times are asked for: an item that comes is
    /// open, and later ones are meant.
    public var match: QuarantineFilter
    public var repair: EventRepair
    /// Whether it acts.
    public var isEnabled: Bool

    public init(
        key: RepairRuleKey,
        description: String = "",
        match: QuarantineFilter,
        repair: EventRepair,
        isEnabled: Bool = true
    ) {
        (self.key, self.description, self.match) = (key, description, match)
        (self.repair, self.isEnabled) = (repair, isEnabled)
    }
}

/// A repair rule as it stands.
public struct RepairRule: Hashable, Sendable {
    public var definition: RepairRuleDefinition
    /// 1, and one more with every change; it goes on where a key is used again after a deletion.
    public var version: Int64
    /// Who wrote this version; empty where it was not said.
    public var author: String
    public var createdAt: Instant
    public var changedAt: Instant
    /// Items up to here came before it, and are not its.
    public var afterItem: Int64
    /// Items that it released, under any of its versions.
    public var repaired: Int64
    /// Items that it tried and left open.
    public var failed: Int64

    public init(
        definition: RepairRuleDefinition,
        version: Int64,
        author: String,
        createdAt: Instant,
        changedAt: Instant,
        afterItem: Int64,
        repaired: Int64,
        failed: Int64
    ) {
        (self.definition, self.version, self.author) = (definition, version, author)
        (self.createdAt, self.changedAt) = (createdAt, changedAt)
        (self.afterItem, self.repaired, self.failed) = (afterItem, repaired, failed)
    }

    public var key: RepairRuleKey { definition.key }
}

/// What a repair rule did to an item. It does something to each item at most once.
public struct RepairMark: Hashable, Sendable {
    /// The raw values are stored: append only.
    public enum Outcome: String, CaseIterable, Hashable, Sendable {
        /// Released: its event is in the log by it.
        case accepted
        /// Released: its event was in the log already, with the same content.
        case duplicate
        /// Left open: rejected again, mended as it was.
        case rejected
        /// Left open: known with other content.
        case conflict
        /// Left open as it came: the repair does not fit it, or changes nothing.
        case failed

        public var isRelease: Bool { self == .accepted || self == .duplicate }
    }

    /// The key of the rule.
    public var rule: String
    public var version: Int64
    public var outcome: Outcome
    /// Why it is left open; empty where it is not.
    public var detail: String

    public init(rule: String, version: Int64, outcome: Outcome, detail: String = "") {
        (self.rule, self.version) = (rule, version)
        (self.outcome, self.detail) = (outcome, detail)
    }
}
