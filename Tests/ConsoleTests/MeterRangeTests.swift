import HTTPTypes
import Testing
import WireFormat

/// What is compared with what: ranges with what came before, drafts with what stands, many meters
/// with their capacities.
@Suite("The Console: ranges, drafts and capacities") struct MeterRangeTests {
    /// A meter of a year, with an event in it.
    private static func house() async throws -> DeskHouse {
        let house = try await DeskHouse()
        try await house.api(.post, "/v1/meter-types", type("calls"))
        let none = type("none", filter: "$.data.amount > 1000")
        try await house.api(.post, "/v1/meter-types", none)
        try await house.send([
            MeterNumberTests.event("1", "acme", 5, "2026-10-10T12:00:00Z"),
            MeterNumberTests.event("2", "acme", 7, "2025-10-10T12:00:00Z"),
        ])
        return house
    }

    private static func type(_ key: String, filter: String? = nil) -> JSONValue {
        var type: JSONObject = [
            "key": .string(key), "eventTypes": ["call"], "aggregation": "sum",
            "value": "$.data.amount", "resetSchedule": "yearly", "capacity": "10",
        ]
        type["filter"] = filter.map { .string($0) }
        return .object(type)
    }

    @Test(
        "the running period is compared with the one before, other times with as long a time before"
    )
    func before() async throws {
        let house = try await Self.house()
        let path = "/console/meters/calls~acme"
        let plain = try await house.page(path)
        let (from, to) = (plain.field("from"), plain.field("to"))
        #expect((from, to) == ("2026-01-01", "2027-01-01"))
        let shown = try await house.page(path + "?from=\(from ?? "")&to=\(to ?? "")&timezone=UTC")
        let other = try await house.page(path + "?from=2026-01-01&to=2026-12-01")
        for seen in [plain, shown] {
            #expect(seen.text.contains("data-previous>Period before</th>"))
            #expect(seen.text.contains("this period</h2>"))
        }
        #expect(other.text.contains("data-previous>As long before</th>"))
        #expect(other.text.contains("in this time</h2>"))
    }

    @Test("all records of a meter are those that were known as of then") func allRecords()
        async throws
    {
        let house = try await Self.house()
        let seen = try await house.page("/console/meters/calls~acme?tab=records&asOf=1")
        let all = "/console/records?meterType=calls&amp;subject=acme&amp;asOf=1"
        #expect(seen.text.contains("href=\"\(all)\">all</a>"))
    }

    @Test("a draft is held against what stands, even where that counts nothing")
    func differences() async throws {
        let house = try await Self.house()
        for (path, key, differs) in [
            ("none?tab=change", "none", true), ("new", "fresh", false),
        ] {
            let tried = try await house.post(
                "/console/meter-types/" + path,
                [
                    "eventTypes": "call", "key": key, "aggregation": "sum", "readVersion": "1",
                    "value": "$.data.amount", "reset": "yearly", "do": "history",
                    "historyFrom": "2026-01-01", "historyTo": "2026-11-01",
                ]
            )
            #expect(tried.text.contains("of 1 event, as of"), "\(key)")
            #expect(tried.text.contains("Live version</th>") == differs, "\(key)")
        }
    }

    @Test(
        "meters enrolled one by one are all held against their capacity, each from its start"
    )
    func enrolled() async throws {
        let house = try await Self.house()
        let days = (10...31).map { "2026-10-\($0)" }
        let meters = days.map { day -> JSONValue in
            ["meterType": "calls", "subject": .string(day), "start": .string(day + "T00:00:00Z")]
        }
        try await house.api(.post, "/v1/meters", ["meters": .array(meters)])
        try await house.send(
            days.flatMap { day in
                [
                    MeterNumberTests.event("early " + day, day, 100, "2026-10-09T00:00:00Z"),
                    MeterNumberTests.event("own " + day, day, 9, day + "T12:00:00Z"),
                ]
            }
        )
        let seen = try await house.page("/console")
        let card = MeterNumberTests.part(seen.text, from: "Near capacity", to: "</section>")
        #expect(card.contains("90 %"))
        #expect(!card.contains("1,090 %"))
        // Those and "acme", of which six are shown.
        #expect(card.contains("17 more"), "\(card)")
        #expect(!card.contains("Of the first"))
    }
}
