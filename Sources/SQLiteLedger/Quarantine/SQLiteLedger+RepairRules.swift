public import MeteringEngine
public import UsageModel

extension SQLiteLedger: RepairRuleStore {
    /// Rings when there may be work in the quarantine: an event was rejected, an action was asked
    /// for. For one listener; rings that nobody waited for are one.
    public var quarantineRings: AsyncStream<Void> { core.quarantineBell.rings }

    public func repairRules() async throws(LedgerError) -> [RepairRule] {
        try keeping("reading repair rules") { try core.truth.repairRules() }
    }

    public func repairRule(_ key: RepairRuleKey) async throws(LedgerError) -> RepairRule? {
        try keeping("reading a repair rule") { try core.truth.repairRule(key) }
    }

    public func add(
        _ definition: RepairRuleDefinition,
        appliesToOpen: Bool
    ) async throws(LedgerError) -> RepairRuleOutcome {
        // On the committer's thread: what is rejected before is before, and after is after.
        let core = core
        let outcome = try await perform { _ in
            try core.truth.add(definition, appliesToOpen: appliesToOpen, at: core.clock())
        }
        core.quarantineBell.ring()
        return outcome
    }

    public func revise(
        _ definition: RepairRuleDefinition,
        version: Int64,
        appliesToOpen: Bool
    ) async throws(LedgerError) -> RepairRuleOutcome {
        let core = core
        let outcome = try await perform { _ in
            try core.truth.revise(
                definition,
                version: version,
                appliesToOpen: appliesToOpen,
                at: core.clock()
            )
        }
        core.quarantineBell.ring()
        return outcome
    }

    public func delete(
        _ key: RepairRuleKey,
        version: Int64?
    ) async throws(LedgerError) -> RepairRuleOutcome {
        let core = core
        return try await perform { _ in
            try core.truth.delete(key, version: version, at: core.clock())
        }
    }

    public func repairsDue() async throws(LedgerError) -> RepairsDue? {
        try keeping("looking for items to repair") { try core.truth.repairsDue() }
    }

    public func repair(_ work: RepairWork) async throws(LedgerError) {
        let page = RepairPage(work)
        let items = work.items.compactMap { one -> ReleaseOrder.Item? in
            guard case .mended(let bytes) = one.attempt else { return nil }
            return ReleaseOrder.Item(
                number: one.item.number,
                version: one.item.version,
                bytes: bytes,
                isEdited: true,
                firstSeenAt: one.item.firstSeenAt,
                rule: one.rule
            )
        }
        guard !items.isEmpty else {
            let core = core
            return try await perform { _ in try core.truth.write(page) }
        }
        let order = ReleaseOrder(items: items, note: QuarantineNote(), repairs: page)
        do throws(LedgerError) {
            _ = try await release(order, into: work.set)
        } catch {
            guard let set = work.set, error.code == .setNotOpen || error.code == .limitExceeded
            else { throw error }
            var left = work
            for place in left.items.indices {
                guard case .mended = left.items[place].attempt else { continue }
                left.items[place].attempt = .failed("\(BackfillSet.id(set)) takes no more events")
            }
            try await repair(left)
        }
    }
}

/// Wakes the one who works on the quarantine.
struct QuarantineBell: Sendable {
    let rings: AsyncStream<Void>
    private let clapper: AsyncStream<Void>.Continuation

    init() {
        (rings, clapper) = AsyncStream.makeStream(
            of: Void.self,
            bufferingPolicy: .bufferingNewest(1)
        )
    }

    func ring() { clapper.yield() }
}
