/// Events that are received together and count together: not while the set is open, all of them
/// from the moment it is closed, and none from the moment it is reverted.
public struct BackfillSet: Hashable, Sendable {
    public enum State: String, CaseIterable, Hashable, Sendable {
        /// It takes events; none of them counts.
        case open
        /// Its events count.
        case closed
        /// Its events count no more. It can be closed again.
        case reverted
    }

    /// Counts sets, from 1.
    public var number: Int64
    /// What it is for, in the words of who opened it: not empty.
    public var name: String
    /// The events that make room for those of the set when it is closed; nil: none do.
    public var replacing: EventSelection?
    public var at: Instant
    /// Where the log ended when it was opened.
    public var openedPosition = Position.zero
    /// Who opened it, as the caller told: not empty.
    public var author: String
    public var state: State
    /// How many events it has.
    public var events: Int64
    /// The number of the correction that closed or reverted it last.
    public var correction: Int64?

    public init(
        number: Int64,
        name: String,
        replacing: EventSelection?,
        at: Instant,
        author: String,
        state: State = .open,
        events: Int64 = 0,
        correction: Int64? = nil
    ) {
        (self.number, self.name, self.replacing, self.at) = (number, name, replacing, at)
        (self.author, self.state, self.events) = (author, state, events)
        self.correction = correction
    }

    /// The id on the wire.
    public var id: String { Self.id(number) }

    public static func id(_ number: Int64) -> String { "bs-\(number)" }

    /// The number of an id; nil for what is none.
    public static func number(_ id: some StringProtocol) -> Int64? {
        guard id.hasPrefix("bs-"), let number = Int64(id.dropFirst(3)), number > 0,
            Self.id(number) == id
        else { return nil }
        return number
    }
}
