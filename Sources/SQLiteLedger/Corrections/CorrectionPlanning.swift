internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel
internal import WireFormat

/// What a correction comes to, found out beside the intake. It holds as long as no other correction
/// came in between; the committer asks for that.
struct CorrectionPlan: Sendable {
    let request: CorrectionRequest
    /// How many corrections there were.
    let known: Int
    /// The last position that was looked at.
    let position: UInt64
    /// A replacement is told by its place among those of the request, from 1.
    var targets: [StoredCorrection.Target] = []
    var books: [StoredCorrection.BooksPlace: Int64] = [:]

    /// The replacements that are none yet.
    var replacements: PreparedBatch?
    /// How many events it changes.
    var events: Int64 = 0
}

/// Finds out which events a correction is about, and what it comes to for each.
struct CorrectionPlanning {
    private let core: LedgerCore
    private let request: CorrectionRequest
    private let registry: CorrectionRegistry
    private let position: UInt64
    private let preparer: EventPreparer

    init(core: LedgerCore, request: CorrectionRequest) {
        (self.core, self.request) = (core, request)
        registry = core.corrections.withLock { $0 }
        position = core.derived.read { $0.position }
        let nothing = MeterCatalog(generation: 0, meterTypes: [])
        preparer = EventPreparer(hashKey: core.truth.hashKey, catalog: nothing)
    }

    /// - Complexity: unpacks the blocks that hold the events, some 0.5 ms each.
    func plan() throws -> CorrectionPlan {
        var plan = CorrectionPlan(request: request, known: registry.count, position: position)
        var changes: [[CorrectionHistory.Change]] = []
        let history = registry.history
        switch request.what {
        case .void(.correction), .restore(.correction):
            changes = try ofCorrection().map { history.restoring($0) }
        case .void(let targets):
            changes = try events(targets, counting: true).map { history.voiding($0) }
        case .restore(let targets):
            changes = try events(targets, counting: false).map { history.restoring($0) }
        case .replace(let batch): changes = try replacing(batch, &plan)
        }
        // One that is named twice is one.
        var known: Set<UInt64> = []
        changes = changes.filter { $0.first.map { known.insert($0.position).inserted } ?? false }
        guard changes.count <= Limits.correctionEventsMax else { throw tooMany }
        plan.events = Int64(changes.count)
        try complete(&plan, changes.flatMap(\.self))
        return plan
    }

    /// Leaves out the replacements that stand already: who asks again changes nothing.
    private func replacing(
        _ batch: PreparedBatch,
        _ plan: inout CorrectionPlan
    ) throws -> [[CorrectionHistory.Change]] {
        func text(_ slice: ByteSlice) -> String {
            String(decoding: batch.bytes[slice.range], as: UTF8.self)
        }
        let keys = batch.events.map { event in
            EventKey(source: text(event.decoded.source), id: text(event.decoded.id))
        }
        let history = registry.history
        let log = LogReading(truth: core.truth, derived: core.derived)
        var replacements = batch
        replacements.events = []
        var changes: [[CorrectionHistory.Change]] = []
        for (place, known) in try positions(of: keys, at: "replacements").enumerated() {
            let (current, event) = (history.current(of: known), batch.events[place])
            let standing = try log.event(at: current)
            if history.counts(current),
                standing.compare(with: event.decoded, in: batch.bytes) == .sameContent
            {
                continue
            }
            replacements.events.append(event)
            changes.append(history.replacing(known, by: UInt64(replacements.events.count)))
        }
        plan.replacements = replacements
        return changes
    }

    private var tooMany: LedgerError {
        LedgerError(
            .limitExceeded,
            "more than \(Limits.correctionEventsMax) events: narrow it by time or subject"
        )
    }

    // MARK: Which events

    private func events(
        _ targets: CorrectionRequest.Targets,
        counting: Bool
    ) throws -> [UInt64] {
        switch targets {
        case .keys(let keys): return try positions(of: keys)
        case .matching(let query): return try positions(matching: query, counting: counting)
        case .correction: return []
        }
    }

    private static func isRestore(_ correction: Correction) -> LedgerError {
        var error = LedgerError(.invalidCorrection, "\(correction.id) is a restore")
        error.faults = [
            FieldFault(
                pointer: "/correction",
                reason: "it is a restore",
                remedy: "void its events: see `GET /v1/corrections/\(correction.id)/events`"
            )
        ]
        return error
    }

    /// The events that a correction changed and nobody since.
    private func ofCorrection() throws -> [UInt64] {
        guard case .restore(.correction(let number)) = request.what,
            let correction = registry.correction(number)
        else {
            var error = LedgerError(.notFound, "there is no such correction")
            error.faults = [
                FieldFault(
                    pointer: "/correction",
                    reason: "there is none",
                    remedy: "see `GET /v1/corrections`"
                )
            ]
            throw error
        }
        guard correction.kind != .restore else { throw Self.isRestore(correction) }
        let at = correction.position.value
        let stored = try core.truth.corrections(at: at..<(at + 1), limit: 1)
        let history = registry.history
        return stored.flatMap(\.targets).filter { target in
            history.words(of: target.change.position).last?.at == at
                && (target.change.replacement == 0
                    || history.words(of: target.change.replacement).isEmpty)
        }.map(\.change.position)
    }

    /// - Throws: `notFound` with the places of those that there are not.
    private func positions(of keys: [EventKey], at field: String = "events") throws -> [UInt64] {
        let hashes = keys.map { preparer.key(source: $0.source, id: $0.id) }
        let first = try core.derived.positions(of: hashes)
        var positions: [UInt64] = []
        var missing: [Int] = []
        let log = LogReading(truth: core.truth, derived: core.derived)
        for (place, key) in keys.enumerated() {
            var (hash, position) = (hashes[place], first[place])
            while position != 0, try !isKey(key, of: log.event(at: position)) {
                hash = hash.nextProbe
                position = try core.derived.positions(of: [hash])[0]
            }
            if position == 0 { missing.append(place) }
            positions.append(position)
        }
        guard missing.isEmpty else {
            var error = LedgerError(.notFound, "\(missing.count) events are not in the log")
            error.faults = missing.prefix(100).map { place in
                FieldFault(
                    pointer: "/\(field)/\(place)",
                    reason: "no event with this source and id was accepted",
                    remedy: "see `GET /v1/events`, and for rejected ones `GET /v1/quarantine`"
                )
            }
            throw error
        }
        return positions
    }

    private func isKey(_ key: EventKey, of logged: LoggedEvent) -> Bool {
        logged.bytes[logged.event.source.range].elementsEqual(key.source.utf8)
            && logged.bytes[logged.event.id.range].elementsEqual(key.id.utf8)
    }

    /// - Parameter counting: Whether those are asked for that count, or those that are void.
    private func positions(matching query: EventQuery, counting: Bool) throws -> [UInt64] {
        let filter = EventFilter(query: query)
        let history = registry.history
        var positions: [UInt64] = []
        let scan = BlockScan(
            truth: core.truth,
            upTo: position,
            ranges: [query.range],
            subjects: query.subjects.map { core.derived.hash(of: Array($0.utf8)) },
            types: query.type.map { [$0] } ?? []
        )
        try scan.visit { block in
            for place in block.decoded.events.indices {
                let at = block.firstPosition + UInt64(place)
                guard at <= position, filter.mayAccept(place, of: block),
                    registry.correction(at: at)?.position.value != at,
                    history.counts(at) == counting, history.stands(at)
                else { continue }
                positions.append(at)
            }
            guard positions.count <= Limits.correctionEventsMax else { throw tooMany }
            return true
        }
        return positions
    }

    // MARK: What of each

    private func complete(
        _ plan: inout CorrectionPlan,
        _ changes: [CorrectionHistory.Change]
    ) throws {
        let sorted = changes.sorted { $0.position < $1.position }
        var block: (positions: Range<UInt64>, unpacked: UnpackedBlock, batch: PreparedBatch)?
        for change in sorted {
            if block?.positions.contains(change.position) != true {
                guard let stored = try core.truth.block(holding: change.position) else {
                    throw LedgerError(.corrupt, "no event block holds position \(change.position)")
                }
                let unpacked = try stored.events()
                block = (unpacked.positions, unpacked, unpacked.prepared(by: preparer))
            }
            guard let block else { continue }
            let place = Int(change.position - block.positions.lowerBound)
            let event = block.batch.events[place]
            plan.targets.append(
                StoredCorrection.Target(
                    change: change,
                    subjectHash: event.subjectHash,
                    bucket: event.bucket
                )
            )
            let did = registry.history.counts(change.position)
            guard did != change.counts else { continue }
            let origin = block.batch.origins[Int(event.origin)]
            let books = StoredCorrection.BooksPlace(
                source: String(decoding: origin.source, as: UTF8.self),
                type: String(decoding: origin.type, as: UTF8.self),
                hour: RollupBucket.hour(of: block.unpacked.at)
            )
            plan.books[books, default: 0] += did ? 1 : -1
        }
    }
}
