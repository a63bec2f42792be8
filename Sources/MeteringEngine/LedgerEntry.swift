internal import UsageModel
internal import WireFormat

/// Events of the ledger's own, that it appends to the log: entries.
///
/// They say what happened beside use, at positions of their own, so that what was known as of each
/// position is one thing for ever. They have no key, and no meter counts them.
public enum LedgerEntry {
    public static let source = "odometer"

    /// The types of entries.
    public static let types = [CorrectionEntry.type, VersionEntry.type]
    private static let typeBytes = types.map { Array($0.utf8) }

    /// Whether a type is that of entries, whoever sends it.
    public static func isEntry(type: some Sequence<UInt8>) -> Bool {
        typeBytes.contains { type.elementsEqual($0) }
    }

    /// One entry, as an event.
    static func json(
        id: String,
        type: String,
        at instant: Instant,
        _ data: JSONObject
    ) -> [UInt8] {
        let event: JSONObject = [
            "specversion": "1.0", "id": .string(id), "source": .string(source),
            "type": .string(type), "subject": .string(source),
            "time": .string(instant.rfc3339), "data": .object(data),
        ]
        return JSONValue.object(event).serialized(pretty: false)
    }

    /// Events that are to be recorded together.
    static func decoded(_ events: [[UInt8]]) throws(LedgerError) -> DecodedBatch {
        let bytes = [UInt8(ascii: "[")] + events.joined(separator: [UInt8(ascii: ",")])
        do {
            return try decodeEvents(bytes + [UInt8(ascii: "]")], framing: .plain)
        } catch {
            throw LedgerError(.corrupt, "an entry of the log cannot be read: \(error)")
        }
    }
}
