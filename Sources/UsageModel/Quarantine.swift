/// How an item of the quarantine stands.
public enum QuarantineState: String, CaseIterable, Hashable, Sendable {
    /// It waits: to be edited, released or discarded.
    case open
    /// Its event is in the log.
    case released
    /// Somebody decided that it shall not count. It can be opened again.
    case discarded
}

/// Which items of the quarantine: what is nil asks for all.
public struct QuarantineFilter: Hashable, Sendable {
    public var reason: String?
    /// As it was received; what an edit makes of it is in the bytes.
    public var source: String?
    public var type: String?
    public var eventID: String?
    /// The key of the validation rule that rejected it.
    public var rule: String?
    public var state: QuarantineState?
    /// Contained in the bytes as they stand: the edited ones where there are any.
    public var text: String?
    /// Received, for the first or the last time, at this time or later.
    public var seenFrom: Instant?
    /// Received, for the first or the last time, before this time.
    public var seenTo: Instant?

    public init(reason: String? = nil, source: String? = nil, state: QuarantineState? = nil) {
        (self.reason, self.source, self.state) = (reason, source, state)
    }
}

/// Who changes an item, and why.
public struct QuarantineNote: Hashable, Sendable {
    /// Empty where it was not said.
    public var author: String
    public var reason: String

    public init(author: String = "", reason: String = "") {
        (self.author, self.reason) = (author, reason)
    }
}

/// What becomes of all open items that a filter finds.
public struct QuarantineActionRequest: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        case repair
        case release
        case repairAndRelease = "repair-and-release"
        case discard

        public var repairs: Bool { self == .repair || self == .repairAndRelease }
        public var releases: Bool { self == .release || self == .repairAndRelease }
    }

    public var kind: Kind
    /// Its state is open.
    public var filter: QuarantineFilter
    /// nil where the kind repairs nothing.
    public var repair: EventRepair?
    public var note: QuarantineNote
    /// How many items it is to find; nil: as many as it does. It is refused where it finds others.
    public var expected: Int64?

    public init(
        kind: Kind,
        filter: QuarantineFilter,
        repair: EventRepair?,
        note: QuarantineNote
    ) {
        (self.kind, self.filter) = (kind, filter)
        (self.repair, self.note) = (repair, note)
        self.filter.state = .open
    }
}

/// How an event is mended: values computed from the event as it stands, then places taken out.
public struct EventRepair: Hashable, Sendable {
    public struct Assignment: Hashable, Sendable {
        /// A JSON pointer (RFC 6901) into the event.
        public var pointer: String
        public var expression: String

        public init(pointer: String, expression: String) {
            (self.pointer, self.expression) = (pointer, expression)
        }
    }

    /// All are computed before any is set.
    public var set: [Assignment]
    public var remove: [String]

    public init(set: [Assignment], remove: [String]) { (self.set, self.remove) = (set, remove) }
}
