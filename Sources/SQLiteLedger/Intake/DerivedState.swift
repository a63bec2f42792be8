internal import Foundation
internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel
internal import WireFormat

/// The books' measures, as the meters of cells of kind ``CellKind/books``.
enum BooksMeasure: UInt32, CaseIterable {
    case received = 1
    case accepted
    case counted
    case duplicate
    case conflict
    case quarantined
    case unreadable
}

/// What a cell's key begins with.
enum CellKind {
    /// Usage of a subject, or of all subjects together at ``allSubjects``.
    static let usage: UInt8 = 0
    /// A line of the books: subject is the source's name, dimensions the type's.
    static let books: UInt8 = 1
    /// One element beside a state: what a unique count tells apart, a percentile's value.
    static let element: UInt8 = 2
    /// What a meter whose values are carried was told at an instant.
    static let sample: UInt8 = 3

    static let allSubjects: UInt32 = 0
}

/// Key index and rollups: derived from the log, disposable, true for a position.
///
/// The newest part is in memory tables, the older part in immutable runs on disk. A checkpoint
/// freezes the tables, writes them as runs, and publishes a manifest that says what position they
/// are true for; what is younger is replayed from the log when the ledger opens.
final class DerivedState: Sendable {
    /// Keys in memory before a checkpoint.
    static let keysMax = 1_000_000
    /// Bytes of cells in memory before a checkpoint.
    static let cellBytesMax = 192 * 1024 * 1024
    /// A table that is no longer written, on its way to disk: read by many, changed by nobody.
    struct Frozen: @unchecked Sendable {
        let keys: KeyTable
        let cells: CellTable
        let position: UInt64
        let commit: Int64
        let names: UInt32
        let backfilled: [UInt32: UInt64]
        let recount: Recount
    }

    struct Tables {
        var keys = KeyTable(capacity: DerivedState.keysMax)
        var cells = CellTable(bytesMax: DerivedState.cellBytesMax)
        var frozen: Frozen?
        var keyRuns: [KeyRun] = []
        var cellRuns: [CellRun] = []
        var names = NameTable()
        /// The last event of the last commit that is in the tables whole, and that commit.
        var position: UInt64 = 0
        var commit: Int64 = 0
        /// The last event in the rollups, which may be ahead of the books by part of a commit:
        /// what a reading is true for.
        var rolledUp: UInt64 = 0
        /// How far each meter type's history is counted.
        var backfilled: [UInt32: UInt64] = [:]
        /// How far the books know which events count.
        var recount = Recount()
        /// By meter number.
        var aggregations: [Aggregation] = [.count]
        var checkpoint: UInt64 = 0
        /// How often the state was begun anew; odd while a rebuild is under way. What is read while
        /// it changes is part of the truth at best, and no answer.
        var rebuilds = 0

        /// The text of a name; empty for a number that a rebuild has not given out again.
        func name(_ number: UInt32) -> String {
            guard number > 0, number <= names.count else { return "" }
            return String(decoding: names.bytes(of: number), as: UTF8.self)
        }
    }

    let tables = Mutex(Tables())
    /// Readers that wait for the lock: the committer lets them in between two slices.
    let readersWaiting = Atomic<Int>(0)
    private let hashKey: SipHashKey

    init(hashKey: SipHashKey) { self.hashKey = hashKey }

    /// The hash that a name is interned by.
    func hash(of name: [UInt8]) -> UInt64 {
        unsafe name.withUnsafeBytes { unsafe KeyHash(key: hashKey, bytes: $0).low }
    }

    /// Reads the tables, ahead of the committer's next slice.
    func read<Result>(_ body: (inout sending Tables) throws -> sending Result) rethrows -> Result {
        readersWaiting.add(1, ordering: .relaxed)
        defer { readersWaiting.subtract(1, ordering: .relaxed) }
        return try tables.withLock(body)
    }

    /// The position of each key; 0 for a key the ledger does not know.
    ///
    /// - Throws: ``DerivedFileError`` where a run's page contradicts its checksum.
    func positions(of keys: [KeyHash]) throws -> [UInt64] {
        var positions = [UInt64](repeating: 0, count: keys.count)
        try unsafe keys.withUnsafeBufferPointer { keys in
            try unsafe positions.withUnsafeMutableBufferPointer { positions in
                let runs = read { tables in
                    // The frozen table's keys are older; no key is in both.
                    unsafe tables.frozen?.keys.find(keys, into: positions)
                    unsafe tables.keys.find(keys, into: positions)
                    return tables.keyRuns
                }
                for run in runs.reversed() { try unsafe run.find(keys, into: positions) }
            }
        }
        return positions
    }

    /// Enters the keys of a committed group, whose positions follow one another.
    func insert(_ keys: [KeyHash], first position: UInt64) {
        unsafe keys.withUnsafeBufferPointer { keys in
            read { unsafe $0.keys.insert(keys, first: position) }
        }
    }

    /// Adds a committed group, but for its keys. What it knows is visible slice by slice, in the
    /// order of positions; the books change at its end.
    ///
    /// - Parameter gate: What decides which events count; nil where all do.
    func apply(
        _ decision: borrowing GroupDecision,
        _ parties: [Party],
        commit: Int64,
        rule: BooksRule,
        gate: CountGate?
    ) {
        for (party, share) in zip(parties, decision.shares) where share.accepted > 0 {
            let isWhole = share.accepted == party.batch.events.count
            let positions: EventPositions =
                isWhole ? .dense(first: share.firstPosition) : .listed(share.positions)
            apply(party.batch, at: positions, isWhole ? party.totals : nil)
        }
        let hour = RollupBucket.hour(of: decision.at)
        var tallies: [(batch: PreparedBatch, tallies: [[BooksRule.Tally]])] = []
        for (party, share) in zip(parties, decision.shares) where share.accepted > 0 {
            let positions = share.positions
            let batch = gate?.settled(party.batch) { _ in .max } ?? party.batch
            tallies.append((batch, rule.tallies(of: batch) { positions[$0] != 0 }))
        }
        let books = decision.books
        tables.withLock { tables in
            for (batch, tallies) in tallies {
                add(tallies, by: rule, of: batch, hour: hour, to: &tables)
            }
            addBooks(books, hour: hour, to: &tables)
            tables.position = decision.lastPosition
            tables.rolledUp = decision.lastPosition
            tables.commit = commit
        }
    }

    /// Adds the contributions of a batch's events.
    ///
    /// - Parameters:
    ///   - totals: Where they are summed up already, with positions from 1.
    ///   - advances: Whether the events are new to the log, so that readings get on with them.
    func apply(
        _ batch: PreparedBatch,
        at positions: EventPositions,
        _ totals: [SliceTotals]? = nil,
        advances: Bool = true
    ) {
        var adding = BatchAdding(batch: batch, nameHash: hash(of:))
        let base = totals == nil ? 0 : positions[0] - 1
        let slices = totals ?? SliceTotals.all(of: batch, at: positions)
        for (number, slice) in slices.enumerated() {
            let start = number * SliceTotals.events
            let end = min(start + SliceTotals.events, batch.events.count)
            tables.withLock { tables in
                adding.add(start..<end, at: positions, slice, base: base, to: &tables)
                guard advances else { return }
                for place in start..<end {
                    tables.rolledUp = max(tables.rolledUp, positions[place])
                }
            }
            while readersWaiting.load(ordering: .relaxed) > 0 { sched_yield() }
        }
    }

    /// Adds to the books how many of a batch's events are counted, and how many contributions could
    /// not be read.
    ///
    /// - Parameters:
    ///   - isNew: Whether the event at a place is to be added.
    func applyCounts(
        _ batch: PreparedBatch,
        hour: Int32,
        rule: BooksRule,
        isNew: (Int) -> Bool
    ) {
        let tallies = rule.tallies(of: batch, isNew: isNew)
        tables.withLock { add(tallies, by: rule, of: batch, hour: hour, to: &$0) }
    }

    private func add(
        _ tallies: [[BooksRule.Tally]],
        by rule: BooksRule,
        of batch: PreparedBatch,
        hour: Int32,
        to tables: inout Tables
    ) {
        add(tallies[0], of: batch, hour: hour, asChangeBy: nil, to: &tables)
        for (version, tally) in zip(rule.changes, tallies.dropFirst()) {
            add(tally, of: batch, hour: hour, asChangeBy: version, to: &tables)
        }
    }

    /// Adds what one block comes to by a version whose history is being counted.
    ///
    /// - Parameter isOwn: Whether it stands in the books as a change of its own. Not so for what an
    ///   earlier release put in force before its history was counted.
    func applyChange(
        _ version: UInt32,
        _ tally: [BooksRule.Tally],
        of batch: PreparedBatch,
        hour: Int32,
        isOwn: Bool
    ) {
        tables.withLock { tables in
            add(tally, of: batch, hour: hour, asChangeBy: isOwn ? version : nil, to: &tables)
        }
    }

    private func add(
        _ tally: [BooksRule.Tally],
        of batch: PreparedBatch,
        hour: Int32,
        asChangeBy version: UInt32?,
        to tables: inout Tables
    ) {
        func measure(_ measure: BooksMeasure) -> UInt32 {
            version.map { BooksChange.measure(measure, of: $0) } ?? measure.rawValue
        }
        for (number, origin) in batch.origins.enumerated() {
            // A change that is none leaves no cell.
            if version != nil, tally[number] == BooksRule.Tally() { continue }
            let cell = booksCell(origin, hour: hour, in: &tables)
            addCount(tally[number].counted, measure(.counted), to: cell, in: &tables)
            addCount(tally[number].unreadable, measure(.unreadable), to: cell, in: &tables)
        }
    }

    func addBooks(_ books: CommitBooks, hour: Int32, to tables: inout Tables) {
        for (origin, line) in books.lines {
            let cell = booksCell(origin, hour: hour, in: &tables)
            func add(_ measure: BooksMeasure, _ count: Int64) {
                addCount(count, measure.rawValue, to: cell, in: &tables)
            }
            add(.received, line.received)
            add(.accepted, line.accepted)
            add(.duplicate, line.duplicate)
            add(.conflict, line.conflict)
            add(.quarantined, line.quarantined)
        }
    }

    func booksCell(
        _ origin: PreparedBatch.Origin,
        hour: Int32,
        in tables: inout Tables
    ) -> CellTable.CellRef {
        let source = tables.names.intern(origin.source, hash: hash(of: origin.source))
        let type = tables.names.intern(origin.type, hash: hash(of: origin.type))
        return tables.cells.cell(CellKind.books, subject: source, bucket: hour, dimensions: type)
    }

    func addCount(
        _ count: Int64,
        _ measure: UInt32,
        to cell: CellTable.CellRef,
        in tables: inout Tables
    ) {
        guard count != 0 else { return }
        var state = MeterState()
        state.count = count
        tables.cells.merge(cell, meter: measure, state: state, aggregation: .count)
    }
}

extension RollupBucket {
    /// The bucket that begins the hour of an instant: where a line of the books stands.
    static func hour(of instant: Instant) -> Int32 { index(of: instant) & ~3 }
}

extension [Aggregation] {
    /// How a meter's states merge. The measures of the books have small numbers of their own, which
    /// need not be meter types': they only count, and every aggregation counts alike.
    func of(meter: UInt32) -> Aggregation {
        indices.contains(Int(meter)) ? self[Int(meter)] : .count
    }
}
