internal import Foundation
internal import GRDB
internal import MeteringEngine
internal import UsageModel

extension Truth {
    /// The calls, by their places, whose orders do not hold any more: an item was changed since it
    /// was looked at, is on its way already, or the action was cancelled.
    func staleOrders(_ parties: [Party]) throws -> Set<Int> {
        guard parties.contains(where: { $0.order != nil }) else { return [] }
        return try pool.read { database in
            let statement = try database.cachedStatement(
                sql: "SELECT version FROM quarantine WHERE number = ? AND state = 'open'"
            )
            var (stale, taken) = (Set<Int>(), Set<Int64>())
            for (place, party) in parties.enumerated() {
                guard let order = party.order else { continue }
                var holds = try order.page.map { try Self.isRunning($0, database) } ?? true
                if holds, let repairs = order.repairs { holds = try repairs.stands(database) }
                for item in order.items where holds {
                    let version = try Int64.fetchOne(statement, arguments: [item.number])
                    holds = version == item.version && !taken.contains(item.number)
                }
                if holds {
                    taken.formUnion(order.items.map(\.number))
                } else {
                    stale.insert(place)
                }
            }
            return stale
        }
    }

    /// Writes down what became of released items.
    static func write(_ marks: [ReleaseMark], at: Instant, _ database: Database) throws {
        guard !marks.isEmpty else { return }
        let statement = try database.cachedStatement(
            sql: """
                UPDATE quarantine SET state = ?, released_position = ?,
                    reason = coalesce(?, reason), pointer = coalesce(?, pointer),
                    detail = coalesce(?, detail), rule = coalesce(?, rule),
                    edited = coalesce(?, edited), version = version + 1, changed_at = ?,
                    author = ?, change_reason = ?,
                    repair_rule = coalesce(?, repair_rule),
                    repair_version = coalesce(?, repair_version),
                    repair_outcome = coalesce(?, repair_outcome),
                    repair_detail = coalesce(?, repair_detail)
                WHERE number = ? AND version = ? AND state = 'open'
                """
        )
        for mark in marks {
            let isReleased = mark.verdict == .accepted || mark.verdict == .duplicate
            let state = isReleased ? QuarantineState.released : .open
            try statement.execute(arguments: [
                state.rawValue, isReleased ? Int64(mark.position) : nil,
                isReleased ? nil : mark.reason, isReleased ? nil : mark.pointer,
                isReleased ? nil : mark.detail, isReleased ? nil : mark.rule,
                mark.item.isEdited ? Data(mark.item.bytes) : nil,
                at.microseconds, mark.note.author, mark.note.reason, mark.repair?.rule,
                mark.repair?.version, mark.repair?.outcome.rawValue, mark.repair?.detail,
                mark.item.number, mark.item.version,
            ])
            // Nobody else changes items, and it was looked at for this very group.
            guard database.changesCount == 1 else {
                let id = QuarantinedEvent.id(mark.item.number)
                throw LedgerError(.corrupt, "\(id) changed while it was released")
            }
        }
        let audited = marks.compactMap { mark in
            mark.author.map { AuditedChange.of(mark, by: $0) }
        }
        try audit(audited, at: at, database)
    }
}
