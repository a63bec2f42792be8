import HTTPTypes
import MeteringEngine
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

@Suite("Meter types over HTTP") struct MeterTypeTests {
    private static let tokens = """
        {"key":"tokens","name":"Input tokens","unit":"token","eventTypes":["llm.request"],\
        "aggregation":"sum","value":"$.data.tokens.input","dimensions":{"model":"$.data.model"},\
        "rounding":{"mode":"half-up","places":2},"metadata":{"team":"billing"}}
        """
    private static let calls = """
        {"key":"calls","eventTypes":["llm.*"],"aggregation":"count"}
        """

    @Test("one is made, and made again to no effect; another one under its key is refused")
    func create() async throws {
        let edge = Edge()

        let made = try await edge.post("/v1/meter-types", Self.tokens)
        let again = try await edge.post(
            "/v1/meter-types",
            Self.tokens,
            [HTTPField.Name("Idempotency-Key")!: "k-1"]
        )
        let other = try await edge.post(
            "/v1/meter-types",
            Self.tokens.replacing("sum", with: "max")
        )

        #expect(made.status == 201)
        #expect(made.headers[.location] == "/v1/meter-types/tokens")
        let given = JSONValue.of(Self.tokens).objectValue ?? [:]
        #expect(given.members.allSatisfy { made.json[$0.name] == $0.value })
        #expect(made.json["excessDigits"] == "round")
        #expect(made.json["version"]?.integerValue == 1)
        #expect(made.json["createdAt"] == "2026-11-01T00:00:00Z")
        #expect(
            made.json["backfill"] == ["state": "done", "eventsDone": "0", "eventsTotal": "0"]
        )
        #expect(again.status == 200)
        #expect(again.body == made.body)
        #expect(other.status == 409)
        #expect(other.problem == "already-exists")
    }

    @Test("they are listed by key, page by page")
    func list() async throws {
        let edge = Edge()
        _ = try await edge.post("/v1/meter-types", Self.tokens)
        _ = try await edge.post("/v1/meter-types", Self.calls)

        let first = try await edge.get("/v1/meter-types?limit=1")
        let next = try #require(first.json["next"]?.stringValue)
        let second = try await edge.get("/v1/meter-types?limit=1&cursor=\(next)")

        #expect(first.items.map { $0["key"] } == ["calls"])
        #expect(second.items.map { $0["key"] } == ["tokens"])
        #expect(second.json["next"] == nil)
    }

    @Test("one is read by its key and retired by its key")
    func readAndRetire() async throws {
        let edge = Edge()
        _ = try await edge.post("/v1/meter-types", Self.calls)

        let read = try await edge.get("/v1/meter-types/calls")
        let retired = try await edge.ask(.delete, "/v1/meter-types/calls")
        let again = try await edge.ask(.delete, "/v1/meter-types/calls")
        let remade = try await edge.post("/v1/meter-types", Self.calls)
        let missing = try await edge.get("/v1/meter-types/none")
        let noKey = try await edge.ask(.delete, "/v1/meter-types/NONE")

        #expect(read.json["name"] == "calls")
        #expect(read.json["retiredAt"] == nil)
        #expect(retired.status == 200)
        #expect(retired.json["retiredAt"] == "2026-11-01T00:00:00Z")
        #expect(again.body == retired.body)
        #expect(remade.status == 409)
        #expect(remade.problem == "retired")
        #expect(missing.status == 404)
        #expect(noKey.status == 404)
    }

    @Test("a backfill under way shows how far it is")
    func backfill() async throws {
        let edge = Edge()
        try await edge.send("a", "b", "c")
        _ = try await edge.post("/v1/meter-types", Self.calls)
        var types = try await edge.ledger.meterTypes()
        types[0].backfilled.value = 1
        edge.ledger.told { [types] in $0.meterTypes = types }

        let reply = try await edge.get("/v1/meter-types/calls")

        #expect(
            reply.json["backfill"]
                == ["state": "running", "eventsDone": "1", "eventsTotal": "3"]
        )
    }

    @Test(
        "a document at fault says where, why and what to do",
        arguments: [
            ("{\"key\":\"x\",\"eventTypes\":[\"*\"],\"aggregation\":\"sum\"}", 422, "/value"),
            ("{\"eventTypes\":[\"*\"],\"aggregation\":\"count\"}", 422, "/key"),
            (
                "{\"key\":\"x\",\"eventTypes\":[\"*\"],\"aggregation\":\"count\",\"filtre\":1}",
                400, "/filtre"
            ),
            (
                "{\"key\":\"x\",\"eventTypes\":[\"*\"],\"aggregation\":\"count\",\"filter\":\"\"}",
                422, "/filter"
            ),
            (
                "{\"key\":\"x\",\"eventTypes\":[\"*\"],\"aggregation\":\"sum\","
                    + "\"value\":\"data.n\"}", 422, "/value"
            ),
            (
                "{\"key\":\"x\",\"eventTypes\":[\"*\"],\"aggregation\":\"count\","
                    + "\"dimensions\":{\"a\":\"$.data.a\",\"b\":\"1 +\"}}", 422, "/dimensions/b"
            ),
            ("[]", 422, ""),
        ]
    )
    func faults(body: String, status: Int, pointer: String) async throws {
        let reply = try await Edge().post("/v1/meter-types", body)

        #expect(reply.status == status)
        #expect(reply.problem == (status == 400 ? "unknown-field" : "invalid-field"))
        #expect(reply.pointers == [pointer])
        #expect(reply.errors.first?["reason"]?.stringValue?.isEmpty == false)
        #expect(reply.errors.first?["remedy"]?.stringValue?.isEmpty == false)
    }

    @Test("a filter is kept as it was written, and one at fault says where and what to write")
    func filters() async throws {
        let edge = Edge()
        func body(_ filter: String) -> String {
            String(Self.tokens.dropLast()) + ",\"filter\":\"\(filter)\"}"
        }

        let made = try await edge.post("/v1/meter-types", body(#"$.data.status != \"error\""#))
        let other = try await edge.post("/v1/meter-types", body("$.data.status != 500"))
        let wrong = try await edge.post("/v1/meter-types", body("$.data.tokens = 5"))

        #expect(made.status == 201)
        #expect(made.json["filter"] == "$.data.status != \"error\"")
        #expect(other.problem == "already-exists")
        #expect(wrong.status == 422)
        #expect(wrong.pointers == ["/filter"])
        #expect(
            wrong.errors.first?["reason"]
                == "column 15: found =, expected a value or an operator"
        )
        #expect(wrong.errors.first?["remedy"] == "compare with ==")
    }

    @Test("a body that is no JSON, no definition's size, or no JSON by its type is refused")
    func bodies() async throws {
        let broken = try await Edge().post("/v1/meter-types", "{\"key\":}")
        let form = try await Edge().post("/v1/meter-types", Self.calls, type: "text/plain")
        let large = try await Edge().post(
            "/v1/meter-types",
            Self.calls + String(repeating: " ", count: 1024 * 1024)
        )

        #expect(broken.problem == "malformed-json")
        #expect(broken.json["offset"]?.integerValue == 7)
        #expect(form.status == 415)
        #expect(large.status == 413)
    }
}
