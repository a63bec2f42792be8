public import MeteringEngine
public import UsageModel

extension SQLiteLedger: QuarantineRetentionStore {
    public func dropSettled(before: Instant) async throws(LedgerError) -> Int {
        // Between two groups, as all changes of items: what is looked at for a release stands.
        let core = core
        return try await perform { _ in
            try core.truth.dropSettled(before: before, at: core.clock())
        }
    }
}
