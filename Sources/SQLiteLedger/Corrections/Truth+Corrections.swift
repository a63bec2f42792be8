internal import Foundation
internal import GRDB
internal import MeteringEngine
internal import UsageModel

extension Truth {
    /// All corrections, in order, and where other entries of the ledger's own stand.
    ///
    /// - Complexity: reads 29 bytes for each event that was ever corrected.
    func correctionRegistry() throws -> CorrectionRegistry {
        var registry = CorrectionRegistry()
        try pool.read { database in
            for set in try Self.backfillSets(database) { registry.add(set) }
            try Self.backfillParts(database) { registry.add($0) }
            let rows = try Row.fetchCursor(
                database,
                sql: "SELECT * FROM correction ORDER BY number"
            )
            while let row = try rows.next() { registry.add(try Self.correction(row)) }
            let versions = try Int64.fetchAll(
                database,
                sql: "SELECT in_force_since FROM meter_type WHERE has_entry"
            )
            for position in versions { registry.addVersion(at: Position(UInt64(position))) }
        }
        return registry
    }

    /// The corrections of some positions, with what they say of which events.
    func corrections(at positions: Range<UInt64>, limit: Int) throws -> [StoredCorrection] {
        try pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM correction WHERE position >= ? AND position < ?
                    ORDER BY position LIMIT ?
                    """,
                arguments: [Int64(positions.lowerBound), Int64(positions.upperBound), limit]
            ).map(Self.correction)
        }
    }

    /// The correction that was made under a token, and its request's fingerprint.
    static func correction(
        token: String,
        _ database: Database
    ) throws -> (number: Int64, fingerprint: UInt64)? {
        try Row.fetchOne(
            database,
            sql: "SELECT number, fingerprint FROM correction WHERE token = ?",
            arguments: [token]
        ).map { ($0["number"], UInt64(bitPattern: $0["fingerprint"] as Int64)) }
    }

    static func insert(_ stored: StoredCorrection, _ database: Database) throws {
        let packed = try StoredCorrection.packed(stored.targets)
        let one = stored.correction
        try database.execute(
            sql: """
                INSERT INTO correction (number, position, entries, kind, at, author, reason, token,
                    fingerprint, events, books, checksum, targets, backfill_set)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                one.number, Int64(one.position.value), stored.entries.count, one.kind.rawValue,
                one.at.microseconds, one.author, one.reason, stored.token,
                Int64(bitPattern: stored.fingerprint), one.events,
                StoredCorrection.json(stored.books), Int64(bitPattern: checksum64(packed)),
                Data(packed), one.backfillSet,
            ]
        )
    }

    private static func correction(_ row: Row) throws -> StoredCorrection {
        let number = row["number"] as Int64
        let packed = Array(row["targets"] as Data)
        guard checksum64(packed) == UInt64(bitPattern: row["checksum"] as Int64),
            let targets = StoredCorrection.targets(packed),
            let books = StoredCorrection.books(row["books"]),
            let kind = CorrectionKind(rawValue: row["kind"])
        else { throw LedgerError(.corrupt, "correction \(number)") }
        let position = UInt64(row["position"] as Int64)
        return StoredCorrection(
            correction: Correction(
                number: number,
                position: Position(position),
                kind: kind,
                at: Instant(microseconds: row["at"]),
                author: row["author"],
                reason: row["reason"],
                events: row["events"],
                backfillSet: row["backfill_set"]
            ),
            entries: position..<(position + UInt64(row["entries"] as Int64)),
            token: row["token"],
            fingerprint: UInt64(bitPattern: row["fingerprint"] as Int64),
            targets: targets,
            books: books
        )
    }
}
