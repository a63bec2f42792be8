internal import Compression
internal import Foundation
internal import GRDB
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

/// The SQLite database: one writer (the committer), many snapshot readers.
struct Truth: Sendable {
    let pool: DatabasePool
    let writeAhead: WriteAheadLog
    let storeID: [UInt8]
    let hashKey: SipHashKey

    static let fileName = "ledger.sqlite"

    /// Opens or makes the database.
    ///
    /// - Parameter entropy: 32 random bytes, used only where the store is new: its id and hash key.
    static func open(directory: String, entropy: [UInt8], now: Instant) throws -> Truth {
        var configuration = Configuration()
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
            try database.execute(sql: "PRAGMA journal_size_limit = \(WriteAheadLog.bytesMax)")
            try database.execute(sql: "PRAGMA wal_autocheckpoint = \(WriteAheadLog.pagesMax)")
        }
        let path = directory + "/" + fileName
        if !FileManager.default.fileExists(atPath: path) {
            // The page size must be set before the first table, and outside of WAL.
            let queue = try DatabaseQueue(path: path)
            try queue.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA page_size = \(WriteAheadLog.pageBytes)")
                try database.execute(sql: "VACUUM")
            }
            try queue.close()
        }
        let pool = try DatabasePool(path: path, configuration: configuration)
        try Schema.migrator.migrate(pool)
        try pool.write { database in
            try database.execute(
                sql: """
                    INSERT INTO ledger (id, store_id, hash_key, created_at) VALUES (1, ?, ?, ?)
                    ON CONFLICT DO NOTHING
                    """,
                arguments: [
                    Data(entropy.prefix(16)), Data(entropy.suffix(16)), now.microseconds,
                ]
            )
        }
        let (storeID, key) = try pool.read { database in
            guard
                let row = try Row.fetchOne(database, sql: "SELECT store_id, hash_key FROM ledger")
            else { throw LedgerError(.corrupt, "the table ledger has no row") }
            return (Array(row["store_id"] as Data), Array(row["hash_key"] as Data))
        }
        return Truth(
            pool: pool,
            writeAhead: try WriteAheadLog(of: path),
            storeID: storeID,
            hashKey: SipHashKey(bytes: key)
        )
    }

    /// The last position and commit number of the log.
    func head() throws -> (position: UInt64, commit: Int64) {
        try pool.read { database in
            guard
                let row = try Row.fetchOne(
                    database,
                    sql: """
                        SELECT number, last_position FROM intake_commit
                        ORDER BY number DESC LIMIT 1
                        """
                )
            else { return (0, 0) }
            return (UInt64(row["last_position"] as Int64), row["number"])
        }
    }

    /// The last position that was recorded by an instant.
    ///
    /// - Complexity: O(log n) in the commits. Where the clock was turned back, one of the
    ///   positions that were the last at that instant.
    func position(knownAt instant: Instant) throws -> Position {
        try pool.read { database in
            let statement = try database.cachedStatement(
                sql: "SELECT at, last_position FROM intake_commit WHERE number = ?"
            )
            let newest = try Int64.fetchOne(database, sql: "SELECT max(number) FROM intake_commit")
            var (low, high) = (Int64(0), newest ?? 0)
            var position: UInt64 = 0
            // Commits are numbered without gaps.
            while low < high {
                let middle = (low + high + 1) / 2
                guard let row = try Row.fetchOne(statement, arguments: [middle]) else {
                    throw LedgerError(.corrupt, "there is no commit \(middle)")
                }
                if (row["at"] as Int64) <= instant.microseconds {
                    position = UInt64(row["last_position"] as Int64)
                    low = middle
                } else {
                    high = middle - 1
                }
            }
            return Position(position)
        }
    }

    static let blockColumns = """
        first_position, count, commit_number, at, time_min, time_max, raw_bytes, checksum, \
        summary, arrivals, payload
        """

    /// The block that holds a position.
    func block(holding position: UInt64) throws -> StoredBlock? {
        try pool.read { database in
            // Asked for each old duplicate: preparing it anew would cost as much as answering.
            let statement = try database.cachedStatement(
                sql: """
                    SELECT \(Self.blockColumns) FROM event_block WHERE first_position <= ?
                    ORDER BY first_position DESC LIMIT 1
                    """
            )
            let row = try Row.fetchOne(statement, arguments: [Int64(position)])
            guard let block = row.map(StoredBlock.init), block.positions.contains(position) else {
                return nil
            }
            return block
        }
    }

    /// The first block at or after a position, of those no later than a commit.
    func block(from position: UInt64) throws -> StoredBlock? {
        try pool.read { database in
            try Row.fetchOne(
                database.cachedStatement(
                    sql: """
                        SELECT \(Self.blockColumns) FROM event_block WHERE first_position >= ?
                        ORDER BY first_position LIMIT 1
                        """
                ),
                arguments: [Int64(position)]
            ).map(StoredBlock.init)
        }
    }
}

/// One row of `event_block`.
struct StoredBlock: Sendable {
    var firstPosition: UInt64
    var commit: Int64
    var at: Instant
    var storedChecksum: Int64
    var packed: PackedBlock

    init(_ row: Row) {
        firstPosition = UInt64(row["first_position"] as Int64)
        commit = row["commit_number"]
        at = Instant(microseconds: row["at"])
        storedChecksum = row["checksum"]
        packed = PackedBlock(
            count: row["count"],
            timeMin: Instant(microseconds: row["time_min"]),
            timeMax: Instant(microseconds: row["time_max"]),
            rawBytes: row["raw_bytes"],
            summary: Array(row["summary"] as Data),
            arrivals: (row["arrivals"] as Data?).map(Array.init),
            payload: Array(row["payload"] as Data)
        )
    }

    var positions: Range<UInt64> { firstPosition..<(firstPosition + UInt64(packed.count)) }

    /// Unpacks, checks and decodes the block.
    ///
    /// - Parameter decompressor: For many blocks, one: making it costs what unpacking a small one
    ///   does.
    /// - Throws: ``LedgerError`` `corrupt`, naming the block by its first position.
    func events(
        using decompressor: ZstdDecompressor = ZstdDecompressor()
    ) throws(LedgerError) -> UnpackedBlock {
        guard storedChecksum == packed.checksum(firstPosition: firstPosition, at: at) else {
            throw fault("its checksum is wrong")
        }
        let raw: [UInt8]
        do {
            let size = min(packed.rawBytes, PackedBlock.rawBytesMax)
            raw = try unsafe packed.payload.withUnsafeBytes { bytes in
                try unsafe decompressor.decompress(bytes, size: size)
            }
        } catch {
            throw fault("its payload does not unpack")
        }
        guard raw.count == packed.rawBytes else { throw fault("its payload has another length") }
        let decoded: DecodedBatch
        do {
            decoded = try decodeEvents(raw, framing: .plain)
        } catch {
            throw fault("its payload is no JSON array")
        }
        guard decoded.rejected.isEmpty, decoded.events.count == packed.count else {
            throw fault("its payload has other events")
        }
        let arrivals = packed.arrivals.map(ArrivalList.read) ?? []
        guard arrivals.isEmpty || arrivals.count == packed.count else {
            throw fault("its arrivals are too few")
        }
        return UnpackedBlock(
            firstPosition: firstPosition,
            at: at,
            decoded: decoded,
            arrivals: arrivals
        )
    }

    /// Unpacks and decodes the one frame that holds a position of the block.
    ///
    /// - Throws: ``LedgerError`` `corrupt`, naming the block by its first position.
    func frame(
        holding position: UInt64,
        using decompressor: ZstdDecompressor
    ) throws(LedgerError) -> UnpackedFrame {
        guard storedChecksum == packed.checksum(firstPosition: firstPosition, at: at) else {
            throw fault("its checksum is wrong")
        }
        let number = Int(position - firstPosition) / PackedBlock.frameEvents
        let first = number * PackedBlock.frameEvents
        guard var raw = unpacked(frame: number, decompressor), raw.count > 1 else {
            throw fault("its payload does not unpack")
        }
        // Each frame begins with the bracket or a comma; only the last one ends with the bracket.
        raw[0] = UInt8(ascii: "[")
        let count = min(PackedBlock.frameEvents, packed.count - first)
        if first + count < packed.count { raw.append(UInt8(ascii: "]")) }
        guard let decoded = try? decodeEvents(raw, framing: .plain),
            decoded.rejected.isEmpty, decoded.events.count == count
        else { throw fault("its payload has other events") }
        return UnpackedFrame(firstPosition: firstPosition + UInt64(first), decoded: decoded)
    }

    private func unpacked(frame number: Int, _ decompressor: ZstdDecompressor) -> [UInt8]? {
        unsafe packed.payload.withUnsafeBytes { bytes in
            var rest = unsafe bytes[...]
            for _ in 0..<number {
                let whole = unsafe UnsafeRawBufferPointer(rebasing: rest)
                guard let count = unsafe Zstd.firstFrameBytes(whole) else { return nil }
                unsafe rest = unsafe rest.dropFirst(count)
            }
            let whole = unsafe UnsafeRawBufferPointer(rebasing: rest)
            guard let count = unsafe Zstd.firstFrameBytes(whole) else { return nil }
            let frame = unsafe UnsafeRawBufferPointer(rebasing: rest.prefix(count))
            return try? unsafe decompressor.decompress(frame, sizeMax: PackedBlock.rawBytesMax)
        }
    }

    private func fault(_ reason: String) -> LedgerError {
        LedgerError(.corrupt, "the event block at position \(firstPosition) is damaged: \(reason)")
    }
}

/// Some of a block's events, to be looked at.
struct UnpackedFrame: Sendable {
    var firstPosition: UInt64
    var decoded: DecodedBatch

    var positions: Range<UInt64> {
        firstPosition..<(firstPosition + UInt64(decoded.events.count))
    }
}

/// A block's events, ready to be measured again.
struct UnpackedBlock: Sendable {
    var firstPosition: UInt64
    var at: Instant
    var decoded: DecodedBatch
    var arrivals: [Instant]

    var positions: Range<UInt64> {
        firstPosition..<(firstPosition + UInt64(decoded.events.count))
    }

    func arrival(of index: Int) -> Instant { arrivals.isEmpty ? at : arrivals[index] }

    func prepared(by preparer: EventPreparer) -> PreparedBatch {
        preparer.prepare(decoded, arrival: at, arrivals: arrivals)
    }
}
