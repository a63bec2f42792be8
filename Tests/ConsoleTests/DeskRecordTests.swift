import HTTPTypes
import MeteringEngine
import SQLiteLedger
import Testing
import UsageModel
import WireFormat

@Suite("The Console: records, destinations, audit") struct DeskRecordTests {
    /// A house with a daily meter type, a closed day, and an event that came late.
    private static func house() async throws -> DeskHouse {
        let house = try await DeskHouse()
        try await house.api(
            .post,
            "/v1/meter-types",
            [
                "key": "daily", "eventTypes": ["*"], "aggregation": "sum",
                "value": "$.data.amount", "resetSchedule": "daily", "unit": "token",
                "dimensions": ["note": "$.data.note"],
            ]
        )
        try await house.send([DeskHouse.event("a"), DeskHouse.event(DeskHouse.hostile)])
        let keeper = RecordKeeper(
            ledger: house.ledger,
            store: house.ledger,
            zones: SystemTimeZones(),
            clock: { DeskHouse.now }
        )
        while try await !keeper.takeTurn().isAll {}
        return house
    }

    @Test("records are listed newest first, and one shows events, adjustments and deliveries")
    func records() async throws {
        let bare = try await DeskHouse()
        #expect(try await bare.page("/console/records").text.contains("No period has closed"))
        let house = try await Self.house()
        let list = try await house.page("/console/records")
        let some = try await house.page("/console/records?subject=acme&kind=final")
        let items = try await house.get("/v1/usage-records?subject=acme")["items"]?.arrayValue
        let id = try #require(items?.first?["id"]?.stringValue)
        let one = try await house.page("/console/records/" + id)
        _ = try await house.page("/console/records/nothing", status: 404)

        #expect(!list.text.contains(DeskHouse.hostile))
        #expect(some.text.contains("/console/records/" + id))
        #expect(one.text.contains("/console/events/gateway%2Feu/a"))
        #expect(one.text.contains("It was sent nowhere"))
        #expect(one.text.contains("note = a"))
    }

    @Test("a destination is made by a form, tested, paused, changed and retired")
    func destination() async throws {
        let house = try await Self.house()
        let new = "/console/destinations/new"
        #expect(try await house.page("/console/destinations").text.contains("no destination"))
        for kind in ["webhook", "files", "stdout", "json"] {
            _ = try await house.page(new + "?kind=" + kind)
        }
        let secret = try #require(try await house.page(new).field("secret"))
        #expect(secret.hasPrefix("whsec_"))
        let refused = try await house.post(
            new,
            ["kind": "webhook", "key": "billing", "url": "nowhere", "secret": secret]
        )
        #expect(refused.status == 422)
        #expect(refused.text.contains("value=\"nowhere\""))
        let made = try await house.post(
            new,
            [
                "kind": "webhook", "key": "billing", "url": "http://127.0.0.1:9/closed",
                "secret": secret, "start": "first", "kinds": "final", "author": "kim",
            ]
        )
        #expect(made.location == "/console/destinations/billing")
        let again = try await house.post(new, ["kind": "stdout", "key": "billing"])
        #expect(again.status == 422)

        let place = "/console/destinations/billing"
        let page = try await house.page(place)
        #expect(page.text.contains("(hidden)"))
        #expect(!page.text.contains(secret))
        let test = try await house.post(place, ["do": "test"])
        #expect(test.status == 200)
        #expect(test.text.contains("The test was refused"))
        #expect(test.text.contains("gone for good"))
        #expect(try await house.post(place, ["do": "pause"]).status == 303)
        #expect(try await house.page(place).text.contains("paused"))
        #expect(try await house.post(place, ["do": "resume"]).status == 303)

        let revision = try #require(try await house.page(place).field("revision"))
        let definition = #"{"stdout":{}}"#
        let late = try await house.post(
            place,
            ["do": "define", "revision": "0", "definition": definition]
        )
        #expect(late.status == 412)
        #expect(late.text.contains("Somebody else saved first"))
        // Both were seen: to save again is to decide.
        #expect(late.field("revision") == revision)
        let saved = try await house.post(
            place,
            ["do": "define", "revision": revision, "definition": definition]
        )
        #expect(saved.status == 303)
        #expect(try await house.post(place, ["do": "retire"]).status == 303)
        #expect(try await house.page("/console/destinations").text.contains("retired"))
    }

    /// A try that was given up, with hostile words in all that came back.
    private static var failed: DeliveryResult {
        var result = DeliveryResult(
            numbers: [1],
            state: .failed,
            attempts: 20,
            at: DeskHouse.now,
            status: 500,
            answer: "<b>broken</b>"
        )
        result.requests = [
            SentRequest(
                at: DeskHouse.now,
                milliseconds: 1_234,
                method: "POST",
                address: "http://127.0.0.1:9/in?key=[secret]",
                headers: [
                    MetadataMember(name: "webhook-id", value: "<i>ur</i>"),
                    MetadataMember(name: "authorization", value: "[secret]"),
                ],
                bodyBytes: 812,
                bodyDigest: String(repeating: "ab", count: 32),
                status: 500,
                answer: "<b>so broken</b>"
            )
        ]
        result.requestCount = 7
        return result
    }

    @Test("a delivery that failed shows its answer and its request, and is sent again")
    func deliveries() async throws {
        let house = try await Self.house()
        #expect(try await house.page("/console/deliveries").text.contains("no destination"))
        let secret = "whsec_" + String(repeating: "TWFu", count: 8)
        try await house.api(
            .put,
            "/v1/destinations/billing",
            [
                "webhook": ["url": "http://127.0.0.1:9/in", "secrets": [.string(secret)]],
                "start": "first",
            ]
        )
        let key = try #require(DestinationKey("billing"))
        while try await house.ledger.enqueue(key, now: DeskHouse.now) {}
        let place = "/console/deliveries/billing/1"
        #expect(try await house.page(place).text.contains("Nothing was sent yet."))
        try await house.ledger.settle([Self.failed], of: key)

        let failing = try await house.page("/console/deliveries")
        let list = try await house.page("/console/deliveries?destination=billing&state=failed")
        let one = try await house.page(place)
        _ = try await house.page("/console/deliveries/billing/99", status: 404)
        #expect(failing.text.contains(place))
        #expect(list.text.contains("Send all that failed again"))
        #expect(one.text.contains("&lt;b&gt;broken&lt;/b&gt;"))
        #expect(one.text.contains("POST http://127.0.0.1:9/in?key=[secret]"))
        #expect(one.text.contains("The last 1 of its 7 requests."))
        #expect(one.text.contains("&lt;i&gt;ur&lt;/i&gt;"))
        #expect(one.text.contains("500, after 1,234 ms"))
        #expect(one.text.contains("&lt;b&gt;so broken&lt;/b&gt;"))
        #expect(one.text.contains("The last try sent other bytes"))
        #expect(try await house.post(place, ["reason": "mended"]).location == place)
        #expect(try await house.page(place).text.contains("data-poll"))
        let all = try await house.post("/console/deliveries", ["destination": "billing"])
        #expect(all.status == 303)
    }

    @Test("the audit trail tells who did what, and an entry what was before and after")
    func audit() async throws {
        let house = try await DeskHouse()
        #expect(try await house.page("/console/audit").text.contains("Nothing was changed yet"))
        try await house.fill()
        _ = try await house.post(
            "/console/corrections/new",
            [
                "kind": "void", "do": "make", "keys": "gateway/eu\ta", "author": "Ada<",
                "reason": "why & when",
            ]
        )
        let trail = try await house.page("/console/audit")
        let some = try await house.page("/console/audit?kind=correction&actor=Ada%3C")
        let entry = try await house.page("/console/audit/2")
        _ = try await house.page("/console/audit/99", status: 404)
        let wrong = try await house.page("/console/audit?from=never", status: 422)

        #expect(trail.text.contains("Ada&lt;"))
        #expect(trail.text.contains("links checked, all hold: 1"))
        #expect(some.text.contains("/console/corrections/c-1"))
        #expect(entry.text.contains("why &amp; when"))
        #expect(wrong.text.contains("value=\"never\""))
    }
}
