import MeteringEngine
import UsageModel
import WireFormat

/// Records as CloudEvents 1.0 over HTTP: one in the structured mode, several in the batched mode.
struct CloudEventsOutlet: RecordOutlet {
    private let rules: CloudEventsRules
    private let courier: Courier
    private let answers: AnswerRules

    init(_ rules: CloudEventsRules, _ courier: Courier) throws(FieldFault) {
        try URLText.check(rules.url, at: "/url")
        (self.rules, self.courier) = (rules, courier)
        let secrets = Secrets(headers: rules.headers)
        answers = AnswerRules(secrets: secrets.adding(Secrets.texts(ofURL: rules.url)))
    }

    func send(_ batch: DeliveryBatch) async -> DeliveryOutcome {
        let events = batch.items.map { JSONValue.object(event(of: $0, in: batch)) }
        let isOne = events.count == 1
        let type = isOne ? "application/cloudevents+json" : "application/cloudevents-batch+json"
        var request = OutletRequest(
            url: rules.url,
            contentType: type,
            body: (isOne ? events[0] : .array(events)).serialized()
        )
        request.set(rules.headers)
        // The mode is told by the content type, which is ours to say.
        request.set("content-type", type)
        request.set("idempotency-key", batch.idempotencyKey)
        return await courier.outcome(of: request, answers)
    }

    private func event(of item: DeliveryBatch.Item, in batch: DeliveryBatch) -> JSONObject {
        [
            "specversion": "1.0",
            "id": .string(item.record.id.text),
            "source": .string(rules.source),
            "type": .string(batch.isTest ? "odometer.test" : rules.type),
            "subject": .string(item.record.meter.text),
            "time": .string(item.record.createdAt.rfc3339),
            "datacontenttype": "application/json",
            "data": .object(batch.document(of: item)),
        ]
    }
}
