public import UsageModel

/// Where validation rules are kept: all versions of each, and what those that warn have seen.
///
/// A change is in force for every event that is decided after it. What was accepted before stays.
public protocol ValidationRuleStore: Sendable {
    /// The newest version of each rule in the order of their keys, the retired ones included.
    func validationRules() async throws(LedgerError) -> [ValidationRule]

    /// All versions of a rule, the first one first.
    /// - Throws: `notFound`.
    func versions(of key: ValidationRuleKey) async throws(LedgerError) -> [ValidationRule]

    /// What a rule warned of, under all of its versions; nil for nothing.
    func warnings(of key: ValidationRuleKey) async throws(LedgerError) -> RuleWarnings?

    /// Makes a rule, or returns the one that stands if it says the same.
    /// - Throws: `alreadyExists` for another rule of the key, or a retired one; `limitExceeded`.
    func create(_ definition: ValidationRuleDefinition) async throws(LedgerError) -> ValidationRule

    /// Makes a new version of a rule; the newest one where it says the same.
    ///
    /// - Parameter version: The newest version, as far as the caller knows.
    /// - Throws: `notFound`, `retired`, `limitExceeded`.
    func revise(
        _ definition: ValidationRuleDefinition,
        after version: Int
    ) async throws(LedgerError) -> RuleRevision

    /// Retires a rule: it looks at nothing further; its versions stay. Twice is once.
    /// - Throws: `notFound`.
    func retire(rule key: ValidationRuleKey) async throws(LedgerError) -> ValidationRule

    /// Holds stored events against a rule that need not be there. Nothing is changed.
    /// - Complexity: reads and unpacks the blocks of the newest events of the type.
    func tryOut(_ question: RuleTrial) async throws(LedgerError) -> RuleTrialAnswer
}

/// What became of a change of a rule.
public enum RuleRevision: Sendable {
    case changed(ValidationRule)
    /// Another change came before: the rule as that left it.
    case outdated(ValidationRule)
}

/// Events that counted though a rule failed.
public struct RuleWarnings: Sendable, Hashable {
    public var count: Int64
    /// When the first and the last of them came.
    public var firstSeenAt: Instant
    public var lastSeenAt: Instant
    /// The last of them.
    public var sample: Position

    public init(count: Int64, firstSeenAt: Instant, lastSeenAt: Instant, sample: Position) {
        (self.count, self.firstSeenAt) = (count, firstSeenAt)
        (self.lastSeenAt, self.sample) = (lastSeenAt, sample)
    }
}

/// A question for what a rule would have said.
public struct RuleTrial: Sendable {
    public static let eventsDefault = 10_000
    public static let samplesDefault = 10

    public var definition: ValidationRuleDefinition
    /// How many of the newest events of the rule's type are looked at.
    public var events: Int
    public var samples: Int

    public init(
        _ definition: ValidationRuleDefinition,
        events: Int = eventsDefault,
        samples: Int = samplesDefault
    ) {
        (self.definition, self.events, self.samples) = (definition, events, samples)
    }
}

public struct RuleTrialAnswer: Sendable {
    /// An event that would fail.
    public struct Sample: Sendable, Hashable {
        public var source: String
        public var id: String
        public var subject: String
        public var position: Position
        public var pointer: String
        public var detail: String

        public init(
            source: String,
            id: String,
            subject: String,
            position: Position,
            pointer: String,
            detail: String
        ) {
            (self.source, self.id, self.subject) = (source, id, subject)
            (self.position, self.pointer, self.detail) = (position, pointer, detail)
        }
    }

    /// How many events were looked at: all there are, where fewer than were asked for.
    public var looked = 0
    public var failed = 0
    /// The oldest event that was looked at; nil where none was.
    public var oldest: Position?
    /// The newest first.
    public var samples: [Sample] = []

    public init() {}
}

/// What a rule found in one event of a batch.
public struct RuleFinding: Sendable, Hashable {
    /// The event's place in ``PreparedBatch/events``.
    public var place: Int
    public var rule: ValidationRuleKey
    public var version: Int
    public var action: ValidationRuleDefinition.Action
    /// A JSON pointer into the event.
    public var pointer: String
    /// The rule, its version, and its message or what it found.
    public var detail: String

    public init(
        place: Int,
        rule: ValidationRuleKey,
        version: Int,
        action: ValidationRuleDefinition.Action,
        pointer: String,
        detail: String
    ) {
        (self.place, self.rule, self.version) = (place, rule, version)
        (self.action, self.pointer, self.detail) = (action, pointer, detail)
    }
}
