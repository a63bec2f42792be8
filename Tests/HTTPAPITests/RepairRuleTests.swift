import HTTPAPI
import HTTPTypes
import MeteringEngine
import SQLiteLedger
import Testing
import UsageModel
import WireFormat

@Suite("Repair rules over HTTP") struct RepairRuleTests {
    private static let json: HTTPFields = [.contentType: "application/json"]

    private static func body(_ more: String = "", time: String = #"concat($.time, \"Z\")"#)
        -> String
    {
        #"{"match":{"reason":"time-missing-offset"},"repair":{"set":{"/time":"\#(time)"}}\#(more)}"#
    }

    private static func put(
        _ worked: WorkedQuarantine,
        _ key: String,
        _ body: String
    ) async throws -> Edge.Reply {
        try await worked.edge.ask(.put, "/v1/repair-rules/" + key, Array(body.utf8), json)
    }

    @Test("a rule is made, mends what comes later, is changed and deleted")
    func life() async throws {
        let worked = try WorkedQuarantine()
        let edge = worked.edge
        _ = try await edge.post("/v1/events", "[\(WorkedQuarantine.broken("before"))]")
        let made = try await edge.post("/v1/repair-rules", Self.body(#","key":"clock""#))
        let again = try await edge.post("/v1/repair-rules", Self.body(#","key":"clock""#))
        let other = try await edge.post(
            "/v1/repair-rules",
            Self.body(#","key":"clock","enabled":false"#)
        )
        #expect((made.status, made.json["version"]) == (201, 1))
        #expect(made.headers[.location] == "/v1/repair-rules/clock")
        #expect((again.status, again.json) == (200, made.json))
        #expect((other.status, other.problem) == (409, "already-exists"))

        _ = try await edge.post("/v1/events", "[\(WorkedQuarantine.broken("after"))]")
        try await worked.run()
        let item = try await worked.get("/q-2")
        #expect(item.json["repairedBy"] == ["rule": "clock", "version": 1])
        #expect(item.json["author"] == "rule:clock")
        #expect(item.json["original"] == .string(WorkedQuarantine.broken("after")))
        let event = try await edge.get("/v1/events/gateway/after")
        #expect(event.json["repairedBy"] == ["rule": "clock", "version": 1, "item": "q-2"])
        #expect(try await worked.get("/q-1").json["state"] == "open")
        let told = try await edge.get("/v1/repair-rules/clock")
        #expect((told.json["repaired"], told.json["failed"]) == ("1", "0"))

        let changed = try await Self.put(
            worked,
            "clock",
            Self.body(#","version":1,"applyToOpen":true"#, time: #"concat($.time, \"?\")"#)
        )
        #expect((changed.json["version"], changed.json["action"]) == (2, "qa-1"))
        try await worked.run()
        let stale = try await Self.put(worked, "clock", Self.body(#","version":1"#))
        #expect((stale.status, stale.problem) == (409, "repair-rule-changed"))
        #expect(stale.json["current"]?["version"] == 2)
        #expect(stale.json["sent"]?["version"] == 1)

        _ = try await edge.post("/v1/events", "[\(WorkedQuarantine.broken("third"))]")
        try await worked.run()
        let tried = try await worked.get("/q-3")
        #expect(tried.json["state"] == "open")
        #expect(tried.json["repairTried"]?["version"] == 2)
        #expect(tried.json["repairTried"]?["outcome"] == "rejected")

        let late = try await edge.ask(.delete, "/v1/repair-rules/clock?version=1")
        #expect((late.status, late.problem) == (409, "repair-rule-changed"))
        let gone = try await edge.ask(.delete, "/v1/repair-rules/clock?version=2")
        #expect((gone.status, gone.json["failed"]) == (200, "1"))
        #expect(try await edge.get("/v1/repair-rules/clock").status == 404)
        #expect(try await edge.get("/v1/repair-rules").items.isEmpty)
        let books = try await edge.get("/v1/reconciliation")
        #expect(books.json["total"]?["balances"] == true)
    }

    @Test(
        "what is no rule is refused with the places at fault",
        arguments: [
            ("{}", ["/key", "/match", "/repair"]), (body(), ["/key"]),
            (body(#","key":"A B""#), ["/key"]),
            (
                #"{"key":"a","match":{"state":"open"},"repair":{"remove":["/a"]}}"#,
                ["/match/state"]
            ),
            (body(#","key":"a""#, time: "concat("), ["/repair/set/~1time"]),
            (#"{"key":"a","match":{},"repair":{}}"#, ["/repair"]),
            (body(#","key":"a","version":1"#), ["/version"]),
            (body(#","key":"a","enabled":"yes""#), ["/enabled"]),
        ]
    )
    func faults(body: String, pointers: [String]) async throws {
        let worked = try WorkedQuarantine()
        let reply = try await worked.edge.post("/v1/repair-rules", body)
        #expect(reply.status == 400 || reply.status == 422, "\(body)")
        #expect(reply.pointers == pointers, "\(body)")
        #expect(try await worked.edge.get("/v1/repair-rules").items.isEmpty)
    }

    @Test("a change names the version that it is of, and a rule that there is")
    func changes() async throws {
        let worked = try WorkedQuarantine()
        let unsaid = try await Self.put(worked, "clock", Self.body())
        let unknown = try await Self.put(worked, "clock", Self.body(#","version":1"#))
        let other = try await Self.put(worked, "clock", Self.body(#","version":1,"key":"b""#))
        #expect((unsaid.status, unsaid.pointers) == (422, ["/version"]))
        #expect((unknown.status, unknown.problem) == (404, "not-found"))
        #expect((other.status, other.pointers) == (422, ["/key"]))
    }
}

@Suite("Manifests over HTTP") struct ManifestTests {
    private static func body(_ rows: Int, _ more: String = "") -> String {
        #"{"source":"gateway","from":"2026-11-01T00:00:00Z","to":"2026-11-02T00:00:00Z","#
            + #""rows":\#(rows)\#(more)}"#
    }

    private static func post(
        _ worked: WorkedQuarantine,
        _ body: String,
        token: String
    ) async throws -> Edge.Reply {
        var headers: HTTPFields = [.contentType: "application/json"]
        if let name = HTTPField.Name("Idempotency-Key") { headers[name] = token }
        return try await worked.edge.ask(.post, "/v1/manifests", Array(body.utf8), headers)
    }

    @Test("a manifest is registered once under its token, and compared with what is here")
    func life() async throws {
        let worked = try WorkedQuarantine()
        let edge = worked.edge
        let events = [Edge.event("a"), WorkedQuarantine.broken("b")]
        _ = try await edge.post("/v1/events", "[\(events.joined(separator: ","))]")
        let sum = #","type":"llm.*","sum":{"path":"$.data.none","value":1.50}"#
        let made = try await Self.post(worked, Self.body(2, sum), token: "day")
        let again = try await Self.post(worked, Self.body(2, sum), token: "day")
        let other = try await Self.post(worked, Self.body(3), token: "day")
        #expect((made.status, made.json["id"], made.json["rows"]) == (201, "m-1", "2"))
        #expect(made.headers[.location] == "/v1/manifests/m-1")
        #expect((again.status, again.json) == (200, made.json))
        #expect((other.status, other.problem) == (409, "already-exists"))

        let one = try await edge.get("/v1/manifests/m-1")
        let standing = try #require(one.json["standing"])
        #expect(standing["status"] == "short")
        #expect((standing["received"], standing["rowsDifference"]) == ("1", "-1"))
        #expect((standing["quarantined"], standing["unreadable"]) == ("1", "1"))
        #expect((standing["sum"], standing["sumDifference"]) == ("0", "-1.5"))

        _ = try await edge.post("/v1/manifests", Self.body(1))
        let first = try await edge.get("/v1/manifests?limit=1&compare")
        let next = try #require(first.json["next"]?.stringValue)
        let rest = try await edge.get("/v1/manifests?limit=1&compare&cursor=\(next)")
        #expect(first.items.map { $0["id"] } == ["m-2"])
        #expect(first.items.first?["standing"]?["status"] == "balanced")
        #expect(rest.items.map { $0["id"] } == ["m-1"])
        #expect(try await edge.get("/v1/manifests?source=other").items.isEmpty)
        #expect(try await edge.get("/v1/manifests/m-3").status == 404)
    }

    @Test(
        "what is no claim is refused with the places at fault",
        arguments: [
            ("{}", ["/source", "/from", "/to", "/rows"]),
            (
                #"{"source":"s","from":"x","to":"2026-11-02T00:00:00Z","rows":-1}"#,
                ["/from", "/rows"]
            ),
            (
                #"{"source":"s","from":"2026-11-02T00:00:00Z","#
                    + #""to":"2026-11-02T00:00:00Z","rows":1}"#,
                ["/to"]
            ), (body(1, #","sum":{}"#), ["/sum/path", "/sum/value"]),
            (body(1, #","sum":{"path":"x","value":"one"}"#), ["/sum/path", "/sum/value"]),
            (body(1, #","type":"a*b""#), ["/type"]), (body(1, #","id":"m-1""#), ["/id"]),
        ]
    )
    func faults(body: String, pointers: [String]) async throws {
        let worked = try WorkedQuarantine()
        let reply = try await worked.edge.post("/v1/manifests", body)
        #expect(reply.status == 400 || reply.status == 422, "\(body)")
        #expect(reply.pointers == pointers, "\(body)")
    }
}
