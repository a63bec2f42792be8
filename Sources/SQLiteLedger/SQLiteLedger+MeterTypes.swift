public import MeteringEngine
internal import Synchronization
public import UsageModel

extension SQLiteLedger {
    public func create(_ definition: MeterTypeDefinition) async throws(LedgerError) -> MeterType {
        try await change { core, committer in
            try core.create(definition, position: committer.position)
        }
    }

    public func revise(
        _ definition: MeterTypeDefinition,
        effective: EffectiveTime,
        after version: Int,
        restates: Bool
    ) async throws(LedgerError) -> MeterType {
        try await change { core, committer in
            try core.revise(
                definition,
                effective: effective,
                after: version,
                restates: restates,
                position: committer.position
            )
        }
    }

    public func retire(_ key: MeterTypeKey) async throws(LedgerError) -> MeterType {
        try await change { core, committer in
            try core.retire(key, position: committer.position)
        }
    }

    public func cancelBackfill(
        _ key: MeterTypeKey,
        version: Int?
    ) async throws(LedgerError) -> MeterType {
        try await change { core, _ in try core.cancelBackfill(key, version: version) }
    }

    private func change(
        _ body: @escaping @Sendable (LedgerCore, Committer) throws -> MeterType
    ) async throws(LedgerError) -> MeterType {
        let core = core
        let changed = try await perform { committer in try body(core, committer) }
        Backfilling(core: core).start()
        return changed
    }

    public func versions() async throws(LedgerError) -> [MeterType] { core.currentMeterTypes() }

    public func versions(of key: MeterTypeKey) async throws(LedgerError) -> [MeterType] {
        try core.versions(of: key)
    }

    public func backfills() async throws(LedgerError) -> [MeterType] {
        core.currentMeterTypes().filter { $0.backfillState.isUnderWay }
    }
}

extension MeterType.BackfillState {
    var isUnderWay: Bool { self == .waiting || self == .running }
}

extension LedgerCore {
    /// All versions of all meter types in the order of their numbers, with their backfills as they
    /// stand.
    func currentMeterTypes() -> [MeterType] {
        let backfilled = derived.read { $0.backfilled }
        return meterTypes.withLock { $0 }.map { meterType in
            var meterType = meterType
            meterType.backfilled = Position(backfilled[meterType.number] ?? 0)
            return meterType
        }
    }

    /// The versions of a key, the first one first, each with the times it rules or would rule.
    ///
    /// - Throws: `notFound`.
    func versions(of key: MeterTypeKey) throws(LedgerError) -> [MeterType] {
        let versions = currentMeterTypes().filter { $0.key == key }
        guard !versions.isEmpty else {
            throw LedgerError(.notFound, "there is no meter type \"\(key)\"")
        }
        return versions
    }

    /// The version that a question names, alone for all time; nil where it names none.
    ///
    /// - Throws: `notFound`.
    func version(asked query: UsageQuery) throws(LedgerError) -> MeterType? {
        guard let asked = query.version, let key = query.meterTypes.first else { return nil }
        guard let version = try versions(of: key).first(where: { $0.version == asked }) else {
            throw LedgerError(.notFound, "\"\(key)\" has no version \(asked)")
        }
        return version.alone
    }

    /// The versions that a reading of a key follows, each with the times it rules.
    ///
    /// - Throws: `notFound`; while no version's history is counted, `backfillRunning`, or
    ///   `backfillCancelled` where that was given up.
    func versionsInForce(
        of key: MeterTypeKey,
        asOf position: Position? = nil
    ) throws(LedgerError) -> [MeterType] {
        let versions = try versions(of: key)
        let inForce = versions.inForce(asOf: position)
        guard inForce.isEmpty, let newest = versions.newest else { return inForce }
        if newest.cancelledAt != nil {
            throw LedgerError(.backfillCancelled, "the history of \"\(key)\" was never counted")
        }
        let total = newest.countsAfter ?? newest.createdPosition
        throw LedgerError(.backfillRunning, "\(newest.backfilled) of \(total) events are counted")
    }
}
