/// One fault in a request or a definition: where, why, and what to do.
public struct FieldFault: Error, Hashable, Sendable {
    /// A JSON pointer (RFC 6901) to the field.
    public var pointer: String
    public var reason: String
    public var remedy: String

    public init(pointer: String, reason: String, remedy: String) {
        (self.pointer, self.reason, self.remedy) = (pointer, reason, remedy)
    }
}

/// The name a meter type is known by, for ever: 1 to 64 of `a-z 0-9 . _ -`, the first a letter or
/// digit.
public struct MeterTypeKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    public static let bytesMax = 64

    public let text: String

    /// - Returns: nil where the text breaks the rule above.
    public init?(_ text: String) {
        guard (1...Self.bytesMax).contains(text.utf8.count) else { return nil }
        for (index, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): break
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                if index == 0 { return nil }
            default: return nil
            }
        }
        self.text = text
    }

    public static func < (one: Self, other: Self) -> Bool {
        one.text.utf8.lexicographicallyPrecedes(other.text.utf8)
    }

    public var description: String { text }
}

/// Which events a meter type looks at: one type by name, or all below a prefix (`llm.*`, `*`).
public struct EventTypePattern: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    /// - Returns: nil where the text is empty, too long, or has a `*` anywhere but at its end.
    public init?(_ text: String) {
        guard (1...Limits.eventTypeBytesMax).contains(text.utf8.count) else { return nil }
        guard !text.utf8.dropLast().contains(UInt8(ascii: "*")) else { return nil }
        self.text = text
    }

    public func matches(_ type: some Collection<UInt8>) -> Bool {
        guard text.utf8.last == UInt8(ascii: "*") else { return type.elementsEqual(text.utf8) }
        return type.starts(with: text.utf8.dropLast())
    }

    public var description: String { text }
}

/// Where a value or dimension comes from.
public enum ValueRule: Hashable, Sendable, CustomStringConvertible {
    /// It stands in the event.
    case path(EventPath)
    /// It is computed; the text of an expression (`docs/reference/expressions.md`).
    case expression(String)

    /// What is no path is taken for an expression, whose text is not looked at here.
    public init(_ text: String) {
        if let path = try? EventPath(text) {
            self = .path(path)
        } else {
            self = .expression(text)
        }
    }

    public var path: EventPath? {
        if case .path(let path) = self { path } else { nil }
    }

    public var isExpression: Bool { path == nil }

    /// The canonical spelling of a path, an expression as it was written.
    public var description: String {
        switch self {
        case .path(let path): path.description
        case .expression(let text): text
        }
    }
}

/// A named property of the usage that readings can be grouped by.
public struct Dimension: Hashable, Sendable {
    public var name: String
    public var value: ValueRule

    public init(name: String, value: ValueRule) { (self.name, self.value) = (name, value) }

    public init(name: String, path: EventPath) { self.init(name: name, value: .path(path)) }
}

/// What is counted, as somebody wrote it down. Checked when made by `WireFormat`; a value from then
/// on.
public struct MeterTypeDefinition: Hashable, Sendable {
    public var key: MeterTypeKey
    public var name: String
    public var description: String
    public var unit: String
    public var eventTypes: [EventTypePattern]
    public var aggregation: Aggregation
    /// Only events for which it holds count; the text of an expression. nil: all.
    public var filter: String?
    /// nil for `count` only.
    public var value: ValueRule?
    /// The other half of the pairs of `unique-pairs`; nil for all others.
    public var secondValue: ValueRule?
    /// For `percentile` only, which has one.
    public var percentile: Percentile?
    /// For `time-weighted` only, which has one.
    public var timeUnit: TimeUnit?
    /// For `time-weighted` only, and never zero; nil: a value holds until the next one.
    public var carryMax: TimeLength?
    /// In the order of their names' bytes, no name twice.
    public var dimensions: [Dimension]
    public var rounding: Rounding?
    public var excessDigits: Quantity.ExcessDigits
    /// Whether the first event of a subject opens its meter.
    public var enrolment: EnrolmentRule
    /// The zone in which periods are cut: a name of the zone database, such as "Europe/Berlin", or
    /// ``customersZone``. Whether there is such a zone is for those to say who hold a database.
    public var timezone: String
    /// What cuts a meter's time into periods.
    public var resetSchedule: ResetSchedule
    /// What a meter holds in one period, for those who watch; nil where not said. Never negative.
    public var capacity: Quantity?
    /// What becomes of its meters' periods when they are over.
    public var records: RecordRules
    /// A word to sort meter types by, and what another system calls this one; empty if not said.
    public var category: String
    public var externalRef: String
    /// Only events whose time is in `activeFrom ..< activeTo` count.
    public var activeFrom: Instant?
    public var activeTo: Instant?
    /// Free for the user, in the order of the names' bytes.
    public var metadata: [(name: String, value: String)]

    public init(
        key: MeterTypeKey,
        name: String,
        eventTypes: [EventTypePattern],
        aggregation: Aggregation,
        value: EventPath? = nil,
        dimensions: [Dimension] = []
    ) {
        (self.key, self.name, self.eventTypes) = (key, name, eventTypes)
        (self.aggregation, self.dimensions) = (aggregation, dimensions)
        (filter, self.value) = (nil, value.map(ValueRule.path))
        (secondValue, percentile, timeUnit, carryMax) = (nil, nil, nil, nil)
        (description, unit, rounding, excessDigits) = ("", "", nil, .round)
        (enrolment, timezone, resetSchedule, capacity) = (.auto, "UTC", .never, nil)
        (category, externalRef, records) = ("", "", .standard)
        (activeFrom, activeTo, metadata) = (nil, nil, [])
    }

    public static func == (one: Self, other: Self) -> Bool {
        one.key == other.key && one.name == other.name && one.description == other.description
            && one.unit == other.unit && one.eventTypes == other.eventTypes
            && one.filter == other.filter && one.aggregation == other.aggregation
            && one.value == other.value && one.secondValue == other.secondValue
            && one.percentile == other.percentile && one.timeUnit == other.timeUnit
            && one.carryMax == other.carryMax
            && one.dimensions == other.dimensions && one.rounding == other.rounding
            && one.excessDigits == other.excessDigits && one.enrolment == other.enrolment
            && one.timezone == other.timezone
            && one.resetSchedule == other.resetSchedule && one.capacity == other.capacity
            && one.records == other.records
            && one.category == other.category && one.externalRef == other.externalRef
            && one.activeFrom == other.activeFrom && one.activeTo == other.activeTo
            && one.metadata.elementsEqual(other.metadata, by: ==)
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(key) }

    /// Whether values under this definition and another are of one kind, so that both can be
    /// versions of one meter type: the aggregation with what belongs to it, and the unit.
    public func addsUp(with other: Self) -> Bool {
        aggregation == other.aggregation && percentile == other.percentile
            && timeUnit == other.timeUnit && unit == other.unit
    }

    /// Whether events mean the same under this definition and another of the same key: what is
    /// carried goes on from the one to the other.
    public func reads(as other: Self) -> Bool {
        addsUp(with: other) && eventTypes == other.eventTypes && filter == other.filter
            && value == other.value && secondValue == other.secondValue
            && dimensions == other.dimensions && excessDigits == other.excessDigits
            && enrolment == other.enrolment && carryMax == other.carryMax
            && activeFrom == other.activeFrom && activeTo == other.activeTo
    }

    /// In place of a zone: each meter's periods are cut in the zone of the customer who owns its
    /// subject. No zone of the database has this name.
    public static let customersZone = "customer"

    public var isInCustomersZone: Bool { timezone == Self.customersZone }

    /// Whether anything of it is computed.
    public var hasExpressions: Bool {
        filter != nil || value?.isExpression == true || secondValue?.isExpression == true
            || dimensions.contains(where: \.value.isExpression)
    }
}

/// Why one meter type could not read one event that it matched. The raw values are stored: append
/// only.
public enum UnreadableReason: UInt8, CaseIterable, Hashable, Sendable {
    case valueMissing = 1
    case valueNotNumber
    case valueOutOfRange
    case valueExcessDigits
    case valueNotScalar
    case tooManyElements
    case dimensionNotScalar
    case dimensionTooLong
    case expressionDivisionByZero
    case expressionOutOfRange
    case expressionExcessDigits
    case expressionWrongType
    case expressionTextTooLong
    /// The expression was saved and cannot be compiled on this machine: its zone database lacks a
    /// zone, say.
    case expressionInvalid
    case valueNegative
    /// The event came after its period was closed, and late events do not count.
    case periodClosed

    /// The code on the wire.
    public var code: String {
        switch self {
        case .valueMissing: "value-missing"
        case .valueNotNumber: "value-not-number"
        case .valueOutOfRange: "value-out-of-range"
        case .valueExcessDigits: "value-excess-digits"
        case .valueNotScalar: "value-not-scalar"
        case .tooManyElements: "too-many-elements"
        case .dimensionNotScalar: "dimension-not-scalar"
        case .dimensionTooLong: "dimension-too-long"
        case .expressionDivisionByZero: "expression-division-by-zero"
        case .expressionOutOfRange: "expression-out-of-range"
        case .expressionExcessDigits: "expression-excess-digits"
        case .expressionWrongType: "expression-wrong-type"
        case .expressionTextTooLong: "expression-text-too-long"
        case .expressionInvalid: "expression-invalid"
        case .valueNegative: "value-negative"
        case .periodClosed: "period-closed"
        }
    }
}
