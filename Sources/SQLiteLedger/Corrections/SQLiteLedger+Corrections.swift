internal import Metering
public import MeteringEngine
internal import Synchronization
public import UsageModel
internal import WireFormat

// Corrections of counted events.
extension SQLiteLedger {
    /// How often a plan is made anew before the caller is told to come again.
    private static let plansMax = 8
    /// How many events that came while a plan was made are left to the committer: some 10 ms.
    private static let restEventsMax: UInt64 = 10_000

    public func correct(
        _ request: CorrectionRequest
    ) async throws(LedgerError) -> CorrectionOutcome {
        let core = core
        let known = try keeping("a correction") {
            try core.known(request, core.corrections.withLock { $0 })
        }
        if let known { return known }
        for _ in 0..<Self.plansMax {
            var plan = try reading("the plan of a correction") {
                try CorrectionPlanning(core: core, request: request).plan()
            }
            // The committer looks at the rest, and intake waits meanwhile.
            for _ in 0..<Self.plansMax
            where core.derived.read({ $0.position }) > plan.position + Self.restEventsMax {
                plan = try reading("the plan of a correction") {
                    try CorrectionPlanning(core: core, request: request).extended(plan)
                }
            }
            let whole = plan
            if let outcome = try await perform({ try $0.correct(whole) }) { return outcome }
        }
        throw LedgerError(.busy, "other corrections kept coming in between")
    }

    public func corrections(
        _ query: CorrectionQuery
    ) async throws(LedgerError) -> CorrectionAnswer {
        query.answer(of: core.corrections.withLock { $0.corrections })
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
        let made = core.corrections.withLock { $0.corrections }
        let asked = made.firstPlace { $0.position.value >= from }
        var block: UnpackedBlock?
        for correction in made[asked...] where correction.position <= query.upTo {
            let changes = try core.targets(of: correction)
            let isPart = query.cursor?.correction == correction.position
            let seen = isPart ? query.cursor?.event.value ?? 0 : 0
            for change in changes[changes.firstPlace { $0.position > seen }...] {
                guard events.count < query.limit else {
                    return CorrectedAnswer(events: events, hasMore: true)
                }
                if block?.positions.contains(change.position) != true {
                    block = try core.truth.block(holding: change.position)?.events()
                }
                let place = CorrectedEvent.Place(
                    correction: correction.position,
                    event: Position(change.position)
                )
                if let block { events.append(event(change, place, of: block)) }
            }
        }
        core.correctionTargets.withLock { $0 = nil }
        return CorrectedAnswer(events: events, hasMore: false)
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

/// What a correction said of which events, unpacked.
struct CorrectionTargets: Sendable {
    /// How many are kept in memory between two pages: 24 MB.
    static let keptMax = 1_000_000

    var correction: Position
    /// In the order of the events' positions.
    var changes: [CorrectionHistory.Change]
}

extension LedgerCore {
    /// What a correction says of which events, in the order of their positions; also of those that
    /// follow their set. It is the same for ever, and the last one asked for is kept: a correction
    /// is read page by page.
    fileprivate func targets(of correction: Correction) throws -> [CorrectionHistory.Change] {
        let at = correction.position.value
        if let known = correctionTargets.withLock({ $0 }), known.correction == correction.position {
            return known.changes
        }
        let stored = try truth.corrections(at: at..<(at + 1), limit: 1).first
        var changes = stored?.changes ?? []
        if let set = correction.backfillSet, correction.kind == .close || correction.events > 0 {
            let history = corrections.withLock { $0.history }
            changes += history.counting(with: set, asOf: at).map {
                CorrectionHistory.Change(position: $0, counts: correction.kind == .close)
            }
            changes.sort { $0.position < $1.position }
        }
        guard changes.count <= CorrectionTargets.keptMax else { return changes }
        let targets = CorrectionTargets(correction: correction.position, changes: changes)
        correctionTargets.withLock { $0 = targets }
        return changes
    }
}

extension Array {
    /// The first place of an array in order at which something holds; its end where it never does.
    ///
    /// - Complexity: O(log n).
    fileprivate func firstPlace(where holds: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
