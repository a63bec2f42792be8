internal import Dispatch
internal import Foundation
internal import GRDB
internal import Logging
internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel

/// Counts the stored history for a version of a meter type that was made after it.
///
/// One version at a time, in the order in which they were made. Blocks are unpacked and measured on
/// a queue of its own, those aside that can hold nothing for it; each block's contributions are
/// then added by the committer between two groups, together with the mark of how far the history
/// is counted, so that a checkpoint, and with it a crash, never falls between the two. When all is
/// counted, and on disk, the version comes into force. While events come in, the backfill rests
/// twice as long as it works.
struct Backfilling: Sendable {
    /// Events measured after which what is counted goes to disk: what a crash makes it do again.
    private static let checkpointEvents = 1_000_000
    /// How long it rests for each microsecond of work while events come in.
    private static let rest: Int64 = 2

    let core: LedgerCore

    /// Starts what is left to be counted, one version after the other.
    func start() {
        core.backfills.async {
            var work = BackfillWork(core: core)
            while let next = core.currentMeterTypes().first(where: \.backfillState.isUnderWay) {
                do {
                    guard try advance(next, &work) else { return }
                } catch {
                    core.logger.error(
                        "a backfill stopped",
                        metadata: ["meterType": "\(next.key)", "error": "\(error)"]
                    )
                    return
                }
            }
        }
    }

    /// Takes one step. False when the ledger closes: the next start goes on from the mark.
    private func advance(_ version: MeterType, _ work: inout BackfillWork) throws -> Bool {
        if version.backfillState == .waiting {
            return committing("a backfill's beginning") { committer in
                try core.beginBackfill(position: committer.position)
            }
        }
        if version.isCounted { return putInForce(version) }
        if work.measured >= Self.checkpointEvents {
            work.measured = 0
            return committing("a checkpoint") { _ in try core.checkpoints.write() }
        }
        let intake = core.counters.withLock { $0.events }
        let started = core.ticks()
        guard try step(version, &work) else { return false }
        if core.counters.withLock({ $0.events }) != intake {
            usleep(UInt32(clamping: (core.ticks() - started) * Self.rest))
        }
        return true
    }

    private func putInForce(_ version: MeterType) -> Bool {
        // On disk first: whatever a crash leaves must not know less than readings showed.
        guard committing("a checkpoint", { _ in try core.checkpoints.write() }) else {
            return false
        }
        core.checkpoints.finishWriting()
        guard core.checkpoints.holdsHistory(of: version) else {
            usleep(200_000)
            return true
        }
        return committing("a version coming into force") { committer in
            try committer.putInForce(version.number)
        }
    }

    /// Counts one block, or passes by those in front that hold nothing for the version.
    private func step(_ version: MeterType, _ work: inout BackfillWork) throws -> Bool {
        let from = version.backfilled.value + 1
        guard let history = try work.history(of: version, from: from) else { return false }
        let wasDone = committing("the backfill of \(version.key)") { _ in
            let mark = core.derived.read { $0.backfilled[version.number] ?? 0 }
            let isAsked = core.currentMeterTypes().contains { other in
                other.number == version.number && other.backfillState == .running
            }
            // Otherwise given up meanwhile, or derived anew.
            guard isAsked, mark + 1 == from else { return }
            try core.addHistory(history, version)
        }
        guard wasDone else { return false }
        let mark = core.derived.read { $0.backfilled[version.number] ?? 0 }
        if mark < history.last { usleep(200_000) }
        return true
    }

    /// Runs a change on the committer's thread and waits for it; faults are logged, and the step
    /// is taken again. False when the ledger closes.
    private func committing(
        _ what: String,
        _ body: @escaping @Sendable (Committer) throws -> Void
    ) -> Bool {
        let done = DispatchSemaphore(value: 0)
        let isIn = core.enter(
            .perform { committer in
                defer { done.signal() }
                do { try body(committer) } catch { _ = core.fault(error, during: what) }
            },
            bytes: 0,
            events: 0
        )
        if isIn { done.wait() }
        return isIn
    }
}

/// What a stretch of the log means to a version: a block's events, or nothing.
private struct History: Sendable {
    struct Block: Sendable {
        var batch: PreparedBatch
        var first: UInt64
        var hour: Int32
        var change: [BooksRule.Tally]
    }

    /// nil: the stretch was passed by.
    var block: Block?
    /// The last position of the stretch.
    var last: UInt64
}

/// Reads and measures the blocks of backfills.
private struct BackfillWork {
    /// Blocks that are passed by under one mark.
    private static let passedBlocksMax = 256

    let core: LedgerCore
    /// Events measured since the last checkpoint.
    var measured = 0
    private var preparers: LastPreparer

    init(core: LedgerCore) {
        self.core = core
        preparers = LastPreparer(hashKey: core.truth.hashKey)
    }

    mutating func history(of version: MeterType, from: UInt64) throws -> History? {
        var from = from
        let inForce = core.currentMeterTypes().inForce()
        let upTo = version.countsAfter?.value ?? 0
        for _ in 0..<Self.passedBlocksMax {
            guard let stored = try core.truth.block(from: from), stored.firstPosition == from else {
                throw LedgerError(.corrupt, "no event block begins at position \(from)")
            }
            guard !mayMatter(stored, to: version, inForce) else {
                return try history(of: version, in: stored, inForce)
            }
            from = stored.positions.upperBound
            if from > upTo { break }
        }
        return History(block: nil, last: from - 1)
    }

    /// False only if no event of a block means anything to the version, or to those that it takes
    /// over from.
    private func mayMatter(
        _ stored: StoredBlock,
        to version: MeterType,
        _ inForce: [MeterType]
    ) -> Bool {
        if stored.packed.timeMax < version.effective.lowerBound { return false }
        guard let summary = BlockSummary(stored.packed.summary) else { return true }
        let same = inForce.filter { $0.key == version.key } + [version]
        return same.contains { summary.mayHold($0.definition.eventTypes) }
    }

    private mutating func history(
        of version: MeterType,
        in stored: StoredBlock,
        _ inForce: [MeterType]
    ) throws -> History {
        let block = try stored.events()
        let first = block.firstPosition
        measured += stored.packed.count
        // What the block meant under the versions in force tells what this one changes.
        let counting = (inForce.filter { $0.number != version.number } + [version]).filter { one in
            one.retiredPosition.map { $0.value >= first } ?? true
        }
        let batch = block.prepared(by: preparers.preparer(of: counting))
        let settled = core.gateOfHistory()?(batch, first) ?? batch
        let rule = BooksRule(counting) { $0.number == version.number }
        let last = block.positions.upperBound - 1
        guard rule.changes == [version.number] else { return History(block: nil, last: last) }
        return History(
            block: History.Block(
                batch: batch.keeping(version.number),
                first: first,
                hour: RollupBucket.hour(of: block.at),
                change: rule.tallies(of: settled) { _ in true }[1]
            ),
            last: last
        )
    }
}

extension LedgerCore {
    /// Adds what a stretch of the log means to one version. Only on the committer's thread.
    fileprivate func addHistory(_ history: History, _ version: MeterType) throws {
        if let block = history.block {
            try checkpoints.makeRoom(for: 0)
            let rows = block.batch.unreadableRows(first: block.first)
            if !rows.isEmpty {
                try truth.pool.write { try Truth.insert(rows, $0) }
            }
            derived.apply(block.batch, at: .dense(first: block.first), advances: false)
            derived.applyChange(
                version.number,
                block.change,
                of: block.batch,
                hour: block.hour,
                isOwn: version.inForceSince == nil
            )
        }
        derived.tables.withLock { $0.backfilled[version.number] = history.last }
        counters.withLock { $0.backfilled += Int64(history.last - version.backfilled.value) }
    }
}

extension PreparedBatch {
    /// The same events with nothing but what they mean to one meter.
    fileprivate func keeping(_ meter: UInt32) -> PreparedBatch {
        var kept = self
        kept.contributions.removeAll(keepingCapacity: true)
        kept.unreadable = 0
        let own = contributions.first { $0.meter == meter }
        kept.shapes =
            own.map { own in
                [MeterShape(lanes: [.init(meter: meter, aggregation: own.aggregation)])]
            } ?? []
        for (place, event) in events.enumerated() {
            let start = Int(event.firstContribution)
            kept.events[place].firstContribution = UInt32(kept.contributions.count)
            for one in contributions[start..<(start + Int(event.contributionCount))]
            where one.meter == meter {
                var one = one
                (one.shape, one.lane) = (0, 0)
                kept.contributions.append(one)
                if one.unreadable != nil { kept.unreadable += 1 }
            }
            kept.events[place].contributionCount =
                UInt32(kept.contributions.count) - kept.events[place].firstContribution
        }
        return kept
    }

    fileprivate func unreadableRows(first: UInt64) -> [GroupDecision.Unreadable] {
        guard unreadable > 0 else { return [] }
        var rows: [GroupDecision.Unreadable] = []
        for (place, event) in events.enumerated() {
            let start = Int(event.firstContribution)
            for contribution in contributions[start..<(start + Int(event.contributionCount))] {
                guard let reason = contribution.unreadable else { continue }
                rows.append(
                    GroupDecision.Unreadable(
                        position: first + UInt64(place),
                        meter: contribution.meter,
                        reason: reason
                    )
                )
            }
        }
        return rows
    }
}
