public import UsageModel
public import WireFormat

/// Where the audit trail is kept: entries are only ever added, in the transaction of the change.
public protocol AuditStore: Sendable {
    /// Entries of the trail, and where it ended at that moment.
    ///
    /// - Complexity: With a kind and a key some 20 µs an entry; other questions look at the whole
    ///   trail, about 1 µs an entry, until the page is full.
    func audit(_ query: AuditQuery) async throws(LedgerError) -> AuditAnswer

    /// Adds an entry on its own, durable when this returns: of something that changes nothing here,
    /// such as a test that is about to be sent.
    func append(_ change: AuditedChange) async throws(LedgerError)
}

/// A change, to be noted in the audit trail in the transaction that makes it.
public struct AuditedChange: Sendable, Hashable {
    public var action: AuditAction
    public var kind: AuditKind
    public var key: String
    public var before: JSONValue?
    public var after: JSONValue?
    /// Why, as the change itself says; empty: as its author says.
    public var reason: String
    public var author: Author

    /// - Parameters:
    ///   - before: The thing as it was, without secrets; nil where it was not there.
    ///   - after: The thing as it is from now on, without secrets.
    public init(
        _ action: AuditAction,
        _ kind: AuditKind,
        _ key: String,
        before: JSONValue? = nil,
        after: JSONValue? = nil,
        reason: String = "",
        author: Author = .current
    ) {
        (self.action, self.kind, self.key) = (action, kind, key)
        (self.before, self.after) = (before, after)
        (self.reason, self.author) = (reason, author)
    }
}

/// A question for entries: `GET /v1/audit`, understood. What is empty or nil asks for all.
public struct AuditQuery: Sendable {
    public var kinds: [AuditKind] = []
    public var keys: [String] = []
    public var actors: [String] = []
    public var actions: [AuditAction] = []
    /// Made at this time or later.
    public var from: Instant?
    /// Made before this time.
    public var to: Instant?
    /// Only of larger numbers.
    public var after: Int64 = 0
    /// Only of smaller numbers.
    public var before: Int64 = .max
    public var isOldestFirst = false
    public var limit: Int

    public init(limit: Int) { self.limit = limit }
}

public struct AuditAnswer: Sendable {
    public var entries: [AuditEntry]
    /// Whether further ones follow the last one. A page also ends when its documents are more than
    /// ``Limits/auditPageBytesMax``.
    public var hasMore: Bool
    /// The last entry of the whole trail; ``AuditHead/beginning`` where there is none.
    public var head: AuditHead

    public init(entries: [AuditEntry], hasMore: Bool, head: AuditHead) {
        (self.entries, self.hasMore, self.head) = (entries, hasMore, head)
    }
}
