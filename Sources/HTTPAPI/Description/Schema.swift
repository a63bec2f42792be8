import WireFormat

/// A JSON Schema (2020-12), as far as this API needs one.
///
/// A schema with a name stands once in the document and is referred to by it; one without stands
/// where it is used.
struct Schema: Sendable {
    private(set) var name: String?
    /// The schema itself; other schemas with names stand in it as references.
    private(set) var document: JSONObject
    /// The schemas with names that the document refers to.
    private(set) var parts: [Schema] = []

    init(_ document: JSONObject, parts: [Schema] = []) {
        (self.document, self.parts) = (document, parts)
    }

    /// How it is written where it is used.
    var reference: JSONObject {
        name.map { ["$ref": .string(Self.referencePrefix + $0)] } ?? document
    }

    /// What is before the name in a reference.
    static let referencePrefix = "#/components/schemas/"

    /// What a schema that uses this one has to bring into the document.
    var brought: [Schema] { name == nil ? parts : [self] }

    func named(_ name: String, _ description: String = "") -> Schema {
        var schema = self
        schema.name = name
        if !description.isEmpty { schema.document["description"] = .string(description) }
        return schema
    }

    /// The same, or `null`.
    var orNull: Schema {
        if name == nil, document["enum"] == nil, case .string(let type) = document["type"] {
            var schema = self
            schema.document["type"] = [.string(type), "null"]
            return schema
        }
        return Schema(
            ["anyOf": [.object(reference), .object(["type": "null"])]],
            parts: brought
        )
    }
}

// MARK: Kinds of values

extension Schema {
    /// - Parameters:
    ///   - longest: In characters; where the limit is one of bytes, no text that fits is longer.
    static func text(
        _ description: String = "",
        atLeast shortest: Int? = nil,
        atMost longest: Int? = nil,
        pattern: String? = nil
    ) -> Schema {
        var document: JSONObject = ["type": "string"]
        if !description.isEmpty { document["description"] = .string(description) }
        document["minLength"] = shortest.map { .number(String($0)) }
        document["maxLength"] = longest.map { .number(String($0)) }
        document["pattern"] = pattern.map { .string($0) }
        return Schema(document)
    }

    static let text = text()
    static let flag = Schema(["type": "boolean"])
    static let whole = Schema(["type": "integer", "minimum": 0])

    static func whole(in range: ClosedRange<Int>) -> Schema {
        Schema([
            "type": "integer", "minimum": .number(String(range.lowerBound)),
            "maximum": .number(String(range.upperBound)),
        ])
    }

    static func words(_ words: [String]) -> Schema {
        Schema(["type": "string", "enum": .array(words.map { .string($0) })])
    }

    static func words<Word: RawRepresentable & CaseIterable>(_: Word.Type) -> Schema
    where Word.RawValue == String {
        words(Word.allCases.map(\.rawValue))
    }

    static func list(
        of element: Schema,
        atLeast fewest: Int? = nil,
        atMost most: Int? = nil
    ) -> Schema {
        var document: JSONObject = ["type": "array", "items": .object(element.reference)]
        document["minItems"] = fewest.map { .number(String($0)) }
        document["maxItems"] = most.map { .number(String($0)) }
        return Schema(document, parts: element.brought)
    }

    /// An object whose members have names that are not known beforehand.
    static func map(of value: Schema, names: Schema? = nil, atMost most: Int? = nil) -> Schema {
        var document: JSONObject = [
            "type": "object", "additionalProperties": .object(value.reference),
        ]
        document["propertyNames"] = names.map { .object($0.reference) }
        document["maxProperties"] = most.map { .number(String($0)) }
        return Schema(document, parts: value.brought)
    }

    static func either(_ schemas: [Schema]) -> Schema {
        Schema(
            ["anyOf": .array(schemas.map { .object($0.reference) })],
            parts: schemas.flatMap(\.brought)
        )
    }
}

// MARK: Objects

extension Schema {
    /// A member of an object.
    struct Field: Sendable {
        var name: String
        var schema: Schema
        var description: String
        var isRequired: Bool

        static func required(_ name: String, _ schema: Schema, _ what: String = "") -> Field {
            Field(name: name, schema: schema, description: what, isRequired: true)
        }

        static func optional(_ name: String, _ schema: Schema, _ what: String = "") -> Field {
            Field(name: name, schema: schema, description: what, isRequired: false)
        }

        /// How the member is written, with what it means here.
        fileprivate func written(orNull: Bool) -> JSONValue {
            var document = (orNull ? schema.orNull : schema).reference
            if !description.isEmpty { document["description"] = .string(description) }
            return .object(document)
        }
    }

    /// An object of an answer. Members may be added to answers, so readers leave aside those they
    /// do not know; the tests allow none.
    static func answer(_ fields: [Field]) -> Schema { object(fields, areOptionalNull: false) }

    /// An object of a request: a member that is not known is refused, and one that may be left out
    /// may be null.
    static func request(_ fields: [Field]) -> Schema {
        var schema = object(fields, areOptionalNull: true)
        schema.document["additionalProperties"] = false
        return schema
    }

    /// An object that may have any other members too.
    static func open(_ fields: [Field]) -> Schema {
        var schema = object(fields, areOptionalNull: true)
        schema.document["additionalProperties"] = true
        return schema
    }

    private static func object(_ fields: [Field], areOptionalNull: Bool) -> Schema {
        var properties = JSONObject()
        for field in fields {
            properties[field.name] = field.written(orNull: areOptionalNull && !field.isRequired)
        }
        var document: JSONObject = ["type": "object", "properties": .object(properties)]
        let required = fields.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { document["required"] = .array(required) }
        return Schema(document, parts: fields.flatMap(\.schema.brought))
    }
}

extension [Schema.Field] {
    /// The same fields; those that are named are there always, the others need not be.
    func requiring(_ names: String...) -> [Schema.Field] {
        map { field in
            var field = field
            field.isRequired = names.contains(field.name)
            return field
        }
    }
}
