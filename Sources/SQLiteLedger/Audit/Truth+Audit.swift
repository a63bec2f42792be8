internal import Foundation
internal import GRDB
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

// The table of the audit trail: a row for each change, in the transaction of the change.
extension Truth {
    /// Adds entries to the audit trail. Call it within the transaction that makes the changes: then
    /// the entries are there if and only if the changes are.
    ///
    /// - Parameter now: When the changes are made.
    /// - Complexity: Some 40 µs an entry.
    static func audit(
        _ changes: [AuditedChange],
        at now: Instant,
        _ database: Database
    ) throws {
        guard !changes.isEmpty else { return }
        var head = try auditHead(database)
        let insert = try database.cachedStatement(
            sql: """
                INSERT INTO audit (number, at, actor, address, client, action, kind, key, before,
                    after, reason, marks, previous, hash)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        for change in changes {
            let entry = entry(change, after: head, at: now)
            let marks = AuditChain(entry).marks
            try insert.execute(arguments: [
                entry.number, entry.at.microseconds, entry.actor, entry.address, entry.client,
                entry.action, entry.kind, entry.key, entry.before, entry.after, entry.reason,
                Data(marks), Data(entry.previous), Data(entry.hash),
            ])
            head = entry.head
        }
    }

    private static func entry(
        _ change: AuditedChange,
        after head: AuditHead,
        at now: Instant
    ) -> AuditEntry {
        func text(_ document: JSONValue?) -> String? {
            document.map { String(decoding: $0.serialized(), as: UTF8.self) }
        }
        let author = change.author
        var entry = AuditEntry(
            number: head.number + 1,
            at: now,
            actor: author.name,
            address: author.address,
            client: author.client,
            action: change.action.rawValue,
            kind: change.kind.rawValue,
            key: change.key,
            before: text(change.before),
            after: text(change.after),
            reason: change.reason.isEmpty ? author.reason : change.reason,
            previous: head.hash,
            hash: []
        )
        entry.hash = AuditChain(entry).hash(after: entry.previous)
        return entry
    }

    static func auditHead(_ database: Database) throws -> AuditHead {
        let row = try Row.fetchOne(
            database,
            sql: "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1"
        )
        guard let row else { return .beginning }
        return AuditHead(number: row["number"], hash: Array(row["hash"] as Data))
    }

    func append(_ change: AuditedChange, now: Instant) throws {
        try pool.write { try Self.audit([change], at: now, $0) }
    }

    func audit(_ query: AuditQuery) throws -> AuditAnswer {
        var conditions = ["number > ? AND number < ?"]
        var arguments: StatementArguments = [query.after, query.before]
        func among(_ column: String, _ texts: [String]) {
            guard !texts.isEmpty else { return }
            let places = texts.map { _ in "?" }.joined(separator: ", ")
            conditions.append("\(column) IN (\(places))")
            arguments += StatementArguments(texts)
        }
        among("kind", query.kinds.map(\.rawValue))
        among("key", query.keys)
        among("actor", query.actors)
        among("action", query.actions.map(\.rawValue))
        for (condition, instant) in [("at >= ?", query.from), ("at < ?", query.to)] {
            guard let instant else { continue }
            conditions.append(condition)
            arguments += [instant.microseconds]
        }
        let order = query.isOldestFirst ? "" : "DESC"
        return try pool.read { database in
            var entries: [AuditEntry] = []
            var bytes = 0
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT * FROM audit WHERE \(conditions.joined(separator: " AND "))
                    ORDER BY number \(order)
                    """,
                arguments: arguments
            )
            while let row = try rows.next() {
                let entry = Self.auditEntry(row)
                let size = (entry.before?.utf8.count ?? 0) + (entry.after?.utf8.count ?? 0)
                let isFull = !entries.isEmpty && bytes + size > Limits.auditPageBytesMax
                if entries.count == query.limit || isFull {
                    let head = try Self.auditHead(database)
                    return AuditAnswer(entries: entries, hasMore: true, head: head)
                }
                bytes += size
                entries.append(entry)
            }
            let head = try Self.auditHead(database)
            return AuditAnswer(entries: entries, hasMore: false, head: head)
        }
    }

    private static func auditEntry(_ row: Row) -> AuditEntry {
        AuditEntry(
            number: row["number"],
            at: Instant(microseconds: row["at"]),
            actor: row["actor"],
            address: row["address"],
            client: row["client"],
            action: row["action"],
            kind: row["kind"],
            key: row["key"],
            before: row["before"],
            after: row["after"],
            reason: row["reason"],
            previous: Array(row["previous"] as Data),
            hash: Array(row["hash"] as Data)
        )
    }
}
