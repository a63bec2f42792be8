internal import GRDB
internal import MeteringEngine
internal import UsageModel

// How each try of a batch went; it moves with the deliveries of the batch in one transaction.
extension Truth {
    /// Two lookups by key, and a row where it is not the first try that was taken.
    static func note(
        _ result: DeliveryResult,
        of destination: Int64,
        _ database: Database
    ) throws {
        guard let number = result.numbers.first else { return }
        let row = try Row.fetchOne(
            database.cachedStatement(
                sql: """
                    SELECT batch, (SELECT max(attempt) FROM delivery_attempt AS tried
                        WHERE tried.destination = delivery.destination
                            AND tried.batch = delivery.batch) AS latest
                    FROM delivery WHERE destination = ? AND number = ?
                    """
            ),
            arguments: [destination, number]
        )
        guard let row else { return }
        let batch: Int64 = row["batch"]
        let latest: Int64? = row["latest"]
        // Most are taken at once, and the delivery itself says so.
        if latest == nil, result.state == .delivered, result.attempts <= 1 { return }
        let attempt = (latest ?? 0) + 1
        try database.cachedStatement(
            sql: """
                INSERT INTO delivery_attempt
                    (destination, batch, attempt, at, state, status, answer)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            destination, batch, attempt, result.at.microseconds, result.state.rawValue,
            result.status, result.answer,
        ])
        guard attempt > Limits.deliveryAttemptsKeptMax else { return }
        try database.execute(
            sql: """
                DELETE FROM delivery_attempt
                WHERE destination = ? AND batch = ? AND attempt <= ?
                """,
            arguments: [destination, batch, attempt - Int64(Limits.deliveryAttemptsKeptMax)]
        )
    }

    func attempts(of key: DestinationKey, batch: Int64) throws -> [DeliveryAttempt] {
        try pool.read { database in
            let destination = try Self.known(key, database)
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT at, state, status, answer FROM delivery_attempt
                    WHERE destination = ? AND batch = ? ORDER BY attempt DESC
                    """,
                arguments: [destination.number, batch]
            )
            return try rows.map { row in
                guard let state = Delivery.State(rawValue: row["state"]) else {
                    throw LedgerError(.corrupt, "a try of the batch \(key) \(batch) makes no sense")
                }
                return DeliveryAttempt(
                    at: Instant(microseconds: row["at"]),
                    state: state,
                    status: row["status"],
                    answer: row["answer"]
                )
            }
        }
    }
}
