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
    var position: UInt64
    /// A replacement is told by its place among those of the request, from 1.
    var targets: [StoredCorrection.Target] = []
    var books: [StoredCorrection.BooksPlace: Int64] = [:]

    /// The replacements that are none yet.
    var replacements: PreparedBatch?
    /// How many events it changes.
    var events: Int64 = 0
    /// The backfill set that it closes or reverts, as it was looked at; nil: it does neither.
    var backfillSet: BackfillSet?
    /// How many calls the set was sent by then.
    var parts = 0

    /// Whether anything is to be written: who reverts a set that is open changes no event, nor who
    /// closes one whose events are all void.
    var changesSomething: Bool { events > 0 || backfillSet != nil }
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
        // In this order: of all events up to there it is known whether they came in a set.
        position = core.derived.read { $0.position }
        registry = core.corrections.withLock { $0 }
        let nothing = MeterCatalog(generation: 0, meterTypes: [])
        preparer = EventPreparer(hashKey: core.truth.hashKey, catalog: nothing)
    }

    /// - Complexity: unpacks the blocks that hold the events, some 0.5 ms each.
    func plan() throws -> CorrectionPlan {
        if let number = request.backfillSet { return try plan(forSet: number) }
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
        case .close, .revert: break
        }
        // One that is named twice is one.
        var known: Set<UInt64> = []
        changes = changes.filter { $0.first.map { known.insert($0.position).inserted } ?? false }
        guard changes.count <= Limits.correctionEventsMax else { throw tooMany }
        plan.events = Int64(changes.count)
        try complete(&plan, changes.flatMap(\.self))
        return plan
    }

    /// A plan with what came since: a filter means all events that stand before the correction.
    ///
    /// - Complexity: unpacks the blocks behind the plan that may hold such events.
    func extended(_ plan: CorrectionPlan) throws -> CorrectionPlan {
        guard position > plan.position, plan.known == registry.count else { return plan }
        let found: [CorrectionHistory.Change]
        switch request.what {
        case .void(.matching(let query)):
            found = try positions(matching: query, counting: true, after: plan.position)
                .flatMap { registry.history.voiding($0) }
        case .restore(.matching(let query)):
            found = try positions(matching: query, counting: false, after: plan.position)
                .flatMap { registry.history.restoring($0) }
        case .close:
            guard let set = plan.backfillSet else { return plan }
            found = try makingRoom(for: set, after: plan.position)
        default: return plan
        }
        var plan = plan
        plan.position = position
        plan.events += Int64(found.count)
        guard plan.targets.count + found.count <= Limits.correctionEventsMax else { throw tooMany }
        // Behind all others in the log, and so among the targets.
        try complete(&plan, found)
        return plan
    }

    /// What closing or reverting a set comes to: its events follow by the set, and are not named.
    private func plan(forSet number: Int64) throws -> CorrectionPlan {
        var plan = CorrectionPlan(request: request, known: registry.count, position: position)
        guard let set = registry.backfillSet(number) else {
            throw LedgerError(.notFound, "there is no backfill set \(BackfillSet.id(number))")
        }
        let isClose = request.kind == .close
        guard set.state != (isClose ? .closed : .reverted) else { return plan }
        guard set.events > 0 || !isClose else {
            throw LedgerError(.invalidCorrection, "\(set.id) has no events")
        }
        plan.backfillSet = set
        plan.parts = registry.parts[number] ?? 0
        let changes = isClose ? try makingRoom(for: set) : try givingRoomBack(set)
        guard changes.count <= Limits.correctionEventsMax else { throw tooMany }
        try complete(&plan, changes)
        plan.events = Int64(changes.count)
        guard isClose || set.state == .closed else { return plan }
        let counting = registry.history.counting(with: number)
        plan.events += Int64(counting.count)
        for (place, count) in try books(of: set, counting: counting) {
            plan.books[place, default: 0] += isClose ? -count : count
        }
        return plan
    }

    /// Voids what lies where a set replaces events, but for what was sent to it again.
    ///
    /// - Parameter first: The last position that is not looked at.
    private func makingRoom(
        for set: BackfillSet,
        after first: UInt64 = 0
    ) throws -> [CorrectionHistory.Change] {
        guard let replacing = set.replacing else { return [] }
        let history = registry.history
        // What came since the plan is none of them: the set was sent nothing since.
        let known = first == 0 ? try core.truth.kept(by: set.number) : []
        let kept = Set(known.map { history.current(of: $0) })
        let found = try positions(
            matching: EventQuery(replacing),
            counting: true,
            after: first,
            at: "/replaceExisting/expression"
        )
        return found.filter { !kept.contains($0) }.flatMap { history.voiding($0) }
    }

    /// Restores what its close voided, as far as nobody corrected it since.
    private func givingRoomBack(_ set: BackfillSet) throws -> [CorrectionHistory.Change] {
        guard set.state == .closed, let close = set.correction.flatMap({ registry.correction($0) })
        else { return [] }
        let at = close.position.value
        let stored = try core.truth.corrections(at: at..<(at + 1), limit: 1)
        let history = registry.history
        return stored.flatMap(\.changes).map(\.position)
            .filter { history.words(of: $0).last?.at == at }
            // Also of a set that does not count now: it may be closed again.
            .map { CorrectionHistory.Change(position: $0, counts: true) }
    }

    /// Where those of a set stand in the books that count as long as it does.
    private func books(
        of set: BackfillSet,
        counting: [UInt64]
    ) throws -> [StoredCorrection.BooksPlace: Int64] {
        var books = registry.books(ofSet: set.number)
        let own = registry.history.events(of: set.number)
        // Few of them were ever corrected; the others stand where the set's parts say.
        let counting = Set(counting)
        var places = BooksPlaces(core: core, preparer: preparer)
        for event in own where !counting.contains(event) {
            books[try places.place(of: event), default: 0] -= 1
        }
        for event in counting.subtracting(own).sorted() {
            books[try places.place(of: event), default: 0] += 1
        }
        return books
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
        let known = try counted(positions(of: keys, at: "replacements"), of: "replacements")
        for (place, known) in known.enumerated() {
            let (current, event) = (history.current(of: known), batch.events[place])
            let standing = try log.event(at: current)
            if history.counts(current),
                standing.compare(with: event.decoded, in: batch.bytes) == .sameContent
            {
                continue
            }
            replacements.events.append(event)
            changes.append(history.replacing(known, by: UInt64(replacements.events.count)))
            if history.followed(by: current) != nil {
                plan.targets.append(.mark(event.subjectHash, event.bucket))
            }
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
        case .keys(let keys): return try counted(positions(of: keys), of: "events")
        case .matching(let query):
            return try positions(matching: query, counting: counting)
        case .correction: return []
        }
    }

    private static func isNotTakenBack(_ correction: Correction) -> LedgerError {
        var reason = "it is a restore"
        var remedy = "void its events: see `GET /v1/corrections/\(correction.id)/events`"
        if let set = correction.backfillSet.map({ BackfillSet.id($0) }) {
            let other = correction.kind == .close ? "revert" : "close"
            reason = "it is what became of a backfill set"
            remedy = "\(other) the set: `POST /v1/backfill-sets/\(set)/\(other)`"
        }
        var error = LedgerError(.invalidCorrection, "\(correction.id): \(reason)")
        error.faults = [FieldFault(pointer: "/correction", reason: reason, remedy: remedy)]
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
        guard CorrectionKind.ofEvents.contains(correction.kind), correction.kind != .restore else {
            throw Self.isNotTakenBack(correction)
        }
        let at = correction.position.value
        let stored = try core.truth.corrections(at: at..<(at + 1), limit: 1)
        let history = registry.history
        return stored.flatMap(\.changes).filter { change in
            history.words(of: change.position).last?.at == at
                && (change.replacement == 0 || history.words(of: change.replacement).isEmpty)
        }.map(\.position)
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

    /// Refuses events of sets that are open or reverted: it would come into force some day.
    private func counted(_ positions: [UInt64], of field: String) throws -> [UInt64] {
        let history = registry.history
        let faults = positions.enumerated().compactMap { place, position -> FieldFault? in
            guard let number = history.set(of: position),
                let set = registry.backfillSet(number), set.state != .closed
            else { return nil }
            return FieldFault(
                pointer: "/\(field)/\(place)",
                reason: "it is part of the backfill set \(set.id), which is \(set.state.rawValue)",
                remedy: "close the set first"
            )
        }
        guard faults.isEmpty else {
            var error = LedgerError(.invalidCorrection, "\(faults.count) events do not count yet")
            error.faults = Array(faults.prefix(100))
            throw error
        }
        return positions
    }

    private func isKey(_ key: EventKey, of logged: LoggedEvent) -> Bool {
        logged.bytes[logged.event.source.range].elementsEqual(key.source.utf8)
            && logged.bytes[logged.event.id.range].elementsEqual(key.id.utf8)
    }

    /// - Parameters:
    ///   - counting: Whether those are asked for that count, or those that are void.
    ///   - first: The last position that is not looked at.
    ///   - pointer: Where the caller wrote the question's expression.
    private func positions(
        matching query: EventQuery,
        counting: Bool,
        after first: UInt64 = 0,
        at pointer: String = "/filter/expression"
    ) throws -> [UInt64] {
        let condition = try query.expression.map { try EventCondition($0, at: pointer) }
        let filter = EventFilter(query: query)
        let history = registry.history
        var positions: [UInt64] = []
        let scan = BlockScan(
            truth: core.truth,
            upTo: position,
            ranges: [query.range],
            subjects: query.subjects.map { core.derived.hash(of: Array($0.utf8)) },
            types: query.type.map { [$0] } ?? [],
            from: first + 1
        )
        try scan.visit { block in
            for place in block.decoded.events.indices {
                let at = block.firstPosition + UInt64(place)
                guard at > first, at <= position, filter.mayAccept(place, of: block),
                    !registry.isLedgersOwn(at),
                    counting ? history.counts(at) : history.isVoid(at), history.stands(at)
                else { continue }
                if let condition {
                    let whole = block.decoded.events[place].whole
                    guard condition.holds(of: Array(block.decoded.bytes[whole.range])) else {
                        continue
                    }
                }
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
        var places = BooksPlaces(core: core, preparer: preparer)
        for change in sorted {
            let (event, books) = try places.event(at: change.position)
            plan.targets.append(
                StoredCorrection.Target(
                    change: change,
                    subjectHash: event.subjectHash,
                    bucket: event.bucket
                )
            )
            let did = registry.history.counts(change.position)
            guard did != (change.counts && registry.history.includes(change.position)) else {
                continue
            }
            plan.books[books, default: 0] += did ? 1 : -1
        }
    }
}
