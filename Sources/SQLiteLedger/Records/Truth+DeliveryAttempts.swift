internal import GRDB
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

// How each try of a batch went; it moves with the deliveries of the batch in one transaction.
extension Truth {
    /// Two lookups by key, and a row.
    ///
    /// - Returns: the batch, where it was taken at the first try.
    static func note(
        _ result: DeliveryResult,
        of destination: Int64,
        _ database: Database
    ) throws -> Int64? {
        guard let number = result.numbers.first else { return nil }
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
        guard let row else { return nil }
        let batch: Int64 = row["batch"]
        let latest: Int64? = row["latest"]
        let isPlain = latest == nil && result.state == .delivered && result.attempts <= 1
        let attempt = (latest ?? 0) + 1
        let sent = JSONValue.array(result.requests.map { .object(SentRequestDocument.write($0)) })
        try database.cachedStatement(
            sql: """
                INSERT INTO delivery_attempt (destination, batch, attempt, at, state, status,
                    answer, requests, request_count, is_plain)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            destination, batch, attempt, result.at.microseconds, result.state.rawValue,
            result.status, result.answer, String(decoding: sent.serialized(), as: UTF8.self),
            result.requestCount, isPlain,
        ])
        try forgetOlder(than: attempt, of: batch, destination, database)
        return isPlain ? batch : nil
    }

    /// What a try sent is kept of the newest ones, and how it went of some more.
    private static func forgetOlder(
        than attempt: Int64,
        of batch: Int64,
        _ destination: Int64,
        _ database: Database
    ) throws {
        let untold = attempt - Int64(Limits.deliveryTriesToldMax)
        guard untold > 0 else { return }
        try database.cachedStatement(
            sql: """
                UPDATE delivery_attempt SET requests = '[]'
                WHERE destination = ? AND batch = ? AND attempt = ?
                """
        ).execute(arguments: [destination, batch, untold])
        guard attempt > Limits.deliveryAttemptsKeptMax else { return }
        try database.execute(
            sql: """
                DELETE FROM delivery_attempt
                WHERE destination = ? AND batch = ? AND attempt <= ?
                """,
            arguments: [destination, batch, attempt - Int64(Limits.deliveryAttemptsKeptMax)]
        )
    }

    /// Most are taken at once, and the delivery itself says so: of those of long ago that is
    /// enough.
    static func forget(
        before batch: Int64,
        of destination: Int64,
        _ database: Database
    ) throws {
        try database.cachedStatement(
            sql: """
                DELETE FROM delivery_attempt WHERE destination = ? AND is_plain = 1 AND batch <= ?
                """
        ).execute(arguments: [destination, batch - Int64(Limits.deliveryPlainTriesKeptMax)])
    }

    func attempts(of key: DestinationKey, batch: Int64) throws -> [DeliveryAttempt] {
        try pool.read { database in
            let destination = try Self.known(key, database)
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM delivery_attempt
                    WHERE destination = ? AND batch = ? ORDER BY attempt DESC
                    """,
                arguments: [destination.number, batch]
            )
            return try rows.map { row in
                let text: String = row["requests"]
                guard let state = Delivery.State(rawValue: row["state"]),
                    let sent = try? JSONValue.parse(Array(text.utf8)).arrayValue
                else {
                    throw LedgerError(.corrupt, "a try of the batch \(key) \(batch) makes no sense")
                }
                return DeliveryAttempt(
                    at: Instant(microseconds: row["at"]),
                    state: state,
                    status: row["status"],
                    answer: row["answer"],
                    requests: sent.compactMap(SentRequestDocument.read),
                    requestCount: row["request_count"]
                )
            }
        }
    }
}
