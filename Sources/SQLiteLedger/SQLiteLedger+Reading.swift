internal import Foundation
internal import GRDB
internal import Metering
public import MeteringEngine
internal import Synchronization
public import UsageModel

extension SQLiteLedger {
    public func readings(_ query: UsageQuery) async throws(LedgerError) -> UsageAnswer {
        try reading("a reading") { try UsageReader(core: core, query: query).answer() }
    }

    public func preview(_ query: PreviewQuery) async throws(LedgerError) -> PreviewAnswer {
        try reading("a preview") { try PreviewReader(core: core, query: query).answer() }
    }

    public func meters(_ query: MeterQuery) async throws(LedgerError) -> MeterAnswer {
        try reading("a list of meters") { try MeterReader(core: core, query: query).answer() }
    }

    public func subjects(_ query: SubjectQuery) async throws(LedgerError) -> SubjectAnswer {
        try reading("a list of subjects") { try core.subjects(query) }
    }

    public func events(_ query: EventQuery) async throws(LedgerError) -> EventAnswer {
        try reading("a list of events") { try EventReader(core: core).events(query) }
    }

    public func event(source: String, id: String) async throws(LedgerError) -> StoredEvent? {
        try reading("reading an event") {
            try EventReader(core: core).event(source: source, id: id)
        }
    }

    public func unreadable(_ query: UnreadableQuery) async throws(LedgerError) -> UnreadableAnswer {
        try reading("a list of unreadable events") {
            try UnreadableReader(core: core, query: query).answer()
        }
    }

    public func quarantine(_ query: QuarantineQuery) async throws(LedgerError) -> QuarantineAnswer {
        try reading("a list of quarantined events") {
            let events = try core.truth.quarantined(query)
            return QuarantineAnswer(
                events: Array(events.prefix(query.limit)),
                hasMore: events.count > query.limit
            )
        }
    }

    public func books(_ query: BooksQuery) async throws(LedgerError) -> BooksAnswer {
        let (core, what) = (core, "reading the books")
        for _ in 0..<Self.booksMax {
            if let answer = try reading(what, { try core.books(query) }) { return answer }
        }
        // Events are rejected all the time: between two groups both sides are of one commit.
        guard let answer = try await perform({ _ in try core.books(query) }) else {
            throw LedgerError(.busy, "the books and the quarantine were not of one moment")
        }
        return answer
    }

    public func position(knownAt instant: Instant) async throws(LedgerError) -> Position {
        try reading("a position by its time") {
            // What is committed is read only once it is added.
            let known = try core.truth.position(knownAt: instant)
            return min(known, Position(core.derived.read { $0.rolledUp }))
        }
    }

    /// How often the books are read beside the intake before it is made to wait for them.
    private static var booksMax: Int { 8 }

    public func status() async throws(LedgerError) -> LedgerStatus {
        try reading("the status") { try core.status() }
    }

    /// How often a reading is begun anew before the caller is told to come again.
    private static var readingsMax: Int { 20 }

    /// A damaged derived file is no answer: it is rebuilt, and the caller told to come again. What
    /// was read while a version came into force is read again.
    func reading<Answer>(_ what: String, _ body: () throws -> Answer) throws(LedgerError)
        -> Answer
    {
        let before = core.derived.read { $0.rebuilds }
        do {
            var successions: Int
            var answer: Answer?
            var tries = 0
            repeat {
                tries += 1
                guard tries <= Self.readingsMax else {
                    throw LedgerError(.busy, "versions and corrections kept coming in between")
                }
                successions = core.successions.load(ordering: .sequentiallyConsistent)
                do { answer = try body() } catch is ReadingOutdated { answer = nil }
            } while answer == nil
                || successions != core.successions.load(ordering: .sequentiallyConsistent)
            let after = core.derived.read { $0.rebuilds }
            guard before == after, after.isMultiple(of: 2) else {
                throw LedgerError(.busy, "derived state is being rebuilt from the log")
            }
            guard let answer else { throw LedgerError(.busy, "a reading was given up") }
            return answer
        } catch {
            if error is DerivedFileError {
                _ = core.enter(.perform { $0.rebuild() }, bytes: 0, events: 0)
            }
            if let error = error as? LedgerError { throw error }
            throw core.fault(error, during: what)
        }
    }
}

extension LedgerCore {
    /// - Returns: nil where events were rejected between the look at the books and that at the
    ///   quarantine: what became of them would not fit.
    fileprivate func books(_ query: BooksQuery) throws -> BooksAnswer? {
        let voided = corrections.withLock { $0.voided }
        let reader = BooksReader(derived: derived, query: query, voided: voided) {
            let versions = self.meterTypes.withLock { $0 }
            return Set(versions.filter { $0.inForceSince != nil }.map(\.number))
        }
        var commit: Int64 = 0
        var answer = try reader.answer(&commit)
        guard let standings = try truth.standings(query, asOf: commit) else { return nil }
        answer.add(standings, groupBy: query.groupBy)
        return answer
    }

    fileprivate func status() throws -> LedgerStatus {
        var status = LedgerStatus()
        let registry = meterRegistry.withLock { $0 }
        status.enrolments = Int64(registry.count)
        derived.read { tables in
            status.isRecounting = tables.recount.done < registry.last
            status.position = Position(tables.position)
            status.checkpoint = Position(tables.checkpoint)
            (status.keyRuns, status.cellRuns) = (tables.keyRuns.count, tables.cellRuns.count)
            status.subjects = Int64(tables.names.count)
            status.derivedMemoryBytes = Int64(
                tables.keys.memoryBytes + tables.cells.bytes + tables.names.memoryBytes
                    + tables.keyRuns.reduce(0) { $0 + $1.memoryBytes }
                    + tables.cellRuns.reduce(0) { $0 + $1.memoryBytes }
            )
        }
        (status.blocks, status.quarantined) = try truth.pool.read { database in
            (
                try Int64.fetchOne(database, sql: "SELECT count(*) FROM event_block") ?? 0,
                try Int64.fetchOne(database, sql: "SELECT count(*) FROM quarantine") ?? 0
            )
        }
        let path = directory + "/" + Truth.fileName
        status.truthBytes = fileBytes(path) + fileBytes(path + "-wal")
        status.derivedBytes = DerivedFiles(directory + "/derived").bytes
        let system = try? FileManager.default.attributesOfFileSystem(forPath: directory)
        status.freeBytes = (system?[.systemFreeSize] as? NSNumber)?.int64Value ?? 0
        status.residentBytes = Self.residentBytes
        (status.queueEvents, status.queueBytes) = room.withLock { ($0.events, $0.bytes) }
        let underWay = currentMeterTypes().filter(\.backfillState.isUnderWay)
        status.backfills = underWay.count
        status.backfillEventsLeft = underWay.reduce(0) { left, version in
            left + Int64(version.countsAfter?.value ?? 0) - Int64(version.backfilled.value)
        }
        status.isMerging = checkpoints.isMerging
        status.isChecked = checkpoints.isChecked
        status.counters = counters.withLock { $0 }
        return status
    }

    /// What the kernel says this process holds in memory.
    private static var residentBytes: Int64 {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else {
            return 0
        }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int64($0) } ?? 0
        return pages * Int64(getpagesize())
    }
}
