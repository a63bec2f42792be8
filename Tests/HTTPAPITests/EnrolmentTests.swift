import HTTPTypes
import MeteringEngine
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

@Suite("Enrolments and customers over HTTP") struct EnrolmentTests {
    private static func edge() async throws -> Edge {
        let edge = Edge()
        let type = """
            {"key":"prints","unit":"page","eventTypes":["print"],"aggregation":"count",\
            "enrolment":"explicit","timezone":"customer","resetSchedule":"monthly"}
            """
        #expect(try await edge.post("/v1/meter-types", type).status == 201)
        return edge
    }

    private static func print(_ edge: Edge, _ subject: String, _ times: String...) async throws {
        let known = try await edge.ledger.status().position.value
        let events = times.enumerated().map { number, time in
            """
            {"id":"p\(known)-\(number)","source":"s","type":"print","subject":"\(subject)",\
            "time":"\(time)","data":{}}
            """
        }
        let sent = try await edge.post("/v1/events", "[\(events.joined(separator: ","))]")
        #expect(sent.json["accepted"]?.integerValue == Int64(times.count))
    }

    private static func put(_ edge: Edge, _ key: String, _ body: String) async throws -> Edge.Reply
    {
        try await edge.ask(
            .put,
            "/v1/customers/" + key,
            Array(body.utf8),
            [.contentType: "application/json"]
        )
    }

    @Test("a meter is enrolled once; other words are refused with the field")
    func enrol() async throws {
        let edge = try await Self.edge()
        let body = """
            {"meterType":"prints","subject":"printer-7","start":"2026-10-15T00:00:00Z",\
            "category":"office","metadata":{"floor":"3"}}
            """

        let made = try await edge.post("/v1/meters", body)
        let again = try await edge.post("/v1/meters", body)
        let other = try await edge.post(
            "/v1/meters",
            body.replacing("10-15", with: "10-16")
        )

        #expect(made.status == 201)
        #expect(made.headers[.location] == "/v1/meters/prints~printer-7")
        #expect(
            made.text == """
                {"id":"prints~printer-7","meterType":"prints","subject":"printer-7",\
                "state":"active","unit":"page","start":"2026-10-15T00:00:00Z",\
                "category":"office","metadata":{"floor":"3"},"enrolledAt":"2026-11-01T00:00:00Z"}
                """
        )
        #expect(again.status == 200 && again.text == made.text)
        #expect(other.status == 409 && other.problem == "already-exists")
        #expect(other.pointers == ["/start"])
    }

    @Test(
        "what cannot be enrolled is refused at the field",
        arguments: [
            (#"{"subject":"a"}"#, 422, "/meterType"),
            (#"{"meterType":"prints"}"#, 422, "/subject"),
            (#"{"meterType":"prints","subject":""}"#, 422, "/subject"),
            (#"{"meterType":"prints","subject":"a","start":"now"}"#, 422, "/start"),
            (#"{"meterType":"prints","subject":"a","stop":"x"}"#, 400, "/stop"),
            (#"{"meterType":"prints","subject":"a","state":"x"}"#, 400, "/state"),
            (
                #"{"meterType":"prints","subject":"a","start":"2026-11-01T00:00:00Z","#
                    + #""end":"2026-11-01T00:00:00Z"}"#, 422, "/end"
            ),
            (#"{"meters":[]}"#, 422, "/meters"),
            (#"{"meters":[{"meterType":"prints","subject":7}]}"#, 422, "/meters/0/subject"),
            (#"[]"#, 422, ""),
        ]
    )
    func refused(body: String, status: Int, pointer: String) async throws {
        let edge = try await Self.edge()

        let reply = try await edge.post("/v1/meters", body)

        #expect(reply.status == status, "\(body): \(reply.text)")
        #expect(reply.pointers.contains(pointer), "\(body): \(reply.text)")
    }

    @Test("many meters are enrolled in one call, or none of them")
    func bulk() async throws {
        let edge = try await Self.edge()
        func body(_ subjects: [String], type: String = "prints") -> String {
            let meters = subjects.map { #"{"meterType":"\#(type)","subject":"\#($0)"}"# }
            return #"{"meters":[\#(meters.joined(separator: ","))]}"#
        }

        let made = try await edge.post("/v1/meters", body(["a", "b"]))
        let more = try await edge.post("/v1/meters", body(["b", "c", "c"]))
        let none = try await edge.post("/v1/meters", body(["d"], type: "nothing"))
        let listed = try await edge.get("/v1/meters?meterType=prints")

        #expect(made.text == #"{"enrolled":"2","unchanged":"0","position":"0"}"#)
        #expect(more.text == #"{"enrolled":"1","unchanged":"2","position":"0"}"#)
        #expect(none.status == 404)
        #expect(listed.items.compactMap { $0["subject"]?.stringValue } == ["a", "b", "c"])
    }

    @Test("events count where the meter is active, whenever they came")
    func counted() async throws {
        let edge = try await Self.edge()
        try await Self.print(edge, "a", "2026-10-01T10:00:00Z", "2026-10-02T10:00:00Z")
        let unmatched = try await edge.get("/v1/reconciliation")
        #expect(unmatched.json["total"]?["unmatched"] == "2")

        _ = try await edge.post("/v1/meters", #"{"meterType":"prints","subject":"a"}"#)
        let all = try await edge.get("/v1/usage?meterType=prints")
        let suspended = try await edge.post(
            "/v1/meters/prints~a/suspend",
            #"{"from":"2026-10-02T00:00:00Z","to":"2026-10-03T00:00:00Z","reason":"moved"}"#
        )
        let some = try await edge.get("/v1/usage?meterType=prints")
        let closed = try await edge.post("/v1/meters/prints~a/close", #"{"reason":"sold"}"#)
        let resumed = try await edge.post("/v1/meters/prints~a/resume", "{}")

        #expect(all.json["readings"]?.arrayValue?.first?["value"] == "2")
        #expect(suspended.status == 200 && suspended.json["state"] == "active")
        #expect(some.json["readings"]?.arrayValue?.first?["value"] == "1")
        #expect(closed.json["state"] == "closed" && closed.json["reason"] == "sold")
        #expect(resumed.json["state"] == "active")
        #expect(resumed.json["states"]?.arrayValue?.count == 3)
        let books = try await edge.get("/v1/reconciliation")
        #expect(books.json["total"]?["counted"] == "1")
    }

    @Test(
        "what is said of a meter is judged",
        arguments: [
            ("suspend", "{}", 422, "/reason"), ("close", "{}", 422, "/reason"),
            ("close", #"{"reason":"x","to":"2026-01-01T00:00:00Z"}"#, 400, "/to"),
            ("suspend", #"{"reason":"x","from":"y"}"#, 422, "/from"),
            (
                "suspend",
                #"{"reason":"x","from":"2026-01-01T00:00:00Z","to":"2026-01-01T00:00:00Z"}"#, 422,
                "/to"
            ),
        ]
    )
    func judged(word: String, body: String, status: Int, pointer: String) async throws {
        let edge = try await Self.edge()
        _ = try await edge.post("/v1/meters", #"{"meterType":"prints","subject":"a"}"#)

        let reply = try await edge.post("/v1/meters/prints~a/" + word, body)
        let nobody = try await edge.post("/v1/meters/prints~b/" + word, #"{"reason":"x"}"#)

        #expect(reply.status == status && reply.pointers.contains(pointer), "\(reply.text)")
        #expect(nobody.status == 404)
    }

    @Test("dates and notes are changed; what is not said stays, null takes away")
    func alter() async throws {
        let edge = try await Self.edge()
        _ = try await edge.post(
            "/v1/meters",
            """
            {"meterType":"prints","subject":"a","start":"2026-10-15T00:00:00Z",\
            "externalRef":"SAP-1","metadata":{"floor":"3"}}
            """
        )
        func patch(_ body: String) async throws -> Edge.Reply {
            try await edge.ask(
                .patch,
                "/v1/meters/prints~a",
                Array(body.utf8),
                [.contentType: "application/json"]
            )
        }

        let changed = try await patch(#"{"start":null,"metadata":{"floor":"4"}}"#)
        let wrong = try await patch(
            #"{"start":"2026-12-01T00:00:00Z","end":"2026-11-01T00:00:00Z"}"#
        )
        let unknown = try await patch(#"{"subject":"b"}"#)

        #expect(changed.status == 200 && changed.json["start"] == nil)
        #expect(changed.json["externalRef"] == "SAP-1")
        #expect(changed.json["metadata"]?["floor"] == "4")
        #expect(wrong.status == 422 && wrong.pointers == ["/end"])
        #expect(unknown.status == 400 && unknown.pointers == ["/subject"])
    }

    @Test("a meter's first period begins where the meter does")
    func firstPeriod() async throws {
        let edge = try await Self.edge()
        let body = """
            {"meterType":"prints","subject":"a","start":"2026-09-15T00:00:00Z"}
            """
        _ = try await edge.post("/v1/meters", body)
        try await Self.print(edge, "a", "2026-09-01T00:00:00Z", "2026-09-20T00:00:00Z")

        let first = try await edge.get("/v1/meters/prints~a?at=2026-09-20T00:00:00Z")
        let past = try await edge.get("/v1/meters/prints~a/periods")

        #expect(first.json["period"]?["start"] == "2026-09-15T00:00:00Z")
        #expect(first.json["value"] == "1")
        #expect(past.items.last?["start"] == "2026-09-15T00:00:00Z")
        #expect(past.items.last?["value"] == "1")
    }

    @Test("a customer owns subjects for a time; each event goes to its owner")
    func customers() async throws {
        let edge = try await Self.edge()
        let north = try await Self.put(
            edge,
            "north",
            """
            {"name":"North GmbH","timezone":"Europe/Berlin",\
            "subjects":[{"subject":"a","to":"2026-10-15T00:00:00Z"},"c"]}
            """
        )
        let taken = try await Self.put(edge, "south", #"{"subjects":["a"]}"#)
        let south = try await Self.put(
            edge,
            "south",
            #"{"subjects":[{"subject":"a","from":"2026-10-15T00:00:00Z"}]}"#
        )
        for subject in ["a", "b"] {
            let body = #"{"meterType":"prints","subject":"\#(subject)"}"#
            _ = try await edge.post("/v1/meters", body)
            try await Self.print(edge, subject, "2026-10-10T00:00:00Z", "2026-10-20T00:00:00Z")
        }

        let usage = try await edge.get("/v1/usage?meterType=prints&groupBy=customer")
        let one = try await edge.get("/v1/usage?meterType=prints&customer=south")
        let meter = try await edge.get("/v1/meters/prints~a?at=2026-10-10T00:00:00Z")
        let unowned = try await edge.get("/v1/subjects?unowned")

        #expect(north.status == 201 && south.status == 201)
        #expect(taken.status == 409 && taken.problem == "subject-owned")
        let rows = usage.json["readings"]?.arrayValue ?? []
        #expect(rows.map { $0["customer"]?.stringValue } == [nil, "north", "south"])
        #expect(rows.map { $0["value"]?.stringValue } == ["2", "1", "1"])
        #expect(one.json["readings"]?.arrayValue?.first?["value"] == "1")
        // The type leaves the zone to the customer: October begins at midnight in Berlin.
        #expect(meter.json["customer"] == "north")
        #expect(meter.json["period"]?["timezone"] == "Europe/Berlin")
        #expect(meter.json["period"]?["start"] == "2026-09-30T22:00:00Z")
        #expect(unowned.items.compactMap { $0["subject"]?.stringValue } == ["b"])
    }

    @Test("what is retired lists what used it")
    func retired() async throws {
        let edge = try await Self.edge()
        _ = try await Self.put(edge, "north", #"{"subjects":["a"]}"#)
        _ = try await edge.post("/v1/meters", #"{"meterType":"prints","subject":"a"}"#)

        let customer = try await edge.ask(.delete, "/v1/customers/north")
        let again = try await Self.put(edge, "north", "{}")
        let type = try await edge.ask(.delete, "/v1/meter-types/prints")
        let nobody = try await edge.ask(.delete, "/v1/customers/nobody")

        #expect(customer.json["usedBy"]?["meters"] == ["prints~a"])
        #expect(customer.json["retiredAt"] == "2026-11-01T00:00:00Z")
        #expect(again.status == 409 && again.problem == "retired")
        #expect(type.json["usedBy"]?["meters"] == ["prints~a"])
        #expect(nobody.status == 404)
    }

    @Test(
        "customers are judged at the field",
        arguments: [
            (#"{"timezone":"Mars/Base"}"#, 422, "/timezone"),
            (#"{"subjects":"a"}"#, 422, "/subjects"),
            (#"{"subjects":["a","a"]}"#, 422, "/subjects"),
            (#"{"subjects":[{"subject":"a","until":"x"}]}"#, 400, "/subjects/0/until"),
            (#"{"key":"other"}"#, 422, "/key"), (#"{"zone":"UTC"}"#, 400, "/zone"),
            (#"{"metadata":{"a":1}}"#, 422, "/metadata/a"),
        ]
    )
    func judgedCustomer(body: String, status: Int, pointer: String) async throws {
        let edge = Edge()

        let reply = try await Self.put(edge, "north", body)

        #expect(reply.status == status && reply.pointers.contains(pointer), "\(reply.text)")
    }
}
