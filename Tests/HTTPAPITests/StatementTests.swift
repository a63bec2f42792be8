import HTTPTypes
import MeteringEngine
import Testing
import UsageModel
import WireFormat

/// `GET /v1/customers/{key}/statement`.
@Suite("Statements") struct StatementTests {
    private static let day: Int64 = 86_400_000_000
    private static let november = "?from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z"

    /// A record of the day of November that starts so many days after its first.
    private static func record(
        _ sequence: Int64,
        _ subject: String = "house-7",
        day: Int64 = 0,
        revision: Int = 0,
        value: String? = "12.5",
        delta: String = "12.5",
        _ change: (inout UsageRecord) -> Void = { _ in }
    ) throws -> UsageRecord {
        let meterType = try #require(MeterTypeKey("kwh"))
        let meter = try #require(MeterID(meterType: meterType, subject: subject))
        let start = Instant(microseconds: Edge.now.microseconds + day * Self.day)
        var record = UsageRecord(
            sequence: sequence,
            id: UsageRecordID(meter: meter, start: start, revision: revision),
            kind: revision == 0 ? .final : .adjustment,
            cause: revision == 0 ? .periodEnd : .late,
            meter: meter,
            version: 1,
            period: start..<Instant(microseconds: start.microseconds + Self.day),
            zone: "UTC",
            revision: revision,
            value: try value.map { try Quantity($0) },
            delta: try Quantity(delta),
            events: 4,
            eventsDelta: revision == 0 ? 4 : 1,
            position: Position(7),
            createdAt: Instant(microseconds: start.microseconds + 2 * Self.day)
        )
        record.customer = CustomerKey("acme")
        record.labels.name = "Energy"
        record.labels.unit = "kWh"
        change(&record)
        return record
    }

    /// An edge that knows the customer.
    private static func edge(
        _ records: [UsageRecord],
        customer: String = #"{"name":"Acme GmbH","externalRef":"cus_77"}"#
    ) async throws -> Edge {
        let edge = Edge(records: ScriptedRecords(records))
        let headers: HTTPFields = [.contentType: "application/json"]
        let put = try await edge.ask(.put, "/v1/customers/acme", Array(customer.utf8), headers)
        #expect(put.status == 201)
        return edge
    }

    private static func text(_ records: [UsageRecord]) async throws -> String {
        try await edge(records).get("/v1/customers/acme/statement" + november).text
    }

    /// The rows of all tables, the cells' texts in each.
    private static func rows(_ html: String) -> [[String]] {
        html.split(separator: "<tr").dropFirst().map { row in
            let row = row.prefix(upTo: row.firstRange(of: "</tr>")?.lowerBound ?? row.endIndex)
            return row.matches(of: /<t[hd][^>]*>(.*?)<\/t[hd]>/).map { cell in
                String(cell.1).replacing("<br>", with: " ").replacing(/<[^>]*>/, with: "")
            }
        }
    }

    @Test("the head says whose it is, of what time, and as of when")
    func head() async throws {
        let edge = try await Self.edge([])
        edge.ledger.told { script in
            var status = LedgerStatus()
            status.position = Position(1_021)
            script.status = status
        }

        let reply = try await edge.get("/v1/customers/acme/statement" + Self.november)

        #expect(reply.status == 200)
        #expect(reply.headers[.contentType] == "text/html; charset=utf-8")
        #expect(reply.text.hasPrefix("<!doctype html>\n<html lang=\"en\">"))
        let words = reply.text.replacing(/<[^>]*>/, with: "")
        for said in [
            "Acme GmbH", "Customeracme\n", "External referencecus_77\n",
            "after 2026-11-01 00:00 UTC, at the latest 2026-12-01 00:00 UTC",
            "Position of the log1021\n", "Made2026-11-01 00:00 UTC\n",
            "No period that ended in this time is closed",
        ] {
            #expect(words.contains(said), "\(said)")
        }
    }

    @Test("it needs nothing else, and has no script")
    func selfContained() async throws {
        let html = try await Self.text([try Self.record(1)])

        for foreign in ["<script", "<link", "<img", "src=", "href=", "url(", "@import", "http"] {
            #expect(!html.contains(foreign), "\(foreign)")
        }
        #expect(html.contains("@media print") && html.contains("@page"))
    }

    @Test("a row for each period, by subject and time, and their sum")
    func rows() async throws {
        let records = [
            try Self.record(1, day: 1, value: "0.1", delta: "0.1"),
            try Self.record(2, value: "0.2", delta: "0.2") { record in
                record.zone = "Australia/Sydney"
                record.localStart = "2026-11-01T11:00:00+11:00"
                record.localEnd = "2026-11-02T11:00:30+11:00"
            }, try Self.record(3, "attic", value: nil, delta: "0"),
        ]

        let html = try await Self.text(records)

        #expect(
            Self.rows(html) == [
                ["Subject", "Period", "Usage record", "Events", "Value", "Amount"],
                [
                    "attic", "2026-11-01 00:00 UTC – 2026-11-02 00:00 UTC UTC",
                    records[2].id.text, "4", "none", "0",
                ],
                [
                    "house-7",
                    "2026-11-01 11:00 +11:00 – 2026-11-02 11:00:30 +11:00 Australia/Sydney",
                    records[1].id.text, "4", "0.2", "0.2",
                ],
                [
                    "house-7", "2026-11-02 00:00 UTC – 2026-11-03 00:00 UTC UTC",
                    records[0].id.text, "4", "0.1", "0.1",
                ], ["Sum of amounts", "12", "", "0.3 kWh"],
            ]
        )
        #expect(html.contains("Meter type kwh, in <bdi>kWh</bdi></caption>"))
        #expect(html.contains("GET /v1/usage-records/{id}"))
    }

    @Test("an adjusted period shows its close, each adjustment, and what is known now")
    func adjusted() async throws {
        let last = try Self.record(3, revision: 2, value: "13", delta: "2") { $0.events = 6 }
        let records = [
            try Self.record(1), try Self.record(2, revision: 1, value: "11", delta: "-1.5"), last,
        ]

        let rows = Self.rows(try await Self.text(records))

        let made = "made 2026-11-03 00:00 UTC"
        #expect(rows.dropFirst(1).first?.suffix(3) == ["4", "12.5", "12.5"])
        #expect(
            rows.dropFirst(2) == [
                ["Adjustment 1", made, records[1].id.text, "+1", "-1.5", "-1.5"],
                ["Adjustment 2", made, last.id.text, "+1", "+2", "2"],
                ["Adjusted value", "", "6", "13", ""],
                ["Sum of amounts", "6", "", "13 kWh"],
            ]
        )
    }

    @Test("what is told with another record adds nothing here, and is told there")
    func toldElsewhere() async throws {
        let other = try Self.record(3, day: 1) { record in
            record.late = [
                .init(
                    id: record.id,
                    period: record.period,
                    delta: Quantity(mantissa: 2_000_000_000_000_000_000),
                    events: 1
                )
            ]
        }
        let adjustment = try Self.record(2, revision: 1, value: "14.5", delta: "2") {
            $0.toldIn = other.id
        }

        let rows = Self.rows(try await Self.text([try Self.record(1), adjustment, other]))

        let told = try #require(rows.first { $0.first == "Adjustment 1" })
        #expect(told.suffix(2) == ["+2", "0"])
        #expect(told[1].hasSuffix("amount in \(other.id.text)"))
        #expect(rows.contains { $0.suffix(2) == ["12.5", "14.5"] })
        #expect(rows.contains { $0.first == "of it, late" && $0.suffix(2) == ["", "(+2)"] })
        #expect(rows.last?.last == "27 kWh")
    }

    @Test("units that differ, and sums past all quantities, are said in words")
    func noSum() async throws {
        let most = "170141183460469231731"
        let units = [try Self.record(1), try Self.record(2, day: 1) { $0.labels.unit = "MWh" }]
        let large = try (Int64(0)...1).map {
            try Self.record($0 + 1, day: $0, value: most, delta: most)
        }

        let differing = Self.rows(try await Self.text(units))
        let overflowing = Self.rows(try await Self.text(large))

        #expect(differing.last == ["Sum of amounts", "8", "none: the units differ"])
        #expect(differing.map(\.last).contains("12.5 MWh"))
        #expect(overflowing.last == ["Sum of amounts", "8", "none: it is past 1.7·10²⁰"])
    }

    @Test("texts of others are text, whatever they hold")
    func escaped() async throws {
        let evil = #"<script>alert("1")</script>&'"#
        let spelled = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;"
        let record = try Self.record(1, evil) { record in
            record.labels.name = evil
            record.labels.unit = evil
            record.labels.category = evil + "\u{1}"
            record.zone = evil
        }
        let name = JSONValue.string(evil)
        let customer = JSONValue.object(["name": name, "externalRef": name]).canonical
        let edge = try await Self.edge([record], customer: customer)

        let html = try await edge.get("/v1/customers/acme/statement" + Self.november).text

        #expect(!html.contains("<script"))
        #expect(html.split(separator: spelled, omittingEmptySubsequences: false).count == 10)
        #expect(html.contains("<bdi>\(spelled)\u{FFFD}</bdi>"))
    }

    @Test("it shows periods that end after from and not after to, of this customer, none interim")
    func chosen() async throws {
        let before = try Self.record(1, day: -1)
        let last = try Self.record(2, day: 29)
        let after = try Self.record(3, day: 30)
        let another = try Self.record(4) { $0.customer = CustomerKey("other") }
        let interim = try Self.record(5) { $0.kind = .interim }
        let crossing = try Self.record(6, day: 28) { record in
            let start = record.period.lowerBound
            record.period = start..<Instant(microseconds: start.microseconds + 9 * Self.day)
        }

        let html = try await Self.text([before, last, after, another, interim, crossing])

        #expect(
            Self.rows(html).map { $0.dropFirst(2).first ?? "" }.filter { $0.hasPrefix("ur_") }
                == [last.id.text]
        )
    }

    @Test("a statement of too many records is refused", arguments: [(10_000, 200), (10_001, 422)])
    func limit(count: Int, status: Int) async throws {
        let records = try (1...Int64(count)).map { try Self.record($0, "house-\($0)") }
        let edge = try await Self.edge(records)

        let reply = try await edge.get("/v1/customers/acme/statement" + Self.november)

        #expect(reply.status == status)
        #expect(reply.problem == (status == 200 ? nil : "limit-exceeded"))
        #expect(status == 422 || Self.rows(reply.text).count == count + 2)
    }

    @Test(
        "what is asked must be whole",
        arguments: [
            ("acme/statement", 422), ("acme/statement?from=2026-11-01T00:00:00Z", 422),
            ("acme/statement?from=2026-11-01T00:00:00Z&to=2026-11-01T00:00:00Z", 422),
            ("acme/statement?from=x&to=2026-11-01T00:00:00Z", 422),
            ("acme/statement" + november + "&zone=UTC", 400),
            ("nobody/statement" + november, 404), ("a%20b/statement" + november, 404),
            ("acme/statement" + november + "&pretty", 200),
        ]
    )
    func refused(path: String, status: Int) async throws {
        let edge = try await Self.edge([])

        #expect(try await edge.get("/v1/customers/" + path).status == status)
    }

    @Test("a server that keeps no records makes none")
    func keepsNone() async throws {
        let edge = Edge()
        let headers: HTTPFields = [.contentType: "application/json"]
        _ = try await edge.ask(.put, "/v1/customers/acme", Array("{}".utf8), headers)

        let reply = try await edge.get("/v1/customers/acme/statement" + Self.november)

        #expect(reply.status == 404)
    }
}
