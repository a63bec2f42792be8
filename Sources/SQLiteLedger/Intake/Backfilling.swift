internal import Dispatch
internal import Foundation
internal import GRDB
internal import Logging
internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel

/// Counts the stored history for a meter type that was made after it.
///
/// Blocks are unpacked and measured on a queue of its own; each block's contributions are then
/// added by the committer between two groups, together with the mark of how far the history is
/// counted, so that a checkpoint, and with it a crash, never falls between the two. Intake is not
/// held up for longer than one block takes to add.
struct Backfilling: Sendable {
    private static let queue = DispatchQueue(label: "odometer.backfill")

    let core: LedgerCore

    /// Starts what is left to be counted, one meter type after the other.
    func start() {
        Self.queue.async {
            var preparers = BackfillPreparers(hashKey: core.truth.hashKey)
            while let next = core.currentMeterTypes().first(where: { !$0.isBackfilled }) {
                do {
                    guard try step(next, &preparers) else { return }
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

    /// Counts one block. False when the ledger closes: the next start goes on from the mark.
    private func step(
        _ meterType: MeterType,
        _ preparers: inout BackfillPreparers
    ) throws -> Bool {
        let from = meterType.backfilled.value + 1
        guard let stored = try core.truth.block(from: from), stored.firstPosition == from else {
            throw LedgerError(.corrupt, "no event block begins at position \(from)")
        }
        let block = try stored.events()
        let batch = block.prepared(by: preparers.own.preparer(of: [meterType]))
        let wasCounted = countedBefore(block, but: meterType, &preparers)
        let hour = RollupBucket.hour(of: block.at)
        let last = block.positions.upperBound - 1
        let done = DispatchSemaphore(value: 0)
        let isIn = core.enter(
            .perform { _ in
                defer { done.signal() }
                do {
                    try core.addHistory(
                        batch,
                        block.firstPosition,
                        last,
                        hour,
                        wasCounted,
                        meterType
                    )
                } catch {
                    _ = core.fault(error, during: "the backfill of \(meterType.key)")
                }
            },
            bytes: 0,
            events: 0
        )
        guard isIn else { return false }
        done.wait()
        let mark = core.derived.read { $0.backfilled[meterType.number] ?? 0 }
        if mark < last { usleep(200_000) }
        return true
    }

    /// Which events of a block other meter types count already.
    private func countedBefore(
        _ block: UnpackedBlock,
        but meterType: MeterType,
        _ preparers: inout BackfillPreparers
    ) -> [Bool] {
        let others = core.currentMeterTypes().filter { other in
            other.number != meterType.number && other.covers(Position(block.firstPosition))
        }
        let preparer = preparers.others.preparer(of: others)
        return block.prepared(by: preparer).events.map(\.isCounted)
    }
}

/// What the blocks of a backfill are measured with.
private struct BackfillPreparers {
    var own: LastPreparer
    var others: LastPreparer

    init(hashKey: SipHashKey) {
        (own, others) = (LastPreparer(hashKey: hashKey), LastPreparer(hashKey: hashKey))
    }
}

extension LedgerCore {
    /// Adds one block's contributions to one meter type. Only on the committer's thread.
    fileprivate func addHistory(
        _ batch: PreparedBatch,
        _ first: UInt64,
        _ last: UInt64,
        _ hour: Int32,
        _ wasCounted: [Bool],
        _ meterType: MeterType
    ) throws {
        try checkpoints.makeRoom(for: 0)
        try truth.pool.write { database in
            try Truth.insert(batch.unreadableRows(first: first), database)
        }
        derived.apply(batch, at: .dense(first: first), advances: false)
        var fresh = batch
        for place in fresh.events.indices where wasCounted[place] {
            fresh.events[place].isCounted = false
        }
        derived.applyCounts(fresh, hour: hour) { _ in true }
        derived.tables.withLock { $0.backfilled[meterType.number] = last }
    }
}

extension PreparedBatch {
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
