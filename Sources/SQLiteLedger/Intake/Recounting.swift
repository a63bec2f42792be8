internal import Dispatch
internal import Foundation
internal import GRDB
internal import Logging
internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel

/// Settles a block's events by what the books know of meters at their positions.
typealias HistoryGate = (_ batch: PreparedBatch, _ firstPosition: UInt64) -> PreparedBatch

extension LedgerCore {
    /// nil where every event counts.
    func gateOfHistory() -> HistoryGate? {
        guard let gate = gate.withLock({ $0 }) else { return nil }
        let registry = meterRegistry.withLock { $0 }
        let recount = derived.read { $0.recount }
        return { batch, first in
            gate.settled(batch) { recount.number(at: first + UInt64($0), registry) }
        }
    }
}

/// Counts anew which events count, after meters were enrolled, suspended or closed.
///
/// A pass goes over the blocks that were there at the last change it takes in, and skips those
/// whose summary holds no subject of a changed meter. What a block adds to the books, or takes
/// away, goes there together with the mark of how far the pass is; so a crash repeats nothing and
/// forgets nothing.
struct Recounting: Sendable {
    /// Blocks whose summaries are read at once.
    fileprivate static let summariesPerRead = 64

    let core: LedgerCore

    func start() {
        core.backfills.async {
            do {
                while try pass() {}
            } catch {
                core.logger.error("a recount stopped", metadata: ["error": "\(error)"])
            }
        }
    }

    /// What one pass counts by.
    private struct Scope {
        var recount: Recount
        var registry: MeterRegistry
        /// Hashes of the changed meters' subjects.
        var subjects: Set<UInt64>
        /// The last event the pass looks at.
        var last: UInt64
    }

    /// Makes the pass that is due. False where none is, or the ledger closes.
    private func pass() throws -> Bool {
        let registry = core.meterRegistry.withLock { $0 }
        var recount = core.derived.read { $0.recount }
        if !recount.isUnderWay {
            guard recount.done < registry.last else { return false }
            let begun = Recount(done: recount.done, target: registry.last)
            guard advance(from: recount, to: begun, adding: [:]) else { return false }
            recount = begun
        }
        let changed = try core.truth.meters(changed: (recount.done + 1)...recount.target)
        let scope = Scope(
            recount: recount,
            registry: registry,
            subjects: Set(changed.map { core.derived.hash(of: Array($0.subject.utf8)) }),
            last: registry.position(of: recount.target)
        )
        guard let end = try count(scope) else { return false }
        let done = Recount(done: end.target, target: end.target)
        return advance(from: end, to: done, adding: [:])
    }

    /// Looks at all blocks of the pass from its mark.
    ///
    /// - Returns: where it ended; nil where the ledger closes or was rebuilt meanwhile.
    private func count(_ scope: Scope) throws -> Recount? {
        var recount = scope.recount
        var from = recount.mark + 1
        while from <= scope.last {
            let summaries = try core.truth.summaries(from: from, upTo: scope.last)
            guard let last = summaries.last else { return recount }
            for block in summaries where mayHold(block.summary, scope.subjects) {
                guard let stored = try core.truth.block(from: block.positions.lowerBound) else {
                    continue
                }
                let deltas = try deltas(of: stored, scope)
                var next = recount
                next.mark = block.positions.upperBound - 1
                guard advance(from: recount, to: next, adding: deltas) else { return nil }
                recount = next
            }
            from = last.positions.upperBound
            var next = recount
            next.mark = from - 1
            guard advance(from: recount, to: next, adding: [:]) else { return nil }
            recount = next
        }
        return recount
    }

    private func mayHold(_ summary: BlockSummary?, _ subjects: Set<UInt64>) -> Bool {
        guard let summary else { return true }
        return subjects.contains(where: summary.mayHold(subject:))
    }

    /// What of the books changes, by how many counted events.
    private struct Line: Hashable {
        var origin: PreparedBatch.Origin
        var hour: Int32
        /// Those in force when the events came, or what one version changed since.
        var measure: UInt32
    }

    private func deltas(of stored: StoredBlock, _ scope: Scope) throws -> [Line: Int64] {
        let first = stored.firstPosition
        let types = core.currentMeterTypes()
        guard let gate = CountGate(types, scope.registry) else { return [:] }
        var catalogs = CatalogsByPosition(meterTypes: types, hashKey: core.truth.hashKey)
        let (preparer, rule) = catalogs.catalog(at: first)
        let batch = try stored.events().prepared(by: preparer)
        let hour = RollupBucket.hour(of: stored.at)
        // As if the pass had not come by: the block is not behind its mark yet.
        let before = Recount(done: scope.recount.done, target: scope.recount.done)
        let known = batch.events.indices.map { place in
            before.number(at: first + UInt64(place), scope.registry)
        }
        let isAsked = { (place: Int) in
            known[place] < scope.recount.target
                && scope.subjects.contains(batch.events[place].subjectHash)
        }
        let one = rule.tallies(of: gate.settled(batch) { known[$0] }, isNew: isAsked)
        let two = rule.tallies(
            of: gate.settled(batch) { _ in scope.recount.target },
            isNew: isAsked
        )
        let measures =
            [BooksMeasure.counted.rawValue]
            + rule.changes.map { BooksChange.measure(.counted, of: $0) }
        var deltas: [Line: Int64] = [:]
        for (measure, (before, after)) in zip(measures, zip(one, two)) {
            for (number, origin) in batch.origins.enumerated() {
                let delta = after[number].counted - before[number].counted
                guard delta != 0 else { continue }
                deltas[Line(origin: origin, hour: hour, measure: measure)] = delta
            }
        }
        return deltas
    }

    /// Adds to the books what a block changes, and moves the mark. On the committer's thread, so
    /// that a checkpoint never falls between the two.
    ///
    /// - Returns: whether it was done: not where the ledger closes, or derived state was begun
    ///   anew.
    private func advance(
        from before: Recount,
        to after: Recount,
        adding deltas: [Line: Int64]
    ) -> Bool {
        let done = DispatchSemaphore(value: 0)
        let isDone = Outcome()
        let core = core
        let isIn = core.enter(
            .perform { _ in
                defer { done.signal() }
                do {
                    try core.checkpoints.makeRoom(for: 0)
                } catch {
                    _ = core.fault(error, during: "a recount")
                    return
                }
                core.derived.tables.withLock { tables in
                    guard tables.recount == before else { return }
                    for (line, delta) in deltas {
                        let (origin, hour) = (line.origin, line.hour)
                        let cell = core.derived.booksCell(origin, hour: hour, in: &tables)
                        core.derived.addCount(delta, line.measure, to: cell, in: &tables)
                    }
                    tables.recount = after
                    isDone.value.store(true, ordering: .relaxed)
                }
            },
            bytes: 0,
            events: 0
        )
        guard isIn else { return false }
        done.wait()
        return isDone.value.load(ordering: .relaxed)
    }

    private final class Outcome: Sendable {
        let value = Atomic<Bool>(false)
    }
}

extension Truth {
    fileprivate struct SummaryRow {
        var positions: Range<UInt64>
        /// nil where it cannot be read: the block must be looked at.
        var summary: BlockSummary?
    }

    /// The summaries of the next blocks, without their events.
    fileprivate func summaries(from first: UInt64, upTo last: UInt64) throws -> [SummaryRow] {
        try pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT first_position, count, summary FROM event_block
                    WHERE first_position BETWEEN ? AND ? ORDER BY first_position LIMIT ?
                    """,
                arguments: [Int64(first), Int64(last), Recounting.summariesPerRead]
            ).map { row in
                let first = UInt64(row["first_position"] as Int64)
                return SummaryRow(
                    positions: first..<(first + UInt64(row["count"] as Int64)),
                    summary: BlockSummary(Array(row["summary"] as Data))
                )
            }
        }
    }
}
