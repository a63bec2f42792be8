/// The name a validation rule is known by, for ever: spelled as the key of a meter type.
public struct ValidationRuleKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    /// - Returns: nil where the text breaks the rule above.
    public init?(_ text: String) {
        guard MeterTypeKey(text) != nil else { return nil }
        self.text = text
    }

    public static func < (one: Self, other: Self) -> Bool {
        one.text.utf8.lexicographicallyPrecedes(other.text.utf8)
    }

    public var description: String { text }
}

/// What somebody asks of events before they count, as it was written down.
public struct ValidationRuleDefinition: Hashable, Sendable {
    /// What becomes of an event that fails.
    public enum Action: String, CaseIterable, Hashable, Sendable {
        /// It is not counted; it waits in quarantine.
        case reject
        /// It counts, and its sender is told.
        case warn
    }

    /// The event type that stands for all of them.
    public static let everyType = "*"

    public var key: ValidationRuleKey
    /// The one type that it looks at, or ``everyType``.
    public var eventType: String
    public var description: String
    public var action: Action
    public var check: RuleCheck
    /// What is said of an event that fails; empty: what the check finds.
    public var message: String

    public init(
        key: ValidationRuleKey,
        eventType: String,
        description: String = "",
        action: Action,
        check: RuleCheck,
        message: String = ""
    ) {
        (self.key, self.eventType, self.description) = (key, eventType, description)
        (self.action, self.check, self.message) = (action, check, message)
    }

    public func looks(at type: some Collection<UInt8>) -> Bool {
        eventType == Self.everyType || type.elementsEqual(eventType.utf8)
    }
}

/// What a rule looks at.
public enum RuleCheck: Hashable, Sendable {
    /// A JSON Schema over the event's `data`; the text of the schema.
    case schema(String)
    /// Places that must be there, and not be null.
    case required([EventPath])
    /// A number between bounds, both included; what is not there, or null, passes.
    case range(EventPath, least: Quantity?, most: Quantity?)
    /// The event's time, compared with when it came; nil: no bound.
    case time(ageMax: TimeLength?, aheadMax: TimeLength?)
    /// The subjects that may use something.
    case subjects([String])
    /// A pattern (RE2) that the subject matches.
    case subjectPattern(String)
    /// An expression that must be true.
    case expression(String)
}

/// A version of a rule.
public struct ValidationRule: Hashable, Sendable {
    public var definition: ValidationRuleDefinition
    /// 1, and one more with every change.
    public var version: Int
    /// When this version was made.
    public var createdAt: Instant
    /// From when on it looks at nothing; of the newest version alone.
    public var retiredAt: Instant?

    public init(
        definition: ValidationRuleDefinition,
        version: Int,
        createdAt: Instant,
        retiredAt: Instant? = nil
    ) {
        (self.definition, self.version) = (definition, version)
        (self.createdAt, self.retiredAt) = (createdAt, retiredAt)
    }

    public var key: ValidationRuleKey { definition.key }
}
