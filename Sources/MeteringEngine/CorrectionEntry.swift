public import UsageModel
public import WireFormat

/// The event that a correction leaves in the log: its entry, at its position.
///
/// It says who did what and why, so that the log tells it too to whoever reads no more than that.
public enum CorrectionEntry {
    public static let source = "odometer"
    public static let type = "odometer.correction"

    /// The entry and the replacements behind it, as events to be recorded together.
    ///
    /// - Parameter batch: The replacements; nil: there are none.
    public static func events(
        _ correction: Correction,
        replacements batch: PreparedBatch? = nil
    ) throws(LedgerError) -> DecodedBatch {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        bytes += json(correction)
        for event in batch?.events ?? [] {
            bytes.append(UInt8(ascii: ","))
            bytes += batch?.bytes[event.decoded.whole.range] ?? []
        }
        bytes.append(UInt8(ascii: "]"))
        do {
            return try decodeEvents(bytes, framing: .plain)
        } catch {
            throw LedgerError(.corrupt, "the entry of a correction cannot be read: \(error)")
        }
    }

    private static func json(_ correction: Correction) -> [UInt8] {
        var data: JSONObject = [
            "kind": .string(correction.kind.rawValue), "author": .string(correction.author),
            "reason": .string(correction.reason), "events": .number(String(correction.events)),
        ]
        data["backfillSet"] = correction.backfillSet.map { .string(BackfillSet.id($0)) }
        let event: JSONObject = [
            "specversion": "1.0", "id": .string(correction.id), "source": .string(source),
            "type": .string(type), "subject": .string(source),
            "time": .string(correction.at.rfc3339), "data": .object(data),
        ]
        return JSONValue.object(event).serialized(pretty: false)
    }
}
