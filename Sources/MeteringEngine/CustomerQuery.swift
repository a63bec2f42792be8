public import UsageModel

/// A question for customers: `GET /v1/customers`, understood.
public struct CustomerQuery: Sendable {
    /// What the key, the name, the external reference or a subject holds, whichever case its
    /// letters have (``CustomerText``). Empty: all customers.
    public var text: String
    public var limit: Int
    /// Where the page before ended.
    public var after: CustomerKey?

    public init(text: String = "", limit: Int, after: CustomerKey? = nil) {
        (self.text, self.limit, self.after) = (text, limit, after)
    }
}

public struct CustomerAnswer: Sendable {
    /// In the order of their keys, the retired ones included.
    public var customers: [Customer]
    /// Where the next page begins; nil at the end. A page may hold fewer customers than asked for,
    /// or none, and others follow all the same: see ``Limits/customerSearchBytesMax``.
    public var next: CustomerKey?

    public init(customers: [Customer], next: CustomerKey?) {
        (self.customers, self.next) = (customers, next)
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
