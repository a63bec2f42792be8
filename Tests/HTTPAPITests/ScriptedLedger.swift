import MeteringEngine
import MeteringTestKit
import Synchronization
import UsageModel

/// The reference ledger behind a script: notes what was asked, and answers or fails as told.
final class ScriptedLedger: UsageLedger {
    struct Script {
        var failure: LedgerError?
        /// Where the log is said to end; nil: where it does.
        var end: Position?
        var usage: UsageAnswer?
        var events: EventAnswer?
        var unreadable: UnreadableAnswer?
        var quarantine: QuarantineAnswer?
        var books: BooksAnswer?
        var status: LedgerStatus?
        var unreadableInBatch = 0
        var meterTypes: [MeterType]?
        var backfills: [MeterType]?

        var askedUsage: UsageQuery?
        var askedPreview: PreviewQuery?
        /// How often a new version was asked for.
        var revisions = 0
        var askedEvents: EventQuery?
        var askedUnreadable: UnreadableQuery?
        var askedQuarantine: QuarantineQuery?
        var askedBooks: BooksQuery?
    }

    private let inner: ReferenceLedger
    private let script = Mutex(Script())

    init(clock: @escaping @Sendable () -> Instant) { inner = ReferenceLedger(clock: clock) }

    var asked: Script { script.withLock { $0 } }
    func told(_ tell: @Sendable (inout Script) -> Void) { script.withLock { tell(&$0) } }

    private func failIfTold() throws(LedgerError) {
        if let failure = asked.failure { throw failure }
    }

    var preparer: EventPreparer { inner.preparer }

    func position(knownAt instant: Instant) async throws(LedgerError) -> Position {
        try failIfTold()
        if let end = asked.end { return end }
        return try await inner.position(knownAt: instant)
    }

    func record(_ batch: PreparedBatch, isAtomic: Bool) async throws(LedgerError) -> BatchOutcome {
        try failIfTold()
        var outcome = try await inner.record(batch, isAtomic: isAtomic)
        outcome.unreadable += asked.unreadableInBatch
        return outcome
    }

    func create(_ definition: MeterTypeDefinition) async throws(LedgerError) -> MeterType {
        try failIfTold()
        return try await inner.create(definition)
    }

    func retire(_ key: MeterTypeKey) async throws(LedgerError) -> MeterType {
        try failIfTold()
        return try await inner.retire(key)
    }

    func versions() async throws(LedgerError) -> [MeterType] {
        if let told = asked.meterTypes { return told }
        return try await inner.versions()
    }

    func versions(of key: MeterTypeKey) async throws(LedgerError) -> [MeterType] {
        if let told = asked.meterTypes { return told.filter { $0.key == key } }
        return try await inner.versions(of: key)
    }

    func revise(
        _ definition: MeterTypeDefinition,
        effective: EffectiveTime,
        after version: Int,
        restates: Bool
    ) async throws(LedgerError) -> MeterType {
        script.withLock { $0.revisions += 1 }
        try failIfTold()
        return try await inner.revise(definition, effective: effective, after: version)
    }

    func backfills() async throws(LedgerError) -> [MeterType] {
        if let told = asked.backfills { return told }
        return try await inner.backfills()
    }

    func cancelBackfill(
        _ key: MeterTypeKey,
        version: Int?
    ) async throws(LedgerError) -> MeterType {
        try failIfTold()
        return try await inner.cancelBackfill(key, version: version)
    }

    func preview(_ query: PreviewQuery) async throws(LedgerError) -> PreviewAnswer {
        script.withLock { $0.askedPreview = query }
        try failIfTold()
        return try await inner.preview(query)
    }

    func enrol(_ enrolments: [MeterEnrolment]) async throws(LedgerError) -> EnrolAnswer {
        try failIfTold()
        return try await inner.enrol(enrolments)
    }

    func alter(
        _ id: MeterID,
        _ alteration: MeterAlteration
    ) async throws(LedgerError) -> EnrolledMeter {
        try failIfTold()
        return try await inner.alter(id, alteration)
    }

    func say(_ change: StandingChange, of id: MeterID) async throws(LedgerError) -> EnrolledMeter {
        try failIfTold()
        return try await inner.say(change, of: id)
    }

    func put(
        _ customer: CustomerDefinition,
        if condition: @escaping ChangeCondition<Customer>
    ) async throws(LedgerError) -> Customer {
        try failIfTold()
        return try await inner.put(customer, if: condition)
    }

    func retire(
        customer key: CustomerKey,
        if condition: @escaping ChangeCondition<Customer>
    ) async throws(LedgerError) -> Customer {
        try failIfTold()
        return try await inner.retire(customer: key, if: condition)
    }

    func customer(
        _ key: CustomerKey,
        asOf position: Position?
    ) async throws(LedgerError) -> Customer? {
        try await inner.customer(key, asOf: position)
    }

    func customers(_ query: CustomerQuery) async throws(LedgerError) -> CustomerAnswer {
        try failIfTold()
        return try await inner.customers(query)
    }

    func correct(_ request: CorrectionRequest) async throws(LedgerError) -> CorrectionOutcome {
        try failIfTold()
        return try await inner.correct(request)
    }

    func preview(_ request: CorrectionRequest) async throws(LedgerError) -> CorrectionPreview {
        try failIfTold()
        return try await inner.preview(request)
    }

    func corrections(_ query: CorrectionQuery) async throws(LedgerError) -> CorrectionAnswer {
        try failIfTold()
        return try await inner.corrections(query)
    }

    func correction(_ number: Int64) async throws(LedgerError) -> Correction? {
        try await inner.correction(number)
    }

    func corrected(_ query: CorrectedQuery) async throws(LedgerError) -> CorrectedAnswer {
        try failIfTold()
        return try await inner.corrected(query)
    }

    func subjects(_ query: SubjectQuery) async throws(LedgerError) -> SubjectAnswer {
        try failIfTold()
        return try await inner.subjects(query)
    }

    func readings(_ query: UsageQuery) async throws(LedgerError) -> UsageAnswer {
        script.withLock { $0.askedUsage = query }
        try failIfTold()
        if let told = asked.usage { return told }
        return try await inner.readings(query)
    }

    func meters(_ query: MeterQuery) async throws(LedgerError) -> MeterAnswer {
        try failIfTold()
        return try await inner.meters(query)
    }

    func events(_ query: EventQuery) async throws(LedgerError) -> EventAnswer {
        script.withLock { $0.askedEvents = query }
        try failIfTold()
        if let told = asked.events { return told }
        return try await inner.events(query)
    }

    func event(source: String, id: String) async throws(LedgerError) -> StoredEvent? {
        try await inner.event(source: source, id: id)
    }

    func unreadable(_ query: UnreadableQuery) async throws(LedgerError) -> UnreadableAnswer {
        script.withLock { $0.askedUnreadable = query }
        if let told = asked.unreadable { return told }
        return try await inner.unreadable(query)
    }

    func quarantine(_ query: QuarantineQuery) async throws(LedgerError) -> QuarantineAnswer {
        script.withLock { $0.askedQuarantine = query }
        if let told = asked.quarantine { return told }
        return try await inner.quarantine(query)
    }

    func books(_ query: BooksQuery) async throws(LedgerError) -> BooksAnswer {
        script.withLock { $0.askedBooks = query }
        if let told = asked.books { return told }
        return try await inner.books(query)
    }

    func status() async throws(LedgerError) -> LedgerStatus {
        try failIfTold()
        if let told = asked.status { return told }
        return try await inner.status()
    }
}
