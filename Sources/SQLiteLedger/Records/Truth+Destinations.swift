internal import GRDB
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

// The table of destinations: each as it stands, secrets and all, and how far it was served.
extension Truth {
    /// A destination, with what only the tables know.
    struct DestinationRow {
        var number: Int64
        var destination: Destination
        /// The sequence of the last record that was looked at for it.
        var lookedTo: Int64
        /// The number of its last delivery.
        var lastNumber: Int64
    }

    func destinations() throws -> [Destination] {
        try pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM destination ORDER BY key")
                .map { try Self.destination($0).destination }
        }
    }

    func destination(_ key: DestinationKey) throws -> Destination? {
        try pool.read { try Self.destination(key, $0)?.destination }
    }

    static func destination(
        _ key: DestinationKey,
        _ database: Database
    ) throws -> DestinationRow? {
        try Row.fetchOne(
            database,
            sql: "SELECT * FROM destination WHERE key = ?",
            arguments: [key.text]
        ).map(destination)
    }

    /// - Throws: `notFound` where there is none of that key.
    static func known(_ key: DestinationKey, _ database: Database) throws -> DestinationRow {
        guard let row = try destination(key, database) else {
            throw LedgerError(.notFound, "there is no destination \"\(key)\"")
        }
        return row
    }

    private static func destination(_ row: Row) throws -> DestinationRow {
        let (name, text): (String, String) = (row["key"], row["definition"])
        guard let key = DestinationKey(name), let value = try? JSONValue.parse(Array(text.utf8)),
            let definition = try? DestinationDocument.read(value, key: key, replacing: nil)
        else { throw LedgerError(.corrupt, "the destination \(name) makes no sense") }
        return DestinationRow(
            number: row["number"],
            destination: Destination(
                definition: definition,
                revision: row["revision"],
                createdAt: Instant(microseconds: row["created_at"]),
                changedAt: Instant(microseconds: row["changed_at"]),
                retiredAt: (row["retired_at"] as Int64?).map(Instant.init(microseconds:))
            ),
            lookedTo: row["looked_to"],
            lastNumber: row["last_number"]
        )
    }

    func put(
        _ definition: DestinationDefinition,
        if condition: ChangeCondition<Destination>,
        now: Instant
    ) throws -> Destination {
        let document = JSONValue.object(DestinationDocument.write(definition))
        let text = String(decoding: document.serialized(), as: UTF8.self)
        let author = Author.current
        return try pool.write { database in
            let known = try Self.destination(definition.key, database)?.destination
            if known?.retiredAt != nil {
                throw LedgerError(.retired, "destination \"\(definition.key)\" is retired")
            }
            if let known, known.definition == definition { return known }
            guard condition(known) else {
                throw LedgerError(.outdated, "the destination is another by now")
            }
            if known != nil {
                try database.execute(
                    sql: """
                        UPDATE destination SET definition = ?, revision = revision + 1,
                            changed_at = ? WHERE key = ?
                        """,
                    arguments: [text, now.microseconds, definition.key.text]
                )
            } else {
                let most = Limits.destinationsMax
                let count = "SELECT count(*) FROM destination"
                guard try Int.fetchOne(database, sql: count)! < most else {
                    throw LedgerError(.limitExceeded, "there are \(most) destinations")
                }
                try database.execute(
                    sql: """
                        INSERT INTO destination (key, revision, definition, created_at, changed_at,
                            looked_to, last_number)
                        VALUES (?, 1, ?, ?, ?,
                            (SELECT CASE WHEN ? THEN 0 ELSE coalesce(max(sequence), 0) END
                                FROM usage_record), 0)
                        """,
                    arguments: [
                        definition.key.text, text, now.microseconds, now.microseconds,
                        definition.sendsEarlier,
                    ]
                )
            }
            let destination = try Self.known(definition.key, database).destination
            try Self.audit([.of(destination, before: known, by: author)], at: now, database)
            return destination
        }
    }

    func retire(
        destination key: DestinationKey,
        if condition: ChangeCondition<Destination>,
        now: Instant
    ) throws -> Destination {
        let author = Author.current
        return try pool.write { database in
            let known = try Self.known(key, database).destination
            guard known.retiredAt == nil else { return known }
            guard condition(known) else {
                throw LedgerError(.outdated, "the destination is another by now")
            }
            try database.execute(
                sql: """
                    UPDATE destination SET retired_at = ?, changed_at = ?
                    WHERE key = ? AND retired_at IS NULL
                    """,
                arguments: [now.microseconds, now.microseconds, key.text]
            )
            let destination = try Self.known(key, database).destination
            try Self.audit([.of(destination, before: known, by: author)], at: now, database)
            return destination
        }
    }

    /// One step through an index for each number of a state.
    func standing(of key: DestinationKey) throws -> DestinationStanding {
        try pool.read { database in
            let row = try Self.known(key, database)
            func count(_ state: Delivery.State) throws -> Int64 {
                try Int64.fetchOne(
                    database,
                    sql: """
                        SELECT count(*) FROM delivery
                        WHERE destination = ? AND state = '\(state.rawValue)'
                        """,
                    arguments: [row.number]
                )!
            }
            let all = try Int64.fetchOne(
                database,
                sql: "SELECT count(*) FROM delivery WHERE destination = ?",
                arguments: [row.number]
            )!
            let (pending, failed) = (try count(.pending), try count(.failed))
            let last = try Int64.fetchOne(
                database,
                sql: "SELECT coalesce(max(sequence), 0) FROM usage_record"
            )!
            let oldest = try Row.fetchOne(
                database,
                sql: """
                    SELECT sequence, document FROM usage_record WHERE sequence = (
                        SELECT record FROM delivery WHERE destination = ? AND state = 'pending'
                        ORDER BY number LIMIT 1)
                    """,
                arguments: [row.number]
            ).map(Self.record)
            return DestinationStanding(
                pending: pending,
                delivered: all - pending - failed,
                failed: failed,
                waiting: max(0, last - row.lookedTo),
                oldestPendingAt: oldest?.createdAt,
                missing: row.lastNumber - all
            )
        }
    }
}
