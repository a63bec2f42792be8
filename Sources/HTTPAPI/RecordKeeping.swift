public import MeteringEngine
import UsageModel

/// What serves usage records, what becomes of them, and who changed what; a server may have some of
/// it only.
public struct RecordKeeping: Sendable {
    public var store: any UsageRecordStore
    public var keeper: RecordKeeper?
    public var deliveries: (any DeliveryStore)?
    public var courier: RecordCourier?
    public var audit: (any AuditStore)?

    public init(
        store: any UsageRecordStore,
        keeper: RecordKeeper? = nil,
        deliveries: (any DeliveryStore)? = nil,
        courier: RecordCourier? = nil,
        audit: (any AuditStore)? = nil
    ) {
        (self.store, self.keeper) = (store, keeper)
        (self.deliveries, self.courier, self.audit) = (deliveries, courier, audit)
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

    var auditStore: any AuditStore {
        get throws(Refusal) { try part(records?.audit, "audit trail") }
    }

    private func part<Part>(_ part: Part?, _ what: String) throws(Refusal) -> Part {
        guard let part else { throw Refusal.notFound("this server keeps no \(what)") }
        return part
    }
}
