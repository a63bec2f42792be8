import WireFormat

extension Schema {
    /// The schemas with names among some, and all that they refer to, in the order of the names.
    static func named(
        in schemas: some Sequence<Schema>
    ) -> [(name: String, schema: Schema)] {
        var found: [String: Schema] = [:]
        func take(_ schema: Schema) {
            if let name = schema.name {
                if found[name] != nil { return }
                found[name] = schema
            }
            schema.parts.forEach(take)
        }
        schemas.forEach(take)
        return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The schema as a document of its own, which refers to nothing outside it.
    ///
    /// - Parameter id: A URI: what other schemas refer to it by. There need be nothing to fetch.
    func standalone(id: String, title: String) -> JSONObject {
        var whole: JSONObject = [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": .string(id),
            "title": .string(title),
        ]
        for member in document.members { whole[member.name] = Self.standalone(member.value) }
        var definitions = JSONObject()
        for (name, schema) in Self.named(in: parts) {
            definitions[name] = Self.standalone(.object(schema.document))
        }
        if !definitions.isEmpty { whole["$defs"] = .object(definitions) }
        return whole
    }

    /// The same with references to parts of this document.
    private static func standalone(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): return .array(elements.map(standalone))
        case .object(let object):
            var written = JSONObject()
            for member in object.members {
                if member.name == "$ref", let reference = member.value.stringValue {
                    let name = reference.dropFirst(referencePrefix.count)
                    written[member.name] = .string("#/$defs/" + name)
                } else {
                    written[member.name] = standalone(member.value)
                }
            }
            return .object(written)
        default: return value
        }
    }
}

extension APIDescription {
    /// The usage record by itself: `GET /v1/usage-records/schema`.
    static let usageRecordSchema = JSONValue.object(
        Schema.usageRecord.standalone(id: "urn:odometer:usage-record", title: "Usage record")
    )
}
