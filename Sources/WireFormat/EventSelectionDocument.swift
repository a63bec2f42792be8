public import UsageModel

// `{"subject": "acme", "type": "llm.*", "source": "gateway-eu", "from": "…", "to": "…",
//   "expression": "$.data.tokens < 0"}`
extension EventSelection {
    private static let fields = ["subject", "type", "source", "from", "to", "expression"]

    /// Reads a member that says which events are meant; nil where it is missing or at fault.
    init?(_ name: String, of reader: inout FieldReader) {
        let selection = reader.object(name, known: Self.fields) { reader in
            var selection = EventSelection()
            selection.subject = reader.text("subject", bytesMax: Limits.subjectBytesMax)
            selection.source = reader.text("source", bytesMax: Limits.keyFieldBytesMax)
            selection.expression = reader.text(
                "expression",
                bytesMax: Limits.expressionBytesMax
            )
            if let type = reader.text("type", bytesMax: Limits.eventTypeBytesMax) {
                selection.type = EventTypePattern(type)
                if selection.type == nil {
                    reader.fault(
                        "type",
                        "it is neither an event type nor a prefix of some",
                        "give one type, or a prefix that ends in *: llm.*"
                    )
                }
            }
            (selection.from, selection.to) = (reader.instant("from"), reader.instant("to"))
            if let from = selection.from, let to = selection.to, from >= to {
                reader.fault("to", "it does not lie after from", "give a later instant")
            }
            if selection.isEmpty, reader.faults.all.isEmpty {
                let all = Self.fields.joined(separator: ", ")
                reader.fault("", "it would find every event there is", "give some of: \(all)")
            }
            return selection
        }
        guard let selection else { return nil }
        self = selection
    }

    /// Reads what ``document`` wrote; nil for anything else.
    public init?(document: JSONValue) {
        var reader = FieldReader(.object(["selection": document]), at: "", known: ["selection"])
        self.init("selection", of: &reader)
    }

    public var document: JSONObject {
        var document: JSONObject = [:]
        let texts = [
            ("subject", subject), ("type", type?.text), ("source", source),
            ("from", from?.rfc3339), ("to", to?.rfc3339), ("expression", expression),
        ]
        for (name, value) in texts { document[name] = value.map { .string($0) } }
        return document
    }
}
