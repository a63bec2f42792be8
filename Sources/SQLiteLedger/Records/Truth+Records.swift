internal import GRDB
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

// The tables of usage records: records are only added; how far meters are closed, and how far the
// keeper followed each meter type, move with them in one transaction.
extension Truth {
    /// Some 20 µs a record, and one commit.
    func keep(_ commit: RecordCommit, now: Instant) throws {
        try pool.write { database in
            var sequence = try Int64.fetchOne(
                database,
                sql: "SELECT coalesce(max(sequence), 0) FROM usage_record"
            )!
            let insert = try database.cachedStatement(
                sql: """
                    INSERT INTO usage_record (sequence, id, meter_type, subject, period_start,
                        period_end, kind, revision, customer, document)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO NOTHING
                    """
            )
            for record in commit.records {
                var document = UsageRecordDocument.write(record)
                document["sequence"] = nil
                let text = JSONValue.object(document).serialized()
                try insert.execute(arguments: [
                    sequence + 1, record.id.text, record.meter.meterType.text,
                    record.meter.subject, record.period.lowerBound.microseconds,
                    record.period.upperBound.microseconds, record.kind.rawValue, record.revision,
                    record.customer?.text, String(decoding: text, as: UTF8.self),
                ])
                if database.changesCount > 0 {
                    sequence += 1
                } else {
                    try Self.checkIsKept(record, database)
                }
            }
            try Self.move(commit, database)
            try Self.audit(commit.audited, at: now, database)
        }
    }

    /// A record that was not added is there already: by its own name, and not another one of the
    /// same meter, end of a period and revision.
    private static func checkIsKept(_ record: UsageRecord, _ database: Database) throws {
        let known = try Bool.fetchOne(
            database,
            sql: "SELECT EXISTS (SELECT 1 FROM usage_record WHERE id = ?)",
            arguments: [record.id.text]
        )
        guard known != true else { return }
        throw LedgerError(
            .corrupt,
            """
            another record than \(record.id) is revision \(record.revision) of the period of \
            \(record.meter) that ends at \(record.period.upperBound.rfc3339)
            """
        )
    }

    private static func move(_ commit: RecordCommit, _ database: Database) throws {
        let close = try database.cachedStatement(
            sql: """
                INSERT INTO meter_closing (meter_type, subject, closed_until) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET closed_until = excluded.closed_until,
                    unsettled_from = NULL
                """
        )
        for (id, until) in commit.closings {
            try close.execute(arguments: [id.meterType.text, id.subject, until.microseconds])
        }
        let unsettle = try database.cachedStatement(
            sql: """
                UPDATE meter_closing SET unsettled_from = min(coalesce(unsettled_from, ?1), ?1)
                WHERE meter_type = ?2 AND subject = ?3
                """
        )
        for (id, from) in commit.unsettled {
            try unsettle.execute(arguments: [from.microseconds, id.meterType.text, id.subject])
        }
        let settle = try database.cachedStatement(
            sql: """
                UPDATE meter_closing SET unsettled_from = NULL WHERE meter_type = ? AND subject = ?
                """
        )
        for id in commit.settled {
            try settle.execute(arguments: [id.meterType.text, id.subject])
        }
        guard let (key, mark) = commit.mark else { return }
        try database.execute(
            sql: """
                INSERT INTO record_mark (meter_type, position, change, version)
                VALUES (?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET position = excluded.position,
                    change = excluded.change, version = excluded.version
                """,
            arguments: [key.text, Int64(mark.position.value), mark.change, mark.version]
        )
    }

    func recordMark(of key: MeterTypeKey) throws -> RecordMark {
        try pool.read { database in
            let row = try Row.fetchOne(
                database,
                sql: "SELECT * FROM record_mark WHERE meter_type = ?",
                arguments: [key.text]
            )
            guard let row else { return RecordMark() }
            return RecordMark(
                position: Position(UInt64(row["position"] as Int64)),
                change: row["change"],
                version: row["version"]
            )
        }
    }

    func closedUntil(_ key: MeterTypeKey) throws -> Instant? {
        try pool.read { try Self.closedUntil(key, $0) }
    }

    static func closedUntil(_ key: MeterTypeKey, _ database: Database) throws -> Instant? {
        try Int64.fetchOne(
            database,
            sql: "SELECT max(closed_until) FROM meter_closing WHERE meter_type = ?",
            arguments: [key.text]
        ).map(Instant.init(microseconds:))
    }

    func closings(of ids: [MeterID]) throws -> [MeterID: MeterClosing] {
        try pool.read { database in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT closed_until, unsettled_from FROM meter_closing
                    WHERE meter_type = ? AND subject = ?
                    """
            )
            var closings: [MeterID: MeterClosing] = [:]
            for id in ids {
                let row = try Row.fetchOne(
                    statement,
                    arguments: [id.meterType.text, id.subject]
                )
                closings[id] = row.map { row in
                    MeterClosing(
                        until: Instant(microseconds: row["closed_until"]),
                        unsettledFrom: (row["unsettled_from"] as Int64?)
                            .map(Instant.init(microseconds:))
                    )
                }
            }
            return closings
        }
    }

    func interims(of id: MeterID, start: Instant) throws -> [UsageRecord] {
        try pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT sequence, document FROM usage_record
                    WHERE meter_type = ? AND subject = ? AND period_start = ?
                        AND kind = 'interim'
                    ORDER BY revision
                    """,
                arguments: [id.meterType.text, id.subject, start.microseconds]
            ).map(Self.record)
        }
    }

    func closedMeters(
        of key: MeterTypeKey,
        after subject: String,
        limit: Int
    ) throws -> [MeterID] {
        try pool.read { database in
            try String.fetchAll(
                database,
                sql: """
                    SELECT subject FROM meter_closing WHERE meter_type = ? AND subject > ?
                    ORDER BY subject LIMIT ?
                    """,
                arguments: [key.text, subject, limit]
            ).compactMap { MeterID(meterType: key, subject: $0) }
        }
    }

    func latestRecords(
        of id: MeterID,
        endingAfter instant: Instant,
        limit: Int
    ) throws -> RecordAnswer {
        try pool.read { database in
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT sequence, document FROM usage_record
                    WHERE meter_type = ? AND subject = ? AND period_end > ?
                        AND kind <> 'interim'
                    ORDER BY period_end, revision
                    """,
                arguments: [id.meterType.text, id.subject, instant.microseconds]
            )
            var latest: [UsageRecord] = []
            while let row = try rows.next() {
                let record = try Self.record(row)
                if latest.last?.period == record.period {
                    latest.removeLast()
                } else if latest.count == limit {
                    return RecordAnswer(records: latest, hasMore: true)
                }
                latest.append(record)
            }
            return RecordAnswer(records: latest, hasMore: false)
        }
    }

    /// Some 50 µs for each instant: periods of a meter do not overlap, so the one that ends next
    /// after an instant holds it, or none does.
    func latestRecords(of id: MeterID, holding instants: [Instant]) throws -> [UsageRecord] {
        try pool.read { database in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT sequence, document FROM usage_record
                    WHERE meter_type = ? AND subject = ? AND period_end > ?
                        AND kind <> 'interim'
                    ORDER BY period_end, revision DESC LIMIT 1
                    """
            )
            var latest: [UsageRecord] = []
            // Where the next record begins of which none before holds the instants.
            var next = Instant.beginning
            for instant in instants.sorted()
            where instant >= next && latest.last?.period.contains(instant) != true {
                let row = try Row.fetchOne(
                    statement,
                    arguments: [id.meterType.text, id.subject, instant.microseconds]
                )
                guard let record = try row.map(Self.record) else { break }
                if record.period.contains(instant) {
                    latest.append(record)
                } else {
                    next = record.period.lowerBound
                }
            }
            return latest
        }
    }

    func record(_ id: UsageRecordID) throws -> UsageRecord? {
        try pool.read { database in
            try Row.fetchOne(
                database,
                sql: "SELECT sequence, document FROM usage_record WHERE id = ?",
                arguments: [id.text]
            ).map(Self.record)
        }
    }

    func records(_ query: RecordQuery) throws -> RecordAnswer {
        var conditions = ["sequence > ?", "sequence < ?"]
        var arguments: StatementArguments = [query.after, query.before]
        func among(_ column: String, _ texts: [String]) {
            guard !texts.isEmpty else { return }
            let places = texts.map { _ in "?" }.joined(separator: ", ")
            conditions.append("\(column) IN (\(places))")
            arguments += StatementArguments(texts)
        }
        among("meter_type", query.meterTypes.map(\.text))
        among("subject", query.subjects)
        among("customer", query.customers.map(\.text))
        among("kind", query.kinds.map(\.rawValue))
        if let from = query.from {
            conditions.append("period_end > ?")
            arguments += [from.microseconds]
        }
        if let to = query.to {
            conditions.append("period_start < ?")
            arguments += [to.microseconds]
        }
        if let asOf = query.asOf {
            conditions.append("CAST(json_extract(document, '$.position') AS INTEGER) <= ?")
            arguments += [Int64(clamping: asOf.value)]
        }
        arguments += [query.limit + 1]
        return try pool.read { database in
            let records = try Row.fetchAll(
                database,
                sql: """
                    SELECT sequence, document FROM usage_record
                    WHERE \(conditions.joined(separator: " AND "))
                    ORDER BY sequence \(query.isDescending ? "DESC" : "ASC") LIMIT ?
                    """,
                arguments: arguments
            ).map(Self.record)
            return RecordAnswer(
                records: Array(records.prefix(query.limit)),
                hasMore: records.count > query.limit
            )
        }
    }

    static func record(_ row: Row) throws -> UsageRecord {
        let (sequence, text): (Int64, String) = (row["sequence"], row["document"])
        guard let document = try? JSONValue.parse(Array(text.utf8)).objectValue,
            var record = UsageRecordDocument.read(document)
        else { throw LedgerError(.corrupt, "the usage record \(sequence) makes no sense") }
        record.sequence = sequence
        return record
    }
}
