import MeteringEngine
import UsageModel
import WireFormat

/// A signed POST, as Standard Webhooks 1.0 has it (https://www.standardwebhooks.com):
///
///     {"type":"usage-record.final","timestamp":"2026-12-01T00:00:00Z","data":{…}}
///
/// `type` is `usage-record.` and the record's kind, `usage-record.batch` for several, whose data
/// is `{"items":[…]}`, and `odometer.test` for a try. `timestamp` is when the last of the records
/// was made, so that each try has the same body.
struct WebhookOutlet: RecordOutlet {
    private let rules: WebhookRules
    private let signature: WebhookSignature
    private let courier: Courier
    private let answers: AnswerRules

    init(_ rules: WebhookRules, _ courier: Courier) throws(FieldFault) {
        try URLText.check(rules.url, at: "/url")
        signature = try WebhookSignature(secrets: rules.secrets, at: "/secrets")
        (self.rules, self.courier) = (rules, courier)
        let secrets = rules.secrets + Secrets.texts(ofURL: rules.url)
        answers = AnswerRules(secrets: Secrets(headers: rules.headers).adding(secrets))
    }

    func send(_ batch: DeliveryBatch) async -> DeliveryOutcome {
        let last = batch.items[batch.items.count - 1].record
        let message: JSONValue = [
            "type": .string(Self.type(of: batch)),
            "timestamp": .string(last.createdAt.rfc3339),
            "data": .object(batch.document),
        ]
        let body = message.serialized()
        let seconds = batch.sentAt.unixSeconds
        let id = batch.idempotencyKey
        var request = OutletRequest(url: rules.url, contentType: "application/json", body: body)
        request.set(rules.headers)
        request.set("webhook-id", id)
        request.set("webhook-timestamp", String(seconds))
        request.set("webhook-signature", signature.value(id: id, seconds: seconds, body: body))
        request.set("idempotency-key", id)
        return await courier.outcome(of: request, answers)
    }

    private static func type(of batch: DeliveryBatch) -> String {
        if batch.isTest { return "odometer.test" }
        guard batch.items.count == 1 else { return "usage-record.batch" }
        return "usage-record.\(batch.items[0].record.kind.rawValue)"
    }
}

extension Instant {
    /// Whole seconds since the epoch, the fraction cut.
    var unixSeconds: Int64 {
        let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return rest < 0 ? seconds - 1 : seconds
    }
}
