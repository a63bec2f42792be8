import HTTPTypes
import Testing
import WireFormat

@Suite("The Console: meters, meter types, customers") struct MeterPageTests {
    @Test("an empty store says how to send the first event") func empty() async throws {
        let house = try await DeskHouse()
        let seen = try await house.page("/console")
        #expect(seen.text.contains("Send the first event"))
        #expect(seen.text.contains("/v1/events&#39;"))
        #expect(seen.text.contains("odometer demo"))
    }

    @Test("the overview tells the books and what is open") func overview() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        let seen = try await house.page("/console")
        #expect(seen.text.contains("balance"))
        #expect(seen.text.contains("data-live=\"events-per-minute\">3<"))
        #expect(seen.text.contains("data-live=\"position\">3<"))
    }

    @Test("meters are listed with their values, and found by how the subject begins")
    func meters() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        let all = try await house.page("/console/meters")
        let some = try await house.page("/console/meters?q=acme&type=all")
        let none = try await house.page("/console/meters?q=zzz")
        let wrong = try await house.page("/console/meters?type=NO%20KEY", status: 422)
        #expect(all.text.contains("data-href=\"/console/meters/all~acme\""))
        #expect(all.text.contains("value=\"10\""))
        #expect(some.text.contains("all~acme"))
        #expect(none.text.contains("No meter fits"))
        #expect(wrong.text.contains("notice--bad"))
    }

    @Test("a meter tells its windows, and each leads to its events") func meter() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        let path = "/console/meters/all~acme?from=2026-10-30T00:00:00Z&to=2026-11-01T00:00:00Z"
        let seen = try await house.page(path + "&window=day")
        #expect(seen.text.contains(">2026-10-30</a>"))
        let link =
            "/console/events?subject=acme&amp;meterType=all&amp;from=2026-10-30T00%3A00%3A00Z"
            + "&amp;to=2026-10-31T00%3A00%3A00Z"
        #expect(seen.text.contains(link))
        let changes = try await house.page(path + "&tab=changes")
        #expect(changes.text.contains("events came"))
        let missing = try await house.page("/console/meters/all~nobody", status: 404)
        #expect(missing.text.contains("there is no meter"))
    }

    @Test("a meter type is made by a form, and counts what came before") func make() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        let form = try await house.page("/console/meter-types/new?eventTypes=call")
        #expect(form.text.contains("data-value=\"$.data.amount\""))
        #expect(form.text.contains("2026-12-01"))
        let fields: KeyValuePairs<String, String> = [
            "eventTypes": "call", "key": "calls", "name": "Calls", "aggregation": "sum",
            "value": "$.data.amount", "dimensions": "note: $.data.note\n", "unit": "token",
            "filter": "$.data.amount > 1", "reset": "monthly", "timezone": "Europe/Berlin",
            "capacity": "12", "do": "make",
        ]
        let preview = try await house.post("/console/meter-types/preview", fields)
        #expect(preview.status == 200)
        #expect(preview.text.contains("value=\"15\""))
        #expect(preview.text.contains("kind: meter-type"))

        let made = try await house.post("/console/meter-types/new", fields)

        #expect((made.status, made.location) == (303, "/console/meter-types/calls"))
        let type = try await house.get("/v1/meter-types/calls")
        #expect(type["filter"]?.stringValue == "$.data.amount > 1")
        #expect(type["dimensions"]?["note"]?.stringValue == "$.data.note")
        #expect(type["resetSchedule"]?.stringValue == "monthly")
        let again = try await house.post(
            "/console/meter-types/new",
            ["eventTypes": "call", "key": "calls", "aggregation": "count", "do": "make"]
        )
        #expect(again.status == 409)
        #expect(again.text.contains("value=\"calls\""))
    }

    @Test("a meter type is changed as a version; who read an older one sees both")
    func change() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        let path = "/console/meter-types/all?tab=change"
        let form = try await house.page(path)
        #expect(form.field("readVersion") == "1")
        let fields: KeyValuePairs<String, String> = [
            "readVersion": "1", "eventTypes": "*", "key": "all", "aggregation": "sum",
            "value": "$.data.amount", "unit": "token", "reset": "never", "timezone": "UTC",
            "enrolment": "auto", "name": "All of it", "effective": "ever", "do": "change",
        ]
        let changed = try await house.post(path, fields)
        #expect((changed.status, changed.location) == (303, "/console/meter-types/all"))
        let type = try await house.get("/v1/meter-types/all")
        #expect(type["name"]?.stringValue == "All of it")

        func save(_ version: String?) async throws -> DeskHouse.Seen {
            try await house.post(
                path,
                [
                    "readVersion": version ?? "", "eventTypes": "*", "key": "all",
                    "aggregation": "sum", "value": "$.data.amount", "unit": "token",
                    "reset": "never", "timezone": "UTC", "enrolment": "auto",
                    "name": "Not all of it", "effective": "ever", "do": "change",
                ]
            )
        }
        let late = try await save("1")

        #expect(late.status == 412)
        #expect(late.text.contains("Another change came before"))
        #expect(late.text.contains(#"<pre class="code">All of it</pre>"#))
        #expect(late.text.contains(#"<pre class="code">Not all of it</pre>"#))
        // Both were seen: to save again is to decide.
        #expect(late.field("readVersion") == "2")
        #expect(try await save(late.field("readVersion")).status == 303)
        let decided = try await house.get("/v1/meter-types/all")
        #expect(decided["name"]?.stringValue == "Not all of it")
    }

    @Test("who changes a customer that another one changed sees both, and decides")
    func bothCustomers() async throws {
        let house = try await DeskHouse()
        let path = "/console/customers/acme"
        let acme: KeyValuePairs = ["key": "acme", "name": "Acme", "subjects": "a\nb"]
        #expect(try await house.post("/console/customers", acme).status == 303)
        let again = try await house.post("/console/customers", ["key": "acme", "name": "Other"])
        #expect(again.status == 422)
        #expect(again.text.contains("Acme has it"))
        func save(_ tag: String?, _ zone: String, _ subjects: String) async throws
            -> DeskHouse.Seen
        {
            try await house.post(
                path,
                [
                    "do": "change", "tag": tag ?? "", "name": "Acme", "timezone": zone,
                    "subjects": subjects,
                ]
            )
        }
        let read = try await house.page(path).field("tag")
        #expect(try await save(read, "UTC", "a\nb\nc").status == 303)

        let typo = try await save(read, "Mars/Base", "a\nb")
        let late = try await save(read, "Europe/Berlin", "a\nb")

        // A fault of a field is no decision: the form keeps what it was read with.
        #expect(typo.field("tag") == read)
        #expect(late.status == 412)
        #expect(late.text.contains("What stands, and what you typed"))
        #expect(late.text.contains("<pre class=\"code\">a\nb\nc</pre>"))
        #expect(late.text.contains(#"<pre class="code">Europe/Berlin</pre>"#))
        #expect(late.field("timezone") == "Europe/Berlin")
        #expect(late.field("tag") != read)
        let stands = try await house.get("/v1/customers/acme")
        #expect(stands["subjects"]?.arrayValue?.count == 3)
        #expect(try await save(late.field("tag"), "Europe/Berlin", "a\nb\nc").status == 303)
        #expect(try await house.get("/v1/customers/acme")["timezone"] == "Europe/Berlin")
    }

    @Test("a customer's page has its meters, and its statement is the API's") func customer()
        async throws
    {
        let house = try await DeskHouse()
        try await house.fill()
        let made = try await house.post(
            "/console/customers",
            [
                "key": "acme-gmbh", "name": "Acme GmbH",
                "subjects": "acme\nvan | 2026-01-01T00:00:00Z",
            ]
        )
        #expect(made.status == 303)
        let seen = try await house.page("/console/customers/acme-gmbh")
        #expect(seen.text.contains("/console/meters/all~acme"))
        #expect(seen.text.contains("2026-01-01T00:00:00Z"))
        let query = "?from=2026-10-01&to=2026-11-01"
        let statement = try await house.ask(.get, "/console/customers/acme-gmbh/statement" + query)
        #expect(statement.status == 200)
        #expect(statement.text.contains("Usage statement"))
        #expect(statement.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
    }

    @Test("the palette is told what fits, each with a way there") func search() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        let seen = try await house.ask(.get, "/console/search?q=ac")
        let items = JSONValue.items(seen.text)
        #expect(items.contains { $0["href"]?.stringValue == "/console/meters/all~acme" })
        let event = try await house.ask(.get, "/console/search?q=gateway/eu/a")
        #expect(
            JSONValue.items(event.text).contains {
                $0["href"]?.stringValue == "/console/events/gateway%2Feu/a"
            }
        )
    }

    @Test("live figures come as server-sent events") func live() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        let seen = try await house.ask(.get, "/console/live")
        #expect(seen.headers[.contentType] == "text/event-stream")
        #expect(seen.text.contains("event: overview\ndata: {\"eventsPerMinute\":\"3\""))
    }
}

extension JSONValue {
    fileprivate static func items(_ text: String) -> [JSONValue] {
        (try? parse(Array(text.utf8)))?["items"]?.arrayValue ?? []
    }
}
