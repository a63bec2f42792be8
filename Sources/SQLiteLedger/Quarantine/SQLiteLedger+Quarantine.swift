public import MeteringEngine
public import UsageModel

extension SQLiteLedger: QuarantineStore {
    public func item(_ number: Int64) async throws(LedgerError) -> QuarantinedEvent? {
        try keeping("reading an item of the quarantine") { try core.truth.item(number) }
    }

    public func groups(
        _ query: QuarantineGroupQuery
    ) async throws(LedgerError) -> QuarantineGroupAnswer {
        try keeping("groups of the quarantine") { try core.truth.groups(query) }
    }

    public func change(
        _ number: Int64,
        version: Int64?,
        _ change: QuarantineChange,
        _ note: QuarantineNote
    ) async throws(LedgerError) -> QuarantineOutcome {
        let core = core
        return try await perform { _ in
            try core.truth.change(number, version: version, change, note, at: core.clock())
        }
    }

    public func release(
        _ number: Int64,
        version: Int64?,
        _ note: QuarantineNote
    ) async throws(LedgerError) -> QuarantineOutcome {
        let item = try await known(number)
        if let version, version != item.version { return .outdated(item) }
        guard item.state == .open else { return .settled(item) }
        let order = ReleaseOrder(
            items: [
                ReleaseOrder.Item(
                    number: number,
                    version: item.version,
                    bytes: item.bytes,
                    firstSeenAt: item.firstSeenAt
                )
            ],
            note: note
        )
        let outcome = try await release(order, into: item.backfillSet)
        let after = try await known(number)
        guard outcome.isRefused else {
            return .changed(after, outcome.exceptions.first?.verdict ?? .accepted)
        }
        return .outdated(after)
    }

    /// Hands an order to the committer.
    ///
    /// - Returns: an outcome that is refused where an item was changed since it was looked at.
    /// - Parameter set: The backfill set that the items were on their way to.
    func release(
        _ order: ReleaseOrder,
        into set: Int64? = nil
    ) async throws(LedgerError) -> BatchOutcome {
        let batch = try keeping("preparing a release") {
            try order.prepared(by: preparer, now: core.clock())
        }
        return try await record(batch, isAtomic: false, order, into: set)
    }

    private func known(_ number: Int64) async throws(LedgerError) -> QuarantinedEvent {
        guard let item = try await item(number) else {
            throw LedgerError(.notFound, "there is no \(QuarantinedEvent.id(number))")
        }
        return item
    }
}
