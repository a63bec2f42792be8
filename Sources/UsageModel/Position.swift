/// An event's place in the log: dense, ever-growing, the first event is at 1.
///
/// "As of position P" is a complete statement of knowledge: it names all that was counted up to and
/// including P. ``zero`` names the empty log. On the wire a position is a decimal string.
public struct Position: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// After all that a log will hold.
    public static let last = Position(UInt64(Int64.max))
    public static let zero = Position(0)

    public var value: UInt64

    public init(_ value: UInt64) { self.value = value }

    public static func < (one: Position, other: Position) -> Bool { one.value < other.value }

    public var description: String { String(value) }
}
