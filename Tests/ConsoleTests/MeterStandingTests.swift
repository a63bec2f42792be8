import HTTPTypes
import Testing
import WireFormat

@Suite("The Console: enrolling, suspending, closing meters") struct MeterStandingTests {
    private static let path = "/console/meters/all~acme/standing"

    @Test("a meter is suspended after it was said what that does, and resumed") func suspend()
        async throws
    {
        let house = try await DeskHouse()
        try await house.fill()
        let fields: KeyValuePairs<String, String> = [
            "word": "suspend", "from": "2026-10-30", "to": "2026-10-31", "author": "Ada",
            "reason": "a test line", "do": "look",
        ]
        let plan = try await house.post(Self.path, fields)
        #expect(plan.status == 200)
        #expect(plan.text.contains("it counts 2 events now"))
        #expect(plan.text.contains("they no longer count"))
        #expect(plan.text.contains("value=\"a test line\""))
        #expect(try await house.get("/v1/meters/all~acme")["states"] == nil)

        let done = try await house.post(
            Self.path,
            [
                "word": "suspend", "from": "2026-10-30", "to": "2026-10-31", "author": "Ada",
                "reason": "a test line", "do": "say",
            ]
        )

        #expect((done.status, done.location) == (303, Self.path))
        let meter = try await house.get("/v1/meters/all~acme")
        #expect(meter["events"]?.stringValue == "0")
        #expect(meter["states"]?.arrayValue?.first?["to"]?.stringValue == "2026-10-31T00:00:00Z")
        let seen = try await house.page(Self.path + "?word=resume")
        #expect(seen.text.contains("a test line"))
        #expect(seen.text.contains("/console/audit?kind=meter&amp;key=all~acme"))
        let audit = try await house.page("/console/audit?kind=meter&key=all~acme")
        #expect(audit.text.contains("Ada"))

        _ = try await house.post(
            Self.path,
            ["word": "resume", "from": "2026-10-30", "reason": "it was in use", "do": "say"]
        )
        let resumed = try await house.get("/v1/meters/all~acme")
        #expect(resumed["events"]?.stringValue == "2")
    }

    @Test("no meter is closed without a reason; what was typed stays") func close() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        let refused = try await house.post(
            Self.path,
            ["word": "close", "from": "2026-10-01", "do": "say"]
        )
        #expect(refused.status == 422)
        #expect(refused.text.contains("value=\"2026-10-01\""))
        #expect(refused.text.contains("id=\"reason-error\""))
        let closed = try await house.post(
            Self.path,
            ["word": "close", "from": "2026-10-01", "reason": "gone", "do": "say"]
        )
        #expect(closed.status == 303)
        let seen = try await house.page("/console/meters/all~acme")
        #expect(seen.text.contains("<span class=\"tag tag--quiet\">closed</span>"))
        #expect(seen.text.contains("closed: gone."))
        let wrong = try await house.post(Self.path, ["from": "soon", "do": "look"])
        #expect(wrong.status == 422)
        #expect(wrong.text.contains("it is not a time"))
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
        let plan = try await house.post(
            "/console/meters/new",
            ["meterType": "prints", "subject": "acme", "start": "2026-10-30", "do": "look"]
        )
        #expect(plan.status == 200)
        #expect(plan.text.contains("2026-10-30 00:00 in Europe/Berlin"))
        #expect(plan.text.contains("Nothing of it counted before"))

        let done = try await house.post(
            "/console/meters/new",
            [
                "meterType": "prints", "subject": "acme", "start": "2026-10-30",
                "author": "Ada", "reason": "asked by phone", "do": "enrol",
            ]
        )

        #expect((done.status, done.location) == (303, "/console/meters/prints~acme"))
        let meter = try await house.get("/v1/meters/prints~acme")
        #expect(meter["value"]?.stringValue == "10")
        #expect(meter["start"]?.stringValue == "2026-10-29T23:00:00Z")
        let missing = try await house.post("/console/meters/new", ["meterType": "prints"])
        #expect(missing.status == 422)
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
