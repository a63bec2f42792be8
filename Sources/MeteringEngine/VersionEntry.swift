public import UsageModel
public import WireFormat

/// The event that a version of a meter type leaves in the log when it comes into force after
/// another one.
///
/// Without it, two states of knowledge would have one position: before the version and after it.
public enum VersionEntry {
    public static let type = "odometer.meter-type-version"

    /// - Parameter instant: When it comes into force.
    public static func events(
        _ version: MeterType,
        at instant: Instant
    ) throws(LedgerError) -> DecodedBatch {
        var data: JSONObject = [
            "meterType": .string(version.key.text),
            "version": .number(String(version.version)),
        ]
        data["effectiveFrom"] = version.effectiveFrom.map { .string($0.rfc3339) }
        return try LedgerEntry.decoded([
            LedgerEntry.json(
                id: "\(version.key)/\(version.version)",
                type: type,
                at: instant,
                data
            )
        ])
    }
}
