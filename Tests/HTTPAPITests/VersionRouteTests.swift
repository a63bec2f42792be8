import HTTPTypes
import MeteringEngine
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

@Suite("Versions over HTTP") struct VersionRouteTests {
    private func edge() async throws -> Edge {
        let edge = Edge()
        _ = try await edge.post("/v1/meter-types", Sent.spend)
        return edge
    }

    private func patch(_ edge: Edge, _ body: String, key: String = "spend") async throws
        -> Edge.Reply
    {
        try await edge.ask(
            .patch,
            "/v1/meter-types/\(key)",
            Array(body.utf8),
            [.contentType: "application/json"]
        )
    }

    @Test("changed fields make a version from now on; the rest stays, null takes away")
    func change() async throws {
        let edge = try await edge()

        let changed = try await patch(
            edge,
            #"{"filter":"$.data.amount > 1","dimensions":null}"#
        )
        let again = try await patch(edge, #"{"filter":"$.data.amount > 1"}"#)
        let read = try await edge.get("/v1/meter-types/spend")
        let first = try await edge.get("/v1/meter-types/spend?version=1")
        let missing = try await edge.get("/v1/meter-types/spend?version=3")

        #expect(changed.status == 200)
        #expect(changed.json["version"]?.integerValue == 2)
        #expect(changed.json["effectiveFrom"] == "2026-11-01T00:00:00Z")
        #expect(changed.json["filter"] == "$.data.amount > 1")
        #expect(changed.json["name"] == "Spend")
        #expect(changed.json["dimensions"]?.objectValue?.isEmpty != false)
        #expect(again.body == changed.body)
        #expect(read.body == changed.body)
        #expect(first.json["version"]?.integerValue == 1)
        #expect(first.json["filter"] == nil)
        #expect(missing.status == 404)
    }

    @Test("versions are listed with the times they rule")
    func list() async throws {
        let edge = try await edge()
        _ = try await patch(
            edge,
            #"{"filter":"true","effectiveFrom":"2026-10-01T02:00:00+02:00"}"#
        )
        _ = try await patch(
            edge,
            #"{"filter":"false","effectiveFrom":"2026-09-01T00:00:00Z"}"#
        )

        let reply = try await edge.get("/v1/meter-types/spend/versions")
        let missing = try await edge.get("/v1/meter-types/none/versions")

        #expect(reply.items.map { $0["version"]?.integerValue } == [1, 2, 3])
        #expect(reply.items.map { $0["state"] } == ["in-force", "superseded", "in-force"])
        #expect(reply.items[0]["effectiveFrom"] == nil)
        #expect(reply.items[0]["effectiveTo"] == "2026-09-01T00:00:00Z")
        #expect(reply.items[1]["effectiveFrom"] == "2026-10-01T00:00:00Z")
        #expect(reply.items[2]["effectiveTo"] == nil)
        #expect(missing.status == 404)
    }

    @Test(
        "a change at fault says where and why",
        arguments: [
            (#"{"aggregation":"max"}"#, 422, "/aggregation"),
            (#"{"unit":"kWh"}"#, 422, "/unit"),
            (#"{"key":"other"}"#, 422, "/key"),
            (#"{"filter":"$.data.amount = 5"}"#, 422, "/filter"),
            (#"{"effectiveFrom":"yesterday"}"#, 422, "/effectiveFrom"),
            (#"{"timezone":"Europe/Nowhere"}"#, 422, "/timezone"),
            (#"{"filtre":"true"}"#, 400, "/filtre"),
            (#"{"version":3}"#, 400, "/version"),
            ("[]", 422, ""),
        ]
    )
    func faults(body: String, status: Int, pointer: String) async throws {
        let reply = try await patch(try await edge(), body)

        #expect(reply.status == status)
        #expect(reply.pointers == [pointer])
    }

    @Test("there is nothing to change of an unknown meter type, nor of a retired one")
    func gone() async throws {
        let edge = try await edge()
        _ = try await edge.ask(.delete, "/v1/meter-types/spend")

        #expect(try await patch(edge, #"{"filter":"true"}"#).problem == "retired")
        #expect(try await patch(edge, #"{"filter":"true"}"#, key: "none").status == 404)
        #expect(try await edge.post("/v1/meter-types/spend", "{}").status == 405)
    }

    @Test("a change that others keep overtaking is told to come again")
    func overtaken() async throws {
        let edge = try await edge()
        edge.ledger.told { $0.failure = LedgerError(.outdated, "another came") }

        let reply = try await patch(edge, #"{"filter":"true"}"#)

        #expect(reply.problem == "busy")
        #expect(edge.ledger.asked.revisions == 5)
    }

    @Test("readings are of one version where it is named, of one meter type")
    func usage() async throws {
        let edge = try await edge()
        try await edge.send("a", "b")
        _ = try await patch(edge, #"{"filter":"false","effectiveFrom":null}"#)

        let now = try await edge.get("/v1/usage?meterType=spend")
        let first = try await edge.get("/v1/usage?meterType=spend&version=1")
        let two = try await edge.get("/v1/usage?meterType=spend,other&version=1")
        let wrong = try await edge.get("/v1/usage?meterType=spend&version=0")

        #expect(now.json["readings"]?.arrayValue?.first?["value"] == "0")
        #expect(first.json["readings"]?.arrayValue?.first?["value"] == "2")
        #expect(two.pointers == ["version"])
        #expect(wrong.pointers == ["version"])
    }

    @Test("backfills are listed with their progress, and given up")
    func backfills() async throws {
        let edge = try await edge()
        try await edge.send("a", "b", "c")
        var version = try await edge.ledger.meterTypes()[0]
        (version.version, version.inForceSince) = (2, nil)
        (version.countsAfter, version.backfilled) = (Position(3), Position(1))
        edge.ledger.told { [version] in $0.backfills = [version] }

        let listed = try await edge.get("/v1/backfills")
        let none = try await edge.ask(.delete, "/v1/meter-types/spend/backfill")
        let read = try await edge.get("/v1/meter-types/spend/backfill")

        #expect(
            listed.items == [
                .of(
                    """
                    {"meterType":"spend","version":2,"state":"running","eventsDone":"1",\
                    "eventsTotal":"3"}
                    """
                )
            ]
        )
        #expect(none.status == 404)
        #expect(read.status == 405)
    }

    @Test("a meter type that was never counted says so")
    func cancelled() async throws {
        let edge = try await edge()
        edge.ledger.told { $0.failure = LedgerError(.backfillCancelled, "never counted") }

        let reply = try await edge.get("/v1/usage?meterType=spend")

        #expect(reply.status == 409)
        #expect(reply.problem == "backfill-cancelled")
    }

    // MARK: Previews

    @Test("a preview shows a draft's readings and where they differ, the largest first")
    func preview() async throws {
        let edge = try await edge()
        try await edge.send("a", "b")
        let body = Sent.preview(",\"filter\":\"id == \\\"a\\\"\"", Sent.november)

        let reply = try await edge.post("/v1/meter-types/preview", body)

        #expect(reply.status == 200)
        #expect(reply.json["readings"]?.arrayValue?.map { $0["value"] } == ["1"])
        #expect(
            reply.json["differences"]
                == .of(#"[{"subject":"acme","live":"2","draft":"1","difference":"-1"}]"#)
        )
        #expect(reply.json["moreDifferences"] == nil)
        #expect(try await edge.get("/v1/meter-types/spend").json["filter"] == nil)
    }

    @Test("a preview of the newest events says how many they are, and compares nothing")
    func newest() async throws {
        let edge = try await edge()
        try await edge.send("a", "b", "c")

        let reply = try await edge.post(
            "/v1/meter-types/preview",
            Sent.preview(",\"filter\":\"id != \\\"c\\\"\"", ",\"newest\":2")
        )

        #expect(reply.status == 200)
        #expect(reply.json["newest"]?["events"] == "2")
        #expect(reply.json["readings"]?.arrayValue?.map { $0["events"] } == ["1"])
        #expect(reply.json["differences"] == [])
    }

    @Test("its windows may be those of the draft's calendar")
    func periods() async throws {
        let edge = try await edge()
        try await edge.send("a")
        let rest = Sent.november + ",\"window\":\"period\",\"groupBy\":[\"subject\"],\"limit\":5"
        let body = Sent.preview(",\"resetSchedule\":\"monthly\"", rest)

        let reply = try await edge.post("/v1/meter-types/preview", body)

        let asked = try #require(edge.ledger.asked.askedPreview)
        #expect(reply.status == 200)
        #expect(asked.calendar != nil)
        #expect(asked.groupBy == [.subject])
        #expect(asked.limit == 5)
        #expect(
            reply.json["readings"]?.arrayValue?.map { $0["to"] } == ["2026-12-01T00:00:00Z"]
        )
    }

    @Test(
        "a preview at fault says where",
        arguments: [
            (Sent.preview("", ""), 422, ["/from", "/to"]),
            (Sent.preview(",\"filter\":\"1 +\"", Sent.november), 422, ["/meterType/filter"]),
            (Sent.preview(",\"filtre\":\"1 +\"", Sent.november), 400, ["/meterType/filtre"]),
            (Sent.preview("", Sent.november + ",\"windows\":1"), 400, ["/windows"]),
            (Sent.preview("", Sent.november + ",\"window\":\"fortnight\""), 422, ["/window"]),
            (Sent.preview("", Sent.november + ",\"timezone\":\"Nowhere\""), 422, ["/timezone"]),
            (Sent.preview("", Sent.november + ",\"groupBy\":\"model\""), 422, ["/groupBy"]),
            (Sent.preview("", Sent.november + ",\"limit\":0"), 422, ["/limit"]),
            (Sent.preview("", Sent.november + ",\"newest\":9"), 422, ["/from", "/to"]),
            (Sent.preview("", ",\"newest\":9,\"window\":\"day\""), 422, ["/window"]),
            (Sent.preview("", ",\"newest\":1001"), 422, ["/newest"]),
            ("{" + Sent.november.dropFirst() + "}", 422, ["/meterType"]),
            ("7", 422, [""]),
        ]
    )
    func previewFaults(body: String, status: Int, pointers: [String]) async throws {
        let reply = try await Edge().post("/v1/meter-types/preview", body)

        #expect(reply.status == status)
        #expect(reply.pointers == pointers)
    }

    @Test("no meter type takes the name of the address of previews")
    func reserved() async throws {
        let reply = try await Edge().post(
            "/v1/meter-types",
            Sent.spend.replacing("\"spend\"", with: "\"preview\"")
        )
        #expect(reply.pointers == ["/key"])
        #expect(try await Edge().get("/v1/meter-types/preview").status == 405)
    }
}

/// The bodies that the tests send.
private enum Sent {
    static let spend: String = """
        {"key":"spend","name":"Spend","unit":"token","eventTypes":["llm.request"],\
        "aggregation":"sum","value":"$.data.amount","dimensions":{"model":"$.data.model"}}
        """

    static func preview(_ changes: String, _ rest: String) -> String {
        let draft = String(spend.dropLast()) + changes + "}"
        return "{\"meterType\":\(draft)\(rest)}"
    }

    static let november: String =
        ",\"from\":\"2026-11-01T00:00:00Z\",\"to\":\"2026-12-01T00:00:00Z\""
}
