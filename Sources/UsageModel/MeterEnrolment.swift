/// Whether the meters of a type open with the first event of a subject, or are enrolled one by one.
public enum EnrolmentRule: String, CaseIterable, Hashable, Sendable { case auto, explicit }

/// A name and a text of the user's own, kept with what they describe.
public struct MetadataMember: Hashable, Sendable {
    public var name: String
    public var value: String

    public init(name: String, value: String) { (self.name, self.value) = (name, value) }
}

/// What somebody says of one meter: when it counts, and what is noted of it.
public struct MeterEnrolment: Hashable, Sendable {
    public var id: MeterID
    /// Events of an earlier time do not count; nil: since ever.
    public var start: Instant?
    /// Events of this time or a later one do not count; nil: for ever.
    public var end: Instant?
    /// A word to sort meters by, and what another system calls this one; empty if not said.
    public var category: String
    public var externalRef: String
    /// In the order of the names' bytes.
    public var metadata: [MetadataMember]

    public init(
        id: MeterID,
        start: Instant? = nil,
        end: Instant? = nil,
        category: String = "",
        externalRef: String = "",
        metadata: [MetadataMember] = []
    ) {
        (self.id, self.start, self.end) = (id, start, end)
        (self.category, self.externalRef, self.metadata) = (category, externalRef, metadata)
    }
}

/// Whether a meter counts. The raw values are stored, and the words of the wire.
public enum MeterStanding: String, CaseIterable, Hashable, Sendable {
    case active, suspended, closed
}

/// Somebody's word that a meter is to be active, suspended or closed for a while.
///
/// The word said last is in force for the time it speaks of, whatever was said before: so the order
/// of what is said decides, and not the order of the times it speaks of.
public struct StandingChange: Hashable, Sendable {
    public var standing: MeterStanding
    /// The first instant it speaks of.
    public var from: Instant
    /// The first instant that it speaks of no more; nil: it speaks of all time from ``from``.
    public var to: Instant?
    public var reason: String

    public init(_ standing: MeterStanding, from: Instant, to: Instant? = nil, reason: String = "") {
        (self.standing, self.from, self.to, self.reason) = (standing, from, to, reason)
    }
}

/// What is to become of a meter's enrolment; what is nil stays as it is.
public struct MeterAlteration: Hashable, Sendable {
    /// `.some(nil)` takes the date away.
    public var start: Instant??
    public var end: Instant??
    public var category: String?
    public var externalRef: String?
    public var metadata: [MetadataMember]?

    public init() { (start, end, category, externalRef, metadata) = (nil, nil, nil, nil, nil) }

    public func applied(to enrolment: MeterEnrolment) -> MeterEnrolment {
        MeterEnrolment(
            id: enrolment.id,
            start: start ?? enrolment.start,
            end: end ?? enrolment.end,
            category: category ?? enrolment.category,
            externalRef: externalRef ?? enrolment.externalRef,
            metadata: metadata ?? enrolment.metadata
        )
    }
}
