public import UsageModel

/// Durable memory, as the engine needs it: positions, batches and mergeable states, no storage
/// words.
///
/// `LedgerConformance` in MeteringTestKit is this comment as tests.
public protocol UsageLedger: CorrectionStore {
    /// The catalog as it stands: what a batch is measured with.
    var preparer: EventPreparer { get }

    /// Records a batch, whole or not at all, and returns once it is on stable storage and the next
    /// query sees it. After a throw the caller cannot know which of the two it was, and need not:
    /// recording the same batch again is always safe.
    ///
    /// - Parameter isAtomic: One rejected or conflicting event, and nothing is recorded: neither
    ///   events nor quarantine nor books. Duplicates do not stand in the way.
    /// - Throws: `busy`, `unavailable`, `full`, `device`, `corrupt`.
    func record(_ batch: PreparedBatch, isAtomic: Bool) async throws(LedgerError) -> BatchOutcome

    /// Makes a meter type, or returns the one that stands if its definition is equal. The history
    /// is counted in the background.
    /// - Throws: `alreadyExists` for another definition of the key; `limitExceeded`.
    func create(_ definition: MeterTypeDefinition) async throws(LedgerError) -> MeterType

    /// Makes a new version of a meter type, or returns the newest where it says the same already
    /// and from no later time on.
    ///
    /// Its history is counted in the background, and readings follow it from the moment that is
    /// done; of two versions that would count a time, the one made last does.
    /// - Parameters:
    ///   - definition: Its key is that of before, and values under both add up: see
    ///     ``UsageModel/MeterTypeDefinition/addsUp(with:)``.
    ///   - effective: It counts events whose time is not before that.
    ///   - version: The newest version there is, as far as the caller knows.
    ///   - restates: Whether it may count time anew that is in closed periods.
    /// - Throws: `notFound`, `retired`; `outdated` where another version is the newest;
    ///   `alreadyExists` for another aggregation or unit; `periodsClosed`; `limitExceeded`.
    func revise(
        _ definition: MeterTypeDefinition,
        effective: EffectiveTime,
        after version: Int,
        restates: Bool
    ) async throws(LedgerError) -> MeterType

    /// Gives up the backfill of a version: nothing follows it, ever. Twice is once.
    /// - Parameter version: nil: the newest whose history is being counted.
    /// - Throws: `notFound` where none is.
    func cancelBackfill(_ key: MeterTypeKey, version: Int?) async throws(LedgerError) -> MeterType

    /// Retires a meter type: it counts no further events; what it counted stays readable.
    func retire(_ key: MeterTypeKey) async throws(LedgerError) -> MeterType

    /// All versions of all meter types, the retired ones included; of each type the first one
    /// first.
    func versions() async throws(LedgerError) -> [MeterType]

    /// All versions of a meter type, the first one first.
    /// - Throws: `notFound`.
    func versions(of key: MeterTypeKey) async throws(LedgerError) -> [MeterType]

    /// The versions whose history is being counted or waits for it, in the order of their turns.
    func backfills() async throws(LedgerError) -> [MeterType]

    /// Enrols meters, all of them or none. One that is enrolled in the same words is left alone.
    ///
    /// From then on, and for all that was recorded before, an event of a subject counts if its time
    /// lies where the meter is active between its dates. Without an enrolment, or another word
    /// about the meter, events of a type with ``EnrolmentRule/auto`` all count, and of ``explicit``
    /// none.
    ///
    /// - Throws: `notFound` for a meter type that there is not, `retired`, `limitExceeded`;
    ///   `alreadyExists` for a meter that is enrolled in other words, with the fields at fault.
    func enrol(_ enrolments: [MeterEnrolment]) async throws(LedgerError) -> EnrolAnswer

    /// Changes the dates or notes of a meter that was enrolled or spoken of.
    /// - Throws: `notFound`; `invalidDates` where the end would not lie after the start.
    func alter(_ id: MeterID, _ alteration: MeterAlteration) async throws(LedgerError)
        -> EnrolledMeter

    /// Records the word that a meter is active, suspended or closed for a while. What changes
    /// nothing is not recorded.
    /// - Throws: `notFound` for a meter of an explicit type that is not enrolled.
    func say(_ change: StandingChange, of id: MeterID) async throws(LedgerError) -> EnrolledMeter

    /// Makes a customer, or changes the one there is to what the definition says.
    /// - Throws: `subjectOwned` where another customer owns a subject at the same time, with the
    ///   fields at fault; `retired`; `limitExceeded`; `outdated` where the condition does not hold.
    func put(
        _ customer: CustomerDefinition,
        if condition: @escaping ChangeCondition<Customer>
    ) async throws(LedgerError) -> Customer

    /// Retires a customer: from now on it owns nothing; what was its own stays so.
    /// - Throws: `notFound`; `outdated` where the condition does not hold.
    func retire(
        customer key: CustomerKey,
        if condition: @escaping ChangeCondition<Customer>
    ) async throws(LedgerError) -> Customer

    /// - Parameter position: As it was known when the log ended there; nil: as of now.
    func customer(
        _ key: CustomerKey,
        asOf position: Position?
    ) async throws(LedgerError) -> Customer?
    func customers(_ query: CustomerQuery) async throws(LedgerError) -> CustomerAnswer
    func subjects(_ query: SubjectQuery) async throws(LedgerError) -> SubjectAnswer

    /// - Throws: `notFound` for a meter type or customer that there is not.
    func readings(_ query: UsageQuery) async throws(LedgerError) -> UsageAnswer

    /// Runs a draft over stored events, as if it had been the meter type of its key for all time,
    /// and compares it with the live one. Nothing is stored.
    /// - Throws: `limitExceeded` for more than a preview may look at; `backfillRunning`;
    ///   `valueOverflow`.
    func preview(_ query: PreviewQuery) async throws(LedgerError) -> PreviewAnswer

    /// The meters that there are: of each subject and meter type that counted an event of it, and
    /// those that are enrolled. Subjects come in the order in which the ledger met their names, the
    /// meters of one by their keys.
    /// - Throws: `notFound` for a meter type or customer that there is not.
    func meters(_ query: MeterQuery) async throws(LedgerError) -> MeterAnswer

    func events(_ query: EventQuery) async throws(LedgerError) -> EventAnswer
    func event(source: String, id: String) async throws(LedgerError) -> StoredEvent?
    func unreadable(_ query: UnreadableQuery) async throws(LedgerError) -> UnreadableAnswer
    func quarantine(_ query: QuarantineQuery) async throws(LedgerError) -> QuarantineAnswer
    func books(_ query: BooksQuery) async throws(LedgerError) -> BooksAnswer
    func status() async throws(LedgerError) -> LedgerStatus

    /// What was known at an instant: the last position that was recorded by then.
    func position(knownAt instant: Instant) async throws(LedgerError) -> Position
}

extension UsageLedger {
    /// All meter types in the order of their keys, the retired ones included; of each the newest
    /// version, those given up left aside.
    public func meterTypes() async throws(LedgerError) -> [MeterType] {
        try await versions().newestOfEach
    }

    public func customer(_ key: CustomerKey) async throws(LedgerError) -> Customer? {
        try await customer(key, asOf: nil)
    }
}

/// What became of one event of a batch.
public enum Verdict: String, CaseIterable, Hashable, Sendable {
    case accepted
    /// Same key, same content: recorded before. An ordinary success, so that retries are free.
    case duplicate
    /// Same key, other content: the first report stands, this one is kept in quarantine.
    case conflict
    /// Could not be understood; kept in quarantine with its reason.
    case rejected
}

/// What became of a batch.
public struct BatchOutcome: Sendable {
    /// One verdict and what belongs to it, for an event that was not plainly accepted.
    public struct Exception: Sendable {
        /// The event's place in the call.
        public var index: Int
        public var verdict: Verdict
        /// Where the event of this key stands in the log; zero for rejected ones.
        public var position: Position
        /// Where it waits; nil for duplicates, and for a refused atomic call.
        public var quarantineID: String?
        /// The validation rule that a rejected event failed; nil where it broke a rule of the wire.
        public var failure: RuleFinding?

        public init(
            index: Int,
            verdict: Verdict,
            position: Position,
            quarantineID: String? = nil,
            failure: RuleFinding? = nil
        ) {
            (self.index, self.verdict) = (index, verdict)
            (self.position, self.quarantineID) = (position, quarantineID)
            self.failure = failure
        }
    }

    /// Accepted events that failed one validation rule.
    public struct Warning: Sendable, Hashable {
        /// What it found in the first of them.
        public var finding: RuleFinding
        public var events: Int
        /// The place of the first of them in the call.
        public var index: Int
        /// Where the last of them stands in the log.
        public var position: Position

        public init(finding: RuleFinding, events: Int, index: Int, position: Position) {
            (self.finding, self.events) = (finding, events)
            (self.index, self.position) = (index, position)
        }
    }

    /// The position after which the whole answer is visible.
    public var position: Position
    public var accepted: Int
    /// The first accepted event's position; the others follow densely, in the call's order.
    public var firstPosition: Position
    /// In the order of ``Exception/index``.
    public var exceptions: [Exception]
    /// Whether an atomic call was refused: nothing was recorded.
    public var isRefused: Bool
    /// The batch as it was recorded under the catalog of that moment: for warnings.
    public var unreadable: Int
    /// Of each rule that warned.
    public var warnings: [Warning]

    public init(
        position: Position,
        accepted: Int,
        firstPosition: Position,
        exceptions: [Exception],
        isRefused: Bool = false,
        unreadable: Int = 0,
        warnings: [Warning] = []
    ) {
        self.warnings = warnings
        (self.position, self.accepted) = (position, accepted)
        (self.firstPosition, self.exceptions) = (firstPosition, exceptions)
        (self.isRefused, self.unreadable) = (isRefused, unreadable)
    }
}
