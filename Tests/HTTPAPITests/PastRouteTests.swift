import HTTPTypes
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

@Suite("What was known then, over HTTP") struct PastRouteTests {
    private let json: HTTPFields = [.contentType: "application/json"]

    /// A type in its customer's zone; the customer moves after the first event, and the schedule
    /// changes.
    private func moved() async throws -> Edge {
        let edge = Edge()
        let type = """
            {"key":"calls","eventTypes":["*"],"aggregation":"count","resetSchedule":"daily",\
            "timezone":"customer"}
            """
        #expect(try await edge.post("/v1/meter-types", type).status == 201)
        #expect(try await put(edge, "Asia/Tokyo").status == 201)
        _ = try await edge.post("/v1/events", "[\(Edge.event("a"))]")
        _ = try await edge.post("/v1/events", "[\(Edge.event("b"))]")
        #expect(try await put(edge, "America/New_York").status == 200)
        let change = #"{"resetSchedule":"monthly","effectiveFrom":null}"#
        let path = "/v1/meter-types/calls"
        #expect(try await edge.ask(.patch, path, Array(change.utf8), json).status == 200)
        return edge
    }

    private func put(_ edge: Edge, _ zone: String) async throws -> Edge.Reply {
        let body = #"{"name":"North","timezone":"\#(zone)","subjects":["acme"]}"#
        return try await edge.ask(.put, "/v1/customers/north", Array(body.utf8), json)
    }

    @Test("a meter's period is cut by the zone and the schedule of then")
    func zone() async throws {
        let edge = try await moved()
        let path = "/v1/meters/calls~acme?at=2026-11-01T12:00:00Z"

        let then = try await edge.get(path + "&asOf=1").json
        let now = try await edge.get(path).json

        #expect(then["period"]?["timezone"]?.stringValue == "Asia/Tokyo")
        #expect(then["period"]?["start"]?.stringValue == "2026-10-31T15:00:00Z")
        #expect(then["events"]?.stringValue == "1")
        #expect(now["period"]?["timezone"]?.stringValue == "America/New_York")
        #expect(now["period"]?["start"]?.stringValue == "2026-11-01T04:00:00Z")
        #expect(now["events"]?.stringValue == "2")
    }

    /// A meter type whose zone is its own.
    private static let own = """
        {"key":"own","eventTypes":["*"],"aggregation":"count","resetSchedule":"monthly",\
        "timezone":"Europe/Berlin"}
        """

    @Test("a list tells the same period of each meter as its own page, then and now")
    func listed() async throws {
        let edge = try await moved()
        #expect(try await edge.post("/v1/meter-types", Self.own).status == 201)
        let enrolled = #"{"meterType":"own","subject":"late","start":"2026-10-31T23:30:00Z"}"#
        #expect(try await edge.post("/v1/meters", enrolled).status == 201)

        for known in ["", "?asOf=1"] {
            let listed = try await edge.get("/v1/meters" + known).items
            #expect(listed.count >= 1)
            for meter in listed {
                let id = try #require(meter["id"]?.stringValue)
                let page = try await edge.get("/v1/meters/\(id)" + known).json
                #expect(meter["period"] == page["period"], "\(id)\(known)")
                #expect(meter["period"]?["start"] != nil, "\(id)\(known)")
            }
        }
        let late = try await edge.get("/v1/meters?subject=late").items
        #expect(late.first?["period"]?["start"] == "2026-10-31T23:30:00Z")
    }

    @Test("a meter type tells its running period, unless each customer's zone cuts another one")
    func running() async throws {
        let edge = try await moved()
        #expect(try await edge.post("/v1/meter-types", Self.own).status == 201)

        let type = try await edge.get("/v1/meter-types/own").json
        let listed = try await edge.get("/v1/meter-types").items

        #expect(
            type["period"] == [
                "start": "2026-10-31T23:00:00Z", "end": "2026-11-30T23:00:00Z",
                "timezone": "Europe/Berlin",
            ]
        )
        #expect(type["nextResets"]?.arrayValue?.count == 3)
        #expect(listed.map { $0["period"] } == [nil, type["period"]])
        #expect(listed.map { $0["nextResets"] } == [nil, type["nextResets"]])
    }

    @Test("before a new schedule takes effect, a meter type tells the period of the old one")
    func changing() async throws {
        let edge = Edge()
        let own = #"{"key":"own","eventTypes":["*"],"aggregation":"count","resetSchedule":"daily"}"#
        #expect(try await edge.post("/v1/meter-types", own).status == 201)
        let change = #"{"resetSchedule":"monthly","effectiveFrom":"2026-11-02T12:00:00Z"}"#
        let path = "/v1/meter-types/own"
        #expect(try await edge.ask(.patch, path, Array(change.utf8), json).status == 200)

        let type = try await edge.get(path).json

        #expect(type["period"]?["end"] == "2026-11-02T00:00:00Z")
        #expect(
            type["nextResets"] == [
                "2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z", "2026-12-01T00:00:00Z",
            ]
        )
    }

    @Test("so are the windows of a reading by period")
    func windows() async throws {
        let edge = try await moved()
        let path =
            "/v1/usage?meterType=calls&subject=acme&window=period"
            + "&from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z"

        let then = try await edge.get(path + "&asOf=1").json["readings"]?.arrayValue
        let now = try await edge.get(path).json["readings"]?.arrayValue

        #expect(then?.map { $0["to"]?.stringValue } == ["2026-11-01T15:00:00Z"])
        #expect(now?.map { $0["to"]?.stringValue } == ["2026-11-02T00:00:00Z"])
    }

    @Test("a position that lies ahead is none that anything was known at")
    func ahead() async throws {
        let edge = try await moved()
        let lists = [
            "/v1/meters?", "/v1/meters/calls~acme?", "/v1/meters/calls~acme/periods?",
            "/v1/subjects?", "/v1/unreadable?", "/v1/corrections?",
            "/v1/customers/north/statement?from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z&",
        ]
        for list in lists {
            let reply = try await edge.get(list + "asOf=99")
            #expect((reply.status, reply.problem) == (422, "position-unknown"), "\(list)")
        }
    }
}
