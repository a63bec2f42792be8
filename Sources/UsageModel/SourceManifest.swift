/// What a source says that it sent: so many events of a stretch of time and, if it likes, the sum
/// of one of their fields.
public struct SourceManifest: Hashable, Sendable {
    /// The sum of one field.
    public struct Sum: Hashable, Sendable {
        public var path: EventPath
        public var value: Quantity

        public init(path: EventPath, value: Quantity) { (self.path, self.value) = (path, value) }
    }

    /// What is claimed.
    public struct Claim: Hashable, Sendable {
        public var source: String
        /// nil: events of any type.
        public var type: EventTypePattern?
        /// Of the events' own times, which the source knows and no retry changes.
        public var range: Range<Instant>
        public var rows: Int64
        public var sum: Sum?

        public init(
            source: String,
            type: EventTypePattern?,
            range: Range<Instant>,
            rows: Int64,
            sum: Sum?
        ) {
            (self.source, self.type, self.range) = (source, type, range)
            (self.rows, self.sum) = (rows, sum)
        }
    }

    /// From 1, in the order in which they were registered.
    public var number: Int64
    public var claim: Claim
    public var at: Instant
    /// Who registered it; empty where it was not said.
    public var author: String

    public init(number: Int64, claim: Claim, at: Instant, author: String) {
        (self.number, self.claim, self.at, self.author) = (number, claim, at, author)
    }

    /// The id on the wire.
    public var id: String { "m-\(number)" }

    /// The number of an id; nil for what is none.
    public static func number(_ id: String) -> Int64? {
        guard id.hasPrefix("m-"), let number = Int64(id.dropFirst(2)), number > 0 else {
            return nil
        }
        return number
    }
}
