internal import Foundation
internal import GRDB
internal import MeteringEngine
internal import UsageModel

// The table of the quarantine. Rows come with the commits of intake; they are changed on the
// committer's thread alone, so that what it has looked at stands until it has written.

/// A filter as a condition.
struct QuarantineCondition {
    private(set) var sql = "TRUE"
    private(set) var arguments = StatementArguments()

    init(_ filter: QuarantineFilter) {
        add("reason = ?", filter.reason)
        add("source = ?", filter.source)
        add("type = ?", filter.type)
        add("event_id = ?", filter.eventID)
        // As a literal too: the index holds no other items than those of rules.
        if filter.rule != nil { sql += " AND rule <> ''" }
        add("rule = ?", filter.rule)
        // As a literal: only so is the index of the open ones one for it.
        if let state = filter.state { sql += " AND state = '\(state.rawValue)'" }
        add("last_seen_at >= ?", filter.seenFrom?.microseconds)
        add("first_seen_at < ?", filter.seenTo?.microseconds)
        if let text = filter.text, !text.isEmpty {
            add("instr(coalesce(edited, original), ?) > 0", Data(text.utf8))
        }
    }

    private mutating func add(_ condition: String, _ value: (some DatabaseValueConvertible)?) {
        guard let value else { return }
        sql += " AND " + condition
        arguments += [value]
    }
}

extension Truth {
    func quarantined(_ query: QuarantineQuery) throws -> [QuarantinedEvent] {
        let condition = QuarantineCondition(query.filter)
        return try pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM quarantine WHERE number < ? AND \(condition.sql)
                    ORDER BY number DESC LIMIT ?
                    """,
                arguments: [query.before ?? .max] + condition.arguments + [query.limit + 1]
            ).map(Self.item)
        }
    }

    func item(_ number: Int64) throws -> QuarantinedEvent? {
        try pool.read { try Self.item(number, $0) }
    }

    static func item(_ number: Int64, _ database: Database) throws -> QuarantinedEvent? {
        try Row.fetchOne(
            database,
            sql: "SELECT * FROM quarantine WHERE number = ?",
            arguments: [number]
        ).map(item)
    }

    static func item(_ row: Row) -> QuarantinedEvent {
        var item = QuarantinedEvent(
            number: row["number"],
            reason: row["reason"],
            pointer: row["pointer"],
            detail: row["detail"],
            source: row["source"],
            eventID: row["event_id"],
            type: row["type"],
            firstSeenAt: Instant(microseconds: row["first_seen_at"]),
            lastSeenAt: Instant(microseconds: row["last_seen_at"]),
            seen: row["seen"],
            original: Array(row["original"] as Data)
        )
        item.state = QuarantineState(rawValue: row["state"]) ?? .open
        item.version = row["version"]
        item.edited = (row["edited"] as Data?).map(Array.init)
        item.changedAt = (row["changed_at"] as Int64?).map(Instant.init(microseconds:))
        item.note = QuarantineNote(author: row["author"], reason: row["change_reason"])
        item.rule = row["rule"]
        item.backfillSet = row["backfill_set"]
        item.releasedPosition = (row["released_position"] as Int64?).map { Position(UInt64($0)) }
        item.droppedAt = (row["dropped_at"] as Int64?).map(Instant.init(microseconds:))
        if let rule = row["repair_rule"] as String?, let outcome = row["repair_outcome"] as String?
        {
            item.repair = RepairMark(
                rule: rule,
                version: row["repair_version"],
                outcome: RepairMark.Outcome(rawValue: outcome) ?? .failed,
                detail: row["repair_detail"]
            )
        }
        return item
    }

    func groups(_ query: QuarantineGroupQuery) throws -> QuarantineGroupAnswer {
        let condition = QuarantineCondition(query.filter)
        let groups = try pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT reason, source, type, rule, count(*) AS items,
                        sum(state = 'open') AS open,
                        sum(seen) AS seen, min(first_seen_at) AS first_seen_at,
                        max(last_seen_at) AS last_seen_at, max(number) AS sample
                    FROM quarantine WHERE \(condition.sql)
                    GROUP BY reason, source, type, rule
                    ORDER BY items DESC, reason, source, type, rule LIMIT ? OFFSET ?
                    """,
                arguments: condition.arguments + [query.limit + 1, query.skipped]
            ).map { row in
                var group = QuarantineGroup(
                    reason: row["reason"],
                    source: row["source"],
                    type: row["type"],
                    items: row["items"],
                    open: row["open"],
                    seen: row["seen"],
                    firstSeenAt: Instant(microseconds: row["first_seen_at"]),
                    lastSeenAt: Instant(microseconds: row["last_seen_at"]),
                    sample: row["sample"]
                )
                group.rule = row["rule"]
                return group
            }
        }
        return QuarantineGroupAnswer(
            groups: Array(groups.prefix(query.limit)),
            hasMore: groups.count > query.limit
        )
    }

    /// Changes an item that was looked at in the same transaction.
    ///
    /// - Throws: ``LedgerError`` `notFound`.
    func change(
        _ number: Int64,
        version: Int64?,
        _ change: QuarantineChange,
        _ note: QuarantineNote,
        at: Instant
    ) throws -> QuarantineOutcome {
        try pool.write { database in
            guard let item = try Self.item(number, database) else {
                throw LedgerError(.notFound, "there is no \(QuarantinedEvent.id(number))")
            }
            if let version, version != item.version { return .outdated(item) }
            guard item.state == (change == .reopen ? .discarded : .open), item.droppedAt == nil
            else {
                return .settled(item)
            }
            var (state, edited) = (QuarantineState.open, item.edited)
            switch change {
            case .edit(let bytes): edited = bytes
            case .discard: state = .discarded
            case .reopen: break
            }
            try database.execute(
                sql: """
                    UPDATE quarantine SET state = ?, edited = ?, version = version + 1,
                        changed_at = ?, author = ?, change_reason = ?
                    WHERE number = ?
                    """,
                arguments: [
                    state.rawValue, edited.map { Data($0) }, at.microseconds, note.author,
                    note.reason, number,
                ]
            )
            let after = try Self.item(number, database) ?? item
            try Self.audit([.of(after, change, before: item)], at: at, database)
            return .changed(after, nil)
        }
    }

    /// What became of the receipts that the books call rejected or in conflict; several rows for
    /// one source and type, as they stand in the index that is read.
    ///
    /// - Returns: nil where events were rejected or in conflict in a later commit.
    func standings(
        _ query: BooksQuery,
        asOf commit: Int64
    ) throws -> [QuarantineStanding]? {
        var sql = "first_seen_at >= ? AND first_seen_at < ?"
        var arguments: StatementArguments = [
            query.range.lowerBound.microseconds, query.range.upperBound.microseconds,
        ]
        for case (let condition, let value?) in [
            ("source = ?", query.source), ("type = ?", query.type),
        ] {
            sql += " AND " + condition
            arguments += [value]
        }
        return try pool.read { database in
            guard try !Self.rejects(after: commit, database) else { return nil }
            return try Row.fetchAll(
                database,
                sql: """
                    SELECT source, type,
                        sum(iif(state = 'open', seen, 0)) AS open,
                        sum(iif(state = 'released', seen, 0)) AS released,
                        sum(iif(state = 'discarded', seen, 0)) AS discarded
                    FROM quarantine WHERE \(sql)
                    GROUP BY reason, source, type
                    """,
                arguments: arguments
            ).map { row in
                var standing = QuarantineStanding(source: row["source"], type: row["type"])
                standing.open = row["open"]
                standing.released = row["released"]
                standing.discarded = row["discarded"]
                return standing
            }
        }
    }
}

extension Truth {
    private static func rejects(after commit: Int64, _ database: Database) throws -> Bool {
        let later = try String.fetchCursor(
            database,
            sql: "SELECT books FROM intake_commit WHERE number > ?",
            arguments: [commit]
        )
        while let text = try later.next() {
            guard let books = CommitBooks(json: text) else {
                throw LedgerError(.corrupt, "the books of a commit after \(commit) make no sense")
            }
            if books.lines.values.contains(where: { $0.quarantined + $0.conflict > 0 }) {
                return true
            }
        }
        return false
    }
}

extension BooksAnswer {
    /// Adds what became of rejected and conflicting ones, by what was asked for.
    mutating func add(_ rows: [QuarantineStanding], groupBy: [BooksQuery.Group]) {
        var lines: [[String]: QuarantineStanding] = [:]
        for row in rows {
            standing.add(row)
            var line = QuarantineStanding()
            if groupBy.contains(.source) { line.source = row.source }
            if groupBy.contains(.type) { line.type = row.type }
            let key = [line.source, line.type].compactMap(\.self)
            guard !key.isEmpty else { continue }
            lines[key, default: line].add(row)
        }
        standings = lines.sorted { one, other in
            for (left, right) in zip(one.key, other.key) where left != right {
                return left.utf8.lexicographicallyPrecedes(right.utf8)
            }
            return false
        }.map(\.value)
    }
}

extension QuarantineStanding {
    fileprivate mutating func add(_ other: QuarantineStanding) {
        open += other.open
        released += other.released
        discarded += other.discarded
    }
}
