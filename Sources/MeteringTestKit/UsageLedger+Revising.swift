public import MeteringEngine
public import UsageModel

extension UsageLedger {
    /// Makes a version that may reach into closed periods.
    public func revise(
        _ definition: MeterTypeDefinition,
        effective: EffectiveTime,
        after version: Int
    ) async throws(LedgerError) -> MeterType {
        try await revise(definition, effective: effective, after: version, restates: true)
    }
}
