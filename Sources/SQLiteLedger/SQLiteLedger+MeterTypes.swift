internal import Foundation
internal import GRDB
public import MeteringEngine
internal import Synchronization
public import UsageModel
internal import WireFormat

extension SQLiteLedger {
    public func create(_ definition: MeterTypeDefinition) async throws(LedgerError) -> MeterType {
        let core = core
        let made = try await perform { committer in
            try core.create(definition, position: committer.position)
        }
        Backfilling(core: core).start()
        return made
    }

    public func retire(_ key: MeterTypeKey) async throws(LedgerError) -> MeterType {
        let core = core
        return try await perform { committer in
            try core.retire(key, position: committer.position)
        }
    }

    public func meterTypes() async throws(LedgerError) -> [MeterType] {
        core.currentMeterTypes().sorted { $0.key < $1.key }
    }
}

extension LedgerCore {
    /// The meter types with their backfills as they stand.
    func currentMeterTypes() -> [MeterType] {
        let backfilled = derived.read { $0.backfilled }
        return meterTypes.withLock { $0 }.map { meterType in
            var meterType = meterType
            meterType.backfilled = Position(backfilled[meterType.number] ?? 0)
            if meterType.isCounted { meterType.inForceSince = meterType.countsAfter }
            return meterType
        }
    }

    func meterType(_ key: MeterTypeKey) throws(LedgerError) -> MeterType {
        guard let found = currentMeterTypes().first(where: { $0.key == key }) else {
            throw LedgerError(.notFound, "there is no meter type \"\(key)\"")
        }
        return found
    }

    /// The versions that a reading of a key follows, each with the times it rules.
    ///
    /// - Throws: `notFound`; `backfillRunning` while no version's history is counted yet.
    func versionsInForce(
        of key: MeterTypeKey,
        asOf position: Position?
    ) throws(LedgerError) -> [MeterType] {
        let versions = currentMeterTypes().filter { $0.key == key }
        guard let last = versions.last else {
            throw LedgerError(.notFound, "there is no meter type \"\(key)\"")
        }
        let inForce = versions.inForce(asOf: position)
        guard !inForce.isEmpty else {
            let total = last.countsAfter ?? last.createdPosition
            throw LedgerError(
                .backfillRunning,
                "\(last.backfilled) of \(total) events are counted"
            )
        }
        return inForce
    }

    fileprivate func create(_ definition: MeterTypeDefinition, position: UInt64) throws -> MeterType
    {
        var known = currentMeterTypes()
        if let same = known.first(where: { $0.key == definition.key }) {
            if same.retiredAt != nil {
                throw LedgerError(.retired, "meter type \"\(definition.key)\" is retired")
            }
            if same.definition == definition { return same }
            throw LedgerError(
                .alreadyExists,
                "meter type \"\(definition.key)\" exists with another definition"
            )
        }
        guard known.count(where: { $0.retiredAt == nil }) < Limits.meterTypesMax else {
            throw LedgerError(
                .limitExceeded,
                "there are \(Limits.meterTypesMax) meter types, the most allowed"
            )
        }
        let made = MeterType(
            number: (known.map(\.number).max() ?? 0) + 1,
            definition: definition,
            createdAt: clock(),
            createdPosition: Position(position),
            backfilled: .zero
        )
        let text = MeterTypeDocument.write(definition).serialized(pretty: false)
        try truth.pool.write { database in
            try database.execute(
                sql: """
                    INSERT INTO meter_type (number, key, definition, created_at, created_position)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    Int64(made.number), definition.key.text, String(decoding: text, as: UTF8.self),
                    made.createdAt.microseconds, Int64(position),
                ]
            )
        }
        known.append(made)
        derived.install([made])
        install(known)
        return made
    }

    fileprivate func retire(_ key: MeterTypeKey, position: UInt64) throws -> MeterType {
        var known = currentMeterTypes()
        guard let place = known.firstIndex(where: { $0.key == key }) else {
            throw LedgerError(.notFound, "there is no meter type \"\(key)\"")
        }
        guard known[place].retiredAt == nil else { return known[place] }
        let now = clock()
        (known[place].retiredAt, known[place].retiredPosition) = (now, Position(position))
        try truth.pool.write { database in
            try database.execute(
                sql: """
                    UPDATE meter_type SET retired_at = ?, retired_position = ? WHERE key = ?
                    """,
                arguments: [now.microseconds, Int64(position), key.text]
            )
        }
        install(known)
        return known[place]
    }
}

extension Truth {
    /// All meter types; ``MeterType/backfilled`` is not the truth's to know and left at zero.
    func meterTypes() throws -> [MeterType] {
        try pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM meter_type ORDER BY number").map { row in
                let text: String = row["definition"]
                let definition: MeterTypeDefinition
                do {
                    definition = try MeterTypeDocument.read(JSONValue.parse(Array(text.utf8)))
                } catch {
                    throw LedgerError(
                        .corrupt,
                        "the definition of meter type \(row["key"] as String): \(error)"
                    )
                }
                return MeterType(
                    number: UInt32(row["number"] as Int64),
                    definition: definition,
                    createdAt: Instant(microseconds: row["created_at"]),
                    createdPosition: Position(UInt64(row["created_position"] as Int64)),
                    retiredAt: (row["retired_at"] as Int64?).map(Instant.init(microseconds:)),
                    retiredPosition: (row["retired_position"] as Int64?).map {
                        Position(UInt64($0))
                    },
                    backfilled: .zero
                )
            }
        }
    }
}
