import Foundation
import HTTPTypes
import Testing
import WireFormat

/// The numbers of meters: in every zone, of every range, as of then.
@Suite("The Console: numbers of meters") struct MeterNumberTests {
    /// The part of a page from one text on up to another.
    static func part(_ text: String, from start: String, to end: String) -> String {
        guard let first = text.range(of: start) else { return "" }
        let rest = text[first.lowerBound...]
        return String(rest[..<(rest.range(of: end)?.lowerBound ?? rest.endIndex)])
    }

    static func event(_ id: String, _ subject: String, _ amount: Int, _ time: String) -> JSONValue {
        [
            "id": .string(id), "source": "s", "type": "call", "subject": .string(subject),
            "time": .string(time), "data": ["amount": .number(String(amount))],
        ]
    }

    /// A meter type in its customers' zones, with a customer on each side of the date line. For
    /// one of them it is the 1st of November, for the other one the last of October.
    private static func world() async throws -> DeskHouse {
        let house = try await DeskHouse()
        try await house.api(
            .post,
            "/v1/meter-types",
            [
                "key": "calls", "name": "Calls", "eventTypes": ["call"], "aggregation": "sum",
                "value": "$.data.amount", "unit": "call", "resetSchedule": "monthly",
                "timezone": "customer", "capacity": "10",
            ]
        )
        for (key, zone) in [("kiwi", "Pacific/Auckland"), ("yankee", "America/New_York")] {
            try await house.api(
                .put,
                "/v1/customers/" + key,
                ["name": .string(key), "timezone": .string(zone), "subjects": [.string(key)]]
            )
        }
        try await house.send([
            event("1", "kiwi", 100, "2026-10-31T10:30:00Z"),
            event("2", "kiwi", 7, "2026-10-31T12:00:00Z"),
            event("3", "yankee", 1_000, "2026-10-01T03:00:00Z"),
            event("4", "yankee", 9, "2026-10-02T00:00:00Z"),
        ])
        return house
    }

    @Test("meters of one type in two zones show what their own pages show") func zones()
        async throws
    {
        let house = try await Self.world()
        let list = try await house.page("/console/meters").text
        for (subject, value) in [("kiwi", "7"), ("yankee", "9")] {
            let way = "/console/meters/calls~" + subject
            let own = try await house.page(way).text
            let customer = try await house.page("/console/customers/" + subject).text
            let figures = Self.part(own, from: "<dl class=\"stats\">", to: "</dl>")
            #expect(figures.contains("<data class=\"q\" value=\"\(value)\""), "\(subject)")
            for page in [list, customer] {
                let row = Self.part(page, from: "data-href=\"\(way)\"", to: "</tr>")
                #expect(row.contains("<data class=\"q\" value=\"\(value)\""), "\(subject): \(row)")
            }
        }
    }

    @Test("who is near capacity is reckoned in each meter's zone") func capacity() async throws {
        let house = try await Self.world()
        let seen = try await house.page("/console")
        let card = Self.part(seen.text, from: "Near capacity", to: "</section>")
        #expect(card.contains("kiwi · Calls</a><span class=\"soft\">70 %"))
        #expect(card.contains("yankee · Calls</a><span class=\"soft\">90 %"))
        #expect(!card.contains("Of the first"))
        let closing = Self.part(seen.text, from: "Periods that end soon", to: "</section>")
        #expect(closing.contains("America/New_York"))
        #expect(!closing.contains("Pacific/Auckland"))
    }

    @Test("where there are too many meters to look at, it says at how many it looked")
    func someOfThem() async throws {
        let house = try await Self.world()
        let meters = (0...1_000).map { number -> JSONValue in
            ["meterType": "calls", "subject": .string("a\(number)")]
        }
        try await house.api(.post, "/v1/meters", ["meters": .array(meters)])
        let seen = try await house.page("/console")
        #expect(seen.text.contains("Of the first 1,000 meters with a capacity"))
    }

    @Test("the days of a sparkline are those of the meter's zone, and no event is a flat line")
    func days() async throws {
        let house = try await Self.world()
        try await house.api(.post, "/v1/meters", ["meterType": "calls", "subject": "idle"])
        let list = try await house.page("/console/meters").text
        let kiwi = Self.part(list, from: "data-href=\"/console/meters/calls~kiwi\"", to: "</tr>")
        // 100 on the last of October, and 7 on the first of November.
        #expect(kiwi.contains("L88,0L96,21\""), "\(kiwi)")
        let idle = Self.part(list, from: "data-href=\"/console/meters/calls~idle\"", to: "</tr>")
        #expect(idle.contains("d=\"M0,22L7,22"), "\(idle)")
    }

    // MARK: One meter

    /// Events with a region, without one, and with an empty one; the last of them came late.
    private static func regions() async throws -> DeskHouse {
        let house = try await DeskHouse()
        try await house.api(
            .post,
            "/v1/meter-types",
            [
                "key": "calls", "eventTypes": ["call"], "aggregation": "sum",
                "value": "$.data.amount", "dimensions": ["region": "$.data.region"],
                "resetSchedule": "monthly",
            ]
        )
        func event(_ id: String, _ region: JSONValue?, _ amount: String, _ time: String)
            -> JSONValue
        {
            var data: JSONObject = ["amount": .number(amount)]
            data["region"] = region
            return [
                "id": .string(id), "source": "s", "type": "call", "subject": "acme",
                "time": .string(time), "data": .object(data),
            ]
        }
        try await house.send([
            event("north", "north", "1", "2026-10-10T12:00:00Z"),
            event("none", nil, "20", "2026-10-10T12:00:00Z"),
            event("empty", "", "300", "2026-10-10T12:00:00Z"),
            event("early", nil, "4000", "2026-10-01T12:00:00Z"),
        ])
        try await house.send([event("late", "north", "50000", "2026-10-10T13:00:00Z")])
        return house
    }

    private static let days = "from=2026-10-10&to=2026-10-11"

    /// The links of the rows below a heading, as addresses.
    private static func links(_ text: String, below heading: String) -> [String] {
        let card = part(text, from: heading, to: "</section>")
        return card.components(separatedBy: "data-href=\"").dropFirst().map {
            String($0.prefix { $0 != "\"" }).replacing("&amp;", with: "&")
        }
    }

    @Test("dimensions follow the range, and each leads to exactly its events")
    func dimensions() async throws {
        let house = try await Self.regions()
        let seen = try await house.page("/console/meters/calls~acme?" + Self.days)
        let links = Self.links(seen.text, below: "By dimensions")
        var found: [Set<String>] = []
        for link in links {
            let events = try await house.page(link)
            let ids = ["north", "none", "empty", "early", "late"].filter {
                events.text.contains("data-href=\"/console/events/s/\($0)\"")
            }
            found.append(Set(ids))
        }
        // The largest comes first.
        #expect(found == [["north", "late"], ["empty"], ["none"]])
        #expect(!Self.part(seen.text, from: "By dimensions", to: "</section>").contains("4020"))
    }

    @Test("as of a position the whole page is as of it, and so are the events it leads to")
    func asOf() async throws {
        let house = try await Self.regions()
        let path = "/console/meters/calls~acme?" + Self.days
        let seen = try await house.page(path + "&window=day&asOf=4").text
        #expect(seen.contains("<h2>As of position 4</h2>"))
        #expect(!Self.part(seen, from: "<main", to: "</main>").contains("5032"))
        #expect(Self.part(seen, from: "data-chart", to: "</table>").contains("value=\"321\""))
        let past = Self.part(seen, from: "<dt>Period before</dt>", to: "</div>")
        #expect(past.contains("value=\"4321\""))
        let dimensions = Self.part(seen, from: "By dimensions", to: "</section>")
        #expect(dimensions.contains("value=\"1\""))
        let links = Self.links(seen, below: "By dimensions")
        #expect(links.allSatisfy { $0.contains("&asOf=4") })
        let bar = Self.part(seen, from: "/console/events?", to: "\"")
        #expect(bar.hasSuffix("&amp;asOf=4"))
        let events = try await house.page(bar.replacing("&amp;", with: "&")).text
        #expect(events.contains("/console/events/s/north"))
        #expect(!events.contains("/console/events/s/late"))
        #expect(events.contains("name=\"asOf\""))
        // What can't be told as of then is told at no other time.
        let ahead = try await house.page(path + "&asOf=99", status: 422).text
        #expect(ahead.contains("value=\"99\""))
        #expect(!ahead.contains("<data"))
    }

    @Test("why a number is what it is: since one state of knowledge, as of another")
    func changes() async throws {
        let house = try await Self.regions()
        let path = "/console/meters/calls~acme?tab=changes&" + Self.days
        let first = try await house.page(path + "&asOf=4").text
        let last = try await house.page(path + "&since=4").text
        #expect(first.contains("from position 0, where it was"))
        #expect(first.contains("to 4</p>"))
        #expect(first.contains("value=\"321\""))
        #expect(!first.contains("value=\"50321\""))
        #expect(last.contains("from position 4, where it was"))
        #expect(last.contains("value=\"50000\""))
        #expect(last.contains("name=\"since\" value=\"4\""))
    }

    @Test("the days of a statement are those of the customer's zone, midnight or none")
    func statement() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        for (key, zone, days, instants) in [
            (
                "santiago", "America/Santiago", ("2026-09-06", "2026-09-07"),
                ("2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z")
            ),
            (
                "beirut", "Asia/Beirut", ("2026-03-29", "2026-03-30"),
                ("2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z")
            ),
            (
                "auckland", "Pacific/Auckland", ("2026-10-01", "2026-11-01"),
                ("2026-09-30T11:00:00Z", "2026-10-31T11:00:00Z")
            ),
        ] {
            try await house.api(
                .put,
                "/v1/customers/" + key,
                ["name": .string(key), "timezone": .string(zone)]
            )
            let own = "/customers/\(key)/statement?from="
            let seen = try await house.ask(.get, "/console\(own)\(days.0)&to=\(days.1)")
            let same = try await house.ask(.get, "/v1\(own)\(instants.0)&to=\(instants.1)")
            #expect((seen.status, same.status) == (200, 200), "\(key): \(seen.text.prefix(500))")
            #expect(seen.text == same.text, "\(key)")
        }
    }
}
