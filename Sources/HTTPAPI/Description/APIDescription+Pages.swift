import WireFormat

/// The pages of `docs/api`: the descriptions for people, rendered by `odometer openapi --render`.
extension APIDescription {
    /// A page: the name of its file, and its text, in Markdown unless the name says otherwise.
    public struct Page: Sendable {
        public var name: String
        public var text: String
    }

    /// The index, a page per topic, one for the schemas, and the schema that stands by itself.
    public static var pages: [Page] {
        var pages = [Page(name: "README.md", text: index)]
        for topic in Operation.Topic.allCases {
            pages.append(Page(name: topic.page + ".md", text: text(of: topic)))
        }
        pages.append(Page(name: "schemas.md", text: schemaText))
        let schema = usageRecordSchema.serialized(pretty: true)
        pages.append(
            Page(name: schemaFile, text: String(decoding: schema, as: UTF8.self) + "\n")
        )
        return pages
    }

    private static let schemaFile = "usage-record.schema.json"

    private static let mark =
        "<!-- Rendered by `odometer openapi --render docs/api`: do not edit. -->"

    private static func calls(of topic: Operation.Topic) -> [(route: Route, call: Operation)] {
        routes.flatMap { route in
            route.operations.filter { $0.topic == topic }.map { (route, $0) }
        }
    }

    private static var index: String {
        var text = """
            \(mark)

            # API reference

            \(introduction)

            Every call with its parameters, bodies, answers and problems, rendered from the \
            document that the server serves at `/openapi.json` (OpenAPI 3.1).
            [The HTTP API by example](../reference/http-api.md) is the page to begin with.

            | call | does |
            |---|---|

            """
        for topic in Operation.Topic.allCases {
            for (route, call) in calls(of: topic) {
                let link = "\(topic.page).md#\(anchor(call))"
                text += "| [`\(call.method) \(route.pattern)`](\(link)) | \(cell(call.summary)) |\n"
            }
        }
        text += "\n| page | what it holds |\n|---|---|\n"
        for topic in Operation.Topic.allCases {
            text += "| [\(topic.rawValue)](\(topic.page).md) | the calls of this topic |\n"
        }
        text += "| [Schemas](schemas.md) | the objects of bodies and answers |\n"
        return text + "| [\(schemaFile)](\(schemaFile)) | the usage record as JSON Schema |\n"
    }

    private static func anchor(_ call: Operation) -> String { call.id.lowercased() }

    // MARK: A topic

    private static func text(of topic: Operation.Topic) -> String {
        var text = "\(mark)\n\n# \(topic.rawValue)\n"
        for (route, call) in calls(of: topic) { text += "\n" + section(route, call) }
        return text
    }

    private static func section(_ route: Route, _ call: Operation) -> String {
        var text = "## \(call.id)\n\n```\n\(call.method) \(route.pattern)\n```\n\n\(call.summary)\n"
        if !call.details.isEmpty { text += "\n\(call.details)\n" }
        if !call.allParameters.isEmpty {
            text += "\n| parameter | in | values | meaning |\n|---|---|---|---|\n"
            for parameter in call.allParameters {
                let name = "`\(parameter.name)`" + (parameter.isRequired ? ", required" : "")
                let values = values(of: .object(parameter.schema.reference))
                text += "| \(name) | \(parameter.place.rawValue) | \(cell(values)) "
                text += "| \(cell(parameter.what)) |\n"
            }
        }
        if let body = call.body {
            text += "\nBody: \(body.what)\n\n| content type | values |\n|---|---|\n"
            for content in body.contents {
                text += "| `\(content.type)` | \(cell(values(of: content))) |\n"
            }
            if let example = body.contents.lazy.compactMap(\.example).first {
                let spelled = String(decoding: example.serialized(pretty: true), as: UTF8.self)
                text += "\n```json\n\(spelled)\n```\n"
            }
        }
        text += "\n| status | answer |\n|---|---|\n"
        for outcome in call.outcomes {
            let shapes = outcome.contents.map { "`\($0.type)`: " + values(of: $0) }
            let headers = outcome.headers.map { "header `\($0.name)`: \($0.what)" }
            let what = ([outcome.what] + shapes + headers).joined(separator: "<br>")
            text += "| \(outcome.status) | \(cell(what)) |\n"
        }
        for (status, types) in call.problemsByStatus {
            let links = types.map { "[\($0.rawValue)](../problems/\($0.rawValue).md)" }
            text += "| \(status) | \(links.joined(separator: ", ")) |\n"
        }
        return text
    }

    private static func values(of content: Operation.Content) -> String {
        values(of: .object(content.schema.reference))
    }

    // MARK: Schemas

    private static var schemaText: String {
        var text = "\(mark)\n\n# Schemas\n"
        for (name, schema) in namedSchemas {
            text += "\n## \(name)\n\n"
            var shape = schema.document
            if let what = shape["description"]?.stringValue { text += "\(what)\n\n" }
            shape["description"] = nil
            guard let fields = shape["properties"]?.objectValue else {
                text += "Values: \(values(of: .object(shape)))\n"
                continue
            }
            let required = shape["required"]?.arrayValue ?? []
            text += "| field | values | meaning |\n|---|---|---|\n"
            for field in fields.members {
                let star = required.contains(.string(field.name)) ? ", always" : ""
                var value = field.value.objectValue ?? [:]
                let what = value["description"]?.stringValue ?? ""
                value["description"] = nil
                text += "| `\(field.name)`\(star) | \(cell(values(of: .object(value)))) "
                text += "| \(cell(what)) |\n"
            }
            if let others = shape["additionalProperties"] {
                text += "\nOther fields: \(others == false ? "refused" : values(of: others)).\n"
            }
        }
        return text
    }

    /// What a schema allows, in one line.
    private static func values(of schema: JSONValue) -> String {
        guard let schema = schema.objectValue, !schema.isEmpty else { return "any JSON" }
        if let reference = schema["$ref"]?.stringValue {
            let name = reference.split(separator: "/").last.map(String.init) ?? ""
            return "[\(name)](schemas.md#\(name.lowercased()))"
        }
        if let choices = schema["anyOf"]?.arrayValue {
            return choices.map(values).joined(separator: " or ")
        }
        if let words = schema["enum"]?.arrayValue {
            return words.map { $0 == "" ? "nothing" : "`\($0.stringValue ?? "")`" }
                .joined(separator: ", ")
        }
        let types = schema["type"].map { $0.arrayValue ?? [$0] }?.compactMap(\.stringValue) ?? []
        return types.map { describe($0, schema) }.joined(separator: " or ")
    }

    private static func describe(_ type: String, _ schema: JSONObject) -> String {
        func number(_ name: String) -> String? { schema[name]?.numberValue }
        switch type {
        case "string":
            if schema["format"] == "date-time" { return "time" }
            let pattern = schema["pattern"]?.stringValue.map { " like `\($0)`" } ?? ""
            return "text" + (number("maxLength").map { " to \($0) characters" } ?? "") + pattern
        case "integer":
            guard let least = number("minimum") else { return "whole number" }
            return "whole number from \(least)" + (number("maximum").map { " to \($0)" } ?? "")
        case "array":
            let most = number("maxItems").map { " to \($0)" } ?? ""
            return "list\(most) of " + values(of: schema["items"] ?? [:])
        case "object":
            if let fields = schema["properties"]?.objectValue {
                let fields = fields.members.map { "`\($0.name)`: \(values(of: $0.value))" }
                return "{" + fields.joined(separator: ", ") + "}"
            }
            return "object of " + (schema["additionalProperties"].map(values) ?? "any JSON")
        default: return type
        }
    }

    /// Text within a cell of a table.
    private static func cell(_ text: String) -> String {
        text.split(separator: "`", omittingEmptySubsequences: false)
            .map { $0.replacing("|", with: "\\|") }.joined(separator: "`")
    }
}
