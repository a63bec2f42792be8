import Foundation
import HTTPAPI
import HTTPTypes
import Logging
import MeteringEngine
import SQLiteLedger
import Testing
import UsageModel
import WireFormat

/// An edge with a real ledger's quarantine behind it.
final class WorkedQuarantine: Sendable {
    let ledger: SQLiteLedger
    let edge: Edge
    private let directory: String

    init() throws {
        directory =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("odometer-test-\(UUID().uuidString)").path
        ledger = try SQLiteLedger(
            SQLiteLedger.Opening(
                directory: directory,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                clock: { Edge.now },
                entropy: Array(repeating: 7, count: 32)
            )
        )
        edge = Edge(over: ledger, quarantine: ledger)
    }

    deinit {
        try? ledger.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// An event whose time lacks an offset.
    static func broken(_ id: String) -> String {
        Edge.event(id).replacing("12:00:00Z", with: "12:00:00")
    }

    func patch(_ path: String, _ body: String) async throws -> Edge.Reply {
        let type: HTTPFields = [.contentType: "application/json"]
        return try await edge.ask(.patch, "/v1/quarantine/" + path, Array(body.utf8), type)
    }

    func post(_ path: String, _ body: String = "{}") async throws -> Edge.Reply {
        try await edge.post("/v1/quarantine/" + path, body)
    }

    func get(_ path: String) async throws -> Edge.Reply {
        try await edge.get("/v1/quarantine" + path)
    }

    func run() async throws {
        let rules = RepairRunner(store: ledger, zones: .shared)
        while try await rules.takeTurn() {}
        let runner = QuarantineRunner(store: ledger, zones: .shared)
        while try await runner.takeTurn() {}
    }
}

@Suite("The quarantine over HTTP") struct QuarantineTests {
    @Test("an item is patched, released, and told from then on with its position")
    func release() async throws {
        let worked = try WorkedQuarantine()
        let sent = try await worked.edge.post(
            "/v1/events",
            "[\(WorkedQuarantine.broken("a")),\(Edge.event("b"))]"
        )
        #expect(sent.items.first?["quarantineId"] == "q-1")

        let edited = try await worked.patch(
            "q-1",
            #"{"version":1,"patch":{"time":"2026-11-01T13:00:00+01:00"},"author":"kim"}"#
        )
        let released = try await worked.post("q-1/release", #"{"version":2,"reason":"mended"}"#)
        let again = try await worked.post("q-1/release")
        let event = try await worked.edge.get("/v1/events/gateway/a")
        let books = try await worked.edge.get("/v1/reconciliation?groupBy=source")

        #expect((edited.status, edited.json["version"]) == (200, 2))
        #expect(edited.json["original"] == .string(WorkedQuarantine.broken("a")))
        #expect(edited.json["edited"]?.stringValue?.contains("+01:00") == true)
        #expect((released.status, released.json["verdict"]) == (200, "accepted"))
        #expect(released.json["position"] == "2")
        #expect(released.json["item"]?["state"] == "released")
        #expect((again.status, again.problem) == (409, "item-settled"))
        #expect(event.json["time"] == "2026-11-01T12:00:00Z")
        #expect(books.json["total"]?["received"] == "3")
        #expect(books.json["total"]?["balances"] == true)
        #expect(
            books.json["quarantine"]
                == .of(
                    #"{"total":{"open":"0","released":"1","discarded":"0"},"#
                        + #""lines":[{"source":"gateway","open":"0","released":"1","#
                        + #""discarded":"0"}]}"#
                )
        )
    }

    @Test("who edits another version than stands gets both, and changes nothing")
    func outdated() async throws {
        let worked = try WorkedQuarantine()
        _ = try await worked.edge.post("/v1/events", "[\(WorkedQuarantine.broken("a"))]")
        _ = try await worked.patch("q-1", #"{"version":1,"patch":{"subject":"first"}}"#)

        let late = try await worked.patch("q-1", #"{"version":1,"patch":{"subject":"late"}}"#)

        #expect((late.status, late.problem) == (409, "item-changed"))
        #expect(late.json["current"]?["version"] == 2)
        #expect(late.json["current"]?["edited"]?.stringValue?.contains("first") == true)
        #expect(late.json["sent"]?["patch"] == ["subject": "late"])
        for step in ["release", "discard"] {
            let reply = try await worked.post("q-1/" + step, #"{"version":1,"reason":"x"}"#)
            #expect(reply.problem == "item-changed")
        }
        let item = try await worked.get("/q-1")
        #expect(item.json == late.json["current"])
    }

    @Test("a release that fails tells the new reason; what is no JSON is replaced whole")
    func failing() async throws {
        let worked = try WorkedQuarantine()
        _ = try await worked.edge.post("/v1/events", "{\"id\":\"a\n", type: "application/x-ndjson")

        let patched = try await worked.patch("q-1", #"{"version":1,"patch":{"id":"b"}}"#)
        let whole = try await worked.patch("q-1", #"{"version":1,"event":{"id":"a"}}"#)
        let released = try await worked.post("q-1/release")

        #expect(patched.pointers == ["/patch"])
        #expect(whole.json["edited"] == #"{"id":"a"}"#)
        #expect(released.json["verdict"] == "rejected")
        #expect(released.json["item"]?["reason"] == "source-missing")
        #expect(released.json["item"]?["state"] == "open")
    }

    @Test(
        "a wrong body is told field by field",
        arguments: [
            ("q-1", "{}", ["/version", ""]), ("q-1", #"{"version":1}"#, [""]),
            ("q-1", #"{"version":0,"event":{}}"#, ["/version"]),
            ("q-1", #"{"version":1,"event":{},"patch":{}}"#, [""]),
            ("q-1", #"{"version":1,"event":[]}"#, ["/event"]),
            ("q-1", #"{"version":1,"event":{},"zzz":1}"#, ["/zzz"]),
            ("q-1/discard", "{}", ["/reason"]), ("q-1/discard", #"{"reason":""}"#, ["/reason"]),
            ("q-1/release", #"{"version":"1"}"#, ["/version"]),
            ("actions", "{}", ["/action", "/filter"]),
            ("actions", #"{"action":"discard","filter":{}}"#, ["/reason"]),
            ("actions", #"{"action":"repair","filter":{}}"#, ["/repair"]),
            (
                "actions", #"{"action":"release","filter":{},"repair":{"remove":["/x"]}}"#,
                ["/repair"]
            ),
            ("actions", #"{"action":"repair","filter":{},"repair":{}}"#, ["/repair"]),
            (
                "actions", #"{"action":"repair","filter":{"no":1},"repair":{"set":{"/a":1}}}"#,
                ["/filter/no", "/repair/set/~1a"]
            ),
            (
                "actions",
                #"{"action":"repair","filter":{},"repair":{"set":{"a":"1","/b":"1+"}}}"#,
                ["/repair/set/a", "/repair/set/~1b"]
            ),
            (
                "actions", #"{"action":"repair","filter":{},"repair":{"remove":["x"]}}"#,
                ["/repair/remove/0"]
            ),
        ]
    )
    func faults(path: String, body: String, pointers: [String]) async throws {
        let worked = try WorkedQuarantine()
        _ = try await worked.edge.post("/v1/events", "[\(WorkedQuarantine.broken("a"))]")

        let reply =
            try await path == "q-1" ? worked.patch(path, body) : worked.post(path, body)

        #expect([400, 422].contains(reply.status))
        #expect(reply.pointers == pointers)
    }

    @Test(
        "what is not there is not found",
        arguments: ["/q-2", "/2", "/q-0", "/actions/qa-1", "/actions/1"]
    )
    func missing(path: String) async throws {
        let worked = try WorkedQuarantine()
        let reply = try await worked.get(path)
        #expect((reply.status, reply.problem) == (404, "not-found"))
        let bare = try await Edge().get("/v1/quarantine" + path)
        #expect(bare.status == 404)
    }

    @Test("groups come in pages, the largest first")
    func groups() async throws {
        let worked = try WorkedQuarantine()
        let events = ["a", "b"].map { WorkedQuarantine.broken($0) } + [#"{"id":"c"}"#]
        _ = try await worked.edge.post("/v1/events", "[\(events.joined(separator: ","))]")

        let first = try await worked.get("/groups?limit=1&state=open")
        let next = try #require(first.json["next"]?.stringValue)
        let second = try await worked.get("/groups?limit=1&state=open&cursor=\(next)")

        #expect(first.items.map { $0["reason"] } == ["time-missing-offset"])
        #expect(first.items.first?["items"] == "2")
        #expect(first.items.first?["sample"] == "q-2")
        #expect(second.items.map { $0["reason"] } == ["source-missing"])
        #expect(second.json["next"] == nil)
        let found = try await worked.get("?eventId=b&text=llm&type=llm.request")
        #expect(found.items.map { $0["id"] } == ["q-2"])
        let faults = try await worked.get("?state=lost&seenFrom=x")
        #expect(faults.pointers == ["state", "seenFrom"])
    }

    @Test("an action is shown first, then runs, and tells its progress")
    func action() async throws {
        let worked = try WorkedQuarantine()
        let events = ["a", "b", "c"].map { WorkedQuarantine.broken($0) }
        _ = try await worked.edge.post("/v1/events", "[\(events.joined(separator: ","))]")
        func body(_ more: String) -> String {
            #"{"action":"repair-and-release","filter":{"reason":"time-missing-offset"},"#
                + #""repair":{"set":{"/time":"concat($.time, \"Z\")"}}\#(more)}"#
        }

        let shown = try await worked.post("actions?limit=2", body(#","dryRun":true"#))
        let next = try #require(shown.json["next"]?.stringValue)
        let rest = try await worked.post("actions?cursor=\(next)", body(#","dryRun":true"#))
        #expect((shown.status, shown.json["total"]) == (200, "3"))
        #expect(shown.items.map { $0["id"] } == ["q-1", "q-2"])
        #expect(shown.items.first?["before"] == .string(WorkedQuarantine.broken("a")))
        #expect(shown.items.first?["after"] == .string(Edge.event("a")))
        #expect(shown.items.first?["isSound"] == true)
        #expect(rest.items.map { $0["id"] } == ["q-3"])
        #expect(try await worked.get("/q-1").json["version"] == 1)

        let started = try await worked.post("actions", body(#","author":"kim""#))
        #expect((started.status, started.json["state"]) == (202, "running"))
        #expect(started.headers[.location] == "/v1/quarantine/actions/qa-1")
        try await worked.run()
        let done = try await worked.get("/actions/qa-1")
        #expect((done.json["state"], done.json["accepted"]) == ("done", "3"))
        #expect((done.json["items"], done.json["total"]) == ("3", "3"))
        let cancelled = try await worked.edge.ask(
            .post,
            "/v1/quarantine/actions/qa-1/cancel",
            nil
        )
        #expect((cancelled.status, cancelled.json["state"]) == (200, "done"))
        let books = try await worked.edge.get("/v1/reconciliation")
        #expect(books.json["quarantine"]?["total"]?["released"] == "3")
    }
}
