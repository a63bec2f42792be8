internal import GRDB
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

// Of items that are settled for long, the bytes are dropped; the row stays, with its counts.
extension Truth {
    func dropSettled(before: Instant, at: Instant) throws -> Int {
        try pool.write { database in
            let numbers = try Int64.fetchAll(
                database,
                sql: """
                    SELECT number FROM quarantine
                    WHERE state <> 'open' AND dropped_at IS NULL AND changed_at < ?
                    ORDER BY changed_at LIMIT ?
                    """,
                arguments: [before.microseconds, Limits.quarantineDropItemsMax]
            )
            guard let first = numbers.min(), let last = numbers.max() else { return 0 }
            let statement = try database.cachedStatement(
                sql: """
                    UPDATE quarantine SET original = x'', edited = NULL, dropped_at = ?
                    WHERE number = ?
                    """
            )
            for number in numbers {
                try statement.execute(arguments: [at.microseconds, number])
            }
            let drop = AuditedChange(
                .drop,
                .quarantine,
                "retention",
                after: [
                    "items": .string(String(numbers.count)),
                    "settledBefore": .string(before.rfc3339),
                    "first": .string(QuarantinedEvent.id(first)),
                    "last": .string(QuarantinedEvent.id(last)),
                ],
                author: Author(name: "retention")
            )
            try Self.audit([drop], at: at, database)
            return numbers.count
        }
    }
}
