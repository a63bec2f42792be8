import HTTPTypes
import WireFormat

@testable import HTTPAPI

/// The description of the API, held against what the server answers.
enum Contract {
    static let check = SchemaCheck(document: APIDescription.document)

    /// What of an answer is not described: its status, its content type, its body.
    static func faults(_ method: HTTPRequest.Method, _ target: String, _ reply: Edge.Reply)
        -> [String]
    {
        let path = target.prefix { $0 != "?" }
        let route = Route(
            path.hasPrefix("/")
                ? path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) : []
        )
        let name = (method == .head ? .get : method).rawValue.lowercased()
        guard let operation = APIDescription.document["paths"]?[route.pattern]?[name] else {
            // What is not described at all is not there.
            let status = route == .none ? 404 : 405
            return reply.status == status ? [] : ["\(reply.status), not \(status)"]
        }
        guard let response = operation["responses"]?[String(reply.status)] else {
            return ["status \(reply.status) of \(name) \(route.pattern) is not described"]
        }
        guard method != .head else { return [] }
        guard let contents = response["content"]?.objectValue else {
            return reply.body.isEmpty ? [] : ["a body that is not described"]
        }
        let type = MediaType(reply.headers[.contentType] ?? "").name
        guard let schema = contents[type]?["schema"] else {
            return ["content type \(type) is not described"]
        }
        return type.hasSuffix("json") && type != "application/x-ndjson"
            ? check.faults(reply.json, schema) : []
    }
}
