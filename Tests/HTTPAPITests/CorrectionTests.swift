import HTTPTypes
import MeteringEngine
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

@Suite("Corrections over HTTP") struct CorrectionTests {
    private static let who = #""author":"Ada","reason":"a load test""#

    private let edge = Edge()

    private func correct(
        _ members: String,
        _ headers: HTTPFields = [:]
    ) async throws -> Edge.Reply {
        try await edge.post("/v1/corrections", "{\(members),\(Self.who)}", headers)
    }

    private func void(_ id: String, _ headers: HTTPFields = [:]) async throws -> Edge.Reply {
        let events = #"[{"source":"gateway","id":"\#(id)"}]"#
        return try await correct(#""kind":"void","events":\#(events)"#, headers)
    }

    @Test("a voided event says who voided it, when and why")
    func voided() async throws {
        try await edge.send("a", "b")

        let reply = try await void("a")
        let event = try await edge.get("/v1/events/gateway/a").json

        #expect(reply.status == 201)
        #expect(reply.json["correction"]?["id"]?.stringValue == "c-1")
        #expect(reply.json["correction"]?["position"]?.stringValue == "3")
        #expect(event["status"]?.stringValue == "void")
        let said = event["corrections"]?.arrayValue?.first
        #expect(said?["author"]?.stringValue == "Ada")
        #expect(said?["reason"]?.stringValue == "a load test")
        #expect(said?["counts"] == .bool(false))
        #expect(try await edge.get("/v1/events/gateway/b").json["corrections"] == nil)
    }

    @Test("what changes nothing makes no correction")
    func unchanged() async throws {
        try await edge.send("a")
        _ = try await void("a")

        let reply = try await void("a")

        #expect(reply.status == 200)
        #expect(reply.json["correction"] == .null)
        #expect(try await edge.get("/v1/corrections").items.count == 1)
    }

    @Test("an unknown event is a fault with its place, and nothing is corrected")
    func unknown() async throws {
        try await edge.send("a")
        let events = #"[{"source":"gateway","id":"a"},{"source":"gateway","id":"z"}]"#

        let reply = try await correct(#""kind":"void","events":\#(events)"#)

        #expect(reply.status == 404)
        #expect(reply.problem == "not-found")
        #expect(try await edge.get("/v1/corrections").items.isEmpty)
    }

    @Test("one token is one correction, however its request is spelled")
    func token() async throws {
        try await edge.send("a", "b")
        let headers: HTTPFields = [.idempotencyKey: "t-1"]

        let first = try await void("a", headers)
        let again = try await edge.post(
            "/v1/corrections",
            #"{ "kind": "void", "events": [{"source": "gateway", "id": "a"}], \#(Self.who) }"#,
            headers
        )
        let other = try await void("b", headers)

        #expect(first.json == again.json)
        #expect((other.status, other.problem) == (409, "already-exists"))
    }

    @Test("a dry run tells the events and changes none")
    func dryRun() async throws {
        try await edge.send("a", "b")

        let reply = try await correct(#""kind":"void","filter":{"subject":"acme"},"dryRun":true"#)

        #expect(reply.status == 200)
        #expect(reply.json["preview"]?["events"]?.canonical == "2")
        #expect(reply.json["preview"]?["sample"]?.arrayValue?.count == 2)
        #expect(try await edge.get("/v1/corrections").items.isEmpty)
    }

    @Test("corrections are listed newest first, page by page, and their events")
    func listed() async throws {
        try await edge.send("a", "b", "c")
        for id in ["a", "b", "c"] { _ = try await void(id) }

        let page = try await edge.get("/v1/corrections?limit=2")
        let next = try #require(page.json["next"]?.stringValue)
        let rest = try await edge.get("/v1/corrections?limit=2&cursor=\(next)")
        let events = try await edge.get("/v1/corrections/c-2/events")

        #expect(page.items.map { $0["id"]?.stringValue } == ["c-3", "c-2"])
        #expect(rest.items.map { $0["id"]?.stringValue } == ["c-1"])
        #expect(events.items.map { $0["id"]?.stringValue } == ["b"])
        #expect(events.items.map { $0["counts"] } == [.bool(false)])
        #expect(try await edge.get("/v1/corrections/c-3").json["kind"]?.stringValue == "void")
        #expect(try await edge.get("/v1/corrections/c-4").status == 404)
        #expect(try await edge.get("/v1/corrections/3/events").status == 404)
    }

    @Test("a replacement stands for the event, and a restore takes it back")
    func replaced() async throws {
        try await edge.send("a")
        let other = Edge.event("a", amount: "5")

        let made = try await correct(#""kind":"replace","replacements":[\#(other)]"#)
        let event = try await edge.get("/v1/events/gateway/a").json
        let back = try await correct(#""kind":"restore","correction":"c-1""#)

        #expect(made.status == 201)
        #expect(event["corrections"]?.arrayValue?.first?["replacement"]?.stringValue == "3")
        #expect(back.json["correction"]?["events"]?.canonical == "1")
        #expect(try await correct(#""kind":"restore","correction":"c-2""#).status == 422)
    }
}
