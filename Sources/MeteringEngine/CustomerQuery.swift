public import UsageModel

/// A question for customers: `GET /v1/customers`, understood.
public struct CustomerQuery: Sendable {
    /// What the key begins with.
    public var prefix: String
    public var limit: Int
    /// The last key of the page before.
    public var after: CustomerKey?

    public init(prefix: String = "", limit: Int, after: CustomerKey? = nil) {
        (self.prefix, self.limit, self.after) = (prefix, limit, after)
    }
}

public struct CustomerAnswer: Sendable {
    /// In the order of their keys, the retired ones included.
    public var customers: [Customer]
    public var hasMore: Bool

    public init(customers: [Customer], hasMore: Bool) {
        (self.customers, self.hasMore) = (customers, hasMore)
    }
}

/// A question for subjects that used something, or have an enrolled meter.
public struct SubjectQuery: Sendable {
    /// What the subject begins with.
    public var prefix: String
    /// Only subjects that nobody owns.
    public var isUnowned: Bool
    /// When to look who owns them.
    public var at: Instant
    /// As known when the log ended there: what was used, enrolled and owned; nil: as of now.
    public var asOf: Position?
    public var limit: Int
    /// The last subject of the page before.
    public var after: String?

    public init(
        prefix: String = "",
        isUnowned: Bool = false,
        at: Instant,
        asOf: Position? = nil,
        limit: Int,
        after: String? = nil
    ) {
        (self.prefix, self.isUnowned, self.at, self.asOf) = (prefix, isUnowned, at, asOf)
        (self.limit, self.after) = (limit, after)
    }
}

public struct SubjectAnswer: Sendable {
    public struct Subject: Sendable, Hashable {
        public var subject: String
        /// Who owns it at the time asked for.
        public var customer: CustomerKey?

        public init(subject: String, customer: CustomerKey?) {
            (self.subject, self.customer) = (subject, customer)
        }
    }

    public var position: Position
    /// In the order in which the ledger met their names.
    public var subjects: [Subject]
    /// Where the next page begins; nil at the end.
    public var next: String?

    public init(position: Position, subjects: [Subject], next: String?) {
        (self.position, self.subjects, self.next) = (position, subjects, next)
    }
}
