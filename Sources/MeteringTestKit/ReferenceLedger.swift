internal import Metering
public import MeteringEngine
internal import Synchronization
public import UsageModel
internal import WireFormat

/// The ledger as simple as it can be: a list of events in memory, and a fold over all of it for
/// every question. What it and another ledger disagree about is a bug in one of them.
public final class ReferenceLedger: UsageLedger {
    struct Entry {
        var batch: PreparedBatch
        var place: Int
        var at: Instant
        /// An entry of a correction, or a replacement: it takes no key.
        var isOwn = false
    }

    struct State {
        var entries: [Entry] = []
        var meterTypes: [MeterType] = []
        var quarantine: [QuarantinedEvent] = []
        var books: [PreparedBatch.Origin: BooksLine] = [:]
        var generation: UInt64 = 1
        var said: [Said] = []
        var customers: [(position: Int, customer: Customer)] = []
        var history = CorrectionHistory()
        var corrections: [Made] = []
    }

    let state = Mutex(State())
    let hashKey = SipHashKey(k0: 1, k1: 2)
    let clock: @Sendable () -> Instant

    public init(clock: @escaping @Sendable () -> Instant) { self.clock = clock }

    public var preparer: EventPreparer { state.withLock { preparer($0) } }

    func preparer(_ state: borrowing State) -> EventPreparer {
        let catalog = MeterCatalog(
            generation: state.generation,
            meterTypes: state.meterTypes.counting(at: .last)
        )
        return EventPreparer(hashKey: hashKey, catalog: catalog)
    }

    public func record(
        _ batch: PreparedBatch,
        isAtomic: Bool
    ) async throws(LedgerError) -> BatchOutcome {
        state.withLock { state in
            let before = state
            let outcome = record(batch, &state)
            guard isAtomic, outcome.exceptions.contains(where: { $0.verdict != .duplicate }) else {
                return outcome
            }
            state = before
            return BatchOutcome(
                position: Position(UInt64(state.entries.count)),
                accepted: 0,
                firstPosition: .zero,
                exceptions: outcome.exceptions,
                isRefused: true
            )
        }
    }

    private func record(_ batch: PreparedBatch, _ state: inout State) -> BatchOutcome {
        let batch = preparer(state).prepareAgain(batch)
        var exceptions: [BatchOutcome.Exception] = []
        let first = state.entries.count + 1
        for (place, event) in batch.events.enumerated() {
            let origin = batch.origins[Int(event.origin)]
            state.books[origin, default: BooksLine()].received += 1
            let key = EventKey(
                source: text(batch, event.decoded.source),
                id: text(batch, event.decoded.id)
            )
            guard let known = self.place(of: key, state) else {
                state.entries.append(Entry(batch: batch, place: place, at: clock()))
                continue
            }
            let entry = state.entries[known]
            let stored = Array(
                entry.batch.bytes[entry.batch.events[entry.place].decoded.whole.range]
            )
            let isSame =
                (try? JSONValue.parse(stored))
                == (try? JSONValue.parse(Array(batch.bytes[event.decoded.whole.range])))
            var exception = BatchOutcome.Exception(
                index: Int(event.decoded.index),
                verdict: isSame ? .duplicate : .conflict,
                position: Position(UInt64(known + 1))
            )
            if isSame {
                state.books[origin, default: BooksLine()].duplicate += 1
            } else {
                state.books[origin, default: BooksLine()].conflict += 1
                exception.quarantineID = quarantine(
                    "conflict",
                    batch,
                    event.decoded.whole,
                    &state
                )
            }
            exceptions.append(exception)
        }
        exceptions += reject(batch, &state)
        let accepted = state.entries.count - first + 1
        return BatchOutcome(
            position: Position(UInt64(state.entries.count)),
            accepted: accepted,
            firstPosition: Position(accepted > 0 ? UInt64(first) : 0),
            exceptions: exceptions.sorted { $0.index < $1.index },
            unreadable: batch.unreadable
        )
    }

    /// The first event of a key; what corrections added has none.
    func place(of key: EventKey, _ state: State) -> Int? {
        state.entries.firstIndex { entry in
            let event = entry.batch.events[entry.place].decoded
            return !entry.isOwn && text(entry.batch, event.source) == key.source
                && text(entry.batch, event.id) == key.id
        }
    }

    private func reject(
        _ batch: PreparedBatch,
        _ state: inout State
    ) -> [BatchOutcome.Exception] {
        var exceptions: [BatchOutcome.Exception] = []
        for rejected in batch.rejected {
            let origin = PreparedBatch.Origin(
                source: Array(batch.bytes[rejected.source.range]),
                type: Array(batch.bytes[rejected.type.range])
            )
            state.books[origin, default: BooksLine()].received += 1
            state.books[origin, default: BooksLine()].quarantined += 1
            exceptions.append(
                BatchOutcome.Exception(
                    index: Int(rejected.index),
                    verdict: .rejected,
                    position: .zero,
                    quarantineID: quarantine(
                        rejected.reason.rawValue,
                        batch,
                        rejected.whole,
                        &state
                    )
                )
            )
        }
        return exceptions
    }

    func text(_ batch: PreparedBatch, _ slice: ByteSlice) -> String {
        String(decoding: batch.bytes[slice.range], as: UTF8.self)
    }

    private func quarantine(
        _ reason: String,
        _ batch: PreparedBatch,
        _ whole: ByteSlice,
        _ state: inout State
    ) -> String {
        let original = Array(batch.bytes[whole.range])
        if let known = state.quarantine.firstIndex(where: {
            $0.original == original && $0.reason == reason
        }) {
            state.quarantine[known].seen += 1
            state.quarantine[known].lastSeenAt = clock()
            return state.quarantine[known].id
        }
        let item = QuarantinedEvent(
            number: Int64(state.quarantine.count + 1),
            reason: reason,
            pointer: "",
            detail: "",
            source: "",
            eventID: "",
            type: "",
            firstSeenAt: clock(),
            lastSeenAt: clock(),
            seen: 1,
            original: original
        )
        state.quarantine.append(item)
        return item.id
    }

    // MARK: Questions

    public func events(_ query: EventQuery) async throws(LedgerError) -> EventAnswer {
        let snapshot = state.withLock { $0 }
        let (entries, meterTypes) = (snapshot.entries, snapshot.meterTypes)
        let last = query.asOf?.value ?? UInt64(entries.count)
        guard last <= UInt64(entries.count) else {
            throw LedgerError(.positionUnknown, "the log ends at \(entries.count)")
        }
        let versions = query.meterType.map { key in
            meterTypes.filter { $0.key == key }.inForce(asOf: query.asOf)
        }
        if let key = query.meterType, versions?.isEmpty ?? true {
            throw LedgerError(.notFound, "no meter type \(key)")
        }
        var events = entries.indices.prefix(Int(last)).filter { place in
            versions?.contains { counts(snapshot, place, $0, query.dimensions, asOf: last) } ?? true
        }
        .map { stored($0, snapshot, asOf: last) }.filter { event in
            query.range.contains(event.time)
                && (query.subjects.isEmpty || query.subjects.contains(event.subject))
                && (query.source == nil || event.source == query.source)
                && (query.type?.matches(Array(event.type.utf8)) ?? true)
        }
        if let through = query.through { events.removeAll { $0.position > through } }
        if query.isDescending { events.reverse() }
        if let after = query.after {
            events.removeAll {
                query.isDescending ? $0.position >= after : $0.position <= after
            }
        }
        return EventAnswer(
            position: Position(last),
            events: Array(events.prefix(query.limit)),
            hasMore: events.count > query.limit
        )
    }

    func stored(_ place: Int, _ state: State, asOf position: UInt64 = .max) -> StoredEvent {
        let entry = state.entries[place]
        let event = entry.batch.events[entry.place]
        var stored = StoredEvent(
            json: Array(entry.batch.bytes[event.decoded.whole.range]),
            position: Position(UInt64(place + 1)),
            receivedAt: entry.at,
            time: event.time,
            source: text(entry.batch, event.decoded.source),
            id: text(entry.batch, event.decoded.id),
            type: text(entry.batch, event.decoded.type),
            subject: text(entry.batch, event.decoded.subject),
            explanation: []
        )
        stored.corrections = said(of: UInt64(place + 1), state, asOf: position)
        stored.isVoid = stored.corrections.last.map { !$0.counts } ?? false
        return stored
    }

    public func position(knownAt instant: Instant) async throws(LedgerError) -> Position {
        state.withLock { Position(UInt64($0.entries.count { $0.at <= instant })) }
    }

    public func event(source: String, id: String) async throws(LedgerError) -> StoredEvent? {
        let snapshot = state.withLock { $0 }
        return place(of: EventKey(source: source, id: id), snapshot).map { stored($0, snapshot) }
    }

    public func unreadable(_ query: UnreadableQuery) async throws(LedgerError) -> UnreadableAnswer {
        UnreadableAnswer(events: [], hasMore: false)
    }

    public func quarantine(_ query: QuarantineQuery) async throws(LedgerError) -> QuarantineAnswer {
        let items = state.withLock { $0.quarantine.reversed() }.filter { item in
            let asked = query.filter
            return asked.reason ?? item.reason == item.reason
                && asked.source ?? item.source == item.source
                && (asked.state ?? .open) == .open
        }
        return QuarantineAnswer(
            events: Array(items.prefix(query.limit)),
            hasMore: items.count > query.limit
        )
    }

    public func books(_ query: BooksQuery) async throws(LedgerError) -> BooksAnswer {
        let state = state.withLock { $0 }
        var total = BooksLine()
        for line in state.books.values {
            total.received += line.received
            total.duplicate += line.duplicate
            total.conflict += line.conflict
            total.quarantined += line.quarantined
        }
        for (place, entry) in state.entries.enumerated() {
            let covering = state.meterTypes.inForce().filter {
                $0.covers(Position(UInt64(place + 1)))
            }
            let catalog = MeterCatalog(generation: 0, meterTypes: covering)
            let preparer = EventPreparer(hashKey: hashKey, catalog: catalog)
            let batch = preparer.prepareAgain(entry.batch)
            let counts = Self.counts(batch, entry.place, covering, state.said)
            if counts { total.counted += 1 } else { total.unmatched += 1 }
        }
        return BooksAnswer(
            position: Position(UInt64(state.entries.count)),
            total: total,
            lines: []
        )
    }

    public func status() async throws(LedgerError) -> LedgerStatus {
        var status = LedgerStatus()
        status.position = Position(UInt64(state.withLock { $0.entries.count }))
        return status
    }
}
