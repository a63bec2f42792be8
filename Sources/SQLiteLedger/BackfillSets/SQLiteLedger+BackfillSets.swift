internal import GRDB
public import MeteringEngine
internal import Synchronization
public import UsageModel

extension SQLiteLedger: BackfillSetStore {
    public func open(
        _ request: BackfillSetRequest
    ) async throws(LedgerError) -> BackfillSet {
        if let expression = request.replacing?.expression {
            _ = try EventCondition(expression, at: "/replaceExisting/expression")
        }
        return try await perform { try $0.open(request) }
    }

    public func backfillSets(
        _ query: BackfillSetQuery
    ) async throws(LedgerError) -> BackfillSetAnswer {
        let registry = core.corrections.withLock { $0 }
        var found: [BackfillSet] = []
        for set in registry.backfillSets.reversed() where set.number < query.before ?? .max {
            let set = query.asOf.map { registry.backfillSet(set, asOf: $0) } ?? set
            guard set.openedPosition <= query.asOf ?? .last,
                query.state == nil || set.state == query.state
            else { continue }
            found.append(set)
            if found.count > query.limit { break }
        }
        return BackfillSetAnswer(
            sets: Array(found.prefix(query.limit)),
            hasMore: found.count > query.limit
        )
    }

    public func backfillSet(_ number: Int64) async throws(LedgerError) -> BackfillSet? {
        core.corrections.withLock { $0.backfillSet(number) }
    }

    public func record(
        _ batch: PreparedBatch,
        into set: Int64,
        isAtomic: Bool
    ) async throws(LedgerError) -> BatchOutcome {
        try await record(batch, isAtomic: isAtomic, nil, into: set)
    }
}

extension Committer {
    func open(_ request: BackfillSetRequest) throws -> BackfillSet {
        let registry = core.corrections.withLock { $0 }
        if let token = request.token, let known = try core.truth.backfillSet(token: token) {
            guard known.fingerprint == request.fingerprint,
                let set = registry.backfillSet(known.number)
            else { throw LedgerError(.alreadyExists, "another set was opened under this token") }
            return set
        }
        guard registry.backfillSets.count < Limits.backfillSetsMax else {
            throw LedgerError(.limitExceeded, "there are \(Limits.backfillSetsMax) backfill sets")
        }
        var set = BackfillSet(
            number: Int64(registry.backfillSets.count + 1),
            name: request.name,
            replacing: request.replacing,
            at: core.clock(),
            author: request.author
        )
        set.openedPosition = Position(position)
        let opened = set
        try core.truth.pool.write { database in
            try Truth.insert(opened, request, database)
            try Truth.audit([.opened(opened, reason: request.reason)], at: opened.at, database)
        }
        core.corrections.withLock { $0.add(opened) }
        return opened
    }

    /// Records what one call sends to a set: its events are in the log, and none of them counts.
    func receive(_ party: Party, into number: Int64) {
        let started = core.ticks()
        do {
            try mayTake(party.batch, into: number)
            var part: BackfillPart?
            var group = try decideAndCommit([party]) { decision, batches, database in
                let received = BackfillPart(batches[0], decision, set: number)
                guard !received.isEmpty else { return }
                try Truth.insert(received, database)
                part = received
            } beforeReadings: {
                guard let part else { return }
                // Before any reading meets the events. One that is under way finds out by itself
                // whether it met some: see ``UsageReader``.
                core.corrections.withLock { $0.add(part) }
            }
            group.started = started
            hand(over: group)
        } catch {
            fail([party], error, during: "a commit to a backfill set")
        }
    }

    private func mayTake(_ batch: PreparedBatch, into number: Int64) throws {
        guard let set = core.corrections.withLock({ $0.backfillSet(number) }) else {
            throw LedgerError(.notFound, "there is no backfill set \(BackfillSet.id(number))")
        }
        guard set.state == .open else {
            throw LedgerError(.setNotOpen, "\(set.id) is \(set.state.rawValue): open another one")
        }
        let most = Limits.backfillSetEventsMax
        guard set.events + Int64(batch.events.count) <= most else {
            throw LedgerError(.limitExceeded, "a backfill set takes \(most) events: open another")
        }
    }
}
