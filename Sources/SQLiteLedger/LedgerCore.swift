internal import Dispatch
internal import Foundation
internal import GRDB
internal import Logging
internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel

/// What the parts of the ledger share.
final class LedgerCore: Sendable {
    let directory: String
    let truth: Truth
    let derived: DerivedState
    let checkpoints: Checkpoints
    let logger: Logger
    let clock: @Sendable () -> Instant
    let compressors = CompressorPool()
    let room = Mutex(WaitingRoom<CommitterTask>())
    let bell = DispatchSemaphore(value: 0)
    /// Where history is read and measured, one version after the other.
    let backfills = DispatchQueue(label: "odometer.backfill")
    let preparer: Mutex<EventPreparer>
    let meterTypes: Mutex<[MeterType]>
    /// All versions, in the order of keys and versions.
    let validationRules: Mutex<[ValidationRule]>
    let meterRegistry: Mutex<MeterRegistry>
    let customerRegistry: Mutex<CustomerRegistry>
    let corrections: Mutex<CorrectionRegistry>
    /// Of the correction whose events were listed last: some 24 bytes each.
    let correctionTargets = Mutex<CorrectionTargets?>(nil)
    /// What decides of events whether they count, where that depends on enrolments.
    let gate = Mutex<CountGate?>(nil)
    let counters = Mutex(IntakeCounters())
    /// Rings where something is rejected, or asked of the quarantine.
    let quarantineBell = QuarantineBell()
    /// How often a version came into force or a correction was made: what is read across one is no
    /// answer.
    let successions = Atomic<Int>(0)
    /// How the events of a group stand in the books. Only for the committer's thread.
    let booksRule: Mutex<BooksRule>

    private let started = ContinuousClock.now

    init(
        directory: String,
        truth: Truth,
        derived: DerivedState,
        checkpoints: Checkpoints,
        meterTypes: [MeterType],
        validationRules: [ValidationRule],
        meterRegistry: MeterRegistry,
        customerRegistry: CustomerRegistry,
        corrections: CorrectionRegistry,
        logger: Logger,
        clock: @escaping @Sendable () -> Instant
    ) {
        (self.directory, self.truth, self.derived) = (directory, truth, derived)
        (self.checkpoints, self.logger, self.clock) = (checkpoints, logger, clock)
        self.meterTypes = Mutex(meterTypes)
        self.meterRegistry = Mutex(meterRegistry)
        self.customerRegistry = Mutex(customerRegistry)
        self.corrections = Mutex(corrections)
        self.validationRules = Mutex(validationRules)
        let rules = RuleBook(validationRules.newest)
        preparer = Mutex(Self.preparer(meterTypes, rules, hashKey: truth.hashKey, generation: 1))
        booksRule = Mutex(BooksRule(meterTypes.counting(at: .last)) { $0.inForceSince == nil })
        renewGate()
    }

    private static func preparer(
        _ meterTypes: [MeterType],
        _ rules: RuleBook?,
        hashKey: SipHashKey,
        generation: UInt64
    ) -> EventPreparer {
        EventPreparer(
            hashKey: hashKey,
            catalog: MeterCatalog(
                generation: generation,
                meterTypes: meterTypes.counting(at: .last),
                rules: rules
            )
        )
    }

    /// Puts a changed list of meter types in force for the next group.
    func install(_ changed: [MeterType]) {
        meterTypes.withLock { $0 = changed }
        let counting = changed.counting(at: .last)
        booksRule.withLock { $0 = BooksRule(counting) { $0.inForceSince == nil } }
        preparer.withLock { preparer in
            preparer = Self.preparer(
                changed,
                preparer.catalog.rules,
                hashKey: truth.hashKey,
                generation: preparer.catalog.generation + 1
            )
        }
        renewGate()
    }

    /// Puts changed validation rules in force for the next group: a call that was judged under the
    /// ones of before is judged again.
    func install(_ rules: RuleBook?) {
        let meterTypes = meterTypes.withLock { $0 }
        preparer.withLock { preparer in
            preparer = Self.preparer(
                meterTypes,
                rules,
                hashKey: truth.hashKey,
                generation: preparer.catalog.generation + 1
            )
        }
    }

    /// Makes the next group be counted by the meter types and enrolments of now.
    func renewGate() {
        let changed = CountGate(meterTypes.withLock { $0 }, meterRegistry.withLock { $0 })
        gate.withLock { $0 = changed }
    }

    /// Microseconds since the ledger was opened, for latencies; not a time of day.
    func ticks() -> Int64 {
        let elapsed = started.duration(to: .now).components
        return elapsed.seconds * 1_000_000 + elapsed.attoseconds / 1_000_000_000_000
    }

    /// Lets a task in; false where there is no room or the ledger closes.
    func enter(_ task: CommitterTask, bytes: Int, events: Int) -> Bool {
        guard room.withLock({ $0.enter(task, bytes: bytes, events: events) }) else { return false }
        bell.signal()
        return true
    }

    func count(_ decision: GroupDecision, _ parties: [Party], microseconds: Int64) {
        counters.withLock { counters in
            var events = 0
            for line in decision.books.lines.values {
                counters.accepted += line.accepted
                counters.duplicate += line.duplicate
                counters.conflict += line.conflict
                counters.rejected += line.quarantined
                events += Int(line.received)
            }
            counters.events += Int64(events)
            counters.committed(events: events, microseconds: microseconds)
        }
    }

    /// Turns any fault into the ledger's own, and writes it to the log of the process.
    func fault(_ error: any Error, during what: String) -> LedgerError {
        let fault = Self.ledgerError(error, during: what)
        logger.error(
            "\(what) failed",
            metadata: ["code": "\(fault.code.rawValue)", "error": "\(error)"]
        )
        return fault
    }

    static func ledgerError(_ error: any Error, during what: String) -> LedgerError {
        switch error {
        case let error as LedgerError: return error
        case let error as DerivedFileError:
            let code: LedgerError.Code =
                switch error.code {
                case .missing, .corrupt, .unreadable: .busy
                case .full: .full
                case .io: .device
                }
            return LedgerError(code, "\(what): \(error)", cause: error)
        case let error as DatabaseError:
            let code: LedgerError.Code =
                switch error.resultCode {
                case .SQLITE_FULL: .full
                case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_INTERRUPT: .busy
                case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt
                default: isOutOfSpace(error) ? .full : .device
                }
            return LedgerError(code, "\(what): \(error)", cause: error)
        default: return LedgerError(.device, "\(what): \(error)", cause: error)
        }
    }

    /// SQLite says "disk I/O error" where a write-ahead file or its index cannot grow.
    private static func isOutOfSpace(_ error: DatabaseError) -> Bool {
        switch error.extendedResultCode {
        case .SQLITE_IOERR_WRITE, .SQLITE_IOERR_SHMSIZE, .SQLITE_IOERR_FSYNC,
            .SQLITE_IOERR_TRUNCATE:
            true
        default: false
        }
    }
}
