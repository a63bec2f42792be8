internal import Metering
public import MeteringEngine
internal import Synchronization
public import UsageModel
internal import WireFormat

// Corrections: words about entries, looked at for every answer.
extension ReferenceLedger {
    /// A correction that was made, and what it said.
    struct Made {
        var correction: Correction
        var changes: [CorrectionHistory.Change]
        var token: String?
        var fingerprint: UInt64
    }

    public func correct(
        _ request: CorrectionRequest
    ) async throws(LedgerError) -> CorrectionOutcome {
        let outcome: Result<CorrectionOutcome, LedgerError> = state.withLock { state in
            do throws(LedgerError) {
                return .success(try correct(request, &state))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    private func correct(
        _ request: CorrectionRequest,
        _ state: inout State
    ) throws(LedgerError) -> CorrectionOutcome {
        if let token = request.token,
            let made = state.corrections.first(where: { $0.token == token })
        {
            guard made.fingerprint == request.fingerprint else {
                throw LedgerError(.alreadyExists, "another correction was made under this token")
            }
            return CorrectionOutcome(correction: made.correction)
        }
        let entry = UInt64(state.entries.count + 1)
        var replacements: PreparedBatch?
        var known: Set<UInt64> = []
        let groups = try changes(request, state, entry: entry, &replacements).filter { group in
            group.first.map { known.insert($0.position).inserted } ?? false
        }
        let changes = groups.flatMap(\.self).sorted { $0.position < $1.position }
        try request.check(events: Int64(groups.count))
        guard !groups.isEmpty else { return CorrectionOutcome(correction: nil) }
        let correction = Correction(
            number: Int64(state.corrections.count + 1),
            position: Position(entry),
            kind: request.kind,
            at: clock(),
            author: request.author,
            reason: request.reason,
            events: Int64(groups.count)
        )
        let decoded = try CorrectionEntry.events(correction, replacements: replacements)
        append(decoded, at: correction.at, &state)
        for change in changes { state.history.add(change, at: entry) }
        state.corrections.append(
            Made(
                correction: correction,
                changes: changes,
                token: request.token,
                fingerprint: request.fingerprint
            )
        )
        return CorrectionOutcome(correction: correction)
    }

    /// Appends events of the ledger's own, which have no key.
    func append(_ decoded: DecodedBatch, at instant: Instant, _ state: inout State) {
        let batch = preparer(state).prepare(decoded, arrival: instant)
        for (place, event) in batch.events.enumerated() {
            state.books[batch.origins[Int(event.origin)], default: BooksLine()].received += 1
            state.entries.append(Entry(batch: batch, place: place, at: instant, isOwn: true))
        }
    }

    private func changes(
        _ request: CorrectionRequest,
        _ state: State,
        entry: UInt64,
        _ replacements: inout PreparedBatch?
    ) throws(LedgerError) -> [[CorrectionHistory.Change]] {
        let history = state.history
        var changes: [[CorrectionHistory.Change]] = []
        switch request.what {
        case .void(.correction): break
        case .restore(.correction(let number)):
            guard let made = state.corrections.first(where: { $0.correction.number == number })
            else { throw LedgerError(.notFound, "there is no such correction") }
            guard made.correction.kind != .restore else {
                throw LedgerError(.invalidCorrection, "it is a restore")
            }
            let at = made.correction.position.value
            for change in made.changes
            where history.words(of: change.position).last?.at == at
                && (change.replacement == 0 || history.words(of: change.replacement).isEmpty)
            {
                changes.append(history.restoring(change.position))
            }
        case .void(let targets):
            for event in try events(targets, counting: true, state) {
                changes.append(history.voiding(event))
            }
        case .restore(let targets):
            for event in try events(targets, counting: false, state) {
                changes.append(history.restoring(event))
            }
        case .close, .revert:
            throw LedgerError(.notFound, "this ledger has no backfill sets")
        case .replace(let batch):
            var added = batch
            added.events = []
            for event in batch.events {
                let key = EventKey(
                    source: text(batch, event.decoded.source),
                    id: text(batch, event.decoded.id)
                )
                let known = try position(of: key, state)
                let current = history.current(of: known)
                let standing = stored(Int(current) - 1, state).json
                let json = Array(batch.bytes[event.decoded.whole.range])
                let isSame = (try? JSONValue.parse(standing)) == (try? JSONValue.parse(json))
                if isSame, history.counts(current) { continue }
                added.events.append(event)
                let replacement = entry + UInt64(added.events.count)
                changes.append(history.replacing(known, by: replacement))
            }
            replacements = added
        }
        return changes
    }

    private func events(
        _ targets: CorrectionRequest.Targets,
        counting: Bool,
        _ state: State
    ) throws(LedgerError) -> [UInt64] {
        switch targets {
        case .keys(let keys):
            var events: [UInt64] = []
            for key in keys { events.append(try position(of: key, state)) }
            return events
        case .matching(let query):
            return state.entries.indices.filter { place in
                let event = stored(place, state)
                let position = UInt64(place + 1)
                return !LedgerEntry.isEntry(type: event.type.utf8)
                    && query.range.contains(event.time)
                    && (query.subjects.isEmpty || query.subjects.contains(event.subject))
                    && (query.source == nil || event.source == query.source)
                    && (query.type?.matches(Array(event.type.utf8)) ?? true)
                    && state.history.counts(position) == counting
                    && state.history.stands(position)
            }.map { UInt64($0 + 1) }
        case .correction: return []
        }
    }

    private func position(of key: EventKey, _ state: State) throws(LedgerError) -> UInt64 {
        guard let place = place(of: key, state) else {
            throw LedgerError(.notFound, "an event is not in the log")
        }
        return UInt64(place + 1)
    }

    func said(
        of position: UInt64,
        _ state: State,
        asOf last: UInt64
    ) -> [StoredEvent.Corrected] {
        state.history.words(of: position).filter { $0.at <= last }.compactMap { word in
            let made = state.corrections.first { $0.correction.position.value == word.at }
            return made.map { made in
                StoredEvent.Corrected(
                    correction: made.correction,
                    counts: word.counts,
                    replacement: word.replacement == 0 ? nil : Position(word.replacement)
                )
            }
        }
    }

    public func corrections(
        _ query: CorrectionQuery
    ) async throws(LedgerError) -> CorrectionAnswer {
        query.answer(of: state.withLock { $0.corrections.map(\.correction) })
    }

    public func correction(_ number: Int64) async throws(LedgerError) -> Correction? {
        state.withLock { state in
            state.corrections.first { $0.correction.number == number }?.correction
        }
    }

    public func corrected(_ query: CorrectedQuery) async throws(LedgerError) -> CorrectedAnswer {
        let state = state.withLock { $0 }
        var events: [CorrectedEvent] = []
        for made in state.corrections {
            let at = made.correction.position
            guard at > query.after, at <= query.upTo else { continue }
            for change in made.changes {
                let event = stored(Int(change.position) - 1, state)
                events.append(
                    CorrectedEvent(
                        place: .init(correction: at, event: event.position),
                        counts: change.counts,
                        replacement: change.replacement == 0 ? nil : Position(change.replacement),
                        source: event.source,
                        id: event.id,
                        subject: event.subject,
                        time: event.time
                    )
                )
            }
        }
        if let cursor = query.cursor { events.removeAll { $0.place <= cursor } }
        return CorrectedAnswer(
            events: Array(events.prefix(query.limit)),
            hasMore: events.count > query.limit
        )
    }

    /// The same correction made to a copy: what each of the meters of its subjects says then.
    public func preview(
        _ request: CorrectionRequest
    ) async throws(LedgerError) -> CorrectionPreview {
        let copy = ReferenceLedger(clock: clock)
        let before = state.withLock { $0 }
        copy.state.withLock { $0 = before }
        let made = try await copy.correct(request).correction
        var preview = CorrectionPreview(
            position: Position(UInt64(before.entries.count)),
            events: made?.events ?? 0,
            sample: [],
            effects: [],
            hasMore: false
        )
        guard let made, let changes = copy.state.withLock({ $0.corrections.last?.changes }) else {
            return preview
        }
        preview.sample = changes.map { stored(Int($0.position) - 1, before) }
        var ids: Set<MeterID> = []
        for key in Set(before.meterTypes.map(\.key)) {
            for event in copy.state.withLock({ $0.entries.indices.suffix(from: 0) }) {
                let stored = copy.state.withLock { copy.stored(event, $0) }
                let isIn =
                    changes.contains { $0.position == stored.position.value }
                    || stored.position > made.position
                if isIn, let id = MeterID(meterType: key, subject: stored.subject) {
                    ids.insert(id)
                }
            }
        }
        for id in ids.sorted(by: { $0.text < $1.text }) {
            let query = UsageQuery(
                meterTypes: [id.meterType],
                subjects: [id.subject],
                range: .allTime
            )
            let old = try await readings(query).readings.first
            let new = try await copy.readings(query).readings.first
            guard old != new else { continue }
            preview.effects.append(
                .init(meter: id, before: old?.value, after: new?.value, records: [])
            )
        }
        return preview
    }
}
