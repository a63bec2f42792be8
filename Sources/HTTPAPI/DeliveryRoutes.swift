import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// Deliveries: what became of each record at each destination.
extension FrontDesk {
    /// `GET /v1/deliveries?destination=…`, in the order of their numbers.
    func listDeliveries(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let name = query.text("destination")
        if name == nil {
            query.fault("destination", "it is missing", "name a destination")
        }
        guard let key = DestinationKey(name ?? "none") else {
            throw Refusal.notFound("\"\(name ?? "")\" is no key of a destination")
        }
        var question = DeliveryQuery(destination: key, limit: query.limit())
        question.states = query.words("state")
        question.meterTypes = query.meterTypes()
        question.subjects = query.texts("subject")
        question.customers = query.customers()
        (question.from, question.to) = (query.instant("from"), query.instant("to"))
        question.after = query.sequence("after")
        question.isDescending = query.isDescending()
        if var cursor = try query.cursor(.deliveries) {
            let place = try cursor.readSigned()
            if question.isDescending { question.before = place } else { question.after = place }
        }
        try query.finish()
        let answer = try await deliveryStore.deliveries(question)
        let items = answer.deliveries.map { JSONValue.object(Self.document($0)) }
        var document: JSONObject = ["items": .array(items)]
        if answer.hasMore, let last = answer.deliveries.last {
            var cursor = Cursor(.deliveries, fingerprint: query.fingerprint)
            cursor.append(last.number)
            document["next"] = .string(cursor.text)
        }
        return .json(document, isPretty: call.isPretty)
    }

    /// `GET /v1/deliveries/{destination}/{number}`.
    func readDelivery(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let (name, text) = (try call.name(at: 2), try call.name(at: 3))
        guard let key = DestinationKey(name), let number = Int64(text), number > 0 else {
            throw Refusal.notFound("there is no delivery \"\(name)\" \"\(text)\"")
        }
        var question = DeliveryQuery(destination: key, limit: 1)
        question.after = number - 1
        let found = try await deliveryStore.deliveries(question).deliveries.first
        guard let delivery = found, delivery.number == number else {
            throw Refusal.notFound("destination \"\(key)\" has no delivery \(number)")
        }
        var document = Self.document(delivery)
        let attempts = try await deliveryStore.attempts(of: key, batch: delivery.batch)
        document["tries"] = .array(Self.told(attempts, of: delivery))
        return .json(document, isPretty: call.isPretty)
    }

    /// How the tries went, the newest first; of one that was taken at once, what the delivery says.
    private static func told(
        _ attempts: [DeliveryAttempt],
        of delivery: Delivery
    ) -> [JSONValue] {
        var attempts = attempts
        if attempts.isEmpty, let at = delivery.lastAttemptAt {
            attempts = [
                DeliveryAttempt(
                    at: at,
                    state: delivery.state,
                    status: delivery.status,
                    answer: delivery.answer
                )
            ]
        }
        return attempts.map { attempt in
            var document: JSONObject = [
                "at": .string(attempt.at.rfc3339), "state": .string(attempt.state.rawValue),
            ]
            document["status"] = attempt.status.map { .number(String($0)) }
            if !attempt.answer.isEmpty { document["answer"] = .string(attempt.answer) }
            document["requestCount"] = .number(String(attempt.requestCount))
            document["requests"] = .array(
                attempt.requests.map { .object(SentRequestDocument.write($0)) }
            )
            return .object(document)
        }
    }

    /// `POST /v1/deliveries/resend`.
    func resendDeliveries(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let value = try await readDocument(call)
        let selection: DeliverySelection
        do throws(ResendDocument.Faults) {
            selection = try ResendDocument.read(value)
        } catch {
            throw Refusal(error)
        }
        let count = try await deliveryStore.resend(selection, now: clock())
        return .json(["resent": .string(String(count))], isPretty: call.isPretty)
    }

    private static func document(_ delivery: Delivery) -> JSONObject {
        var document: JSONObject = [
            "destination": .string(delivery.destination.text),
            "number": .string(String(delivery.number)),
            "batch": .string(String(delivery.batch)), "state": .string(delivery.state.rawValue),
            "attempts": .number(String(delivery.attempts)),
        ]
        func set(_ name: String, _ instant: Instant?) {
            document[name] = instant.map { .string($0.rfc3339) }
        }
        set("nextAttemptAt", delivery.nextAttemptAt)
        set("lastAttemptAt", delivery.lastAttemptAt)
        set("deliveredAt", delivery.deliveredAt)
        document["status"] = delivery.status.map { .number(String($0)) }
        if !delivery.answer.isEmpty { document["answer"] = .string(delivery.answer) }
        document["record"] = .object(UsageRecordDocument.write(delivery.record))
        return document
    }
}
