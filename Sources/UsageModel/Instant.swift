/// A moment of time, to the microsecond.
///
/// Counted from 1970-01-01T00:00:00Z on the POSIX scale (leap seconds are not counted), which is
/// how every source in the field counts. The years 0000 to 9999 fit, as RFC 3339 spells them.
public struct Instant: Hashable, Comparable, Sendable {
    /// Microseconds since the epoch, negative before it.
    public var microseconds: Int64

    /// The years that there are: no event lies outside.
    public static let reach =
        Instant(
            microseconds: -62_167_219_200_000_000
        )..<Instant(
            microseconds: 253_402_300_800_000_000
        )

    public init(microseconds: Int64) { self.microseconds = microseconds }

    public static func < (one: Instant, other: Instant) -> Bool {
        one.microseconds < other.microseconds
    }
}
