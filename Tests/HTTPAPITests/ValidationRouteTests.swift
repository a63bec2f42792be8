import Foundation
import HTTPAPI
import HTTPTypes
import Logging
import MeteringEngine
import SQLiteLedger
import Testing
import UsageModel
import WireFormat

/// An edge with a real ledger's rules behind it.
private final class RuledEdge: Sendable {
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
        edge = Edge(over: ledger, quarantine: ledger, validation: ledger)
    }

    deinit {
        try? ledger.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    static func rule(_ more: String = "", action: String = "reject") -> String {
        #"{"eventType":"llm.request","action":"\#(action)","message":"too little","#
            + #""range":{"path":"$.data.amount","min":"0"}\#(more)}"#
    }

    func make(_ body: String = rule(#","key":"sane""#)) async throws -> Edge.Reply {
        try await edge.post("/v1/validation-rules", body)
    }

    func put(_ body: String) async throws -> Edge.Reply {
        let type: HTTPFields = [.contentType: "application/json"]
        return try await edge.ask(.put, "/v1/validation-rules/sane", Array(body.utf8), type)
    }

    func send(_ amounts: String...) async throws -> Edge.Reply {
        let events = amounts.enumerated().map { Edge.event("e\($0)", amount: $1) }
        return try await edge.post("/v1/events", "[\(events.joined(separator: ","))]")
    }
}

@Suite("Validation rules over HTTP") struct ValidationRouteTests {
    @Test("a rule that rejects keeps events in quarantine, and groups tell the rule")
    func reject() async throws {
        let ruled = try RuledEdge()
        let made = try await ruled.make()
        let again = try await ruled.make()

        let sent = try await ruled.send("1", "-1", "2")
        let groups = try await ruled.edge.get("/v1/quarantine/groups?rule=sane")
        let item = try await ruled.edge.get("/v1/quarantine/q-1")

        #expect((made.status, again.status) == (201, 200))
        #expect(made.headers[.location] == "/v1/validation-rules/sane")
        #expect((sent.json["accepted"], sent.json["rejected"]) == (2, 1))
        #expect(sent.json["warnings"] == nil)
        #expect(
            sent.items
                == [
                    .of(
                        #"{"index":1,"source":"gateway","id":"e1","verdict":"rejected","#
                            + #""reason":"rule-failed","pointer":"/data/amount","#
                            + #""detail":"sane version 1: too little","quarantineId":"q-1"}"#
                    )
                ]
        )
        #expect(groups.items.map { $0["rule"] } == ["sane"])
        #expect((item.json["rule"], item.json["reason"]) == ("sane", "rule-failed"))
    }

    @Test("a rule that warns tells the sender, also who prefers few words, and counts")
    func warn() async throws {
        let ruled = try RuledEdge()
        _ = try await ruled.make(RuledEdge.rule(#","key":"sane""#, action: "warn"))
        let events = "[\(Edge.event("a", amount: "-1")),\(Edge.event("b", amount: "-2"))]"
        let few: HTTPFields = [try #require(HTTPField.Name("Prefer")): "return=minimal"]

        let sent = try await ruled.edge.post("/v1/events", events, few)
        let repeated = try await ruled.edge.post("/v1/events", events, few)
        let rule = try await ruled.edge.get("/v1/validation-rules/sane")

        #expect((sent.status, sent.json["accepted"]) == (200, 2))
        #expect(
            sent.json["warnings"]
                == .of(
                    #"{"unreadable":0,"rules":[{"rule":"sane","version":1,"events":2,"index":0,"#
                        + #""pointer":"/data/amount","detail":"sane version 1: too little"}]}"#
                )
        )
        #expect(repeated.status == 204)
        #expect(rule.json["warnings"]?["events"] == "2")
        #expect(rule.json["warnings"]?["sample"] == "2")
    }

    @Test("who changes another version than stands gets both, and changes nothing")
    func outdated() async throws {
        let ruled = try RuledEdge()
        _ = try await ruled.make()

        let first = try await ruled.put(RuledEdge.rule(#","version":1"#, action: "warn"))
        let late = try await ruled.put(RuledEdge.rule(#","version":1"#))
        let silent = try await ruled.put(RuledEdge.rule())
        let versions = try await ruled.edge.get("/v1/validation-rules/sane/versions")

        #expect((first.status, first.json["version"]) == (200, 2))
        #expect((late.status, late.problem) == (409, "rule-changed"))
        #expect(late.json["current"] == first.json)
        #expect(late.json["sent"]?["version"] == 1)
        #expect(silent.pointers == ["/version"])
        #expect(versions.items.map { $0["action"] } == ["reject", "warn"])
        let old = try await ruled.edge.get("/v1/validation-rules/sane?version=1")
        #expect(old.json["action"] == "reject")
        #expect(try await ruled.edge.get("/v1/validation-rules/sane?version=3").status == 404)
    }

    @Test("a retired rule looks at nothing, and stays to be read")
    func retire() async throws {
        let ruled = try RuledEdge()
        _ = try await ruled.make()

        let retired = try await ruled.edge.ask(.delete, "/v1/validation-rules/sane")
        let sent = try await ruled.send("-1")
        let changed = try await ruled.put(RuledEdge.rule(#","version":1"#, action: "warn"))
        let remade = try await ruled.make()
        let list = try await ruled.edge.get("/v1/validation-rules")

        #expect(retired.json["retiredAt"] == "2026-11-01T00:00:00Z")
        #expect(sent.json["accepted"] == 1)
        #expect(changed.problem == "retired")
        #expect(remade.problem == "already-exists")
        #expect(list.items == [retired.json])
    }

    @Test("a rule is tried on stored events, by itself or as a dry run")
    func trial() async throws {
        let ruled = try RuledEdge()
        _ = try await ruled.send("1", "-1", "-2")
        let rule = RuledEdge.rule(#","key":"sane""#)

        let tried = try await ruled.edge.post(
            "/v1/validation-rules/try",
            #"{"rule":\#(rule),"events":2,"samples":1}"#
        )
        let dry = try await ruled.make(RuledEdge.rule(#","key":"sane","dryRun":true"#))
        let faulty = try await ruled.edge.post(
            "/v1/validation-rules/try",
            #"{"rule":{"key":"a","eventType":"x","action":"warn","schema":{"typo":1}}}"#
        )

        #expect((tried.json["events"], tried.json["failed"]) == (2, 2))
        #expect(tried.json["samples"]?.arrayValue?.map { $0["id"] } == ["e2"])
        #expect((dry.status, dry.json["failed"]) == (200, 2))
        #expect(faulty.pointers == ["/rule/schema/typo"])
        #expect(try await ruled.edge.get("/v1/validation-rules").items.isEmpty)
        _ = try await ruled.make()
        let shown = try await ruled.edge.get("/v1/validation-rules/sane")
        let again = try await ruled.edge.post(
            "/v1/validation-rules/try",
            #"{"rule":\#(shown.text)}"#
        )
        #expect(again.json["failed"] == 2)
        let changed = try await ruled.put(RuledEdge.rule(#","dryRun":true"#))
        #expect((changed.status, changed.json["events"]) == (200, 3))
    }

    @Test("lists come in pages; the catalogue tells the fields of a type")
    func lists() async throws {
        let ruled = try RuledEdge()
        for key in ["a", "b"] { _ = try await ruled.make(RuledEdge.rule(#","key":"\#(key)""#)) }
        let other = Edge.event("o").replacing("llm.request", with: "other")
        _ = try await ruled.edge.post("/v1/events", "[\(other)]")
        _ = try await ruled.send("1", "2.50")

        for path in ["/v1/validation-rules", "/v1/event-types"] {
            let first = try await ruled.edge.get(path + "?limit=1")
            let next = try #require(first.json["next"]?.stringValue)
            let second = try await ruled.edge.get(path + "?limit=1&cursor=\(next)")
            #expect((first.items.count, second.items.count) == (1, 1))
            #expect(first.items != second.items)
            #expect(second.json["next"] == nil)
        }
        let type = try await ruled.edge.get("/v1/event-types/llm.request?events=1")
        #expect((type.json["accepted"], type.json["sampled"]?["events"]) == ("2", 1))
        let amount = type.json["fields"]?.arrayValue?.first { $0["path"] == "$.data.amount" }
        #expect(amount?["example"] == .number("2.50"))
        #expect(amount?["share"] == "1.0000")
        #expect(try await ruled.edge.get("/v1/event-types/never").status == 404)
        #expect(try await Edge().get("/v1/event-types").status == 404)
    }

    @Test("a change says who made it, and why")
    func audit() async throws {
        let ruled = try RuledEdge()
        let name = try #require(HTTPField.Name("Odometer-Actor"))
        _ = try await ruled.edge.post(
            "/v1/validation-rules",
            RuledEdge.rule(#","key":"sane""#),
            [name: "kim"]
        )

        var query = AuditQuery(limit: 9)
        query.kinds = [.validationRule]
        let entries = try await ruled.ledger.audit(query).entries

        #expect(entries.map(\.actor) == ["kim"])
        #expect(entries.map(\.key) == ["sane"])
    }

    @Test("the key of a rule is none that stands in an address")
    func reserved() async throws {
        let reply = try await RuledEdge().make(RuledEdge.rule(#","key":"try""#))
        #expect(reply.pointers == ["/key"])
    }
}
