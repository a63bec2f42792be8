internal import Foundation
internal import GRDB
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

// The table of actions on the quarantine.
extension Truth {
    func items(
        _ filter: QuarantineFilter,
        after: Int64,
        upTo last: Int64,
        limit: Int
    ) throws -> QuarantineAnswer {
        let condition = QuarantineCondition(filter)
        return try pool.read { database in
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT * FROM quarantine WHERE number > ? AND number <= ? AND \(condition.sql)
                    ORDER BY number LIMIT ?
                    """,
                arguments: [after, last] + condition.arguments + [limit + 1]
            )
            var (events, bytes) = ([QuarantinedEvent](), 0)
            while let row = try rows.next() {
                if events.count == limit || bytes > Limits.quarantinePageBytesMax {
                    return QuarantineAnswer(events: events, hasMore: true)
                }
                let item = Self.item(row)
                bytes += item.original.count + (item.edited?.count ?? 0)
                events.append(item)
            }
            return QuarantineAnswer(events: events, hasMore: false)
        }
    }

    func count(_ filter: QuarantineFilter) throws -> Int64 {
        try pool.read { try Self.count(filter, $0) }
    }

    private static func count(_ filter: QuarantineFilter, _ database: Database) throws -> Int64 {
        let condition = QuarantineCondition(filter)
        return try Int64.fetchOne(
            database,
            sql: "SELECT count(*) FROM quarantine WHERE \(condition.sql)",
            arguments: condition.arguments
        ) ?? 0
    }

    func start(_ request: QuarantineActionRequest, at: Instant) throws -> QuarantineAction {
        let author = Author.current
        return try pool.write { try Self.start(request, by: author, at: at, $0) }
    }

    static func start(
        _ request: QuarantineActionRequest,
        by author: Author,
        at: Instant,
        _ database: Database
    ) throws -> QuarantineAction {
        let text = JSONValue.object(QuarantineDocument.document(request)).serialized()
        let running = try Int.fetchOne(
            database,
            sql: "SELECT count(*) FROM quarantine_action WHERE state = 'running'"
        )
        guard running ?? 0 < Limits.quarantineActionsMax else {
            let most = Limits.quarantineActionsMax
            throw LedgerError(.limitExceeded, "\(most) actions are not done")
        }
        let total = try count(request.filter, database)
        if let expected = request.expected, expected != total {
            throw LedgerError(.selectionChanged, "\(total) items are found, not \(expected)")
        }
        let number = try Int64.fetchOne(
            database,
            sql: """
                INSERT INTO quarantine_action (request, state, created_at, changed_at,
                    last_item, after_item, total, items, repaired, accepted, duplicate,
                    discarded, failed)
                VALUES (?, 'running', ?, ?,
                    coalesce((SELECT max(number) FROM quarantine), 0), 0, ?, 0, 0, 0, 0, 0, 0)
                RETURNING number
                """,
            arguments: [
                String(decoding: text, as: UTF8.self), at.microseconds, at.microseconds,
                total,
            ]
        )
        let action = try action(number ?? 0, database)
        try audit([.of(action, .start, by: author)], at: at, database)
        return action
    }

    func action(_ number: Int64) throws -> QuarantineAction? {
        do {
            return try pool.read { try Self.action(number, $0) }
        } catch let error as LedgerError where error.code == .notFound {
            return nil
        }
    }

    func runningAction() throws -> QuarantineAction? {
        try pool.read { database in
            let number = try Int64.fetchOne(
                database,
                sql: "SELECT min(number) FROM quarantine_action WHERE state = 'running'"
            )
            return try number.map { try Self.action($0, database) }
        }
    }

    func cancelAction(_ number: Int64, at: Instant) throws -> QuarantineAction {
        try pool.write { database in
            try database.execute(
                sql: """
                    UPDATE quarantine_action SET state = 'cancelled', changed_at = ?
                    WHERE number = ? AND state = 'running'
                    """,
                arguments: [at.microseconds, number]
            )
            let wasRunning = database.changesCount > 0
            let action = try Self.action(number, database)
            if wasRunning { try Self.audit([.of(action, .cancel)], at: at, database) }
            return action
        }
    }

    private static func action(_ number: Int64, _ database: Database) throws -> QuarantineAction {
        guard
            let row = try Row.fetchOne(
                database,
                sql: "SELECT * FROM quarantine_action WHERE number = ?",
                arguments: [number]
            )
        else { throw LedgerError(.notFound, "there is no action qa-\(number)") }
        let text = Array((row["request"] as String).utf8)
        guard let document = try? JSONValue.parse(text),
            let request = try? QuarantineDocument.readAction(document).request
        else { throw LedgerError(.corrupt, "the action qa-\(number) cannot be read") }
        var tally = QuarantineAction.Tally()
        (tally.items, tally.repaired) = (row["items"], row["repaired"])
        (tally.accepted, tally.duplicate) = (row["accepted"], row["duplicate"])
        (tally.discarded, tally.failed) = (row["discarded"], row["failed"])
        return QuarantineAction(
            number: number,
            request: request,
            state: QuarantineAction.State(rawValue: row["state"]) ?? .done,
            createdAt: Instant(microseconds: row["created_at"]),
            changedAt: Instant(microseconds: row["changed_at"]),
            total: row["total"],
            tally: tally,
            lastItem: row["last_item"],
            afterItem: row["after_item"]
        )
    }

    /// Repairs or discards the items of a page, with the page's mark. Whatever somebody else
    /// changed meanwhile is left as it is.
    func perform(_ work: QuarantineWork, at: Instant) throws {
        var page = ActionPage(work)
        try pool.write { database in
            guard try Self.isRunning(page, database) else { return }
            let request = work.action.request
            let state = request.kind == .discard ? QuarantineState.discarded : .open
            let statement = try database.cachedStatement(
                sql: """
                    UPDATE quarantine SET state = ?, edited = coalesce(?, edited),
                        version = version + 1, changed_at = ?, author = ?, change_reason = ?
                    WHERE number = ? AND version = ? AND state = 'open'
                    """
            )
            for one in work.items {
                try statement.execute(arguments: [
                    state.rawValue, one.edited.map { Data($0) }, at.microseconds,
                    request.note.author, request.note.reason, one.item.number, one.item.version,
                ])
                if database.changesCount == 0 {
                    page.tally.failed += 1
                } else if state == .discarded {
                    page.tally.discarded += 1
                } else {
                    page.tally.repaired += 1
                }
            }
            try Self.write(page, at: at, database)
        }
    }
}
