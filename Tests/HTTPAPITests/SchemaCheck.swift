import UsageModel
import WireFormat

/// Holds JSON values against the schemas of a document: as much of JSON Schema 2020-12 as the API's
/// own description uses. A keyword it does not know is a fault, so that none is passed over.
struct SchemaCheck {
    /// What `#/…` refers into.
    let document: JSONValue
    /// Whether an object may have only the members that are described, where nothing is said.
    var closes = true

    private static let keywords: Set = [
        "$ref", "type", "enum", "anyOf", "properties", "required", "additionalProperties",
        "propertyNames", "maxProperties", "items", "minItems", "maxItems", "minLength",
        "maxLength", "pattern", "format", "minimum", "maximum", "description", "title", "$schema",
        "$id", "$defs",
    ]

    /// What is wrong with a value, each with its place; empty where nothing is.
    func faults(_ value: JSONValue, _ schema: JSONValue, at place: String = "") -> [String] {
        guard let schema = schema.objectValue else { return ["\(place): no schema"] }
        var faults = schema.names.filter { !Self.keywords.contains($0) }
            .map { "\(place): the schema's \($0) is not understood" }
        if let reference = schema["$ref"]?.stringValue {
            faults += self.faults(value, resolve(reference), at: place)
        }
        if let types = schema["type"] {
            let names = (types.arrayValue ?? [types]).compactMap(\.stringValue)
            if !names.contains(where: { Self.isOf($0, value) }) {
                return faults + ["\(place): \(value.kindName), not \(names)"]
            }
        }
        if let words = schema["enum"]?.arrayValue, !words.contains(value) {
            faults.append("\(place): \(value.canonical) is none of its words")
        }
        if let choices = schema["anyOf"]?.arrayValue {
            let each = choices.map { self.faults(value, $0, at: place) }
            if !each.contains([]) { faults += each.flatMap(\.self) }
        }
        switch value {
        case .object(let object): faults += self.faults(object, schema, at: place)
        case .array(let elements):
            faults += bounds(elements.count, schema, "Items", place)
            if let items = schema["items"] {
                for (index, element) in elements.enumerated() {
                    faults += self.faults(element, items, at: "\(place)/\(index)")
                }
            }
        case .string(let text): faults += self.faults(text, schema, at: place)
        case .number(let spelling):
            let number = Int(spelling) ?? 0
            if let least = schema["minimum"]?.integerValue, number < least {
                faults.append("\(place): \(spelling) is less than \(least)")
            }
            if let most = schema["maximum"]?.integerValue, number > most {
                faults.append("\(place): \(spelling) is more than \(most)")
            }
        default: break
        }
        return faults
    }

    private func resolve(_ reference: String) -> JSONValue {
        reference.split(separator: "/").dropFirst()
            .reduce(document) { $0[String($1)] ?? .null }
    }

    private static func isOf(_ type: String, _ value: JSONValue) -> Bool {
        switch (type, value) {
        case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool),
            ("null", .null), ("number", .number):
            true
        case ("integer", .number): value.integerValue != nil
        default: false
        }
    }

    private func faults(
        _ object: JSONObject,
        _ schema: JSONObject,
        at place: String
    ) -> [String] {
        let described = schema["properties"]?.objectValue
        var faults = (schema["required"]?.arrayValue ?? []).compactMap(\.stringValue)
            .filter { object[$0] == nil }.map { "\(place): \($0) is missing" }
        faults += bounds(object.count, schema, "Properties", place)
        for member in object.members {
            let inner = "\(place)/\(member.name)"
            if let names = schema["propertyNames"] {
                faults += self.faults(.string(member.name), names, at: inner)
            }
            if let known = described?[member.name] {
                faults += self.faults(member.value, known, at: inner)
            } else if let others = schema["additionalProperties"] {
                if others == false { faults.append("\(inner): refused by its schema") }
                if others.objectValue != nil {
                    faults += self.faults(member.value, others, at: inner)
                }
            } else if closes, described != nil, schema["type"] == "object" {
                faults.append("\(inner): not described")
            }
        }
        return faults
    }

    private func faults(_ text: String, _ schema: JSONObject, at place: String) -> [String] {
        var faults = bounds(text.unicodeScalars.count, schema, "Length", place)
        if let pattern = schema["pattern"]?.stringValue {
            let isLike = (try? Regex(pattern)).map { text.firstMatch(of: $0) != nil }
            if isLike != true { faults.append("\(place): \"\(text)\" is not like \(pattern)") }
        }
        if let format = schema["format"] {
            if format != "date-time" || Instant(rfc3339: text) == nil {
                faults.append("\(place): \"\(text)\" is no \(format.canonical)")
            }
        }
        return faults
    }

    private func bounds(
        _ count: Int,
        _ schema: JSONObject,
        _ what: String,
        _ place: String
    ) -> [String] {
        let least = schema["min" + what]?.integerValue ?? 0
        let most = schema["max" + what]?.integerValue ?? .max
        return (least...most).contains(Int64(count)) ? [] : ["\(place): it has \(count) \(what)"]
    }
}
