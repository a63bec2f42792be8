import HTTPTypes
import MeteringEngine
import Testing
import WireFormat

@testable import HTTPAPI

typealias LedgerCode = LedgerError.Code

@Suite("Taking events in") struct EventIntakeTests {
    @Test("an array is counted and the answer says where")
    func plainArray() async throws {
        let edge = Edge()

        let reply = try await edge.send("a", "b", "c")

        #expect(reply.status == 200)
        #expect(reply.headers[.contentType] == "application/json")
        #expect(
            reply.text == """
                {"received":3,"accepted":3,"duplicates":0,"conflicts":0,"rejected":0,\
                "position":"3","items":[]}
                """
        )
    }

    @Test("what was not plainly accepted is listed, each with its verdict, in the call's order")
    func verdicts() async throws {
        let edge = Edge()
        try await edge.send("a", "b")

        let reply = try await edge.post(
            "/v1/events",
            """
            [\(Edge.event("a")),\(Edge.event("c")),\(Edge.event("b", amount: "2")),
            {"id":"d","source":"gateway","type":"llm.request","subject":"acme",
            "time":"2026-11-01T12:00:00"}]
            """
        )

        #expect(reply.status == 200)
        let counts = ["received", "accepted", "duplicates", "conflicts", "rejected"]
        #expect(counts.map { reply.json[$0]?.integerValue } == [4, 1, 1, 1, 1])
        #expect(reply.json["position"] == "3")
        #expect(reply.items.count == 3)
        #expect(
            reply.items[0]
                == [
                    "index": 0, "source": "gateway", "id": "a", "verdict": "duplicate",
                    "position": "1",
                ]
        )
        #expect(
            reply.items[1]
                == [
                    "index": 2, "source": "gateway", "id": "b", "verdict": "conflict",
                    "position": "2", "quarantineId": "q-1",
                ]
        )
        #expect(reply.items[2]["verdict"] == "rejected")
        #expect(reply.items[2]["reason"] == "time-missing-offset")
        #expect(reply.items[2]["pointer"] == "/time")
        #expect(reply.items[2]["id"] == "d")
        #expect(reply.items[2]["quarantineId"] == "q-2")
        #expect(reply.items[2]["detail"]?.stringValue?.isEmpty == false)
    }

    @Test("with verbose, accepted events are listed too, with their positions")
    func verbose() async throws {
        let edge = Edge()
        try await edge.send("a")

        let reply = try await edge.post(
            "/v1/events?verbose",
            "[\(Edge.event("b")),\(Edge.event("a")),{},\(Edge.event("c"))]"
        )

        #expect(
            reply.items.map { $0["verdict"]?.stringValue ?? "" } == [
                "accepted", "duplicate", "rejected", "accepted",
            ]
        )
        #expect(reply.items.map { $0["position"]?.stringValue } == ["2", "1", nil, "3"])
        #expect(reply.items.map { $0["id"]?.stringValue } == ["b", "a", nil, "c"])
    }

    @Test(
        "each content type reads its own framing",
        arguments: [
            ("application/json", "object", 200), ("application/json", "array", 200),
            ("Application/JSON; charset=UTF-8", "array", 200),
            ("application/json;charset=\"utf-8\"", "object", 200),
            ("application/cloudevents+json", "object", 200),
            ("application/cloudevents+json; charset=utf-8", "object", 200),
            ("application/cloudevents+json", "array", 400),
            ("application/cloudevents-batch+json", "array", 200),
            ("application/cloudevents-batch+json", "object", 400),
            ("application/x-ndjson", "lines", 200), ("application/jsonl", "lines", 200),
            ("application/json; charset=iso-8859-1", "object", 415),
            ("application/cloudevents+avro", "object", 415), ("text/plain", "object", 415),
            ("application/x-www-form-urlencoded", "object", 415), ("", "object", 415),
        ]
    )
    func contentTypes(type: String, shape: String, status: Int) async throws {
        let one = Edge.event("a")
        let two = Edge.event("b")
        let body =
            switch shape {
            case "object": one
            case "array": "[\(one),\(two)]"
            default: "\(one)\n\n\(two)\n"
            }

        let reply = try await Edge().post("/v1/events", body, type: type)

        #expect(reply.status == status)
        if status == 200 {
            #expect(reply.json["accepted"]?.integerValue == (shape == "object" ? 1 : 2))
        } else {
            #expect(reply.problem == (status == 415 ? "unsupported-media-type" : "malformed-json"))
        }
    }

    @Test("binary mode takes attributes from headers and data from the body")
    func binaryMode() async throws {
        let edge = Edge()
        var headers: HTTPFields = [:]
        headers[HTTPField.Name("ce-specversion")!] = "1.0"
        headers[HTTPField.Name("ce-id")!] = "r%C3%A9q-1"
        headers[HTTPField.Name("Ce-Source")!] = "gateway/eu"
        headers[HTTPField.Name("ce-type")!] = "llm.request"
        headers[HTTPField.Name("ce-subject")!] = "acme"

        let reply = try await edge.post("/v1/events", "{\"amount\":3}", headers)
        let stored = try await edge.get("/v1/events/gateway%2Feu/r%C3%A9q-1")

        #expect(reply.json["accepted"]?.integerValue == 1)
        #expect(stored.json["event"]?["data"] == ["amount": 3])
        #expect(stored.json["event"]?["id"] == "réq-1")
    }

    @Test("a broken body is refused with its byte and counts nothing; a broken line only itself")
    func malformed() async throws {
        let edge = Edge()

        let body = try await edge.post("/v1/events", "[\(Edge.event("a")),{\"id\":}]")
        let lines = try await edge.post(
            "/v1/events",
            "{\"id\":}\n\(Edge.event("a"))",
            type: "application/x-ndjson"
        )

        #expect(body.status == 400)
        #expect(body.problem == "malformed-json")
        #expect(body.json["offset"]?.integerValue == Int64(Edge.event("a").utf8.count + 8))
        #expect(body.headers[.contentType] == "application/problem+json")
        #expect(lines.status == 200)
        #expect(lines.json["accepted"]?.integerValue == 1)
        #expect(lines.items.first?["reason"] == "malformed-json")
        #expect(lines.items.first?["line"]?.integerValue == 1)
    }

    @Test("a refused atomic call tells of its events, also of one that no value can hold")
    func atomicNUL() async throws {
        let body = "[\(Edge.event("a")),\(Edge.event("\\u0000"))]"

        let refused = try await Edge().post("/v1/events?atomic", body)

        #expect(refused.problem == "atomic-refused")
        #expect(refused.items.map { $0["reason"] } == ["nul-character"])
        #expect(refused.items.first?["index"]?.integerValue == 1)
        #expect(refused.json["received"]?.integerValue == 2)
    }

    @Test("an atomic call is all or nothing, and duplicates do not stand in its way")
    func atomic() async throws {
        let edge = Edge()
        try await edge.send("a")

        let refused = try await edge.post(
            "/v1/events?atomic=true",
            "[\(Edge.event("b")),\(Edge.event("a", amount: "2"))]"
        )
        let taken = try await edge.post(
            "/v1/events?atomic=true",
            "[\(Edge.event("b")),\(Edge.event("a"))]"
        )

        #expect(refused.status == 422)
        #expect(refused.problem == "atomic-refused")
        #expect(refused.items.map { $0["verdict"] } == ["conflict"])
        #expect(refused.json["accepted"]?.integerValue == 0)
        #expect(taken.status == 200)
        #expect(taken.json["accepted"]?.integerValue == 1)
    }

    @Test("who wants a minimal answer gets one, unless there is something to tell")
    func minimal() async throws {
        let edge = Edge()
        let headers: HTTPFields = [.prefer: "respond-async, return=minimal"]

        let clean = try await edge.post("/v1/events", Edge.event("a"), headers)
        let again = try await edge.post("/v1/events", Edge.event("a"), headers)
        let conflict = try await edge.post("/v1/events", Edge.event("a", amount: "2"), headers)

        #expect(clean.status == 204)
        #expect(clean.body.isEmpty)
        #expect(clean.headers[.odometerPosition] == "1")
        #expect(clean.headers[.preferenceApplied] == "return=minimal")
        #expect(again.status == 204)
        #expect(conflict.status == 200)
        #expect(conflict.items.count == 1)
    }

    @Test("values that could not be read are a warning")
    func unreadable() async throws {
        let edge = Edge()
        edge.ledger.told { $0.unreadableInBatch = 2 }

        let reply = try await edge.send("a")

        #expect(reply.json["warnings"] == ["unreadable": 2, "see": "/v1/unreadable"])
    }

    @Test(
        "a ledger that cannot record says so in words of the wire",
        arguments: [
            (LedgerCode.busy, 503, "busy"), (.unavailable, 503, "storage-unavailable"),
            (.device, 503, "storage-unavailable"), (.full, 507, "storage-full"),
            (.corrupt, 500, "storage-corrupt"),
        ]
    )
    func ledgerFails(code: LedgerCode, status: Int, problem: String) async throws {
        let edge = Edge()
        edge.ledger.told { $0.failure = LedgerError(code, "in /var/secret") }

        let reply = try await edge.send("a")

        #expect(reply.status == status)
        #expect(reply.problem == problem)
        #expect((reply.headers[.retryAfter] != nil) == (status == 503))
        #expect(!reply.text.contains("secret"))
    }
}
