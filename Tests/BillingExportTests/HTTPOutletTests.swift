import MeteringEngine
import Testing
import UsageModel
import WireFormat

@testable import BillingExport

@Suite("Requests by template", .timeLimit(.minutes(5))) struct HTTPOutletTests {
    private func asked(
        _ batch: DeliveryBatch,
        batchSize: Int = 1,
        path: String = "/usage",
        change: (inout HTTPRules) -> Void
    ) async throws -> [Loopback.Asked] {
        try await Loopback.run { server in
            var rules = HTTPRules(url: server.url + path)
            change(&rules)
            var outlets = Outlets(.http(rules))
            outlets.batchSize = batchSize
            let outcome = try await outlets.send(batch)
            #expect(outcome.isDelivered, "\(outcome)")
            return server.asked
        }
    }

    @Test("what is put into an address is percent-encoded, into a header it is as it stands")
    func addresses() async throws {
        let path = "/c/${customerExternalRef}/${metadata.team}?n=${deliveryNumber}&x=$${y}"
        // A literal brace is no part of an address; percent-encoded by hand it is.
        let sent = try await asked(try Sample.batch(), path: path.replacing("$${y}", with: "%7B")) {
            $0.method = .put
            $0.headers = [
                .init(name: "X-Team", value: "team ${metadata.team}"),
                .init(name: "Content-Type", value: "application/vnd.usage+json"),
                .init(name: "Idempotency-Key", value: "mine"),
            ]
            $0.authorization = .header(name: "X-API-Key", value: "key")
        }
        let one = try #require(sent.first)
        #expect(sent.count == 1)
        #expect(one.method == "PUT")
        #expect(one.target == "/c/cus_1/R%26D%20%2F%207?n=17&x=%7B")
        #expect(one.header("x-team") == "team R&D / 7")
        #expect(one.all("content-type") == ["application/vnd.usage+json"])
        #expect(one.all("idempotency-key") == [try Sample.record().id.text])
        #expect(one.header("x-api-key") == "key")
    }

    @Test("without a template the record is sent as it is, and several as items")
    func plain() async throws {
        let one = try await asked(try Sample.batch()) { _ in }
        let several = try await asked(try Sample.batch(count: 2), batchSize: 2) { _ in }
        #expect(try JSONValue.parse(one[0].body)["deliveryNumber"] == "17")
        let items = try JSONValue.parse(several[0].body)["items"]?.arrayValue
        #expect(items?.map { $0["deliveryNumber"] } == ["17", "18"])
        #expect(several[0].header("idempotency-key") == "billing-17-18")
    }

    @Test("a template of a batch makes one request, one of a record a request for each, in order")
    func batches() async throws {
        let batch = try Sample.batch(count: 3)
        let together = try await asked(batch, batchSize: 3, path: "/${first}/${last}") {
            $0.body = #"{"events":{"$each":{"id":"${id}","units":"${delta:number}"}}}"#
        }
        let apart = try await asked(batch, batchSize: 3, path: "/${deliveryNumber}") {
            $0.body = #"{"id":"${id}"}"#
        }
        #expect(together.map(\.target) == ["/17/19"])
        let events = try JSONValue.parse(together[0].body)["events"]?.arrayValue
        #expect(events?.map { $0["units"] } == Array(repeating: .number("12.5"), count: 3))
        #expect(apart.map(\.target) == ["/17", "/18", "/19"])
        let ids = batch.items.map(\.record.id.text)
        #expect(apart.map { $0.header("idempotency-key") } == ids)
    }

    @Test("of records that are sent one by one, the first that is not taken ends it")
    func ends() async throws {
        let outcome = try await Loopback.run(
            { _, before in Loopback.Reply(before == 1 ? 503 : 200) },
            { server in
                var rules = HTTPRules(url: server.url)
                rules.body = #""${id}""#
                let outcome = try await Outlets(.http(rules)).send(try Sample.batch(count: 3))
                #expect(server.asked.count == 2)
                return outcome
            }
        )
        let reason = "record 2 of 3: answered 503"
        #expect(outcome == .retry(status: 503, reason: reason, after: nil))
    }

    @Test("a form holds names and values, percent-encoded, and leaves out what there is not")
    func forms() async throws {
        let sent = try await asked(try Sample.batch()) {
            $0.isForm = true
            $0.body =
                #"{"usage[team]":"${metadata.team}","n":"${delta:number}","x":1,"#
                + #""none":"${metadata.no:json}","empty":"${metadata.no}"}"#
        }
        #expect(sent[0].header("content-type") == "application/x-www-form-urlencoded")
        #expect(sent[0].text == "usage%5Bteam%5D=R%26D%20%2F%207&n=12.5&x=1&empty=")
    }

    @Test(
        "what cannot be made is a fault of the definition",
        arguments: [
            ("https://x/${custmer}", nil, false, 1, "/url"),
            ("https://x/${customer}", nil, false, 2, "/url"),
            ("https://x/${customer}", #"["${items}"]"#, false, 1, "/url"),
            ("x/${customer}", nil, false, 1, "/url"), ("https://x/", "{", false, 1, "/body"),
            ("https://x/", nil, true, 1, "/body"), ("https://x/", "[]", true, 1, "/body"),
            ("https://x/", #"{"a":{}}"#, true, 1, "/body"),
            ("https://x/", #"{"a":"${items}"}"#, true, 1, "/body"),
        ]
    )
    func faults(url: String, body: String?, isForm: Bool, size: Int, pointer: String) async throws {
        var rules = HTTPRules(url: url)
        (rules.body, rules.isForm) = (body, isForm)
        var outlets = Outlets(.http(rules))
        outlets.batchSize = size
        #expect(try await outlets.fault()?.pointer == pointer)
    }

    @Test("a value that does not fit is refused before anything is sent")
    func unfit() async throws {
        try await Loopback.run { server in
            var rules = HTTPRules(url: server.url)
            rules.body = #"{"n":"${delta:integer}"}"#
            let outcome = try await Outlets(.http(rules)).send(try Sample.batch())
            let reason = "`delta` is 12.5, which is not whole"
            #expect(outcome == .refused(status: nil, reason: reason))
            #expect(server.asked.isEmpty)
        }
    }
}
