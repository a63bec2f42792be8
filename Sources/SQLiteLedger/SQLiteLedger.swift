internal import Dispatch
internal import Foundation
internal import GRDB
public import Logging
public import MeteringEngine
internal import Synchronization
public import UsageModel

/// The embedded ledger: one directory on one machine, the truth in SQLite, derived state beside it.
///
/// One process at a time holds a directory. All calls may be made from any thread.
public final class SQLiteLedger: UsageLedger {
    let core: LedgerCore
    private let lock: DirectoryLock
    private let committed = DispatchSemaphore(value: 0)
    private let isClosed = Mutex(false)

    /// How a ledger is opened.
    public struct Opening: Sendable {
        public var directory: String
        public var logger: Logger
        /// The time of day: of arrivals and of records, never of rules.
        public var clock: @Sendable () -> Instant
        /// 32 random bytes: the identity and the hash key of a new ledger.
        public var entropy: [UInt8]

        public init(
            directory: String,
            logger: Logger,
            clock: @escaping @Sendable () -> Instant,
            entropy: [UInt8]
        ) {
            (self.directory, self.logger, self.clock) = (directory, logger, clock)
            self.entropy = entropy
        }
    }

    /// Opens the ledger of a directory, or makes one.
    ///
    /// Derived state that is missing or damaged is rebuilt from the log before this returns: about
    /// 2 µs an event. What was committed after the last checkpoint is replayed likewise.
    ///
    /// - Throws: ``LedgerError``: `unavailable` where another process holds the directory, `device`
    ///   where it cannot be written, `corrupt` where the log itself is damaged.
    public init(_ opening: Opening) throws {
        let what = "opening the ledger in \(opening.directory)"
        do {
            lock = try DirectoryLock(opening.directory)
            core = try LedgerOpening(opening).open()
        } catch {
            throw LedgerCore.ledgerError(error, during: what)
        }
        let (core, committed) = (core, committed)
        let (position, commit) = core.derived.tables.withLock { ($0.position, $0.commit) }
        let applier = Applier { core.add($0) }
        Self.startThread("odometer.committer") {
            IntakePriority.take()
            Committer(core: core, applier: applier, position: position, commit: commit).run()
        }
        Self.startThread("odometer.applier") {
            IntakePriority.take()
            applier.run()
            committed.signal()
        }
        Backfilling(core: core).start()
        Recounting(core: core).start()
        core.checkpoints.check { fault in
            let what = "checking the derived files"
            core.logger.error("\(what) failed", metadata: ["error": "\(fault)"])
            _ = core.enter(.perform { $0.rebuild() }, bytes: 0, events: 0)
        }
        core.checkpoints.scheduleMerge()
    }

    private static func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.name = name
        thread.stackSize = 8 * 1024 * 1024
        thread.start()
    }

    /// Answers everyone who was let in, writes a checkpoint, and lets go of the directory.
    public func close() throws {
        let wasClosed = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return isClosed
        }
        guard !wasClosed else { return }
        core.room.withLock { $0.close() }
        core.bell.signal()
        committed.wait()
        // A backfill reads the log until the committer lets nothing in any more.
        core.backfills.sync {}
        defer { lock.unlock() }
        do {
            try core.checkpoints.close()
            try core.truth.writeAhead.close()
            try core.truth.pool.close()
        } catch {
            throw LedgerCore.ledgerError(error, during: "closing the ledger")
        }
    }

    public var preparer: EventPreparer { core.preparer.withLock { $0 } }

    public func record(
        _ batch: PreparedBatch,
        isAtomic: Bool
    ) async throws(LedgerError) -> BatchOutcome {
        try await record(batch, isAtomic: isAtomic, nil)
    }

    /// - Parameters:
    ///   - order: Where the events are those of items in quarantine.
    ///   - set: The backfill set that takes them.
    func record(
        _ batch: PreparedBatch,
        isAtomic: Bool,
        _ order: ReleaseOrder?,
        into set: Int64? = nil
    ) async throws(LedgerError) -> BatchOutcome {
        if batch.received == 0 {
            let position = Position(core.derived.read { $0.position })
            return BatchOutcome(
                position: position,
                accepted: 0,
                firstPosition: .zero,
                exceptions: []
            )
        }
        // Whatever comes in this way comes from outside: rules are asked here, on its own thread.
        let batch = preparer.judged(batch, seenAt: order?.seenAt(of: batch) ?? [])
        let packed = try pack(batch)
        let totals = SliceTotals.all(of: batch, at: .dense(first: 1))
        let bytes = batch.bytes.count + batch.events.count * 512
        let outcome: Result<BatchOutcome, LedgerError> = await withCheckedContinuation { ticket in
            let party = Party(
                batch: batch,
                packed: packed,
                totals: totals,
                isAtomic: isAtomic,
                order: order,
                set: set
            ) {
                ticket.resume(returning: $0)
            }
            let task: CommitterTask =
                set.map { set in .perform { $0.receive(party, into: set) } } ?? .record(party)
            if core.enter(task, bytes: bytes, events: batch.received) { return }
            core.counters.withLock { $0.refusedBusy += 1 }
            ticket.resume(returning: .failure(refusal))
        }
        return try outcome.get()
    }

    private var refusal: LedgerError {
        core.room.withLock { $0.isClosed }
            ? LedgerError(.unavailable, "the ledger is closing")
            : LedgerError(.busy, "the intake queue is full")
    }

    /// Packs a large call on its own thread, in the hope that none of its events is known.
    private func pack(_ batch: PreparedBatch) throws(LedgerError) -> PackedBlock? {
        guard batch.events.count >= Party.packedEventsMin else { return nil }
        // The threads of the pool that take large calls; readings run on others.
        IntakePriority.take()
        do {
            return try core.compressors.withCompressor { compressor in
                var packing = BlockPacking(reserving: batch.bytes.count + batch.events.count + 2)
                for event in batch.events { packing.append(event, of: batch, number: 0) }
                return try packing.packed(compressor)
            }
        } catch {
            throw LedgerCore.ledgerError(error, during: "packing a call")
        }
    }

    /// Runs work on the committer's thread, between two groups, for the author of the call.
    func perform<Value: Sendable>(
        _ work: @escaping @Sendable (Committer) throws -> Value
    ) async throws(LedgerError) -> Value {
        let core = core
        // A task's values do not follow work to another thread by themselves.
        let author = Author.current
        let outcome: Result<Value, LedgerError> = await withCheckedContinuation { ticket in
            let isIn = core.enter(
                .perform { committer in
                    do {
                        let value = try Author.$current.withValue(author) {
                            try work(committer)
                        }
                        ticket.resume(returning: .success(value))
                    } catch {
                        ticket.resume(
                            returning: .failure(core.fault(error, during: "a change"))
                        )
                        if error is DerivedFileError { committer.rebuild() }
                    }
                },
                bytes: 0,
                events: 0
            )
            if !isIn { ticket.resume(returning: .failure(refusal)) }
        }
        return try outcome.get()
    }
}

/// A lock file that one process holds for as long as it lives; the kernel frees it at its death.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    init(_ directory: String) throws(LedgerError) {
        do {
            try FileManager.default.createDirectory(
                atPath: directory,
                withIntermediateDirectories: true
            )
        } catch {
            throw LedgerError(.device, "cannot make the directory \(directory): \(error)")
        }
        let path = directory + "/lock"
        let descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw LedgerError(.device, "cannot write to \(directory): \(Self.reason())")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            Glibc.close(descriptor)
            throw LedgerError(.unavailable, "another process holds \(directory)")
        }
        self.descriptor = descriptor
    }

    /// Lets go at once: a process that is just being started from this one may hold a copy of the
    /// descriptor until it is something else, and closing alone would wait for that.
    func unlock() {
        _ = flock(descriptor, LOCK_UN)
        Glibc.close(descriptor)
    }

    private static func reason() -> String { unsafe String(cString: strerror(errno)) }
}
