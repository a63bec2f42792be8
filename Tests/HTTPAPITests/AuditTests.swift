import HTTPTypes
import MeteringEngine
import SQLiteLedger
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

@Suite("The audit trail over HTTP") struct AuditTests {
    /// A call, its status, and the entries that it leaves.
    private struct Row {
        var method: HTTPRequest.Method
        var path: String
        var body: String
        var status: Int
        var entries: [String]

        init(
            _ method: HTTPRequest.Method,
            _ path: String,
            _ body: String,
            _ status: Int,
            _ entries: String...
        ) {
            (self.method, self.path, self.body) = (method, path, body)
            (self.status, self.entries) = (status, entries)
        }
    }

    private static let calls = #"{"key":"calls","eventTypes":["call"],"aggregation":"count","#
    private static let secret = DeliveryDesk.secret
    private static let other = "whsec_" + String(repeating: "QUJD", count: 8)

    private static func webhook(_ secret: String, url: String = "https://example.com/u") -> String {
        #"{"webhook":{"url":"\#(url)","secrets":["\#(secret)"]}}"#
    }

    /// In their order: what was made before is there after.
    private static let rows: [Row] = [
        Row(.post, "meter-types", calls + #""name":"A"}"#, 201, "create meter-type calls"),
        Row(.post, "meter-types", calls + #""name":"A"}"#, 200),
        Row(.post, "meter-types", calls + #""name":"B"}"#, 409),
        Row(.post, "meter-types", #"{"key":"broken"}"#, 422),
        Row(.patch, "meter-types/calls", #"{"name":"B"}"#, 200, "revise meter-type calls"),
        Row(.patch, "meter-types/calls", #"{"name":"B"}"#, 200),
        Row(.patch, "meter-types/calls", #"{"aggregation":"sum"}"#, 422),
        Row(.patch, "meter-types/none", #"{"name":"B"}"#, 404),
        Row(.delete, "meter-types/calls/backfill", "", 404),
        Row(.post, "meter-types/preview", "{}", 422),
        Row(.post, "meters", meter("van-1"), 201, "enrol meter calls~van-1"),
        Row(.post, "meters", meter("van-1"), 200),
        Row(.post, "meters", #"{"meterType":"none","subject":"van-1"}"#, 404),
        Row(
            .post,
            "meters",
            #"{"meters":[\#(meter("van-1")),\#(meter("van-2")),\#(meter("van-3"))]}"#,
            201,
            "enrol meter calls~van-2",
            "enrol meter calls~van-3"
        ),
        Row(.patch, "meters/calls~van-1", #"{"category":"x"}"#, 200, "alter meter calls~van-1"),
        Row(.patch, "meters/calls~van-1", #"{"category":"x"}"#, 200),
        Row(.post, "meters/calls~van-1/suspend", because, 200, "suspend meter calls~van-1"),
        Row(.post, "meters/calls~van-1/suspend", because, 200),
        Row(.post, "meters/calls~van-1/suspend", "{}", 422),
        Row(.post, "meters/calls~van-1/resume", because, 200, "resume meter calls~van-1"),
        Row(.post, "meters/calls~van-1/close", because, 200, "close meter calls~van-1"),
        Row(.put, "customers/acme", #"{"subjects":["van-1"]}"#, 201, "create customer acme"),
        Row(.put, "customers/acme", #"{"subjects":["van-1"]}"#, 200),
        Row(.put, "customers/acme", #"{"subjects":["van-2"]}"#, 200, "change customer acme"),
        Row(.put, "customers/other", #"{"subjects":["van-2"]}"#, 409),
        Row(.delete, "customers/acme", "", 200, "retire customer acme"),
        Row(.delete, "customers/acme", "", 200), Row(.delete, "customers/none", "", 404),
        Row(.put, "destinations/billing", webhook(secret), 201, "create destination billing"),
        Row(.put, "destinations/billing", webhook(secret), 200),
        Row(.put, "destinations/billing", webhook(other), 200, "change destination billing"),
        Row(.put, "destinations/bad", webhook(secret, url: "https://nowhere.example"), 422),
        Row(.post, "destinations/billing/pause", "", 200, "pause destination billing"),
        Row(.post, "destinations/billing/pause", "", 200),
        Row(.post, "destinations/billing/resume", "", 200, "resume destination billing"),
        Row(.post, "destinations/billing/test", "", 200, "test destination billing"),
        Row(.post, "destinations/none/test", "", 404),
        Row(.post, "deliveries/resend", failed, 200),
        Row(.post, "usage-records", final("van-3"), 201, "close-period meter calls~van-3"),
        Row(.post, "usage-records", final("van-3"), 200),
        Row(.post, "usage-records", #"{"meter":"calls~none","kind":"final"}"#, 404),
        Row(.delete, "destinations/billing", "", 200, "retire destination billing"),
        Row(.delete, "destinations/billing", "", 200),
        Row(.put, "destinations/billing", webhook(secret), 409),
        Row(.post, "destinations/billing/test", "", 409),
        Row(.delete, "meter-types/calls", "", 200, "retire meter-type calls"),
        Row(.delete, "meter-types/calls", "", 200), Row(.delete, "meter-types/none", "", 404),
        Row(.post, "events", "[\(Edge.event("a"))]", 200),
    ]

    private static let because = #"{"reason":"moved","from":"2026-11-02T00:00:00Z"}"#
    private static let failed = #"{"destination":"billing","state":"failed"}"#

    private static func meter(_ subject: String) -> String {
        #"{"meterType":"calls","subject":"\#(subject)","start":"2026-10-15T00:00:00Z"}"#
    }

    private static func final(_ subject: String) -> String {
        #"{"meter":"calls~\#(subject)","kind":"final"}"#
    }

    private func ask(_ desk: DeliveryDesk, _ row: Row, reason: String) async throws -> Edge.Reply {
        var headers: HTTPFields = [
            AuthorHeaders.actor: "kim", AuthorHeaders.reason: reason, .userAgent: "table/1",
        ]
        if !row.body.isEmpty { headers[.contentType] = "application/json" }
        let body = row.body.isEmpty ? nil : Array(row.body.utf8)
        return try await desk.edge.ask(row.method, "/v1/" + row.path, body, headers)
    }

    private func trail(_ desk: DeliveryDesk, after: Int) async throws -> [JSONValue] {
        let reply = try await desk.get("audit?format=ndjson&limit=1000&after=\(after)")
        return reply.text.split(separator: "\n").map { JSONValue.of(String($0)) }
    }

    @Test("each change leaves one entry, and what changes nothing or is refused leaves none")
    func table() async throws {
        let desk = try DeliveryDesk()
        var count = 0
        for (place, row) in Self.rows.enumerated() {
            let reply = try await ask(desk, row, reason: "row \(place)")
            #expect(reply.status == row.status, "\(row.method) \(row.path): \(reply.text)")
            let entries = try await trail(desk, after: count)
            let words = entries.map { entry in
                ["action", "kind", "key"].map { entry[$0]?.stringValue ?? "" }
                    .joined(separator: " ")
            }
            #expect(words == row.entries, "\(row.method) \(row.path) \(row.body)")
            for (step, entry) in entries.enumerated() {
                #expect(entry["number"] == .string(String(count + step + 1)))
                #expect(entry["actor"] == "kim" && entry["client"] == "table/1")
                let own = row.body.contains("moved") ? "moved" : "row \(place)"
                #expect(entry["reason"] == .string(own))
                #expect(entry["at"] == .string(Edge.now.rfc3339))
            }
            count += entries.count
        }
        let whole = try await trail(desk, after: 0)
        var check = AuditCheck()
        for line in whole {
            check.take(try #require(line.objectValue.flatMap(AuditDocument.read)))
        }
        let report = check.finish()
        #expect(report.isSound && report.entries == Int64(count), "\(report.findings)")
        #expect(!whole.map(\.canonical).joined().contains("whsec_"))
        let changed = whole.filter { $0["after"]?["secretsChanged"] == true }
        #expect(changed.map { $0["action"] } == ["change"])
    }

    @Test("before and after are the thing as it was and is")
    func documents() async throws {
        let desk = try DeliveryDesk()
        for row in Self.rows { _ = try await ask(desk, row, reason: "") }
        let entries = try await trail(desk, after: 0)
        func entry(_ action: String, _ kind: String) throws -> JSONValue {
            try #require(
                entries.first {
                    $0["action"]?.stringValue == action
                        && $0["kind"]?.stringValue == kind
                }
            )
        }
        let revised = try entry("revise", "meter-type")
        #expect(revised["before"]?["name"] == "A" && revised["after"]?["name"] == "B")
        #expect(revised["after"]?["version"]?.integerValue == 2)
        let enrolled = try entry("enrol", "meter")
        #expect(enrolled["before"] == nil)
        #expect(enrolled["after"]?["start"] == "2026-10-15T00:00:00Z")
        let resumed = try entry("resume", "meter")
        #expect(resumed["before"]?["state"] == "suspended")
        #expect(resumed["after"]?["state"] == "active")
        let moved = try entry("change", "customer")
        #expect(moved["before"]?["subjects"] == ["van-1"])
        #expect(moved["after"]?["subjects"] == ["van-2"])
        let paused = try entry("pause", "destination")
        #expect(paused["before"]?["paused"] == false && paused["after"]?["paused"] == true)
        #expect(
            paused["after"]?["webhook"]?["secrets"] == [.string(DestinationDocument.hidden)]
        )
        let retired = try entry("retire", "meter-type")
        #expect(retired["before"]?["retiredAt"] == nil)
        #expect(retired["after"]?["retiredAt"] == .string(Edge.now.rfc3339))
        let closed = try entry("close-period", "meter")
        #expect(closed["after"]?["records"]?.arrayValue?.isEmpty == false)
    }

    @Test("deliveries that are sent again leave an entry with their number")
    func resent() async throws {
        let desk = try DeliveryDesk()
        _ = try await desk.put("billing")
        try await desk.owe("a", "b")
        try await desk.settle(1, as: .failed, status: 400)
        let before = try await trail(desk, after: 0).count
        _ = try await desk.post("deliveries/resend", Self.failed)
        _ = try await desk.post("deliveries/resend", Self.failed)
        let entries = try await trail(desk, after: before)

        #expect(entries.count == 1)
        #expect(entries.first?["action"] == "resend" && entries.first?["key"] == "billing")
        #expect(entries.first?["after"] == ["resent": "1", "state": "failed"])
    }

    @Test(
        "the trail is listed newest first, by any of its filters",
        arguments: [
            ("kind=customer", 3), ("kind=customer&kind=destination", 9), ("key=calls", 3),
            ("key=calls~van-1&action=suspend,close", 2), ("actor=kim&kind=meter", 8),
            ("actor=lee", 0), ("from=2026-11-01T00:00:00Z", 20), ("to=2026-11-01T00:00:00Z", 0),
            ("after=18", 2), ("action=test", 1),
        ]
    )
    func filters(query: String, count: Int) async throws {
        let desk = try DeliveryDesk()
        for row in Self.rows { _ = try await ask(desk, row, reason: "") }
        let all = try await desk.get("audit?" + query)
        var (numbers, cursor): ([String], String?) = ([], "")
        while let next = cursor {
            let more = next.isEmpty ? "" : "&cursor=\(next)"
            let page = try await desk.get("audit?\(query)&limit=2\(more)")
            numbers += page.items.compactMap { $0["number"]?.stringValue }
            cursor = page.json["next"]?.stringValue
        }

        #expect(all.status == 200)
        let listed = all.items.compactMap { $0["number"]?.stringValue }
        #expect(listed.count == count)
        #expect(listed == numbers)
        let sorted = listed.compactMap { Int($0) }
        #expect(sorted == sorted.sorted(by: >))
        #expect(all.json["head"]?.stringValue?.hasPrefix("20:") == true)
    }

    @Test("as NDJSON it comes oldest first, in pages, with the head of the trail")
    func lines() async throws {
        let desk = try DeliveryDesk()
        for row in Self.rows { _ = try await ask(desk, row, reason: "") }
        let accepted: HTTPFields = [.accept: "application/x-ndjson"]
        let first = try await desk.edge.get("/v1/audit?limit=15", accepted)
        let link = try #require(first.headers[.link])
        let path = String(link.drop { $0 != "/" }.prefix { $0 != ">" })
        let second = try await desk.edge.get(path, accepted)
        let other = try await desk.edge.get(path)
        let lines = (first.text + second.text).split(separator: "\n").map(String.init)
        let numbers = lines.compactMap { JSONValue.of($0)["number"]?.stringValue }

        #expect(numbers == (1...20).map(String.init))
        #expect(second.headers[.link] == nil)
        let line = try #require(lines.last)
        let last = try #require(JSONValue.of(line)["hash"]?.stringValue)
        #expect(first.headers[.odometerAuditHead] == "20:" + last)
        #expect(other.problem == "invalid-cursor")
    }

    @Test("who says too much of himself is refused, and nothing is changed")
    func tooLong() async throws {
        let desk = try DeliveryDesk()
        let put = { (actor: Int, reason: Int) in
            try await desk.edge.ask(
                .put,
                "/v1/customers/acme",
                Array("{}".utf8),
                [
                    .contentType: "application/json",
                    AuthorHeaders.actor: String(repeating: "a", count: actor),
                    AuthorHeaders.reason: String(repeating: "r", count: reason),
                    .userAgent: String(repeating: "u", count: 1_000),
                ]
            )
        }
        let refused = try await put(Limits.authorBytesMax + 1, Limits.reasonBytesMax + 1)
        let none = try await desk.get("audit")
        let made = try await put(Limits.authorBytesMax, Limits.reasonBytesMax)
        let one = try await desk.get("audit")

        #expect((refused.status, refused.problem) == (422, "invalid-field"))
        #expect(refused.pointers == ["Odometer-Actor", "Odometer-Reason"])
        #expect(none.items == [] && none.json["head"] == .string("\(AuditHead.beginning)"))
        #expect(made.status == 201)
        let client = one.items.first?["client"]?.stringValue
        #expect(client?.utf8.count == Limits.auditClientBytesMax)
    }
}
