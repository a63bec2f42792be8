import Foundation
import HTTPTypes
import Testing
import WireFormat

@Suite("The Console: enrolling, suspending, closing meters") struct MeterStandingTests {
    private static let path = "/console/meters/all~acme/standing"

    /// What is shown of it, and the answer to the button below that, pressed with other fields.
    private static func confirm(
        _ house: DeskHouse,
        _ fields: [String: String],
        at path: String = path,
        but changes: [String: String] = [:]
    ) async throws -> (plan: DeskHouse.Seen, done: DeskHouse.Seen) {
        func post(_ fields: [String: String]) async throws -> DeskHouse.Seen {
            try await house.post(path, pairs: fields.map { ($0.key, $0.value) })
        }
        let plan = try await post(fields.merging(["do": "look"]) { $1 })
        let shown = ["do": "confirm", "planned": plan.field("planned") ?? ""]
        return (plan, try await post(fields.merging(changes) { $1 }.merging(shown) { $1 }))
    }

    @Test("a meter is suspended after it was said what that does, and resumed") func suspend()
        async throws
    {
        let house = try await DeskHouse()
        try await house.fill()
        let fields = [
            "word": "suspend", "from": "2026-10-30", "to": "2026-10-31", "author": "Ada",
            "reason": "a test line",
        ]
        let (plan, done) = try await Self.confirm(house, fields)
        #expect(plan.status == 200)
        #expect(plan.text.contains("it counts 2 events now"))
        #expect(plan.text.contains("they no longer count"))
        #expect(plan.text.contains("value=\"a test line\""))
        #expect((done.status, done.location) == (303, Self.path))
        let meter = try await house.get("/v1/meters/all~acme")
        #expect(meter["events"]?.stringValue == "0")
        #expect(meter["states"]?.arrayValue?.first?["to"]?.stringValue == "2026-10-31T00:00:00Z")
        let said = done.headers[values: .setCookie].compactMap(\.removingPercentEncoding).joined()
        #expect(said.contains("from 2026-10-30 00:00 in UTC until 2026-10-31 00:00 in UTC."))
        let seen = try await house.page(Self.path + "?word=resume")
        #expect(seen.text.contains("value=\"resume\" checked"))
        #expect(seen.text.contains("a test line"))
        #expect(seen.text.contains("/console/audit?kind=meter&amp;key=all~acme"))
        let audit = try await house.page("/console/audit?kind=meter&key=all~acme")
        #expect(audit.text.contains("Ada"))

        let back = ["word": "resume", "from": "2026-10-30", "reason": "it was in use"]
        _ = try await Self.confirm(house, back)
        let resumed = try await house.get("/v1/meters/all~acme")
        #expect(resumed["events"]?.stringValue == "2")
    }

    @Test("what is done is what was shown, and now is when it was shown") func shown() async throws
    {
        let house = try await DeskHouse()
        try await house.fill()
        let fields = ["word": "suspend", "reason": "a test line"]
        for changes in [["word": "close"], ["from": "2026-10-01"], ["to": "2026-12-01"]] {
            let (_, other) = try await Self.confirm(house, fields, but: changes)
            #expect(other.status == 200, "\(changes)")
            #expect(other.text.contains("This is not what was shown before"), "\(changes)")
        }
        // Without a plan there is nothing to confirm.
        let bold = try await house.post(
            Self.path,
            ["word": "suspend", "reason": "in a hurry", "do": "confirm"]
        )
        #expect((bold.status, bold.field("planned") != nil) == (200, true))
        #expect(try await house.get("/v1/meters/all~acme")["states"] == nil)

        let (plan, done) = try await Self.confirm(house, fields)

        #expect(plan.text.contains("from 2026-11-01 00:00 in UTC on"))
        #expect(done.status == 303)
        let said = try await house.get("/v1/meters/all~acme")["states"]?.arrayValue?.first
        #expect(said?["from"]?.stringValue == "2026-11-01T00:00:00Z")
    }

    @Test("no meter is closed without a reason; what was typed stays") func close() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        let fields = ["word": "close", "from": "2026-10-01"]
        let (_, refused) = try await Self.confirm(house, fields)
        #expect(refused.status == 422)
        #expect(refused.text.contains("value=\"2026-10-01\""))
        #expect(refused.text.contains("value=\"close\" checked"))
        #expect(refused.text.contains("id=\"reason-error\""))
        let (_, closed) = try await Self.confirm(house, fields.merging(["reason": "gone"]) { $1 })
        #expect(closed.status == 303)
        let seen = try await house.page("/console/meters/all~acme")
        #expect(seen.text.contains("<span class=\"tag tag--quiet\">closed</span>"))
        #expect(seen.text.contains("closed: gone."))
        for (field, value) in [("from", "soon"), ("to", "2026-12-01")] {
            let wrong = try await house.post(
                Self.path,
                ["word": "close", field: value, "do": "look"]
            )
            #expect(wrong.status == 422)
            #expect(
                wrong.text.contains(field == "to" ? "only a suspension has an end" : "not a time")
            )
        }
    }

    @Test("a subject is enrolled for a type that nobody uses unasked, and what came counts")
    func enrol() async throws {
        let house = try await DeskHouse()
        try await house.api(
            .post,
            "/v1/meter-types",
            [
                "key": "prints", "eventTypes": ["call"], "aggregation": "sum",
                "value": "$.data.amount", "enrolment": "explicit", "timezone": "Europe/Berlin",
            ]
        )
        try await house.send([DeskHouse.event("a"), DeskHouse.event("b")])
        let form = try await house.page("/console/meters/new")
        #expect(form.text.contains("<option value=\"prints\""))
        let fields = [
            "meterType": "prints", "subject": "acme", "start": "2026-10-30", "author": "Ada",
            "reason": "asked by phone",
        ]
        let (plan, other) = try await Self.confirm(
            house,
            fields,
            at: "/console/meters/new",
            but: ["start": "2026-10-29"]
        )
        #expect(plan.status == 200)
        #expect(plan.text.contains("2026-10-30 00:00 in Europe/Berlin"))
        #expect(plan.text.contains("Nothing of it counted before"))
        #expect(other.text.contains("This is not what was shown before"))
        #expect(other.text.contains("2026-10-29 00:00 in Europe/Berlin"))

        let (_, done) = try await Self.confirm(house, fields, at: "/console/meters/new")

        #expect((done.status, done.location) == (303, "/console/meters/prints~acme"))
        let meter = try await house.get("/v1/meters/prints~acme")
        #expect(meter["value"]?.stringValue == "10")
        #expect(meter["start"]?.stringValue == "2026-10-29T23:00:00Z")
        let missing = try await house.post("/console/meters/new", ["meterType": "prints"])
        #expect(missing.status == 422)
    }

    @Test("a day of a new meter is one of who owns the subject, where the meter type goes by them")
    func enrolInZone() async throws {
        let house = try await DeskHouse()
        try await house.api(
            .post,
            "/v1/meter-types",
            [
                "key": "calls", "eventTypes": ["call"], "aggregation": "count",
                "timezone": "customer",
            ]
        )
        try await house.api(
            .put,
            "/v1/customers/kiwi",
            ["name": "Kiwi", "timezone": "Pacific/Auckland", "subjects": ["kiwi", "kiwi 2"]]
        )
        for (subject, start, zone) in [
            ("kiwi", "2026-09-30T11:00:00Z", "Pacific/Auckland"),
            ("kiw", "2026-10-01T00:00:00Z", "UTC"), ("nobody", "2026-10-01T00:00:00Z", "UTC"),
        ] {
            let (plan, done) = try await Self.confirm(
                house,
                ["meterType": "calls", "subject": subject, "start": "2026-10-01", "reason": "new"],
                at: "/console/meters/new"
            )
            #expect(plan.text.contains("2026-10-01 00:00 in " + zone), "\(subject)")
            #expect(done.status == 303, "\(subject)")
            let meter = try await house.get("/v1/meters/calls~" + subject)
            #expect(meter["start"]?.stringValue == start, "\(subject)")
        }
    }

    @Test("all subjects of a customer are to be had, with their dates") func subjects() async throws
    {
        let house = try await DeskHouse()
        let subjects = (100..<230).map { number -> JSONValue in
            ["subject": .string("van-\(number)"), "from": "2026-01-01T00:00:00Z"]
        }
        try await house.api(
            .put,
            "/v1/customers/vans",
            ["name": "Vans", "timezone": "Europe/Berlin", "subjects": .array(subjects)]
        )
        let first = try await house.page("/console/customers/vans").text
        let third = try await house.page("/console/customers/vans?subjects=3").text
        let all = try await house.page("/console/customers/vans?subjects=all").text
        #expect(first.contains("1 to 50 of 130"))
        #expect(first.contains("van-149") && !first.contains(">van-150<"))
        #expect(first.contains("?subjects=2#subjects-owned"))
        #expect(third.contains("101 to 130 of 130"))
        #expect(third.contains(">van-229<") && !third.contains(">van-199<"))
        #expect(all.contains(">van-100<") && all.contains(">van-229<"))
    }
}
