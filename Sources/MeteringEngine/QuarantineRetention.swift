public import UsageModel

/// Where the bytes of settled items are dropped.
public protocol QuarantineRetentionStore: Sendable {
    /// Drops the bytes, as received and as edited, of items that were released or discarded before
    /// a time, the longest settled first: at most ``Limits/quarantineDropItemsMax``. All else that
    /// is known of them stays, and so do the books. One entry of the audit trail tells of all of
    /// them.
    ///
    /// - Returns: how many there were.
    /// - Complexity: an index entry and a row each.
    func dropSettled(before: Instant) async throws(LedgerError) -> Int
}

/// Drops the bytes of items that have been settled for long, a page at a time; whoever holds it
/// says when.
public struct QuarantineRetention: Sendable {
    private let store: any QuarantineRetentionStore
    private let keeping: TimeLength
    private let clock: @Sendable () -> Instant

    /// - Parameters:
    ///   - keeping: How long the bytes of a settled item are kept.
    ///   - clock: The time of day.
    public init(
        store: any QuarantineRetentionStore,
        keeping: TimeLength,
        clock: @escaping @Sendable () -> Instant
    ) {
        (self.store, self.keeping, self.clock) = (store, keeping, clock)
    }

    /// Drops the next page.
    ///
    /// - Returns: whether there may be more.
    public func takeTurn() async throws(LedgerError) -> Bool {
        let cut = clock().microseconds.subtractingReportingOverflow(keeping.microseconds)
        guard !cut.overflow else { return false }
        let dropped = try await store.dropSettled(before: Instant(microseconds: cut.partialValue))
        return dropped == Limits.quarantineDropItemsMax
    }
}
