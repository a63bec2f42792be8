internal import GRDB
internal import MeteringEngine
internal import UsageModel

/// How far an action gets with one page, to be written in the page's own commit.
struct ActionPage: Sendable {
    var action: Int64
    var after: Int64
    var isLast: Bool
    /// What the page adds.
    var tally = QuarantineAction.Tally()

    init(_ work: QuarantineWork) {
        (action, after, isLast) = (work.action.number, work.after, work.isLast)
        tally.items = work.looked
        tally.failed = work.failed
    }

    /// Adds what became of released items.
    mutating func count(_ marks: [ReleaseMark]) {
        for mark in marks {
            if mark.item.isEdited { tally.repaired += 1 }
            switch mark.verdict {
            case .accepted: tally.accepted += 1
            case .duplicate: tally.duplicate += 1
            case .conflict, .rejected: tally.failed += 1
            }
        }
    }
}

extension Truth {
    static func isRunning(_ page: ActionPage, _ database: Database) throws -> Bool {
        try Bool.fetchOne(
            database,
            sql: "SELECT state = 'running' FROM quarantine_action WHERE number = ?",
            arguments: [page.action]
        ) ?? false
    }

    static func write(_ page: ActionPage, at: Instant, _ database: Database) throws {
        let tally = page.tally
        try database.execute(
            sql: """
                UPDATE quarantine_action SET after_item = ?, changed_at = ?,
                    state = iif(?, 'done', state), items = items + ?, repaired = repaired + ?,
                    accepted = accepted + ?, duplicate = duplicate + ?,
                    discarded = discarded + ?, failed = failed + ?
                WHERE number = ?
                """,
            arguments: [
                page.after, at.microseconds, page.isLast, tally.items, tally.repaired,
                tally.accepted, tally.duplicate, tally.discarded, tally.failed, page.action,
            ]
        )
    }
}
