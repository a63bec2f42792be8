import MeteringEngine
import Testing
import UsageModel

@testable import BillingExport

@Suite("Stripe", .timeLimit(.minutes(5))) struct StripeTests {
    private func send(
        _ batch: DeliveryBatch,
        answer: Loopback.Reply = Loopback.Reply(200, "{}"),
        change: (inout StripeRules) -> Void = { _ in }
    ) async throws -> (outcome: DeliveryOutcome, asked: [Loopback.Asked]) {
        try await Loopback.run({ _, _ in answer }) { server in
            var rules = StripeRules(apiKey: "sk_test_1234")
            rules.url = server.url
            change(&rules)
            return (try await Outlets(.stripe(rules)).send(batch), server.asked)
        }
    }

    private static func error(_ message: String, code: String? = nil) -> String {
        let code = code.map { #""code":"\#($0)","# } ?? ""
        return #"{"error":{\#(code)"message":"\#(message)","type":"invalid_request_error"}}"#
    }

    @Test("each record is a meter event, in order, at the last second of its period")
    func events() async throws {
        let batch = try Sample.batch(count: 2)
        let (outcome, asked) = try await send(batch)
        let ids = batch.items.map(\.record.id.text)

        #expect(outcome == .delivered(status: 200, reference: ids[1]))
        #expect(asked.map(\.target) == Array(repeating: "/v1/billing/meter_events", count: 2))
        let form = "event_name=kwh&payload%5Bstripe_customer_id%5D=cus_1&payload%5Bvalue%5D=12.5"
        #expect(asked.map(\.text) == ids.map { "\(form)&identifier=\($0)&timestamp=1796083199" })
        #expect(asked[0].header("authorization") == "Bearer sk_test_1234")
        #expect(asked[0].header("idempotency-key")?.hasPrefix(ids[0] + "-") == true)
    }

    @Test("the key of a request is the same at each try, and another for another body")
    func keys() async throws {
        let batch = try Sample.batch()
        let first = try await send(batch).asked[0].header("idempotency-key")
        let again = try await send(batch).asked[0].header("idempotency-key")
        let other = try await send(batch) { $0.eventName = "energy" }
        #expect(first == again)
        #expect(other.asked[0].header("idempotency-key") != first)
    }

    @Test("an identifier that Stripe has already is delivered; that of another is not")
    func known() async throws {
        let batch = try Sample.batch()
        let id = batch.items[0].record.id.text
        for (answer, isDelivered) in [
            (Self.error("An event already exists with identifier \(id)."), true),
            (Self.error("Submitted already.", code: "duplicate_meter_event"), true),
            (Self.error("An event already exists with identifier ur_0."), false),
            (Self.error("No such customer: cus_1"), false),
        ] {
            let outcome = try await send(batch, answer: Loopback.Reply(400, answer)).outcome
            #expect(outcome.isDelivered == isDelivered, "\(answer)")
        }
    }

    @Test(
        "an error of Stripe becomes a reason in its words",
        arguments: [
            (400, "refused", "Timestamp in future (timestamp_in_future, invalid_request_error)"),
            (401, "refused", "Invalid key [secret] (timestamp_in_future, invalid_request_error)"),
            (429, "retry", "Slow (timestamp_in_future, invalid_request_error)"),
            (409, "retry", "Busy (timestamp_in_future, invalid_request_error)"),
            (500, "retry", "Oh (timestamp_in_future, invalid_request_error)"),
        ]
    )
    func errors(status: Int, word: String, words: String) async throws {
        let message = String(words.prefix { $0 != "(" }.dropLast())
        let answer = Self.error(
            message.replacing("[secret]", with: "sk_test_1234"),
            code: "timestamp_in_future"
        )
        let outcome = try await send(
            try Sample.batch(),
            answer: Loopback.Reply(status, answer)
        ).outcome
        #expect(outcome.reason == "answered \(status): \(words)")
        #expect((outcome.isRetried ? "retry" : "refused") == word)
    }

    @Test("a record without a customer of Stripe, or a number, is refused and says what to do")
    func unfit() async throws {
        var nameless = try Sample.batch()
        nameless.items[0].record.labels.customerExternalRef = ""
        let (refused, asked) = try await send(nameless)
        #expect(asked.isEmpty)
        #expect(refused.isRefused && refused.reason.contains("`externalRef`"))
        let text = try await send(try Sample.batch()) { $0.value = "${unit}" }
        #expect(text.outcome.isRefused && text.asked.isEmpty)
    }

    @Test("a try sends no event: it only asks whether the key is taken")
    func tries() async throws {
        let (outcome, asked) = try await send(try Sample.batch(isTest: true))
        #expect(outcome.isDelivered)
        #expect(asked.map { "\($0.method) \($0.target)" } == ["GET /v1/billing/meters?limit=1"])
    }

    @Test("a template that names what there is not is a fault of the definition")
    func faults() async throws {
        var rules = StripeRules(apiKey: "sk_test_1234")
        rules.customer = "${customerRef}"
        #expect(try await Outlets(.stripe(rules)).fault()?.pointer == "/customer")
    }
}
