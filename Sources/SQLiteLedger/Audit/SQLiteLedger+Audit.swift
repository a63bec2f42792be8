public import MeteringEngine

extension SQLiteLedger: AuditStore {
    public func audit(_ query: AuditQuery) async throws(LedgerError) -> AuditAnswer {
        try keeping("reading the audit trail") { try core.truth.audit(query) }
    }

    public func append(_ change: AuditedChange) async throws(LedgerError) {
        try keeping("adding to the audit trail") {
            try core.truth.append(change, now: core.clock())
        }
    }
}
