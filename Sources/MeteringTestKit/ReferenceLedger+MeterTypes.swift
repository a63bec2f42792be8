public import MeteringEngine
internal import Synchronization
public import UsageModel

// Meter types and their versions: history is counted at once.
extension ReferenceLedger {
    public func create(_ definition: MeterTypeDefinition) async throws(LedgerError) -> MeterType {
        try changing { state throws(LedgerError) in
            if let same = state.meterTypes.filter({ $0.key == definition.key }).newest {
                if same.retiredAt != nil { throw LedgerError(.retired, "retired") }
                if same.definition == definition { return same }
                throw LedgerError(.alreadyExists, "exists")
            }
            return try add(definition, version: 1, from: nil, &state)
        }
    }

    public func revise(
        _ definition: MeterTypeDefinition,
        effective: EffectiveTime,
        after version: Int,
        restates _: Bool
    ) async throws(LedgerError) -> MeterType {
        // Without usage records, no period is ever closed.
        try changing { state throws(LedgerError) in
            let versions = state.meterTypes.filter { $0.key == definition.key }
            guard let newest = versions.last else { throw LedgerError(.notFound, "none") }
            if newest.retiredAt != nil { throw LedgerError(.retired, "retired") }
            if newest.version != version { throw LedgerError(.outdated, "outdated") }
            guard newest.definition.addsUp(with: definition) else {
                throw LedgerError(.alreadyExists, "another aggregation or unit")
            }
            var from: Instant?
            switch effective {
            case .now: from = clock()
            case .always: from = nil
            case .at(let instant): from = instant
            }
            if newest.definition == definition {
                if effective == .now || newest.effectiveFrom == nil { return newest }
                if let from, let before = newest.effectiveFrom, from >= before { return newest }
            }
            guard versions.count < Limits.meterTypeVersionsMax else {
                throw LedgerError(.limitExceeded, "too many versions")
            }
            return try add(definition, version: newest.version + 1, from: from, &state)
        }
    }

    private func add(
        _ definition: MeterTypeDefinition,
        version: Int,
        from: Instant?,
        _ state: inout State
    ) throws(LedgerError) -> MeterType {
        let position = Position(UInt64(state.entries.count))
        var made = MeterType(
            number: UInt32(state.meterTypes.count + 1),
            definition: definition,
            createdAt: clock(),
            createdPosition: position,
            backfilled: position
        )
        (made.version, made.effectiveFrom, made.inForceSince) = (version, from, position)
        made.hasEntry =
            position > .zero && state.meterTypes.contains { $0.key == definition.key }
        if made.hasEntry { made.inForceSince = Position(position.value + 1) }
        state.meterTypes.append(made)
        state.generation += 1
        guard made.hasEntry else { return made }
        try append(VersionEntry.events(made, at: made.createdAt), at: made.createdAt, &state)
        return made
    }

    public func retire(_ key: MeterTypeKey) async throws(LedgerError) -> MeterType {
        try changing { state throws(LedgerError) in
            for place in state.meterTypes.indices
            where state.meterTypes[place].key == key && state.meterTypes[place].retiredAt == nil {
                state.meterTypes[place].retiredAt = clock()
                state.meterTypes[place].retiredPosition = Position(UInt64(state.entries.count))
                state.generation += 1
            }
            guard let newest = state.meterTypes.filter({ $0.key == key }).newest else {
                throw LedgerError(.notFound, "no such meter type")
            }
            return newest
        }
    }

    /// Nothing is ever being counted.
    public func cancelBackfill(
        _ key: MeterTypeKey,
        version: Int?
    ) async throws(LedgerError) -> MeterType {
        throw LedgerError(.notFound, "no backfill")
    }

    public func backfills() async throws(LedgerError) -> [MeterType] { [] }

    public func versions() async throws(LedgerError) -> [MeterType] {
        state.withLock { $0.meterTypes }
    }

    public func versions(of key: MeterTypeKey) async throws(LedgerError) -> [MeterType] {
        let versions = state.withLock { $0.meterTypes.filter { $0.key == key } }
        guard !versions.isEmpty else { throw LedgerError(.notFound, "no such meter type") }
        return versions
    }

    private func changing(
        _ body: (inout State) throws(LedgerError) -> MeterType
    ) throws(LedgerError) -> MeterType {
        let outcome: Result<MeterType, LedgerError> = state.withLock { state in
            do throws(LedgerError) {
                return .success(try body(&state))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
