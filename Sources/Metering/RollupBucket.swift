public import UsageModel

/// The 15-minute stretches of UTC that rollups are kept by.
///
/// Every offset in force today is a multiple of 15 minutes, so hours and days of every zone are
/// made of whole buckets. Where one is not (old local mean times), the edges are computed from
/// the events.
public enum RollupBucket {
    /// The length of a bucket.
    public static let microseconds: Int64 = 900_000_000

    /// The bucket an instant lies in; bucket 0 starts at the epoch, those before are negative.
    ///
    /// The years 0000…9999 take -69,074,688…281,558,111; instants beyond what 32 bits hold
    /// (±61,000 years) count into the outermost bucket.
    @inlinable
    public static func index(of instant: Instant) -> Int32 {
        let (quotient, remainder) = instant.microseconds.quotientAndRemainder(
            dividingBy: microseconds
        )
        return Int32(clamping: quotient - (remainder < 0 ? 1 : 0))
    }

    /// The first instant of a bucket.
    @inlinable
    public static func start(_ index: Int32) -> Instant {
        Instant(microseconds: Int64(index) * microseconds)
    }
}
