import HTTPTypes
import MeteringEngine
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

@Suite("Meters over HTTP") struct MeterTests {
    private static func edge(at now: String, _ type: String) async throws -> Edge {
        let edge = try Edge(at: #require(Instant(rfc3339: now)))
        let made = try await edge.post("/v1/meter-types", type)
        #expect(made.status == 201)
        return edge
    }

    /// Sends events of `acme`, or of other subjects, as (subject, time, kWh).
    private static func send(
        _ edge: Edge,
        _ uses: [(subject: String, time: String, amount: String)]
    ) async throws {
        let known = try await edge.ledger.status().position.value
        let events = uses.enumerated().map { number, use in
            """
            {"id":"e\(known)-\(number)","source":"s","type":"power","subject":"\(use.subject)",\
            "time":"\(use.time)","data":{"kWh":\(use.amount),"tariff":"\(number % 2)"}}
            """
        }
        let sent = try await edge.post("/v1/events", "[\(events.joined(separator: ","))]")
        #expect(sent.json["accepted"]?.integerValue == Int64(uses.count))
    }

    private static func power(_ members: String) -> String {
        """
        {"key":"power","unit":"kWh","eventTypes":["power"],"aggregation":"sum",\
        "value":"$.data.kWh",\(members)}
        """
    }

    /// Berlin sets its clocks forward on 29 March 2026: the month has 743 hours.
    @Test("a month in Berlin is cut at its own midnights, on both sides of a change of clocks")
    func berlin() async throws {
        let edge = try await Self.edge(
            at: "2026-04-02T10:00:00Z",
            Self.power(
                """
                "timezone":"Europe/Berlin","resetSchedule":"monthly","capacity":1000,\
                "dimensions":{"tariff":"$.data.tariff"}
                """
            )
        )
        try await Self.send(
            edge,
            [
                ("acme", "2026-02-28T22:59:59.999999Z", "1000"),  // the last of February
                ("acme", "2026-02-28T23:00:00Z", "1"),  // midnight of 1 March, CET
                ("acme", "2026-03-29T01:00:00Z", "2"),  // the change itself
                ("acme", "2026-03-31T21:59:59.999999Z", "4"),  // the last of March, CEST
                ("acme", "2026-03-31T22:00:00Z", "8"),  // midnight of 1 April, CEST
                ("acme", "2026-03-31T23:00:00Z", "16"),
                ("other", "2026-03-15T00:00:00Z", "32"),
            ]
        )

        let now = try await edge.get("/v1/meters/power~acme")
        let march = try await edge.get("/v1/meters/power~acme?at=2026-03-29T01:00:00Z")
        let past = try await edge.get("/v1/meters/power~acme/periods")

        #expect(
            now.text == """
                {"id":"power~acme","meterType":"power","subject":"acme","state":"active",\
                "unit":"kWh","period":{"start":"2026-03-31T22:00:00Z",\
                "end":"2026-04-30T22:00:00Z","timezone":"Europe/Berlin"},"value":"24",\
                "events":"2","firstEventAt":"2026-02-28T22:59:59.999999Z",\
                "lastEventAt":"2026-03-31T23:00:00Z",\
                "dimensions":[{"tariff":"0","value":"8","events":"1"},\
                {"tariff":"1","value":"16","events":"1"}],"capacity":"1000",\
                "nextResets":["2026-04-30T22:00:00Z","2026-05-31T22:00:00Z",\
                "2026-06-30T22:00:00Z"],"position":"7"}
                """
        )
        #expect(march.json["value"] == "7")
        #expect(march.json["period"]?["start"] == "2026-02-28T23:00:00Z")
        #expect(march.json["period"]?["end"] == "2026-03-31T22:00:00Z")
        #expect(march.json["nextResets"]?.arrayValue?.first == "2026-03-31T22:00:00Z")
        #expect(past.json["timezone"] == "Europe/Berlin")
        #expect(past.items.map { $0["value"] } == ["7", "1000"])
        #expect(past.items.map { $0["events"] } == ["3", "1"])
        #expect(past.items.map { $0["end"] } == ["2026-03-31T22:00:00Z", "2026-02-28T23:00:00Z"])
        #expect(past.json["next"] == nil)
    }

    /// In Sydney Sunday 5 April 2026 has 25 hours, and Sunday 4 October has 23.
    @Test(
        "a day in Sydney has as many hours as its clocks show",
        arguments: [
            ("2026-04-05T02:30:00Z", "2026-04-04T13:00:00Z", "2026-04-05T14:00:00Z", 25),
            ("2026-10-04T02:30:00Z", "2026-10-03T14:00:00Z", "2026-10-04T13:00:00Z", 23),
            ("2026-07-01T02:30:00Z", "2026-06-30T14:00:00Z", "2026-07-01T14:00:00Z", 24),
        ]
    )
    func sydney(at: String, start: String, end: String, hours: Int) async throws {
        let edge = try await Self.edge(
            at: at,
            Self.power("\"timezone\":\"Australia/Sydney\",\"resetSchedule\":\"daily\"")
        )
        let first = try #require(Instant(rfc3339: start))
        // One event on each hour, from an hour before the day to an hour after it.
        let hour: Int64 = 3_600_000_000
        try await Self.send(
            edge,
            (-1...hours).map { place in
                let time = Instant(microseconds: first.microseconds + Int64(place) * hour)
                return ("acme", time.rfc3339, "0.5")
            }
        )

        let reply = try await edge.get("/v1/meters/power~acme")
        let past = try await edge.get("/v1/meters/power~acme/periods")

        #expect(reply.json["period"]?["start"]?.stringValue == start)
        #expect(reply.json["period"]?["end"]?.stringValue == end)
        #expect(reply.json["events"]?.stringValue == "\(hours)")
        #expect(reply.json["value"]?.stringValue == "\(hours / 2)" + (hours % 2 == 0 ? "" : ".5"))
        #expect(past.items.map { $0["value"] } == ["0.5"])
        #expect(past.items.map { $0["end"]?.stringValue } == [start])
    }

    @Test("past periods are paged, newest first, back to that of the first event")
    func paging() async throws {
        let edge = try await Self.edge(
            at: "2026-11-01T00:00:30Z",
            Self.power("\"resetSchedule\":{\"every\":\"minute\"}")
        )
        // The first event is within its quarter of an hour, and some minutes are empty.
        try await Self.send(
            edge,
            [
                ("acme", "2026-10-31T23:50:10Z", "1"), ("acme", "2026-10-31T23:55:00Z", "2"),
                ("acme", "2026-10-31T23:59:59Z", "4"), ("acme", "2026-11-01T00:00:05Z", "8"),
            ]
        )

        let whole = try await edge.get("/v1/meters/power~acme/periods")
        var pages: [JSONValue] = []
        var cursor = ""
        for _ in 0..<10 {
            let page = try await edge.get("/v1/meters/power~acme/periods?limit=3" + cursor)
            #expect(page.items.count <= 3)
            pages += page.items
            guard let next = page.json["next"]?.stringValue else { break }
            cursor = "&cursor=\(next)"
        }

        #expect(whole.items.count == 10)
        #expect(whole.items.first?["start"] == "2026-10-31T23:59:00Z")
        #expect(whole.items.last?["start"] == "2026-10-31T23:50:00Z")
        #expect(
            whole.items.map { $0["value"] } == ["4", "0", "0", "0", "2", "0", "0", "0", "0", "1"]
        )
        #expect(pages == whole.items)
    }

    @Test("a schedule of never has one period without ends, and no past one")
    func never() async throws {
        let edge = try await Self.edge(at: "2026-11-01T00:00:00Z", Self.power("\"name\":\"P\""))
        try await Self.send(edge, [("acme", "1999-01-01T00:00:00Z", "3")])

        let reply = try await edge.get("/v1/meters/power~acme")
        let past = try await edge.get("/v1/meters/power~acme/periods")

        #expect(reply.json["period"] == ["timezone": "UTC"])
        #expect(reply.json["value"] == "3")
        #expect(reply.json["nextResets"] == [])
        #expect(reply.json["dimensions"] == nil)
        #expect(past.items.isEmpty)
        #expect(past.json["position"] == "1")
    }

    @Test("meters are listed by subject, type and prefix, page by page; ids lead to them")
    func list() async throws {
        let edge = try await Self.edge(at: "2026-11-01T00:00:00Z", Self.power("\"name\":\"P\""))
        _ = try await edge.post(
            "/v1/meter-types",
            "{\"key\":\"calls\",\"eventTypes\":[\"*\"],\"aggregation\":\"count\"}"
        )
        try await Self.send(
            edge,
            [
                ("printer/7 ü", "2026-10-31T00:00:00Z", "1"), ("acme", "2026-10-31T00:00:00Z", "1"),
            ]
        )
        _ = try await edge.ask(.delete, "/v1/meter-types/calls")

        let all = try await edge.get("/v1/meters")
        let first = try await edge.get("/v1/meters?limit=3")
        let next = try #require(first.json["next"]?.stringValue)
        let second = try await edge.get("/v1/meters?limit=3&cursor=\(next)")
        let byType = try await edge.get("/v1/meters?meterType=power")
        let bySubject = try await edge.get("/v1/meters?subject=acme&subject=none")
        let byPrefix = try await edge.get("/v1/meters?q=printer/&meterType=calls")
        let id = try #require(byPrefix.items.first?["id"]?.stringValue)
        let one = try await edge.get("/v1/meters/\(id)")

        let ids = all.items.map { $0["id"]?.stringValue }
        #expect(
            ids == [
                "calls~printer~2F7~20~C3~BC", "power~printer~2F7~20~C3~BC", "calls~acme",
                "power~acme",
            ]
        )
        #expect(all.items.map { $0["state"] } == ["closed", "active", "closed", "active"])
        #expect(first.items + second.items == all.items)
        #expect(second.json["next"] == nil)
        #expect(byType.items.map { $0["subject"] } == ["printer/7 ü", "acme"])
        #expect(bySubject.items.map { $0["id"] } == ["calls~acme", "power~acme"])
        #expect(one.json["subject"] == "printer/7 ü")
        #expect(one.json["value"] == "1")
    }

    @Test(
        "what is no meter is not found",
        arguments: [
            "power~nobody", "none~acme", "power", "power~", "POWER~acme", "power~acm~65",
            "power~a~2f", "power~a~zz", "power~%FF",
        ]
    )
    func missing(id: String) async throws {
        let edge = try await Self.edge(at: "2026-11-01T00:00:00Z", Self.power("\"name\":\"P\""))
        try await Self.send(edge, [("acme", "2026-10-31T00:00:00Z", "1")])

        let one = try await edge.get("/v1/meters/" + id)
        let periods = try await edge.get("/v1/meters/" + id + "/periods")

        #expect(one.status == 404)
        #expect(one.problem == "not-found")
        #expect(periods.status == 404)
    }

    @Test("faults of meters' questions are told by parameter")
    func faults() async throws {
        let list = try await Edge().get("/v1/meters?meterType=A&subject=&limit=0")
        let unknown = try await Edge().get("/v1/meters?meterType=none")
        let at = try await Edge().get("/v1/meters/power~acme?at=now")
        let method = try await Edge().ask(.put, "/v1/meters")
        let state = try await Edge().get("/v1/meters?state=open&customer=")

        #expect(list.status == 422)
        #expect(Set(list.pointers) == ["meterType", "subject", "limit"])
        #expect(unknown.status == 404)
        #expect(at.pointers == ["at"])
        #expect(method.status == 405)
        #expect(state.pointers == ["customer", "state"])
    }

    @Test("a meter type of an unknown zone is refused")
    func zone() async throws {
        let reply = try await Edge().post(
            "/v1/meter-types",
            Self.power("\"timezone\":\"Europe/Atlantis\"")
        )

        #expect(reply.status == 422)
        #expect(reply.pointers == ["/timezone"])
    }

    @Test("window=period cuts a reading by the meter type's own calendar")
    func windows() async throws {
        let edge = try await Self.edge(
            at: "2026-11-01T00:00:00Z",
            Self.power("\"timezone\":\"Europe/Berlin\",\"resetSchedule\":\"daily\"")
        )
        try await Self.send(
            edge,
            [
                ("acme", "2026-10-24T21:59:59Z", "1"), ("acme", "2026-10-24T22:00:00Z", "2"),
                ("other", "2026-10-25T22:30:00Z", "4"), ("acme", "2026-10-25T23:00:00Z", "8"),
            ]
        )
        let range = "&from=2026-10-24T00:00:00Z&to=2026-10-26T00:00:00Z&window=period"

        let reply = try await edge.get("/v1/usage?meterType=power" + range)
        let two = try await edge.get("/v1/usage?meterType=power,calls" + range)
        let zoned = try await edge.get("/v1/usage?meterType=power&timezone=UTC" + range)
        let open = try await edge.get("/v1/usage?meterType=power&window=period")
        let unknown = try await edge.get("/v1/usage?meterType=none" + range)

        let readings = reply.json["readings"]?.arrayValue ?? []
        #expect(readings.map { $0["value"] } == ["1", "6", "8"])
        // The 25th has 25 hours; the range cuts the first and the last day.
        #expect(
            readings.map { $0["from"] } == [
                "2026-10-24T00:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z",
            ]
        )
        #expect(readings.last?["to"] == "2026-10-26T00:00:00Z")
        #expect(two.pointers == ["window"])
        #expect(zoned.pointers == ["timezone"])
        #expect(open.pointers == ["window"])
        #expect(unknown.status == 404)
    }
}
