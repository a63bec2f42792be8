public import MeteringEngine
import UsageModel

/// What serves usage records and what becomes of them; a server may have some of it only.
public struct RecordKeeping: Sendable {
    public var store: any UsageRecordStore
    public var keeper: RecordKeeper?
    public var deliveries: (any DeliveryStore)?
    public var courier: RecordCourier?

    public init(
        store: any UsageRecordStore,
        keeper: RecordKeeper? = nil,
        deliveries: (any DeliveryStore)? = nil,
        courier: RecordCourier? = nil
    ) {
        (self.store, self.keeper) = (store, keeper)
        (self.deliveries, self.courier) = (deliveries, courier)
    }
}

extension FrontDesk {
    var recordStore: any UsageRecordStore {
        get throws(Refusal) { try part(records?.store, "usage records") }
    }

    var keeper: RecordKeeper {
        get throws(Refusal) { try part(records?.keeper, "usage records") }
    }

    var deliveryStore: any DeliveryStore {
        get throws(Refusal) { try part(records?.deliveries, "deliveries") }
    }

    var courier: RecordCourier {
        get throws(Refusal) { try part(records?.courier, "deliveries") }
    }

    private func part<Part>(_ part: Part?, _ what: String) throws(Refusal) -> Part {
        guard let part else { throw Refusal.notFound("this server keeps no \(what)") }
        return part
    }
}
