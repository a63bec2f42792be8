internal import GRDB
internal import MeteringEngine
internal import UsageModel

// The table of deliveries: a row for each record that a destination is owed.
extension Truth {
    /// Records that are looked at together for a destination.
    private static let enqueuedTogether = 1_000

    /// - Returns: whether there are more to look at.
    func enqueue(_ key: DestinationKey, now: Instant) throws -> Bool {
        // A read first: nearly always nothing is new, and then nothing is written.
        guard try pool.read({ try Self.isRipe(key, now, $0) }) else { return false }
        return try pool.write { database in
            let row = try Self.known(key, database)
            let rules = row.destination.definition.sending
            let most = max(Self.enqueuedTogether, rules.batchSize)
            let looked = try Row.fetchAll(
                database,
                sql: """
                    SELECT sequence, document FROM usage_record WHERE sequence > ?
                    ORDER BY sequence LIMIT ?
                    """,
                arguments: [row.lookedTo, most]
            ).map(Self.record)
            guard var last = looked.last?.sequence else { return false }
            var owed = looked.filter(row.destination.definition.isOwed)
            let isAll = looked.count < most
            let rest = owed.count % rules.batchSize
            if rest > 0 {
                // What is not full waits for more: till its time has come, or till more is there.
                let oldest = owed[owed.count - rest]
                if isAll ? !rules.waited(for: oldest, now) : owed.count > rest {
                    owed.removeLast(rest)
                    last = oldest.sequence - 1
                }
            }
            try Self.insert(owed, for: row, lookedTo: last, now: now, database)
            return !isAll && last > row.lookedTo
        }
    }

    /// Whether there is anything new, and enough of it or for long enough.
    private static func isRipe(
        _ key: DestinationKey,
        _ now: Instant,
        _ database: Database
    ) throws -> Bool {
        let row = try known(key, database)
        let rules = row.destination.definition.sending
        let last = try Int64.fetchOne(
            database,
            sql: "SELECT coalesce(max(sequence), 0) FROM usage_record"
        )!
        guard last > row.lookedTo else { return false }
        // Their sequence has no gaps.
        if last - row.lookedTo >= Int64(rules.batchSize) { return true }
        let oldest = try Row.fetchOne(
            database,
            sql: "SELECT sequence, document FROM usage_record WHERE sequence = ?",
            arguments: [row.lookedTo + 1]
        ).map(record)
        return oldest.map { rules.waited(for: $0, now) } ?? true
    }

    private static func insert(
        _ records: [UsageRecord],
        for row: DestinationRow,
        lookedTo: Int64,
        now: Instant,
        _ database: Database
    ) throws {
        guard lookedTo > row.lookedTo else { return }
        let insert = try database.cachedStatement(
            sql: """
                INSERT INTO delivery (destination, number, batch, record, meter, state, attempts,
                    next_attempt_at, answer)
                VALUES (?, ?, ?, ?, ?, 'pending', 0, ?, '')
                """
        )
        let size = row.destination.definition.sending.batchSize
        for (place, record) in records.enumerated() {
            let number = row.lastNumber + Int64(place) + 1
            let batch = number - Int64(place % size)
            try insert.execute(arguments: [
                row.number, number, batch, record.sequence, record.meter.text, now.microseconds,
            ])
        }
        try database.execute(
            sql: "UPDATE destination SET looked_to = ?, last_number = ? WHERE number = ?",
            arguments: [lookedTo, row.lastNumber + Int64(records.count), row.number]
        )
    }

    func due(_ key: DestinationKey, now: Instant, limit: Int) throws -> [DueBatch] {
        try pool.read { database in
            let row = try Self.known(key, database)
            let isBatched = row.destination.definition.sending.batchSize > 1
            if try isBatched || Self.isFirstBatched(row, database) {
                return try Self.firstBatch(row, now, database)
            }
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT number, batch, attempts, sequence, document
                    FROM delivery AS one INDEXED BY delivery_due
                    JOIN usage_record ON sequence = record
                    WHERE destination = ?1 AND state = 'pending' AND next_attempt_at <= ?2
                        AND batch = number
                        AND NOT EXISTS (SELECT 1 FROM delivery AS other
                            WHERE other.destination = ?1 AND other.number = one.number + 1
                                AND other.batch = one.batch)
                        AND NOT EXISTS (SELECT 1 FROM delivery AS other INDEXED BY delivery_meter
                            WHERE other.destination = ?1 AND other.state = 'pending'
                                AND other.meter = one.meter AND other.number < one.number)
                    ORDER BY next_attempt_at, number LIMIT ?3
                    """,
                arguments: [row.number, now.microseconds, limit]
            )
            return try rows.map { row in
                DueBatch(
                    batch: row["number"],
                    items: [.init(number: row["number"], record: try Self.record(row))],
                    attempts: row["attempts"]
                )
            }
        }
    }

    /// Whether what is pending first is a batch: rules that are others by now made it, and it stays
    /// one, for it may have been sent.
    private static func isFirstBatched(
        _ row: DestinationRow,
        _ database: Database
    ) throws -> Bool {
        try Bool.fetchOne(
            database,
            sql: """
                SELECT EXISTS (SELECT 1 FROM delivery AS other
                    JOIN (SELECT number FROM delivery INDEXED BY delivery_pending
                        WHERE destination = ?1 AND state = 'pending'
                        ORDER BY number LIMIT 1) AS first
                    WHERE other.destination = ?1 AND other.number = first.number + 1
                        AND other.batch = first.number)
                """,
            arguments: [row.number]
        )!
    }

    /// The first batch of which anything is pending, if its time has come.
    private static func firstBatch(
        _ row: DestinationRow,
        _ now: Instant,
        _ database: Database
    ) throws -> [DueBatch] {
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT number, batch, attempts, next_attempt_at, sequence, document
                FROM delivery
                JOIN usage_record ON sequence = record
                WHERE destination = ?1 AND state = 'pending'
                    AND batch = (SELECT batch FROM delivery
                        WHERE destination = ?1 AND state = 'pending' ORDER BY number LIMIT 1)
                    AND number BETWEEN
                        (SELECT min(number) FROM delivery
                            WHERE destination = ?1 AND state = 'pending')
                        AND (SELECT min(number) FROM delivery
                            WHERE destination = ?1 AND state = 'pending') + ?2
                ORDER BY number
                """,
            arguments: [row.number, Limits.deliveryBatchMax]
        )
        guard let first = rows.first, (first["next_attempt_at"] as Int64) <= now.microseconds
        else { return [] }
        let items = try rows.map { row in
            DeliveryBatch.Item(number: row["number"], record: try record(row))
        }
        return [DueBatch(batch: first["batch"], items: items, attempts: first["attempts"])]
    }

    func settle(_ results: [DeliveryResult], of key: DestinationKey) throws {
        try pool.write { database in
            let row = try Self.known(key, database)
            let update = try database.cachedStatement(
                sql: """
                    UPDATE delivery SET state = ?, attempts = ?, last_attempt_at = ?,
                        next_attempt_at = ?, delivered_at = ?, status = ?, answer = ?
                    WHERE destination = ? AND number = ? AND state = 'pending'
                    """
            )
            var lastPlain: Int64?
            for result in results {
                let at = result.at.microseconds
                for number in result.numbers {
                    try update.execute(arguments: [
                        result.state.rawValue, result.attempts, at,
                        result.state == .pending
                            ? (result.nextAttemptAt ?? result.at).microseconds
                            : nil,
                        result.state == .delivered ? at : nil, result.status, result.answer,
                        row.number, number,
                    ])
                }
                // What was settled before, and is told again after a crash, went once.
                guard database.changesCount > 0 else { continue }
                let plain = try Self.note(result, of: row.number, database)
                if let plain { lastPlain = max(lastPlain ?? plain, plain) }
            }
            if let lastPlain { try Self.forget(before: lastPlain, of: row.number, database) }
        }
    }

    func resend(_ selection: DeliverySelection, now: Instant) throws -> Int {
        let author = Author.current
        return try pool.write { database in
            let row = try Self.known(selection.destination, database)
            guard row.destination.retiredAt == nil else {
                throw LedgerError(.retired, "destination \"\(selection.destination)\" is retired")
            }
            let conditions: String
            let arguments: StatementArguments
            switch selection.what {
            case .failed: (conditions, arguments) = ("state = 'failed'", [])
            case .numbers(let range):
                conditions = "number BETWEEN ? AND ?"
                arguments = [range.lowerBound, range.upperBound]
            case .records(let ids):
                let places = ids.map { _ in "?" }.joined(separator: ", ")
                conditions = "record IN (SELECT sequence FROM usage_record WHERE id IN (\(places)))"
                arguments = StatementArguments(ids.map(\.text))
            }
            // Batches go again as they were: the same file gets the same name, and all its lines.
            try database.execute(
                sql: """
                    UPDATE delivery SET state = 'pending', attempts = 0, next_attempt_at = ?,
                        delivered_at = NULL
                    WHERE destination = ? AND state <> 'pending' AND batch IN (
                        SELECT batch FROM delivery
                        WHERE destination = ? AND state <> 'pending' AND \(conditions))
                    """,
                arguments: [now.microseconds, row.number, row.number] + arguments
            )
            let count = database.changesCount
            if count > 0 {
                let change = AuditedChange.resending(selection, count: count, by: author)
                try Self.audit([change], at: now, database)
            }
            return count
        }
    }
}

extension DestinationDefinition {
    /// What changes nothing is told to nobody; it stays in the books.
    fileprivate func isOwed(_ record: UsageRecord) -> Bool {
        guard filter.takes(record), record.toldIn == nil else { return false }
        return record.kind != .adjustment || record.delta != .zero
    }
}

extension SendingRules {
    /// Whether a batch that is not full has waited long enough since its oldest record was made.
    fileprivate func waited(for oldest: UsageRecord, _ now: Instant) -> Bool {
        let ripe = oldest.createdAt.microseconds.addingReportingOverflow(batchDelay.microseconds)
        return !ripe.overflow && ripe.partialValue <= now.microseconds
    }
}
