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
    /// One element of a unique count.
    static let element: UInt8 = 2

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
    /// Events applied under one hold of the lock: readers wait no longer than that takes.
    private static let sliceEvents = 128

    /// A table that is no longer written, on its way to disk: read by many, changed by nobody.
    struct Frozen: @unchecked Sendable {
        let keys: KeyTable
        let cells: CellTable
        let position: UInt64
        let commit: Int64
        let names: UInt32
        let backfilled: [UInt32: UInt64]
    }

    struct Tables {
        var keys = KeyTable(capacity: DerivedState.keysMax)
        var cells = CellTable(bytesMax: DerivedState.cellBytesMax)
        var frozen: Frozen?
        var keyRuns: [KeyRun] = []
        var cellRuns: [CellRun] = []
        var names = NameTable()
        /// The last event in the tables, and its commit.
        var position: UInt64 = 0
        var commit: Int64 = 0
        /// How far each meter type's history is counted.
        var backfilled: [UInt32: UInt64] = [:]
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
                let runs = tables.withLock { tables in
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

    /// Adds a committed group. What it knows is visible slice by slice, in the order of positions.
    func apply(
        _ decision: borrowing GroupDecision,
        _ parties: [Party],
        keys: [KeyHash],
        commit: Int64
    ) {
        let first = decision.firstPosition
        unsafe keys.withUnsafeBufferPointer { keys in
            tables.withLock { unsafe $0.keys.insert(keys, first: first) }
        }
        for (party, share) in zip(parties, decision.shares) where share.accepted > 0 {
            let positions = share.positions
            apply(party.batch, position: { positions[$0] }, slice: Self.sliceEvents)
        }
        let hour = RollupBucket.hour(of: decision.at)
        for (party, share) in zip(parties, decision.shares) where share.accepted > 0 {
            let positions = share.positions
            applyCounts(party.batch, hour: hour) { positions[$0] != 0 }
        }
        let books = decision.books
        tables.withLock { tables in
            addBooks(books, hour: hour, to: &tables)
            tables.position = decision.lastPosition
            tables.commit = commit
        }
    }

    /// Adds the contributions of a batch's events.
    ///
    /// - Parameter position: The position of an event by its place in the batch; 0: leave it out.
    func apply(_ batch: PreparedBatch, position: (Int) -> UInt64, slice: Int) {
        var adding = BatchAdding(batch: batch, nameHash: hash(of:))
        var start = 0
        while start < batch.events.count {
            let end = min(start + slice, batch.events.count)
            tables.withLock { adding.add(start..<end, position: position, to: &$0) }
            start = end
            while readersWaiting.load(ordering: .relaxed) > 0 { sched_yield() }
        }
    }

    /// Adds to the books how many of a batch's events are counted, and how many contributions could
    /// not be read.
    ///
    /// - Parameter isNew: Whether the event at a place was not counted before.
    func applyCounts(_ batch: PreparedBatch, hour: Int32, isNew: (Int) -> Bool) {
        var counted = [Int64](repeating: 0, count: batch.origins.count)
        var unreadable = counted
        for (place, event) in batch.events.enumerated() where isNew(place) {
            if event.isCounted { counted[Int(event.origin)] += 1 }
            guard batch.unreadable > 0 else { continue }
            let first = Int(event.firstContribution)
            for contribution in batch.contributions[first..<(first + Int(event.contributionCount))]
            where contribution.unreadable != nil {
                unreadable[Int(event.origin)] += 1
            }
        }
        tables.withLock { tables in
            for (number, origin) in batch.origins.enumerated() {
                let cell = booksCell(origin, hour: hour, in: &tables)
                addCount(counted[number], .counted, to: cell, in: &tables)
                addCount(unreadable[number], .unreadable, to: cell, in: &tables)
            }
        }
    }

    func addBooks(_ books: CommitBooks, hour: Int32, to tables: inout Tables) {
        for (origin, line) in books.lines {
            let cell = booksCell(origin, hour: hour, in: &tables)
            func add(_ measure: BooksMeasure, _ count: Int64) {
                addCount(count, measure, to: cell, in: &tables)
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
        _ measure: BooksMeasure,
        to cell: CellTable.CellRef,
        in tables: inout Tables
    ) {
        guard count != 0 else { return }
        var state = MeterState()
        state.count = count
        tables.cells.merge(cell, meter: measure.rawValue, state: state, aggregation: .count)
    }
}

/// Adds one batch's events to the tables: names are looked up once per batch where they repeat.
struct BatchAdding {
    private let batch: PreparedBatch
    private let nameHash: ([UInt8]) -> UInt64
    private var tupleNames: [UInt32]
    /// The numbers of the subjects of a slice's events.
    private var subjects: [UInt32] = []
    /// One for each tuple of each of a slice's events, in order.
    private var known: [CellPlace] = []

    private struct CellPlace {
        var subject: UInt32
        var bucket: Int32
        var dimensions: UInt32
        var cell: CellTable.CellRef?
    }

    init(batch: PreparedBatch, nameHash: @escaping ([UInt8]) -> UInt64) {
        (self.batch, self.nameHash) = (batch, nameHash)
        tupleNames = [UInt32](repeating: .max, count: batch.tuples.count)
        // The empty tuple is no name: meters without dimensions share the number 0.
        if !tupleNames.isEmpty { tupleNames[0] = 0 }
    }

    /// Adds a slice of the events.
    ///
    /// What the events will meet in the tables is touched before, for all of them: a third of the
    /// time would go into waiting for memory, one event after the other.
    mutating func add(
        _ places: Range<Int>,
        position: (Int) -> UInt64,
        to tables: inout DerivedState.Tables
    ) {
        nameSubjects(places, position: position, in: &tables)
        touchCells(places, position: position, in: &tables)
        var tuples = 0
        for place in places {
            let at = position(place)
            let subject = subjects[place - places.lowerBound]
            if at != 0 { add(place, subject, position: at, &tuples, to: &tables) }
        }
    }

    /// Finds the cells of a slice's events, as far as there are any.
    private mutating func touchCells(
        _ places: Range<Int>,
        position: (Int) -> UInt64,
        in tables: inout DerivedState.Tables
    ) {
        known.removeAll(keepingCapacity: true)
        var isSound = true
        for place in places where position(place) != 0 {
            let subject = subjects[place - places.lowerBound]
            let bucket = batch.events[place].bucket
            let first = Int(batch.events[place].firstContribution)
            var tuple = UInt32.max
            for place in first..<(first + Int(batch.events[place].contributionCount)) {
                let contribution = batch.contributions[place]
                guard contribution.tuple != tuple, contribution.unreadable == nil else { continue }
                tuple = contribution.tuple
                let place = CellPlace(
                    subject: subject,
                    bucket: bucket,
                    dimensions: name(of: tuple, in: &tables)
                )
                known.append(place)
                let isThere = tables.cells.touch(
                    CellKind.usage,
                    subject: subject,
                    bucket: bucket,
                    dimensions: place.dimensions
                )
                isSound = isSound && isThere
            }
        }
        precondition(isSound, "a slot that refers to nothing")
        for index in known.indices {
            known[index].cell = tables.cells.find(
                CellKind.usage,
                subject: known[index].subject,
                bucket: known[index].bucket,
                dimensions: known[index].dimensions
            )
        }
    }

    private mutating func nameSubjects(
        _ places: Range<Int>,
        position: (Int) -> UInt64,
        in tables: inout DerivedState.Tables
    ) {
        var isSound = true
        for place in places {
            let isThere = tables.names.touch(hash: batch.events[place].subjectHash)
            isSound = isSound && isThere
        }
        precondition(isSound, "a slot that refers to nothing")
        subjects.removeAll(keepingCapacity: true)
        unsafe batch.bytes.withUnsafeBytes { raw in
            for place in places {
                guard position(place) != 0 else {
                    subjects.append(0)
                    continue
                }
                let event = batch.events[place]
                let subject = unsafe tables.names.intern(
                    UnsafeRawBufferPointer(rebasing: raw[event.decoded.subject.range]),
                    hash: event.subjectHash
                )
                subjects.append(subject)
            }
        }
    }

    private mutating func add(
        _ place: Int,
        _ subject: UInt32,
        position: UInt64,
        _ tuples: inout Int,
        to tables: inout DerivedState.Tables
    ) {
        let bucket = batch.events[place].bucket
        let time = batch.events[place].time.microseconds
        let first = Int(batch.events[place].firstContribution)
        let count = Int(batch.events[place].contributionCount)
        let cells = tables.cells
        var tuple = UInt32.max
        var one = CellTable.CellRef()
        var all = CellTable.CellRef()
        for place in first..<(first + count) {
            let contribution = batch.contributions[place]
            guard contribution.unreadable == nil else { continue }
            if contribution.tuple != tuple {
                tuple = contribution.tuple
                let dimensions = known[tuples].dimensions
                one =
                    known[tuples].cell
                    ?? cells.cell(
                        CellKind.usage,
                        subject: subject,
                        bucket: bucket,
                        dimensions: dimensions
                    )
                tuples += 1
                all = cells.cell(
                    CellKind.usage,
                    subject: CellKind.allSubjects,
                    bucket: bucket,
                    dimensions: dimensions
                )
            }
            let (meter, aggregation) = (contribution.meter, contribution.aggregation)
            let state = MeterState(
                aggregation,
                mantissa: contribution.mantissa,
                time: time,
                position: position
            )
            cells.merge(one, meter: meter, state: state, aggregation: aggregation)
            cells.merge(all, meter: meter, state: state, aggregation: aggregation)
            if aggregation == .unique {
                addElements(contribution, subject, bucket, tupleNames[Int(tuple)], &tables)
            }
        }
    }

    private mutating func name(of tuple: UInt32, in tables: inout DerivedState.Tables) -> UInt32 {
        let known = tupleNames[Int(tuple)]
        if known != .max { return known }
        let text = batch.tuples[Int(tuple)]
        let name = tables.names.intern(text, hash: nameHash(text))
        tupleNames[Int(tuple)] = name
        return name
    }

    private func addElements(
        _ contribution: Contribution,
        _ subject: UInt32,
        _ bucket: Int32,
        _ dimensions: UInt32,
        _ tables: inout DerivedState.Tables
    ) {
        let first = Int(contribution.firstElement)
        for element in batch.elements[first..<(first + Int(contribution.elementCount))] {
            for owner in [subject, CellKind.allSubjects] {
                tables.cells.mergeElement(
                    subject: owner,
                    bucket: bucket,
                    dimensions: dimensions,
                    meter: contribution.meter,
                    element: element,
                    count: 1
                )
            }
        }
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
