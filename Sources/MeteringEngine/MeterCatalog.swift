public import Metering
internal import Synchronization
public import UsageModel

/// The meter types that count, compiled per event type as types come by, and the validation rules.
///
/// A catalog never changes: a new or retired meter type or rule makes a new catalog of the next
/// generation.
/// - Complexity: one look-up for each distinct event type of a batch.
public final class MeterCatalog: Sendable {
    /// The most event types whose plan is kept; past it the plans are made anew.
    static let plansMax = 10_000

    public let generation: UInt64
    /// In the order of their numbers.
    public let meterTypes: [MeterType]
    /// The validation rules in force; nil where there are none.
    public let rules: RuleBook?
    /// Whether any meter type computes anything.
    let hasExpressions: Bool
    private let zones: any TimeZoneSource
    private let plans = Mutex<[[UInt8]: TypePlan]>([:])

    /// - Parameter zones: Of the time zones that expressions name.
    public init(
        generation: UInt64,
        meterTypes: [MeterType],
        rules: RuleBook? = nil,
        zones: any TimeZoneSource = SystemTimeZones.shared
    ) {
        (self.generation, self.rules, self.zones) = (generation, rules, zones)
        hasExpressions = meterTypes.contains(where: \.definition.hasExpressions)
        self.meterTypes = meterTypes.sorted { $0.number < $1.number }
    }

    func plan(for type: [UInt8]) -> TypePlan {
        if let plan = plans.withLock({ $0[type] }) { return plan }
        // An entry is no use, also where a meter type takes every type.
        let isUse = !LedgerEntry.isEntry(type: type)
        let matching = meterTypes.filter { meterType in
            isUse && meterType.definition.eventTypes.contains { $0.matches(type) }
        }
        let plan = TypePlan(matching, zones: zones)
        plans.withLock { plans in
            if plans.count >= Self.plansMax { plans.removeAll() }
            plans[type] = plan
        }
        return plan
    }
}
