import Crypto
import FoundationEssentials
import MeteringEngine
import UsageModel
import WireFormat

/// Meter events of Stripe: `POST /v1/billing/meter_events`, a request for each record, in order.
///
/// The record's id is the event's `identifier`, by which Stripe counts it once (for at least a
/// day); an answer that it has the identifier already is as good as a success. The idempotency key
/// is the id and a digest of the body: Stripe keeps the answer of a key, and a record that was
/// refused must have another once the destination was changed.
///
/// A try sends no event, which would be billed: it asks for a meter, by which the key is checked.
struct StripeOutlet: RecordOutlet {
    static let identifierLengthMax = 100

    private let rules: StripeRules
    private let url: String
    private let eventName: Template
    private let customer: Template
    private let value: Template
    private let courier: Courier
    private let answers: AnswerRules

    init(_ rules: StripeRules, _ courier: Courier) throws(FieldFault) {
        try URLText.check(rules.url, at: "/url")
        (self.rules, self.courier) = (rules, courier)
        let base = rules.url.hasSuffix("/") ? String(rules.url.dropLast()) : rules.url
        url = base + "/v1/billing/"
        eventName = try Template(rules.eventName, .recordInBatch, at: "/eventName")
        customer = try Template(rules.customer, .recordInBatch, at: "/customer")
        value = try Template(rules.value, .recordInBatch, at: "/value")
        // A key that is in use at this moment is free in the next.
        answers = AnswerRules(busy: [409], secrets: Secrets([rules.apiKey]))
    }

    func send(_ batch: DeliveryBatch) async -> DeliveryOutcome {
        guard !batch.isTest else { return await look() }
        return await batch.sendOneByOne(sendOne)
    }

    private func sendOne(_ batch: DeliveryBatch) async -> DeliveryOutcome {
        let body: [UInt8]
        do throws(UnfitValue) {
            body = try self.body(batch)
        } catch {
            return .refused(status: nil, reason: error.reason)
        }
        let id = batch.items[0].record.id.text
        let digest = SHA256.hash(data: body).prefix(8).hex
        var request = OutletRequest(
            url: url + "meter_events",
            contentType: "application/x-www-form-urlencoded",
            body: body
        )
        request.set("authorization", "Bearer " + rules.apiKey)
        request.set("idempotency-key", "\(id)-\(digest)")
        return outcome(of: await courier.send(request, answers), id)
    }

    /// Asks for one meter.
    private func look() async -> DeliveryOutcome {
        var request = OutletRequest(url: url + "meters?limit=1")
        request.method = "GET"
        request.set("authorization", "Bearer " + rules.apiKey)
        return outcome(of: await courier.send(request, answers), "")
    }

    private func body(_ batch: DeliveryBatch) throws(UnfitValue) -> [UInt8] {
        let item = batch.items[0]
        let document = batch.fields.joined(to: batch.document(of: item))
        let name = eventName.filled(document)
        if name.isEmpty {
            throw UnfitValue(reason: "`eventName` (\(rules.eventName)) gives nothing")
        }
        let reference = customer.filled(document)
        if reference.isEmpty {
            let owner = item.record.customer?.text ?? "none"
            throw UnfitValue(
                reason: "no customer of Stripe: `\(rules.customer)` gives nothing for the customer "
                    + "\(owner); set the customer's `externalRef` to its `cus_…`"
            )
        }
        let amount = value.filled(document)
        guard let quantity = try? Quantity(amount) else {
            throw UnfitValue(reason: "`value` gives `\(amount.prefix(100))`, which is no number")
        }
        // The last second of the period, which ends just before the next begins.
        let time = Instant(microseconds: item.record.period.upperBound.microseconds - 1_000_000)
        return URLText.form([
            ("event_name", name),
            ("payload[\(rules.customerField)]", reference),
            ("payload[\(rules.valueField)]", quantity.description),
            ("identifier", String(item.record.id.text.prefix(Self.identifierLengthMax))),
            ("timestamp", String(time.unixSeconds)),
        ])
    }

    private func outcome(of reply: OutletReply, _ id: String) -> DeliveryOutcome {
        var words: String?
        if case .answer(let answer) = reply {
            let error = (try? JSONValue.parse(answer.bytes))?["error"]
            let message = error?["message"]?.stringValue ?? ""
            let code = error?["code"]?.stringValue
            let isKnown = code == "duplicate_meter_event" || message.contains(Self.duplicate(id))
            if answer.status == 400, !id.isEmpty, isKnown {
                return .delivered(status: answer.status, reference: id)
            }
            let kind = [code, error?["type"]?.stringValue].compactMap(\.self)
            if !message.isEmpty { words = "\(message) (\(kind.joined(separator: ", ")))" }
        }
        switch answers.outcome(of: reply, now: courier.clock(), words: words) {
        case .delivered(let status, _): return .delivered(status: status, reference: id)
        case let other: return other
        }
    }

    /// What Stripe answers to an identifier that it has; a code it often leaves out.
    private static func duplicate(_ id: String) -> String {
        "event already exists with identifier \(id)"
    }
}
