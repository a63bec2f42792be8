import Foundation
import HTTPTypes
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

/// `/openapi.json`, held against the server. That every answer of the other suites is described is
/// `Edge.ask`'s part.
@Suite("The description of the API") struct DescriptionTests {
    /// A call and where it goes.
    struct Described: Sendable, CustomTestStringConvertible {
        var route: Route
        var call: HTTPAPI.Operation

        var testDescription: String { call.id }

        /// The address with a name in each open place.
        var path: String {
            let steps = route.pattern.split(separator: "/").map { step in
                step.hasPrefix("{") ? "a~b" : String(step)
            }
            return "/" + steps.joined(separator: "/")
        }

        static let all = APIDescription.routes.flatMap { route in
            route.operations.map { Described(route: route, call: $0) }
        }
    }

    @Test("every address is described, and leads to where it is described")
    func addresses() {
        for route in APIDescription.routes {
            #expect(!route.operations.isEmpty, "\(route)")
            let open = route.pattern.dropFirst().split(separator: "/")
            #expect(Route(open.map { $0.hasPrefix("{") ? "x" : $0 }) == route)
        }
        let paths = APIDescription.document["paths"]?.objectValue?.names ?? []
        #expect(Set(paths) == Set(APIDescription.routes.map(\.pattern)))
        let ids = Described.all.map(\.call.id)
        #expect(Set(ids).count == ids.count)
    }

    @Test("the server serves it")
    func served() async throws {
        let reply = try await Edge().get("/openapi.json")

        #expect(reply.status == 200)
        #expect(reply.json == APIDescription.document)
    }

    @Test("open names of an address are its path parameters", arguments: Described.all)
    func pathParameters(described: Described) {
        let open = described.route.pattern.split(separator: "/").filter { $0.hasPrefix("{") }
        let named = described.call.parameters.filter { $0.place == .path }

        #expect(named.map { "{\($0.name)}" } == open.map(String.init))
    }

    @Test(
        "a call knows exactly the parameters that are described",
        arguments: Described.all.filter(\.call.judgesQuery)
    )
    func parameters(described: Described) async throws {
        let type = described.call.body?.contents.first?.type
        let headers: HTTPFields = type.map { [.contentType: $0] } ?? [:]
        let reply = try await Edge().ask(
            described.call.method,
            described.path + "?zzz=1",
            type == nil ? nil : Array("{}".utf8),
            headers
        )

        #expect(reply.problem == "unknown-parameter")
        let remedy = try #require(reply.errors.first?["remedy"]?.stringValue)
        let known = remedy.dropFirst("known here: ".count).split(separator: ", ")
        let described = described.call.allParameters.filter { $0.place == .query }
        #expect(Set(known.map(String.init)) == Set(described.map(\.name)))
    }

    @Test("a definition has exactly the fields that are described")
    func definitionFields() async throws {
        let reply = try await Edge().post("/v1/meter-types", "{\"zzz\":1}")

        let remedy = try #require(reply.errors.first?["remedy"]?.stringValue)
        let known = remedy.dropFirst("known: ".count).split(separator: ", ").map(String.init)
        let described = Schema.meterTypeDefinition.document["properties"]?.objectValue?.names
        #expect(known == described)
    }

    @Test("a preview has exactly the fields that are described")
    func previewFields() async throws {
        let reply = try await Edge().post("/v1/meter-types/preview", "{\"zzz\":1}")

        let zzz = reply.errors.first { $0["pointer"] == "/zzz" }
        let remedy = try #require(zzz?["remedy"]?.stringValue)
        let known = remedy.dropFirst("known: ".count).split(separator: ", ").map(String.init)
        let described = Schema.previewRequest.document["properties"]?.objectValue?.names
        #expect(known == described)
    }

    @Test("what a body is shown with is one", arguments: Described.all)
    func examples(described: Described) {
        for content in described.call.body?.contents ?? [] {
            guard let example = content.example else { continue }
            #expect(Contract.check.faults(example, .object(content.schema.reference)) == [])
        }
    }

    @Test("every type of problem belongs to some call, but for those of no call")
    func problems() {
        let described = Set(Described.all.flatMap(\.call.allProblems))

        #expect(
            Set(ProblemType.allCases).subtracting(described) == [.methodNotAllowed, .internalFault]
        )
    }

    @Test("docs/api is what `odometer openapi --render docs/api` writes")
    func pages() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/api")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)

        #expect(names.sorted() == APIDescription.pages.map(\.name).sorted())
        for page in APIDescription.pages {
            let text = try String(
                contentsOf: folder.appending(path: page.name),
                encoding: .utf8
            )
            #expect(text == page.text, "\(page.name) is stale: render it again")
        }
    }

    @Test(
        "the check itself tells what fits from what does not",
        arguments: [
            (#"{"type":"string"}"#, #""a""#, true), (#"{"type":"string"}"#, "1", false),
            (#"{"type":["string","null"]}"#, "null", true), (#"{"type":"integer"}"#, "1.5", false),
            (#"{"type":"integer","minimum":2,"maximum":4}"#, "5", false),
            (#"{"enum":["a","b"]}"#, #""c""#, false),
            (#"{"type":"string","pattern":"^[0-9]+$"}"#, #""7a""#, false),
            (#"{"type":"string","maxLength":2}"#, #""abc""#, false),
            (#"{"type":"string","format":"date-time"}"#, #""2026-11-01T00:00:00Z""#, true),
            (#"{"type":"string","format":"date-time"}"#, #""2026-11-01""#, false),
            (#"{"type":"array","items":{"type":"boolean"},"minItems":1}"#, "[true]", true),
            (#"{"type":"array","items":{"type":"boolean"},"minItems":1}"#, "[]", false),
            (#"{"type":"array","items":{"type":"boolean"}}"#, "[true,1]", false),
            (#"{"anyOf":[{"type":"null"},{"type":"boolean"}]}"#, "true", true),
            (#"{"anyOf":[{"type":"null"},{"type":"boolean"}]}"#, "1", false),
            (#"{"type":"object","properties":{"a":{}},"required":["a"]}"#, "{}", false),
            (#"{"type":"object","properties":{"a":{}}}"#, #"{"b":1}"#, false),
            (
                #"{"type":"object","properties":{"a":{}},"additionalProperties":true}"#,
                #"{"b":1}"#, true
            ), (#"{"additionalProperties":{"type":"null"}}"#, #"{"b":1}"#, false),
            (#"{"propertyNames":{"pattern":"^a"}}"#, #"{"b":1}"#, false),
            (##"{"$ref":"#/yes","properties":{"a":{"enum":[1]}}}"##, #"{"a":1}"#, true),
            (##"{"$ref":"#/yes","properties":{"a":{"enum":[1]}}}"##, #"{"a":2}"#, false),
            (##"{"$ref":"#/nowhere"}"##, "1", false), (#"{"not":{}}"#, "1", false),
        ]
    )
    func check(schema: String, value: String, fits: Bool) {
        let yes: JSONValue = ["type": "object", "properties": ["a": [:]]]
        let check = SchemaCheck(document: ["yes": yes])

        #expect(check.faults(.of(value), .of(schema)).isEmpty == fits)
    }
}
