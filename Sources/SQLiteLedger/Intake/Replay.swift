internal import Foundation
internal import GRDB
internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel

/// Derives again what the log says and the derived files do not know yet.
///
/// - Complexity: about 2 µs an event; the log since the last checkpoint at a start, all of it where
///   the derived files are gone.
struct Replay {
    let truth: Truth
    let derived: DerivedState
    let checkpoints: Checkpoints
    let meterTypes: [MeterType]
    let meterRegistry: MeterRegistry
    let corrections: CorrectionRegistry

    /// Replays all commits after the tables' own.
    func run(progress: (UInt64) -> Void = { _ in }) throws {
        var catalogs = CatalogsByPosition(meterTypes: meterTypes, hashKey: truth.hashKey)
        var commit = derived.tables.withLock { $0.commit }
        while let next = try commits(after: commit).first {
            commit = next.number
            try replay(next, &catalogs)
            progress(next.lastPosition)
        }
    }

    private struct Commit {
        var number: Int64
        var at: Instant
        var lastPosition: UInt64
        var books: CommitBooks
    }

    private func commits(after number: Int64) throws -> [Commit] {
        let rows = try truth.pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT number, at, last_position, books FROM intake_commit
                    WHERE number > ? ORDER BY number LIMIT 1
                    """,
                arguments: [number]
            )
        }
        return try rows.map { row in
            guard let books = CommitBooks(json: row["books"]) else {
                throw LedgerError(.corrupt, "the books of commit \(row["number"] as Int64)")
            }
            return Commit(
                number: row["number"],
                at: Instant(microseconds: row["at"]),
                lastPosition: UInt64(row["last_position"] as Int64),
                books: books
            )
        }
    }

    private func replay(_ commit: Commit, _ catalogs: inout CatalogsByPosition) throws {
        var position = derived.tables.withLock { $0.position }
        try checkpoints.makeRoom(for: Int(commit.lastPosition - position))
        let hour = RollupBucket.hour(of: commit.at)
        let recount = derived.tables.withLock { $0.recount }
        let gate = CountGate(meterTypes, meterRegistry)
        while position < commit.lastPosition {
            guard let stored = try truth.block(from: position + 1),
                stored.firstPosition == position + 1
            else {
                throw LedgerError(.corrupt, "no event block holds position \(position + 1)")
            }
            let block = try stored.events()
            let (preparer, rule) = catalogs.catalog(at: block.firstPosition)
            let batch = block.prepared(by: preparer)
            derived.tables.withLock { tables in
                for (place, event) in batch.events.enumerated() {
                    let position = block.firstPosition + UInt64(place)
                    guard !corrections.isEntry(position) else { continue }
                    tables.insertKey(event.key, position)
                }
            }
            let first = block.firstPosition
            derived.apply(batch, at: .dense(first: first))
            let settled = gate?.settled(batch) { place in
                recount.number(at: first + UInt64(place), meterRegistry)
            }
            derived.applyCounts(settled ?? batch, hour: hour, rule: rule) { _ in true }
            position += UInt64(batch.events.count)
        }
        derived.tables.withLock { tables in
            derived.addBooks(commit.books, hour: hour, to: &tables)
            (tables.position, tables.commit) = (commit.lastPosition, commit.number)
            tables.rolledUp = commit.lastPosition
        }
    }
}

extension DerivedState.Tables {
    /// Enters a key read back from the log; under the next hash of its probe chain where another
    /// key has its hash, as when it was first accepted.
    mutating func insertKey(_ key: KeyHash, _ position: UInt64) {
        var key = key
        while keys.find(key) != nil { key = key.nextProbe }
        keys.insert(key, Position(position))
    }
}

/// The catalog that was in force for the events at a position, with what was counted of them since.
///
/// Meter types are made and retired between two commits, so it is one for all events of a block.
struct CatalogsByPosition {
    private let meterTypes: [MeterType]
    private var last: LastPreparer

    init(meterTypes: [MeterType], hashKey: SipHashKey) {
        (self.meterTypes, last) = (meterTypes, LastPreparer(hashKey: hashKey))
    }

    mutating func catalog(at position: UInt64) -> (EventPreparer, BooksRule) {
        let position = Position(position)
        let counting = meterTypes.counting(at: position)
        let rule = BooksRule(counting) { version in
            version.inForceSince.map { $0 >= position } ?? true
        }
        return (last.preparer(of: counting), rule)
    }
}

/// Keeps the preparer that was used last: from block to block it is nearly always the same, and
/// expressions are compiled once.
struct LastPreparer {
    private struct Part: Equatable {
        var number: UInt32
        var effective: Range<Instant>
    }

    private let hashKey: SipHashKey
    private var last: (parts: [Part], preparer: EventPreparer)?

    init(hashKey: SipHashKey) { self.hashKey = hashKey }

    /// - Parameter meterTypes: A number means one definition for ever.
    mutating func preparer(of meterTypes: [MeterType]) -> EventPreparer {
        let parts = meterTypes.map { Part(number: $0.number, effective: $0.effective) }
        if let last, last.parts == parts { return last.preparer }
        let catalog = MeterCatalog(generation: 0, meterTypes: meterTypes)
        let preparer = EventPreparer(hashKey: hashKey, catalog: catalog)
        last = (parts, preparer)
        return preparer
    }
}
