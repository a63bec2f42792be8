internal import GRDB
internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel

// A correction is made on the committer's thread, between two groups: one transaction holds its
// entry in the log, the replacements behind it, and what it says of which events.
extension Committer {
    /// - Returns: nil where another correction came after the plan was made; it must be made anew.
    func correct(_ plan: CorrectionPlan) throws -> CorrectionOutcome? {
        let core = self.core
        let registry = core.corrections.withLock { $0 }
        if let known = try core.known(plan.request, registry) { return known }
        guard registry.count == plan.known else { return nil }
        // More may have been sent to the set.
        if let set = plan.backfillSet {
            guard registry.backfillSet(set.number) == set,
                registry.parts[set.number] ?? 0 == plan.parts
            else { return nil }
        }
        let plan = try CorrectionPlanning(core: core, request: plan.request).extended(plan)
        try plan.request.check(events: plan.events)
        guard plan.changesSomething else { return CorrectionOutcome(correction: nil) }
        let entry = position + 1
        let correction = Correction(
            number: Int64(registry.count + 1),
            position: Position(entry),
            kind: plan.request.kind,
            at: core.clock(),
            author: plan.request.author,
            reason: plan.request.reason,
            events: plan.events,
            backfillSet: plan.backfillSet?.number
        )
        let count = UInt64(plan.replacements?.events.count ?? 0)
        let stored = StoredCorrection(
            correction: correction,
            entries: entry..<(entry + 1 + count),
            token: plan.request.token,
            fingerprint: plan.request.fingerprint,
            targets: plan.targets.map { target in
                var target = target
                if target.change.replacement != 0 { target.change.replacement += entry }
                return target
            },
            books: plan.books
        )
        try append(
            CorrectionEntry.events(correction, replacements: plan.replacements),
            at: correction.at
        ) { database in
            try Truth.insert(stored, database)
            try Truth.audit([.of(correction)], at: correction.at, database)
        } beforeReadings: {
            // Readings know it before they reach its position: they ask what held as of theirs.
            core.corrections.withLock { $0.add(stored) }
            core.successions.add(1, ordering: .sequentiallyConsistent)
        }
        return CorrectionOutcome(correction: correction)
    }
}

extension LedgerCore {
    /// What the same request came to when it was made before; nil where it was not.
    func known(
        _ request: CorrectionRequest,
        _ registry: CorrectionRegistry
    ) throws -> CorrectionOutcome? {
        guard let token = request.token else { return nil }
        let known = try truth.pool.read { try Truth.correction(token: token, $0) }
        guard let known else { return nil }
        guard known.fingerprint == request.fingerprint else {
            throw LedgerError(.alreadyExists, "another correction was made under this token")
        }
        return CorrectionOutcome(correction: registry.correction(known.number))
    }
}
