/// Who asks for a change, as far as the one who takes the call can tell; for the audit trail.
///
/// There is no sign-in yet: the name is what the caller says of itself, and proves nothing.
public struct Author: Hashable, Sendable {
    /// Empty where the caller gave none.
    public var name: String
    /// The peer of the connection; of a proxy, if one is between. Empty where there is none.
    public var address: String
    /// The program that called, by its own words.
    public var client: String
    /// Why, in the caller's words.
    public var reason: String

    public init(name: String = "", address: String = "", client: String = "", reason: String = "") {
        (self.name, self.address) = (name, address)
        (self.client, self.reason) = (client, reason)
    }

    /// The same caller under the name that it gave for one change; empty: under its own.
    public func calledItself(_ name: String) -> Author {
        var author = self
        if !name.isEmpty { author.name = name }
        return author
    }

    /// Whose call is being served; nobody's where none is.
    ///
    /// It is set where calls come in, and read where an ``AuditedChange`` is made. It does not
    /// follow work to another thread by itself: whoever hands work over binds it there again, as
    /// `SQLiteLedger.perform` does. See `docs/decisions/0019-audit-trail.md`.
    @TaskLocal public static var current = Author()
}
