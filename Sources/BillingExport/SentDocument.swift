import MeteringEngine
import UsageModel
import WireFormat

extension DeliveryBatch {
    /// What the other side reads of a record: its document, the number by which a gap is seen, and
    /// `"test": true` where it is a try.
    func document(of item: Item) -> JSONObject {
        var document = UsageRecordDocument.write(item.record)
        document["deliveryNumber"] = .string(String(item.number))
        if isTest { document["test"] = true }
        return document
    }

    /// One record as it is, several as `{"items":[…]}`.
    var document: JSONObject {
        let documents = items.map(document(of:))
        guard documents.count != 1 else { return documents[0] }
        return ["items": .array(documents.map(JSONValue.object))]
    }

    /// The records one by one, each as a batch of its own.
    private var singles: [DeliveryBatch] {
        items.map { item in
            var single = self
            single.items = [item]
            return single
        }
    }

    /// Sends the records one after the other, in their order, up to the first that is not taken.
    /// Those before it are sent again with the next try, under the same keys.
    func sendOneByOne(
        _ send: (DeliveryBatch) async -> DeliveryOutcome
    ) async -> DeliveryOutcome {
        var outcome = DeliveryOutcome.delivered(status: nil, reference: "")
        for (index, single) in singles.enumerated() {
            outcome = await send(single)
            let place = items.count == 1 ? "" : "record \(index + 1) of \(items.count): "
            switch outcome {
            case .delivered: continue
            case .retry(let status, let reason, let after):
                return .retry(status: status, reason: place + reason, after: after)
            case .refused(let status, let reason):
                return .refused(status: status, reason: place + reason)
            }
        }
        return outcome
    }
}
