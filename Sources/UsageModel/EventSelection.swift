/// Which events of the log are meant: those that fit all that is given.
public struct EventSelection: Hashable, Sendable {
    public var subject: String?
    public var type: EventTypePattern?
    public var source: String?
    /// Of the event's time, half-open.
    public var from: Instant?
    public var to: Instant?
    /// What must hold of the event, in words of docs/reference/expressions.md. One of which it
    /// cannot be told is not meant.
    public var expression: String?

    public init() {}

    public var isEmpty: Bool { self == EventSelection() }

    public var range: Range<Instant> {
        let (from, to) = (from ?? .earliest, to ?? .end)
        return from..<max(from, to)
    }
}
