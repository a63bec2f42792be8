/// What a correction does with the events that it is about.
public enum CorrectionKind: String, CaseIterable, Hashable, Sendable {
    /// They count no more.
    case void
    /// Other events stand for them, under their keys.
    case replace
    /// The last correction of each is taken back.
    case restore
    /// The events of a backfill set count from here on; those that make room for them do not.
    case close
    /// The events of a backfill set count no more; those that made room for them do again.
    case revert

    /// What a caller may ask for where it says which events.
    public static let ofEvents: [CorrectionKind] = [.void, .replace, .restore]
}

/// A correction: an entry of the log that says how events before it are to be read from there on.
///
/// Nothing of the past is changed by it: whoever reads as of a position before it, reads what was
/// read then.
public struct Correction: Hashable, Sendable {
    /// Counts corrections, from 1.
    public var number: Int64
    /// Its own place in the log.
    public var position: Position
    public var kind: CorrectionKind
    public var at: Instant
    /// Who made it, as the caller told: not empty.
    public var author: String
    /// Why: not empty.
    public var reason: String
    /// How many events it changed.
    public var events: Int64
    /// The number of the backfill set that it closes or reverts.
    public var backfillSet: Int64?

    public init(
        number: Int64,
        position: Position,
        kind: CorrectionKind,
        at: Instant,
        author: String,
        reason: String,
        events: Int64,
        backfillSet: Int64? = nil
    ) {
        (self.number, self.position, self.kind, self.at) = (number, position, kind, at)
        (self.author, self.reason, self.events) = (author, reason, events)
        self.backfillSet = backfillSet
    }

    /// The id on the wire.
    public var id: String { Self.id(number) }

    public static func id(_ number: Int64) -> String { "c-\(number)" }

    /// The number of an id; nil for what is none.
    public static func number(_ id: some StringProtocol) -> Int64? {
        guard id.hasPrefix("c-"), let number = Int64(id.dropFirst(2)), number > 0,
            Self.id(number) == id
        else { return nil }
        return number
    }
}

/// The key of an event: who reported it, and its id there.
public struct EventKey: Hashable, Sendable {
    public var source: String
    public var id: String

    public init(source: String, id: String) { (self.source, self.id) = (source, id) }
}
