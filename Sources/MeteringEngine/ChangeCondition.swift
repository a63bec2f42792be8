public import UsageModel

/// Whether a change may be made to what stands; nil where nothing does.
///
/// It is asked in the commit that makes the change, so that of two changes to one state the later
/// is refused, `outdated`. A change that changes nothing is made whatever it says: its author sees
/// what stands already.
public typealias ChangeCondition<Thing> = @Sendable (_ standing: Thing?) -> Bool

extension UsageLedger {
    /// Puts a customer over whatever stands.
    public func put(_ customer: CustomerDefinition) async throws(LedgerError) -> Customer {
        try await put(customer) { _ in true }
    }

    public func retire(customer key: CustomerKey) async throws(LedgerError) -> Customer {
        try await retire(customer: key) { _ in true }
    }
}

extension DeliveryStore {
    /// Puts a destination over whatever stands.
    public func put(_ definition: DestinationDefinition) async throws(LedgerError) -> Destination {
        try await put(definition) { _ in true }
    }

    public func retire(destination key: DestinationKey) async throws(LedgerError) -> Destination {
        try await retire(destination: key) { _ in true }
    }
}
