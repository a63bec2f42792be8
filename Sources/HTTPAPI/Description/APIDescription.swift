import HTTPTypes
public import WireFormat

/// The API, described: the document at `/openapi.json` (OpenAPI 3.1), and the pages of `docs/api`
/// that are rendered from the same descriptions.
public enum APIDescription {
    /// Of the document; the program has versions of its own.
    static let version = "1.0.0"

    /// The whole document. All of it follows from `Route.operations`.
    public static let document: JSONValue = [
        "openapi": "3.1.0",
        "info": [
            "title": "Odometer", "version": .string(version),
            "description": .string(introduction),
            "license": ["name": "Apache 2.0", "identifier": "Apache-2.0"],
        ],
        "servers": [["url": "/"]],
        "tags": .array(Operation.Topic.allCases.map { ["name": .string($0.rawValue)] }),
        "paths": .object(paths),
        "components": ["schemas": .object(schemas)],
    ]

    /// The document as it is served.
    static let served = document.serialized()

    static let introduction = """
        Usage metering: events in, each counted once; readings out. Quantities are decimal texts, \
        times RFC 3339, lists come in pages. HEAD goes wherever GET goes. Parameters and fields \
        that are not known are refused by name.
        """

    /// The addresses in the order of their patterns, each with its calls.
    static let routes = Route.allCases.filter { $0 != .none }

    private static var paths: JSONObject {
        var paths = JSONObject()
        for route in routes {
            var item = JSONObject()
            for operation in route.operations {
                item[operation.method.rawValue.lowercased()] = .object(operation.document)
            }
            paths[route.pattern] = .object(item)
        }
        return paths
    }

    /// Every schema with a name, in the order of the names.
    static let namedSchemas = Schema.named(
        in: routes.flatMap { $0.operations.flatMap(\.schemas) }
    )

    private static var schemas: JSONObject {
        var schemas = JSONObject()
        for (name, schema) in namedSchemas { schemas[name] = .object(schema.document) }
        return schemas
    }
}

extension Operation {
    /// The schemas that the operation speaks of.
    var schemas: [Schema] {
        allParameters.map(\.schema) + (body?.contents.map(\.schema) ?? [])
            + outcomes.flatMap { $0.contents.map(\.schema) + $0.headers.map(\.schema) }
            + allProblems.map(\.schema)
    }

    /// The Operation Object.
    var document: JSONObject {
        var document: JSONObject = [
            "operationId": .string(id), "tags": [.string(topic.rawValue)],
            "summary": .string(summary),
        ]
        if !details.isEmpty { document["description"] = .string(details) }
        if !allParameters.isEmpty {
            document["parameters"] = .array(allParameters.map { .object($0.document) })
        }
        if let body {
            document["requestBody"] = [
                "description": .string(body.what), "required": true,
                "content": .object(Content.document(body.contents)),
            ]
        }
        var responses = JSONObject()
        for outcome in outcomes { responses[String(outcome.status)] = .object(outcome.document) }
        for (status, types) in problemsByStatus {
            responses[String(status)] = .object(ProblemType.document(types, at: status))
        }
        document["responses"] = .object(responses)
        return document
    }

    /// The types of problems by their status, in the order of the statuses.
    var problemsByStatus: [(status: Int, types: [ProblemType])] {
        Dictionary(grouping: allProblems, by: \.status).sorted { $0.key < $1.key }
            .map { ($0.key, $0.value) }
    }
}

extension Operation.Parameter {
    fileprivate var document: JSONObject {
        var document: JSONObject = [
            "name": .string(name), "in": .string(place.rawValue), "description": .string(what),
            "schema": .object(schema.reference),
        ]
        if isRequired { document["required"] = true }
        if mayBeEmpty { document["allowEmptyValue"] = true }
        return document
    }
}

extension Operation.Content {
    fileprivate static func document(_ contents: [Self]) -> JSONObject {
        var document = JSONObject()
        for content in contents {
            var media: JSONObject = ["schema": .object(content.schema.reference)]
            media["example"] = content.example
            document[content.type] = .object(media)
        }
        return document
    }
}

extension Operation.Outcome {
    fileprivate var document: JSONObject {
        var document: JSONObject = ["description": .string(what)]
        if !contents.isEmpty {
            document["content"] = .object(Operation.Content.document(contents))
        }
        var written = JSONObject()
        for header in headers { written[header.name] = .object(header.document) }
        if !headers.isEmpty { document["headers"] = .object(written) }
        return document
    }
}

extension Operation.Header {
    fileprivate var document: JSONObject {
        ["description": .string(what), "schema": .object(schema.reference)]
    }
}

extension ProblemType {
    var schema: Schema {
        switch self {
        case .atomicRefused: .atomicProblem
        case .itemChanged, .itemSettled: .itemProblem
        case .ruleChanged: .ruleProblem
        case .repairRuleChanged: .repairRuleProblem
        case .preconditionFailed: .conditionProblem
        default: .problem
        }
    }

    /// The answer of one status, whichever of its types it is.
    fileprivate static func document(_ types: [ProblemType], at status: Int) -> JSONObject {
        let all = [
            Schema.problem, .atomicProblem, .itemProblem, .ruleProblem, .repairRuleProblem,
            .conditionProblem,
        ]
        let choices = all.map { schema in
            (schema, types.filter { $0.schema.name == schema.name })
        }
        let schemas = choices.filter { !$0.1.isEmpty }.map { schema, types in
            var document = schema.reference
            let names = types.map { JSONValue.string("/problems/" + $0.rawValue) }
            document["properties"] = ["type": ["enum": .array(names)]]
            return Schema(document)
        }
        let schema = schemas.count == 1 ? schemas[0] : .either(schemas)
        let words = types.map { "`\($0.rawValue)`: \($0.title)." }
        var document: JSONObject = [
            "description": .string(words.joined(separator: " ")),
            "content": [Problem.contentType: ["schema": .object(schema.reference)]],
        ]
        if status == 503 {
            document["headers"] = [
                "Retry-After": [
                    "description": "Seconds after which the same call may succeed.",
                    "schema": ["type": "integer"],
                ]
            ]
        }
        return document
    }
}
