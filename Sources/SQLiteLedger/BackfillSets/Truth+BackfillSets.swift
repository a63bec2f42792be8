internal import Foundation
internal import GRDB
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

// Backfill sets, and what was sent to each. What became of them the corrections say.
extension Truth {
    /// All sets as they were opened, in order.
    static func backfillSets(_ database: Database) throws -> [BackfillSet] {
        try Row.fetchAll(database, sql: "SELECT * FROM backfill_set ORDER BY number").map { row in
            let number = row["number"] as Int64
            var replacing: EventSelection?
            if let text = row["replacing"] as String? {
                replacing = (try? JSONValue.parse(Array(text.utf8)))
                    .flatMap { EventSelection(document: $0) }
                guard replacing != nil else {
                    throw LedgerError(.corrupt, "backfill set \(number)")
                }
            }
            var set = BackfillSet(
                number: number,
                name: row["name"],
                replacing: replacing,
                at: Instant(microseconds: row["at"]),
                author: row["author"]
            )
            set.openedPosition = Position(UInt64(row["opened_position"] as Int64))
            return set
        }
    }

    /// All parts of all sets, in the order of their positions.
    ///
    /// - Complexity: reads 12 bytes for each quarter of an hour of a subject in each call.
    static func backfillParts(
        _ database: Database,
        _ body: (BackfillPart) throws -> Void
    ) throws {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT number, backfill_set, first_position, count, books, checksum, buckets
                FROM backfill_part ORDER BY number
                """
        )
        while let row = try rows.next() {
            let packed = Array(row["buckets"] as Data)
            guard checksum64(packed) == UInt64(bitPattern: row["checksum"] as Int64),
                let buckets = BackfillPart.buckets(packed),
                let books = StoredCorrection.books(row["books"])
            else { throw LedgerError(.corrupt, "backfill part \(row["number"] as Int64)") }
            let first = UInt64(row["first_position"] as Int64)
            try body(
                BackfillPart(
                    set: row["backfill_set"],
                    positions: first..<(first + UInt64(row["count"] as Int64)),
                    buckets: buckets,
                    books: books,
                    kept: []
                )
            )
        }
    }

    /// The events that make no room for a set, since their keys were sent to it.
    func kept(by set: Int64) throws -> Set<UInt64> {
        try pool.read { database in
            let rows = try Row.fetchCursor(
                database,
                sql: "SELECT number, kept FROM backfill_part WHERE backfill_set = ?",
                arguments: [set]
            )
            var kept: Set<UInt64> = []
            while let row = try rows.next() {
                guard let positions = BackfillPart.kept(Array(row["kept"] as Data)) else {
                    throw LedgerError(.corrupt, "backfill part \(row["number"] as Int64)")
                }
                kept.formUnion(positions)
            }
            return kept
        }
    }

    /// The set that was opened under a token, and its request's fingerprint.
    func backfillSet(token: String) throws -> (number: Int64, fingerprint: UInt64)? {
        try pool.read { database in
            try Row.fetchOne(
                database,
                sql: "SELECT number, fingerprint FROM backfill_set WHERE token = ?",
                arguments: [token]
            ).map { ($0["number"], UInt64(bitPattern: $0["fingerprint"] as Int64)) }
        }
    }

    static func insert(
        _ set: BackfillSet,
        _ request: BackfillSetRequest,
        _ database: Database
    ) throws {
        try database.execute(
            sql: """
                INSERT INTO backfill_set (number, name, replacing, at, author, token, fingerprint,
                    opened_position)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                set.number, set.name, set.replacing.map(\.json), set.at.microseconds, set.author,
                request.token, Int64(bitPattern: request.fingerprint),
                Int64(set.openedPosition.value),
            ]
        )
    }

    static func insert(_ part: BackfillPart, _ database: Database) throws {
        let buckets = try part.packedBuckets()
        try database.execute(
            sql: """
                INSERT INTO backfill_part (backfill_set, first_position, count, books, checksum,
                    buckets, kept)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                part.set, Int64(part.positions.lowerBound), part.positions.count,
                StoredCorrection.json(part.books), Int64(bitPattern: checksum64(buckets)),
                Data(buckets), Data(try part.packedKept()),
            ]
        )
    }
}

extension EventSelection {
    fileprivate var json: String {
        String(decoding: JSONValue.object(document).serialized(pretty: false), as: UTF8.self)
    }
}

extension BackfillSetRequest {
    /// Of what it asks for.
    var fingerprint: UInt64 {
        let parts = [name, replacing?.json ?? "", author, reason]
        return parts.joined(separator: "\n").utf8.reduce(0xcbf2_9ce4_8422_2325) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
    }
}
