internal import Metering
public import MeteringEngine
internal import Synchronization
public import UsageModel
internal import WireFormat

// Corrections of counted events.
extension SQLiteLedger {
    /// How often a plan is made anew before the caller is told to come again.
    private static let plansMax = 8

    public func correct(
        _ request: CorrectionRequest
    ) async throws(LedgerError) -> CorrectionOutcome {
        let core = core
        let known = try keeping("a correction") {
            try core.known(request, core.corrections.withLock { $0 })
        }
        if let known { return known }
        for _ in 0..<Self.plansMax {
            let plan = try reading("the plan of a correction") {
                try CorrectionPlanning(core: core, request: request).plan()
            }
            if let outcome = try await perform({ try $0.correct(plan) }) { return outcome }
        }
        throw LedgerError(.busy, "other corrections kept coming in between")
    }

    public func corrections(
        _ query: CorrectionQuery
    ) async throws(LedgerError) -> CorrectionAnswer {
        let all = core.corrections.withLock { $0.corrections }
        let before = query.before.map { all.prefix(Int(clamping: max($0, 1) - 1)) } ?? all[...]
        return CorrectionAnswer(
            corrections: Array(before.suffix(query.limit).reversed()),
            hasMore: before.count > query.limit
        )
    }

    public func correction(_ number: Int64) async throws(LedgerError) -> Correction? {
        core.corrections.withLock { $0.correction(number) }
    }

    public func corrected(_ query: CorrectedQuery) async throws(LedgerError) -> CorrectedAnswer {
        try reading("the events of corrections") {
            try CorrectedReader(core: core, query: query).answer()
        }
    }

    public func preview(
        _ request: CorrectionRequest
    ) async throws(LedgerError) -> CorrectionPreview {
        try reading("the preview of a correction") {
            let plan = try CorrectionPlanning(core: core, request: request).plan()
            return try CorrectionPreviewing(core: core, plan: plan).answer()
        }
    }
}

/// Lists the events that corrections changed.
private struct CorrectedReader {
    let core: LedgerCore
    let query: CorrectedQuery

    func answer() throws -> CorrectedAnswer {
        var events: [CorrectedEvent] = []
        var from = query.after.value + 1
        if let cursor = query.cursor { from = max(from, cursor.correction.value) }
        var block: UnpackedBlock?
        while from <= query.upTo.value {
            let some = try core.truth.corrections(at: from..<(query.upTo.value + 1), limit: 1)
            guard let stored = some.first else { break }
            for change in targets(of: stored) {
                let place = CorrectedEvent.Place(
                    correction: stored.correction.position,
                    event: Position(change.position)
                )
                if let cursor = query.cursor, place <= cursor { continue }
                guard events.count < query.limit else {
                    return CorrectedAnswer(events: events, hasMore: true)
                }
                if block?.positions.contains(change.position) != true {
                    block = try core.truth.block(holding: change.position)?.events()
                }
                if let block { events.append(event(change, place, of: block)) }
            }
            from = stored.correction.position.value + 1
        }
        return CorrectedAnswer(events: events, hasMore: false)
    }

    /// What a correction says of which events, in the order of their positions; also of those that
    /// follow their set.
    private func targets(of stored: StoredCorrection) -> [CorrectionHistory.Change] {
        let named = stored.changes
        let isAbout = stored.correction.kind == .close || stored.correction.events > 0
        guard let set = stored.correction.backfillSet, isAbout else { return named }
        let at = stored.correction.position.value
        let following = core.corrections.withLock { $0.history }.counting(with: set, asOf: at)
            .map {
                CorrectionHistory.Change(position: $0, counts: stored.correction.kind == .close)
            }
        return (named + following).sorted { $0.position < $1.position }
    }

    private func event(
        _ change: CorrectionHistory.Change,
        _ place: CorrectedEvent.Place,
        of block: UnpackedBlock
    ) -> CorrectedEvent {
        let number = Int(change.position - block.firstPosition)
        let event = block.decoded.events[number]
        func text(_ slice: ByteSlice) -> String {
            String(decoding: block.decoded.bytes[slice.range], as: UTF8.self)
        }
        let other = change.replacement
        return CorrectedEvent(
            place: place,
            counts: change.counts,
            replacement: other == 0 ? nil : Position(other),
            source: text(event.source),
            id: text(event.id),
            subject: text(event.subject),
            time: event.hasTime ? event.time : block.arrival(of: number)
        )
    }
}
