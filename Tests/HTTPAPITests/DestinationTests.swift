import HTTPTypes
import MeteringEngine
import SQLiteLedger
import Testing
import UsageModel
import WireFormat

@Suite("Destinations over HTTP") struct DestinationTests {
    @Test("a destination is made, replaced, read and listed, and its secrets are never shown")
    func made() async throws {
        let desk = try DeliveryDesk()
        let made = try await desk.put("billing", #""name":"Billing","batchSize":3,"#)
        let other = try await desk.put("archive", body: #"{"stdout":{}}"#)
        let same = try await desk.put("billing", #""name":"Billing","batchSize":3,"#)
        let replaced = try await desk.put("billing", #""concurrency":2,"#)
        let read = try await desk.get("destinations/billing")
        let list = try await desk.get("destinations")

        #expect((made.status, other.status) == (201, 201))
        #expect((same.status, replaced.status, read.status) == (200, 200, 200))
        #expect(made.json["revision"]?.integerValue == 1)
        #expect(same.json == made.json)
        #expect(replaced.json["revision"]?.integerValue == 2)
        #expect(replaced.json["batchSize"]?.integerValue == 1)
        #expect(read.json["standing"]?["pending"] == "0")
        #expect(list.items.map { $0["key"] } == ["archive", "billing"])
        for reply in [made, same, replaced, read, list] {
            #expect(!reply.text.contains(DeliveryDesk.secret))
        }
        #expect(read.json["webhook"]?["secrets"] == [.string(DestinationDocument.hidden)])
    }

    @Test("a secret that is sent back hidden stays, and there must be one to stay")
    func hidden() async throws {
        let desk = try DeliveryDesk()
        let none = try await desk.put("billing", secret: DestinationDocument.hidden)
        _ = try await desk.put("billing")
        let kept = try await desk.put(
            "billing",
            #""name":"Billing","#,
            secret: DestinationDocument.hidden
        )

        #expect((none.status, none.pointers) == (422, ["/webhook/secrets/0"]))
        #expect(kept.status == 200)
        let key = try #require(DestinationKey("billing"))
        let stored = try #require(try await desk.ledger.destination(key)).definition
        guard case .webhook(let rules) = stored.outlet else {
            Issue.record("it is no webhook")
            return
        }
        #expect((rules.secrets, stored.name) == ([DeliveryDesk.secret], "Billing"))
    }

    @Test(
        "what is wrong is pointed at, and nothing is made",
        arguments: [
            ("{}", 422, [""]), ("[]", 422, [""]),
            (
                #"{"stdout":{},"batchSize":0,"concurrency":65}"#, 422,
                ["/batchSize", "/concurrency"]
            ),
            (#"{"stdout":{},"bogus":1}"#, 400, ["/bogus"]),
            (#"{"stdout":{},"key":"other"}"#, 422, ["/key"]),
            (
                #"{"webhook":{"url":"https://nowhere.org","secrets":["\#(DeliveryDesk.secret)"]}}"#,
                422, ["/webhook/url"]
            ),
        ] as [(String, Int, [String])]
    )
    func refused(_ body: String, _ status: Int, _ pointers: [String]) async throws {
        let desk = try DeliveryDesk()
        let reply = try await desk.put("billing", body: body)

        #expect((reply.status, reply.pointers) == (status, pointers))
        #expect(reply.problem == (status == 400 ? "unknown-field" : "invalid-field"))
        #expect(try await desk.get("destinations").items.isEmpty)
    }

    @Test("a destination is paused and resumed")
    func paused() async throws {
        let desk = try DeliveryDesk()
        _ = try await desk.put("billing")
        let paused = try await desk.post("destinations/billing/pause")
        let again = try await desk.post("destinations/billing/pause")
        let resumed = try await desk.post("destinations/billing/resume")

        #expect((paused.status, again.status, resumed.status) == (200, 200, 200))
        #expect((paused.json["paused"], resumed.json["paused"]) == (true, false))
        #expect(again.json["revision"] == paused.json["revision"])
        #expect(resumed.json["revision"]?.integerValue == 3)
    }

    @Test("a destination that is retired stays to be read, and takes no change")
    func retired() async throws {
        let desk = try DeliveryDesk()
        _ = try await desk.put("billing")
        let retired = try await desk.delete("billing")
        let again = try await desk.delete("billing")
        let refusals = [
            try await desk.put("billing"),
            try await desk.post("destinations/billing/pause"),
            try await desk.post("destinations/billing/resume"),
            try await desk.post("destinations/billing/test"),
            try await desk.post(
                "deliveries/resend",
                #"{"destination":"billing","state":"failed"}"#
            ),
        ]

        #expect((retired.status, again.status) == (200, 200))
        #expect(retired.json["retiredAt"]?.stringValue == Edge.now.rfc3339)
        #expect(refusals.map(\.status) == [409, 409, 409, 409, 409])
        #expect(refusals.allSatisfy { $0.problem == "retired" })
        #expect(try await desk.get("destinations/billing").status == 200)
        #expect(try await desk.get("destinations").items.count == 1)
    }

    @Test(
        "a test tells what came back",
        arguments: [
            ("https://example.com", "delivered", 200, "r-1"),
            ("https://busy.example", "retry", 503, "busy"),
            ("https://closed.example", "refused", nil, "closed"),
        ] as [(String, String, Int64?, String)]
    )
    func tested(_ url: String, _ outcome: String, _ status: Int64?, _ answer: String) async throws {
        let desk = try DeliveryDesk()
        _ = try await desk.put("billing", url: url)
        let reply = try await desk.post("destinations/billing/test")

        #expect(reply.status == 200)
        #expect(reply.json["outcome"]?.stringValue == outcome)
        #expect(reply.json["status"]?.integerValue == status)
        #expect(reply.json["answer"]?.stringValue == answer)
    }

    @Test("a destination that there is not is not found, and nor is one whose key is none")
    func missing() async throws {
        let desk = try DeliveryDesk()
        for key in ["billing", "Bill%20ing"] {
            let replies = [
                try await desk.get("destinations/\(key)"), try await desk.delete(key),
                try await desk.post("destinations/\(key)/pause"),
                try await desk.post("destinations/\(key)/resume"),
                try await desk.post("destinations/\(key)/test"),
                try await desk.get("destinations/\(key)/reconciliation"),
                try await desk.get("deliveries?destination=\(key)"),
                try await desk.get("deliveries/\(key)/1"),
            ]
            #expect(replies.map(\.status) == Array(repeating: 404, count: 8))
        }
        #expect(try await desk.put("Bill%20ing").status == 404)
        #expect(try await Edge().get("/v1/destinations").status == 404)
    }

    @Test("both sides are told, by meter type and period")
    func reconciled() async throws {
        let desk = try DeliveryDesk()
        _ = try await desk.put("billing")
        try await desk.owe("a", "b", "c")
        try await desk.settle(1, as: .delivered, status: 200)
        try await desk.settle(2, as: .failed, status: 400)
        let all = try await desk.get("destinations/billing/reconciliation")
        let some = try await desk.get(
            "destinations/billing/reconciliation?meterType=kwh&to=2026-11-01T01:00:00Z"
        )
        let none = try await desk.get("destinations/billing/reconciliation?meterType=gas")
        let wrong = try await desk.get("destinations/billing/reconciliation?from=now&bogus=1")

        let (one, nothing): (JSONValue, JSONValue) = (
            ["records": "1", "amount": "1.5"], ["records": "0", "amount": "0"]
        )
        #expect(all.items.map { $0["made"] } == [one, one, one])
        #expect(all.items.map { $0["sent"] } == [one, one, nothing])
        #expect(all.items.map { $0["acknowledged"] } == [one, nothing, nothing])
        #expect(all.items.map { $0["failed"] } == [nothing, one, nothing])
        #expect(all.items.map { $0["pending"] } == [nothing, nothing, one])
        #expect(all.json["standing"]?["failed"] == "1")
        #expect(all.json["standing"]?["oldestPendingAt"]?.stringValue == Edge.now.rfc3339)
        #expect((some.items.count, none.items.count) == (1, 0))
        #expect((400...422).contains(wrong.status))
    }

    @Test("deliveries are listed page by page, by state too, and read by their number")
    func deliveries() async throws {
        let desk = try DeliveryDesk()
        _ = try await desk.put("billing")
        try await desk.owe("a", "b", "c")
        try await desk.settle(2, as: .failed, status: 400)
        let page = try await desk.get("deliveries?destination=billing&limit=2")
        let next = try #require(page.json["next"]?.stringValue)
        let rest = try await desk.get("deliveries?destination=billing&limit=2&cursor=\(next)")
        let failed = try await desk.get("deliveries?destination=billing&state=failed")
        let one = try await desk.get("deliveries/billing/2")
        let missing = ["4", "0", "-1", "x", "9223372036854775808"]

        #expect(page.items.map { $0["number"] } == ["1", "2"])
        #expect(rest.items.map { $0["number"] } == ["3"])
        #expect(rest.json["next"] == nil)
        #expect(failed.items.map { $0["number"] } == ["2"])
        let attempt: JSONValue = [
            "at": .string(Edge.now.rfc3339), "state": "failed", "status": 400, "answer": "said so",
            "requestCount": 0, "requests": [],
        ]
        #expect(one.json["tries"] == [attempt])
        #expect((one.json["state"], one.json["answer"]) == ("failed", "said so"))
        #expect(one.json["record"]?["subject"] == "b")
        for number in missing {
            #expect(try await desk.get("deliveries/billing/\(number)").status == 404)
        }
    }

    @Test("a list of deliveries names its destination, and knows its parameters")
    func listFaults() async throws {
        let desk = try DeliveryDesk()
        _ = try await desk.put("billing")
        let unnamed = try await desk.get("deliveries")
        let state = try await desk.get("deliveries?destination=billing&state=lost")
        let unknown = try await desk.get("deliveries?destination=billing&bogus=1")

        #expect((unnamed.status, unnamed.problem) == (422, "invalid-field"))
        #expect((state.status, state.problem) == (422, "invalid-field"))
        #expect((unknown.status, unknown.problem) == (400, "unknown-parameter"))
    }

    @Test("deliveries are sent again, and what does not say which is pointed at")
    func resent() async throws {
        let desk = try DeliveryDesk()
        _ = try await desk.put("billing")
        try await desk.owe("a", "b", "c")
        try await desk.settle(1, as: .delivered, status: 200)
        try await desk.settle(2, as: .failed, status: 400)
        func resend(_ members: String) async throws -> Edge.Reply {
            try await desk.post("deliveries/resend", "{\"destination\":\"billing\",\(members)}")
        }
        let failed = try await resend(#""state":"failed""#)
        let numbers = try await resend(#""from":"1","to":"3""#)
        let vague = try await resend(#""state":"failed","from":"1","to":"3""#)
        let unknown = try await resend(#""state":"failed","all":true"#)
        let nobody = try await desk.post(
            "deliveries/resend",
            #"{"destination":"nobody","state":"failed"}"#
        )

        #expect((failed.status, failed.json["resent"]) == (200, "1"))
        #expect((numbers.status, numbers.json["resent"]) == (200, "1"))
        #expect((vague.status, vague.pointers) == (422, [""]))
        #expect((unknown.status, unknown.pointers) == (400, ["/all"]))
        #expect(nobody.status == 404)
        #expect(try await desk.get("destinations/billing").json["standing"]?["pending"] == "3")
    }
}
