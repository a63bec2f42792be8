/// The keyed 128-bit hash of an event's key or of a counted element.
///
/// The hash key is drawn once per ledger, so that nobody outside can aim at collisions; what the
/// hash says is confirmed against the stored event before an event is called a duplicate.
public struct KeyHash: Hashable, Comparable, Sendable {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

    public static func < (one: KeyHash, other: KeyHash) -> Bool {
        one.high != other.high ? one.high < other.high : one.low < other.low
    }
}
