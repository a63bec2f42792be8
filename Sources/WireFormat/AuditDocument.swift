public import UsageModel

/// How an entry of the audit trail is spelled.
///
///     {"number":"12","at":"2026-11-26T10:00:00.5Z","actor":"kim","address":"10.0.0.7",
///      "client":"odometer","action":"revise","kind":"meter-type","key":"calls",
///      "before":{…},"after":{…},"reason":"…","previous":"…","hash":"…"}
///
/// Texts that are empty, and documents that are not there, are left out. What is read again hashes
/// as before: documents keep the order of their members and the spelling of their numbers.
public enum AuditDocument {
    /// The name of an entry's document that holds the end of an exported trail.
    public static let headName = "head"

    public static func write(_ entry: AuditEntry) -> JSONObject {
        var document: JSONObject = [
            "number": .string(String(entry.number)), "at": .string(entry.at.rfc3339),
        ]
        func set(_ name: String, _ text: String) {
            if !text.isEmpty { document[name] = .string(text) }
        }
        func set(_ name: String, json text: String?) {
            // What is no JSON any more was damaged: it is shown as it is.
            document[name] = text.map { text in
                (try? JSONValue.parse(Array(text.utf8))) ?? .string(text)
            }
        }
        set("actor", entry.actor)
        set("address", entry.address)
        set("client", entry.client)
        set("action", entry.action)
        set("kind", entry.kind)
        set("key", entry.key)
        set("before", json: entry.before)
        set("after", json: entry.after)
        set("reason", entry.reason)
        set("previous", AuditHead.text(entry.previous))
        set("hash", AuditHead.text(entry.hash))
        return document
    }

    /// - Returns: nil for what is no entry.
    public static func read(_ document: JSONObject) -> AuditEntry? {
        func text(_ name: String) -> String { document[name]?.stringValue ?? "" }
        func json(_ name: String) -> String? {
            document[name].map { String(decoding: $0.serialized(), as: UTF8.self) }
        }
        guard let number = Int64(text("number")), let at = Instant(rfc3339: text("at")),
            let previous = AuditHead.hash(text("previous")),
            let hash = AuditHead.hash(text("hash"))
        else { return nil }
        return AuditEntry(
            number: number,
            at: at,
            actor: text("actor"),
            address: text("address"),
            client: text("client"),
            action: text("action"),
            kind: text("kind"),
            key: text("key"),
            before: json("before"),
            after: json("after"),
            reason: text("reason"),
            previous: previous,
            hash: hash
        )
    }
}
