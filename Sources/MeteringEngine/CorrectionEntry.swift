public import UsageModel
public import WireFormat

/// The event that a correction leaves in the log: its entry, at its position.
///
/// It says who did what and why, so that the log tells it too to whoever reads no more than that.
public enum CorrectionEntry {
    public static let type = "odometer.correction"

    /// The entry and the replacements behind it, as events to be recorded together.
    ///
    /// - Parameter batch: The replacements; nil: there are none.
    public static func events(
        _ correction: Correction,
        replacements batch: PreparedBatch? = nil
    ) throws(LedgerError) -> DecodedBatch {
        var data: JSONObject = [
            "kind": .string(correction.kind.rawValue), "author": .string(correction.author),
            "reason": .string(correction.reason), "events": .number(String(correction.events)),
        ]
        data["backfillSet"] = correction.backfillSet.map { .string(BackfillSet.id($0)) }
        let entry = LedgerEntry.json(id: correction.id, type: type, at: correction.at, data)
        let replacements = (batch?.events ?? []).map { event in
            Array(batch?.bytes[event.decoded.whole.range] ?? [])
        }
        return try LedgerEntry.decoded([entry] + replacements)
    }
}
