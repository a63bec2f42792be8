import HTTPTypes
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

@Suite("Gauges over HTTP") struct GaugeTests {
    /// Noon of 10 November; 100 GB since the first, 50 GB since the fifth.
    private static func edge() async throws -> Edge {
        let edge = try Edge(at: #require(Instant(rfc3339: "2026-11-10T12:00:00Z")))
        let made = try await edge.post(
            "/v1/meter-types",
            """
            {"key":"gb-days","eventTypes":["disk"],"aggregation":"time-weighted",\
            "value":"$.data.gb","timeUnit":"day","resetSchedule":"monthly"}
            """
        )
        #expect(made.status == 201)
        #expect(made.json["timeUnit"] == "day")
        let events = [("2026-11-05T00:00:00Z", 50), ("2026-11-01T00:00:00Z", 100)].enumerated()
            .map { place, told in
                """
                {"id":"\(place)","source":"s","type":"disk","subject":"acme",\
                "time":"\(told.0)","data":{"gb":\(told.1)}}
                """
            }
        let sent = try await edge.post("/v1/events", "[\(events.joined(separator: ","))]")
        #expect(sent.json["accepted"]?.integerValue == 2)
        return edge
    }

    @Test("no version has another unit of time")
    func timeUnit() async throws {
        let edge = try await Self.edge()
        func patch(_ body: String) async throws -> Edge.Reply {
            let json: HTTPFields = [.contentType: "application/json"]
            return try await edge.ask(.patch, "/v1/meter-types/gb-days", Array(body.utf8), json)
        }
        let reply = try await patch(#"{"timeUnit":"hour"}"#)
        #expect(reply.status == 422)
        #expect(reply.pointers == ["/timeUnit"])
        let carry = try await patch(#"{"carryMax":"2d"}"#)
        #expect(carry.json["version"] == 2)
    }

    @Test("a period that is not over holds what was used so far")
    func soFar() async throws {
        let edge = try await Self.edge()
        let meter = try await edge.get("/v1/meters/gb-days~acme")
        #expect(meter.json["value"] == "675")
        #expect(meter.json["events"] == "2")
        let usage = try await edge.get("/v1/usage?meterType=gb-days&from=2026-11-01T00:00:00Z")
        #expect(usage.json["readings"]?.arrayValue?.first?["value"] == "675")
    }

    @Test("a value is carried into windows without an event, and not past now")
    func windows() async throws {
        let edge = try await Self.edge()
        let path = "/v1/usage?meterType=gb-days&from=2026-11-04T00:00:00Z&to=2026-11-13T00:00:00Z"
        let days = try await edge.get(path + "&window=day")
        let readings = days.json["readings"]?.arrayValue ?? []
        #expect(
            readings.compactMap { $0["value"]?.stringValue } == [
                "100", "50", "50", "50", "50", "50", "25",
            ]
        )
        #expect(
            readings.compactMap { $0["events"]?.stringValue } == [
                "0", "1", "0", "0", "0", "0", "0",
            ]
        )
        let filled = try await edge.get(path + "&window=day&fill=zero")
        #expect(filled.json["readings"]?.arrayValue?.count == 9)
        #expect(filled.json["readings"]?.arrayValue?.last?["value"] == "0")
    }

    @Test("past periods hold what was carried into them")
    func periods() async throws {
        let edge = try await Self.edge()
        let path = "/v1/meters/gb-days~acme/periods?at=2027-02-01T00:00:00Z"
        let past = try await edge.get(path)
        // Now is in November: nothing was carried into December yet.
        #expect(past.items.compactMap { $0["value"]?.stringValue } == ["0", "0", "675"])
    }
}
