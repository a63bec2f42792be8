/// The name a customer is known by, for ever: 1 to 128 of `A-Z a-z 0-9 . _ -`.
public struct CustomerKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    /// - Returns: nil where the text breaks the rule above.
    public init?(_ text: String) {
        guard (1...Limits.customerKeyBytesMax).contains(text.utf8.count),
            text.utf8.allSatisfy(PlainByte.holds)
        else { return nil }
        self.text = text
    }

    public static func < (one: Self, other: Self) -> Bool {
        one.text.utf8.lexicographicallyPrecedes(other.text.utf8)
    }

    public var description: String { text }
}

/// That a customer owns a subject, from one instant to another.
public struct Ownership: Hashable, Sendable {
    public var subject: String
    /// nil: since ever.
    public var from: Instant?
    /// The first instant at which the customer owns it no more; nil: for ever.
    public var to: Instant?

    public init(subject: String, from: Instant? = nil, to: Instant? = nil) {
        (self.subject, self.from, self.to) = (subject, from, to)
    }

    /// Empty where `to` does not lie after `from`.
    public var range: Range<Instant> {
        let from = from ?? .beginning
        return from..<max(from, to ?? .end)
    }
}

/// Who pays, as somebody wrote it down.
public struct CustomerDefinition: Hashable, Sendable {
    public var key: CustomerKey
    public var name: String
    /// The zone in which its periods are cut, for meter types that leave that to the customer.
    public var timezone: String
    /// A word to sort customers by, and what another system calls this one; empty if not said.
    public var category: String
    public var externalRef: String
    /// In the order of the names' bytes.
    public var metadata: [MetadataMember]
    /// In the order of the subjects' bytes, then of the times; those of one subject do not overlap.
    public var subjects: [Ownership]

    public init(
        key: CustomerKey,
        name: String = "",
        timezone: String = "UTC",
        category: String = "",
        externalRef: String = "",
        metadata: [MetadataMember] = [],
        subjects: [Ownership] = []
    ) {
        (self.key, self.name, self.timezone) = (key, name, timezone)
        (self.category, self.externalRef) = (category, externalRef)
        (self.metadata, self.subjects) = (metadata, subjects)
    }
}

/// A customer as the ledger keeps it.
public struct Customer: Hashable, Sendable {
    public var definition: CustomerDefinition
    public var createdAt: Instant
    public var changedAt: Instant
    /// From here on it owns nothing.
    public var retiredAt: Instant?

    public init(
        definition: CustomerDefinition,
        createdAt: Instant,
        changedAt: Instant,
        retiredAt: Instant? = nil
    ) {
        (self.definition, self.createdAt) = (definition, createdAt)
        (self.changedAt, self.retiredAt) = (changedAt, retiredAt)
    }

    public var key: CustomerKey { definition.key }

    /// What it owns and owned; nothing past its retirement.
    public var ownerships: [Ownership] {
        guard let retiredAt else { return definition.subjects }
        return definition.subjects.compactMap { ownership in
            guard ownership.range.lowerBound < retiredAt else { return nil }
            var ownership = ownership
            ownership.to = min(ownership.range.upperBound, retiredAt)
            return ownership
        }
    }
}

extension Range<Instant> {
    /// All time there is.
    public static var allTime: Range<Instant> { Instant.beginning..<Instant.end }
}

extension Instant {
    /// Before and after all that an event can state: for ranges without a bound.
    public static let beginning = Instant(microseconds: .min)
    public static let end = Instant(microseconds: .max)
}
