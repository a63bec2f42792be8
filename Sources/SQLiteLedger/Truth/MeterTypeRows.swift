internal import GRDB
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

// The table `meter_type`: a row a version.
extension Truth {
    /// All versions of all meter types in the order of their numbers; ``MeterType/backfilled`` is
    /// not the truth's to know and left at zero.
    func meterTypes() throws -> [MeterType] {
        try pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM meter_type ORDER BY number").map { row in
                let text: String = row["definition"]
                let definition: MeterTypeDefinition
                do {
                    definition = try MeterTypeDocument.read(JSONValue.parse(Array(text.utf8)))
                } catch {
                    throw LedgerError(
                        .corrupt,
                        "the definition of meter type \(row["key"] as String): \(error)"
                    )
                }
                return MeterType(row, definition)
            }
        }
    }

    /// - Parameter keepsClosed: Whether it may not reach into closed periods.
    /// - Throws: `periodsClosed`.
    func insert(_ made: MeterType, audited: AuditedChange, keepsClosed: Bool) throws {
        let text = MeterTypeDocument.write(made.definition).serialized(pretty: false)
        try pool.write { database in
            if keepsClosed, let until = try Self.closedUntil(made.key, database),
                made.effectiveFrom ?? .earliest < until
            {
                throw LedgerError.reachesIntoClosed(made.key, until: until)
            }
            try database.execute(
                sql: """
                    INSERT INTO meter_type (number, key, version, definition, effective_from,
                        created_at, created_position, counts_after, in_force_since)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    Int64(made.number), made.key.text, made.version,
                    String(decoding: text, as: UTF8.self), made.effectiveFrom?.microseconds,
                    made.createdAt.microseconds, Int64(made.createdPosition.value),
                    made.countsAfter.map { Int64($0.value) },
                    made.inForceSince.map { Int64($0.value) },
                ]
            )
            try Self.audit([audited], at: made.createdAt, database)
        }
    }

    /// Writes what changes of versions in their lives, all of it or nothing.
    ///
    /// - Parameter audited: nil for what the server does by itself.
    func update(_ changed: [MeterType], audited: AuditedChange?, at now: Instant) throws {
        try pool.write { database in
            try Self.update(changed, database)
            if let audited { try Self.audit([audited], at: now, database) }
        }
    }

    static func update(_ changed: [MeterType], _ database: Database) throws {
        for version in changed {
            try database.execute(
                sql: """
                    UPDATE meter_type SET counts_after = ?, in_force_since = ?, has_entry = ?,
                        cancelled_at = ?, retired_at = ?, retired_position = ?
                    WHERE number = ?
                    """,
                arguments: [
                    version.countsAfter.map { Int64($0.value) },
                    version.inForceSince.map { Int64($0.value) }, version.hasEntry,
                    version.cancelledAt?.microseconds, version.retiredAt?.microseconds,
                    version.retiredPosition.map { Int64($0.value) }, Int64(version.number),
                ]
            )
        }
    }
}

extension LedgerError {
    fileprivate static func reachesIntoClosed(
        _ key: MeterTypeKey,
        until: Instant
    ) -> LedgerError {
        var error = LedgerError(
            .periodsClosed,
            "periods of \(key) are closed until \(until.rfc3339)"
        )
        error.faults = [
            FieldFault(
                pointer: "/effectiveFrom",
                reason: "it lies before \(until.rfc3339), until when periods are closed",
                remedy: "give a later time, or say \"restate\": true to adjust what is closed"
            )
        ]
        return error
    }
}

extension MeterType {
    fileprivate init(_ row: Row, _ definition: MeterTypeDefinition) {
        func instant(_ column: String) -> Instant? {
            (row[column] as Int64?).map(Instant.init(microseconds:))
        }
        func position(_ column: String) -> Position? {
            (row[column] as Int64?).map { Position(UInt64($0)) }
        }
        self.init(
            number: UInt32(row["number"] as Int64),
            definition: definition,
            createdAt: Instant(microseconds: row["created_at"]),
            createdPosition: Position(UInt64(row["created_position"] as Int64)),
            retiredAt: instant("retired_at"),
            retiredPosition: position("retired_position"),
            backfilled: .zero
        )
        version = row["version"]
        (effectiveFrom, cancelledAt) = (instant("effective_from"), instant("cancelled_at"))
        (countsAfter, inForceSince) = (position("counts_after"), position("in_force_since"))
        hasEntry = row["has_entry"]
    }
}
