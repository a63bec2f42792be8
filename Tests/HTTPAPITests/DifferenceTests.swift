import MeteringEngine
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

@Suite("Why a reading is another one than it was") struct DifferenceTests {
    private let edge = Edge()
    private static let who = #""author":"Ada","reason":"a load test""#
    private static let path = "/v1/usage/diff?meterType=tokens&subject=acme"

    /// Two events, a void of the first, a third event.
    private func live() async throws {
        _ = try await edge.post(
            "/v1/meter-types",
            #"{"key":"tokens","eventTypes":["*"],"aggregation":"sum","value":"$.data.amount"}"#
        )
        try await edge.send("a", "b")
        let events = #"[{"source":"gateway","id":"a"}]"#
        let void = #"{"kind":"void","events":\#(events),\#(Self.who)}"#
        #expect(try await edge.post("/v1/corrections", void).status == 201)
        try await edge.send("c")
    }

    @Test("events and corrections in between are told in order, and add up")
    func steps() async throws {
        try await live()

        let found = try await edge.get(Self.path + "&asOf=0").json

        let steps = try #require(found["steps"]?.arrayValue)
        #expect(steps.map { $0["cause"]?.stringValue } == ["events", "correction", "events"])
        #expect(steps.map { $0["amount"]?.stringValue } == ["2", "-1", "1"])
        #expect(steps.map { $0["events"]?.stringValue } == ["2", "-1", "1"])
        #expect(steps[1]["author"]?.stringValue == "Ada")
        #expect(steps[1]["correction"]?.stringValue == "c-1")
        #expect(found["amount"]?.stringValue == "2")
        #expect(found["before"]?["value"]?.stringValue == "0")
        #expect(found["after"]?["value"]?.stringValue == "2")
    }

    @Test("between two positions only what lies there is told")
    func between() async throws {
        try await live()

        let found = try await edge.get(Self.path + "&asOf=2&until=3").json

        #expect(found["steps"]?.arrayValue?.count == 1)
        #expect(found["steps"]?.arrayValue?.first?["cause"]?.stringValue == "correction")
        #expect(found["before"]?["value"]?.stringValue == "2")
        #expect(found["amount"]?.stringValue == "-1")
        let same = try await edge.get(Self.path + "&asOf=3&until=3").json
        #expect(same["steps"]?.arrayValue?.isEmpty == true)
    }

    @Test(
        "what cannot be compared is told with the parameter at fault",
        arguments: [
            ("", 422), ("&asOf=4&until=2", 422), ("&asOf=yesterday", 422), ("&asOf=99", 422),
            ("&asOf=1&meterType=other", 422),
        ]
    )
    func refusals(parameters: String, status: Int) async throws {
        try await live()

        #expect(try await edge.get(Self.path + parameters).status == status)
    }

    @Test("a state of knowledge is told by its time too")
    func instants() async throws {
        try await live()

        let before = try await edge.get(Self.path + "&asOf=2026-10-31T23:59:59Z").json
        let now = try await edge.get(Self.path + "&asOf=2026-11-01T00:00:00Z").json

        #expect(before["before"]?["position"]?.stringValue == "0")
        #expect(now["before"]?["position"]?.stringValue == "4")
        let usage = "/v1/usage?meterType=tokens&asOf=2026-10-31T23:59:59Z"
        #expect(try await edge.get(usage).json["position"]?.stringValue == "0")
    }
}
