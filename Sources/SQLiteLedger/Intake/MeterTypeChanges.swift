internal import MeteringEngine
internal import Synchronization
internal import UsageModel

// What changes about meter types, between two groups: all of it only on the committer's thread.
//
// Nothing is changed in place: a version is a row and a number of its own. One backfill runs at a
// time, so that versions come into force in the order of their numbers, and the books know of each
// what it changed.
extension LedgerCore {
    func create(_ definition: MeterTypeDefinition, position: UInt64) throws -> MeterType {
        let known = currentMeterTypes()
        if let same = known.filter({ $0.key == definition.key }).newest {
            if same.retiredAt != nil {
                throw LedgerError(.retired, "meter type \"\(definition.key)\" is retired")
            }
            if same.definition == definition { return same }
            throw LedgerError(
                .alreadyExists,
                "meter type \"\(definition.key)\" exists with another definition"
            )
        }
        let keys = Set(known.filter { $0.retiredAt == nil }.map(\.key))
        guard keys.count < Limits.meterTypesMax else {
            throw LedgerError(
                .limitExceeded,
                "there are \(Limits.meterTypesMax) meter types, the most allowed"
            )
        }
        return try add(
            definition,
            version: 1,
            effectiveFrom: nil,
            after: nil,
            to: known,
            position: position
        )
    }

    /// Makes a version; or returns the newest where it says the same already.
    func revise(
        _ definition: MeterTypeDefinition,
        effective: EffectiveTime,
        after version: Int,
        restates: Bool,
        position: UInt64
    ) throws -> MeterType {
        let known = currentMeterTypes()
        let versions = try versions(of: definition.key)
        guard let newest = versions.newest, let last = versions.last else {
            throw LedgerError(.notFound, "there is no meter type \"\(definition.key)\"")
        }
        if newest.retiredAt != nil {
            throw LedgerError(.retired, "meter type \"\(definition.key)\" is retired")
        }
        guard newest.version == version else {
            throw LedgerError(.outdated, "version \(newest.version) came in between")
        }
        guard newest.definition.addsUp(with: definition) else {
            throw LedgerError(.alreadyExists, "aggregation and unit are the same for ever")
        }
        let from: Instant? =
            switch effective {
            case .now: clock()
            case .always: nil
            case .at(let instant): instant
            }
        let rules = newest.effectiveFrom.map { $0 <= (from ?? .earliest) } ?? true
        let saysTheSame = newest.definition == definition && newest.cancelledAt == nil
        if saysTheSame, effective == .now || rules { return newest }
        guard versions.count < Limits.meterTypeVersionsMax else {
            throw LedgerError(
                .limitExceeded,
                "there are \(Limits.meterTypeVersionsMax) versions, the most of a meter type"
            )
        }
        return try add(
            definition,
            version: last.version + 1,
            effectiveFrom: from,
            after: newest,
            to: known,
            position: position,
            keepsClosed: !restates && effective != .now
        )
    }

    /// - Parameters:
    ///   - newest: The version of before; nil where there was none.
    ///   - keepsClosed: Whether it is refused where it reaches into closed periods.
    private func add(
        _ definition: MeterTypeDefinition,
        version: Int,
        effectiveFrom: Instant?,
        after newest: MeterType?,
        to known: [MeterType],
        position: UInt64,
        keepsClosed: Bool = false
    ) throws -> MeterType {
        var made = MeterType(
            number: (known.map(\.number).max() ?? 0) + 1,
            definition: definition,
            createdAt: clock(),
            createdPosition: Position(position),
            backfilled: .zero
        )
        (made.version, made.effectiveFrom) = (version, effectiveFrom)
        if known.contains(where: \.backfillState.isUnderWay) {
            made.countsAfter = nil
        } else if position == 0 {
            made.inForceSince = .zero
        }
        let action: AuditAction = newest == nil ? .create : .revise
        try truth.insert(
            made,
            audited: .of(made, action, before: newest),
            keepsClosed: keepsClosed
        )
        derived.install([made])
        install(known + [made])
        return made
    }

    func retire(_ key: MeterTypeKey, position: UInt64) throws -> MeterType {
        guard let newest = try versions(of: key).newest else { return try versions(of: key)[0] }
        guard newest.retiredAt == nil else { return newest }
        let now = clock()
        return try change(newest.number, .retire) {
            $0.key == key
        } by: { version in
            (version.retiredAt, version.retiredPosition) = (now, Position(position))
        }
    }

    /// Gives up the backfill of a version, nil: of the newest one. Where it is given up already,
    /// nothing changes.
    ///
    /// - Throws: `notFound` where nothing of it is being counted.
    func cancelBackfill(_ key: MeterTypeKey, version: Int?) throws -> MeterType {
        let versions = try versions(of: key)
        let underWay = versions.last { $0.backfillState.isUnderWay } ?? versions.last
        let asked = version.map { asked in versions.first { $0.version == asked } } ?? underWay
        guard let asked else {
            throw LedgerError(.notFound, "\"\(key)\" has no version \(version ?? 0)")
        }
        if asked.cancelledAt != nil { return asked }
        guard asked.backfillState.isUnderWay, asked.inForceSince == nil else {
            throw LedgerError(
                .notFound,
                "version \(asked.version) of \"\(key)\" has no backfill: its history is counted"
            )
        }
        let now = clock()
        return try change(asked.number, .cancelBackfill) {
            $0.number == asked.number
        } by: {
            $0.cancelledAt = now
        }
    }

    /// Lets the backfill begin that was asked for first, where none runs.
    func beginBackfill(position: UInt64) throws {
        let known = currentMeterTypes()
        guard !known.contains(where: { $0.backfillState == .running }),
            let next = known.first(where: { $0.backfillState == .waiting })
        else { return }
        _ = try change(next.number) {
            $0.number == next.number
        } by: { version in
            version.countsAfter = Position(position)
        }
    }

    /// Changes versions, all of them in one transaction.
    ///
    /// - Parameters:
    ///   - number: The version that the answer and the audit trail speak of.
    ///   - action: nil for what the server does by itself.
    private func change(
        _ number: UInt32,
        _ action: AuditAction? = nil,
        _ isAsked: (MeterType) -> Bool,
        by body: (inout MeterType) -> Void
    ) throws -> MeterType {
        var known = currentMeterTypes()
        let before = known.first { $0.number == number }
        var changed: [MeterType] = []
        for place in known.indices where isAsked(known[place]) {
            body(&known[place])
            changed.append(known[place])
        }
        let after = known.first { $0.number == number } ?? known[0]
        try truth.update(
            changed,
            audited: action.map { .of(after, $0, before: before) },
            at: clock()
        )
        install(known)
        return after
    }
}

extension Committer {
    /// Lets readings follow a version whose history is counted, and on disk.
    ///
    /// Where another version was in force before, it takes an entry in the log: what was read at
    /// the position before stays what is read as of there.
    func putInForce(_ number: UInt32) throws {
        let known = core.currentMeterTypes()
        guard let place = known.firstIndex(where: { $0.number == number }),
            known[place].backfillState == .running, known[place].isCounted,
            known[place].inForceSince == nil
        else { return }
        var changed = known
        changed[place].hasEntry = known.contains {
            $0.key == known[place].key && $0.isBackfilled
        }
        let entry = Position(position + 1)
        changed[place].inForceSince = changed[place].hasEntry ? entry : Position(position)
        let version = changed[place]
        func install() {
            core.install(changed)
            // After the change: a reading that began before it sees that it did.
            core.successions.add(1, ordering: .sequentiallyConsistent)
        }
        let now = core.clock()
        guard version.hasEntry else {
            try core.truth.update([version], audited: nil, at: now)
            return install()
        }
        try append(VersionEntry.events(version, at: now), at: now) { database in
            try Truth.update([version], database)
        } beforeReadings: {
            core.corrections.withLock { $0.addVersion(at: entry) }
            install()
        }
    }
}
