internal import Foundation
internal import GRDB
internal import Logging
internal import MeteringEngine
internal import Synchronization
internal import UsageModel
internal import WireFormat

/// The one writer: takes the calls that wait as a group, decides them, commits them in one
/// transaction, and hands them over to be added to the derived state and answered.
///
/// Lives on a thread of its own, for a commit blocks on the device. Nothing but this thread touches
/// its state.
final class Committer {
    let core: LedgerCore
    private let applier: Applier
    private var index = GroupIndex()
    private var log: LogReading
    private(set) var position: UInt64
    private(set) var commit: Int64

    init(core: LedgerCore, applier: Applier, position: UInt64, commit: Int64) {
        (self.core, self.applier) = (core, applier)
        (self.position, self.commit) = (position, commit)
        log = LogReading(truth: core.truth, derived: core.derived)
    }

    /// Runs until the room is closed and empty: whoever was let in is answered.
    func run() {
        defer { applier.close() }
        while true {
            core.bell.wait()
            let (tasks, isLast) = core.room.withLock { room in
                (room.leave(), room.isClosed && room.isEmpty)
            }
            var parties: [Party] = []
            for task in tasks {
                switch task {
                case .record(let party): parties.append(party)
                case .perform(let work):
                    record(parties)
                    parties = []
                    applier.drain()
                    work(self)
                }
            }
            record(parties)
            if isLast { return }
            if core.room.withLock({ !$0.isEmpty || $0.isClosed }) { core.bell.signal() }
        }
    }

    private func record(_ parties: [Party]) {
        guard !parties.isEmpty else { return }
        let started = core.ticks()
        do {
            var group = try decideAndCommit(parties)
            group.started = started
            applier.take(group)
        } catch {
            fail(parties, error, during: "the commit of \(parties.count) calls")
        }
    }

    /// Tells the calls of a group that nothing was recorded.
    func fail(_ parties: [Party], _ error: any Error, during what: String) {
        let fault = core.fault(error, during: what)
        for party in parties { party.answer(.failure(fault)) }
        if error is DerivedFileError {
            applier.drain()
            rebuild()
        }
    }

    /// Hands a committed group over to be added and answered.
    func hand(over group: Applier.Group) { applier.take(group) }

    /// Decides a group and commits it in one transaction with what else is written.
    ///
    /// - Parameters:
    ///   - also: Is given the transaction, and the batches as they were measured at last.
    ///   - beforeReadings: Runs once it is on stable storage, before readings know its events.
    func decideAndCommit(
        _ waiting: [Party],
        also: (GroupDecision, [PreparedBatch], Database) throws -> Void = { _, _, _ in },
        beforeReadings: () -> Void = {}
    ) throws -> Applier.Group {
        let preparer = core.preparer.withLock { $0 }
        let generation = preparer.catalog.generation
        let parties = waiting.map { party in
            let isCurrent = party.batch.generation == generation
            if isCurrent, party.batch.judgedUnder == generation { return party }
            var party = party
            let seenAt = party.batch.seenAt
            if !isCurrent {
                party.batch = preparer.prepareAgain(party.batch)
                party.totals = nil
            }
            party.batch = preparer.judged(party.batch, seenAt: seenAt)
            return party
        }
        var keys: [KeyHash] = []
        keys.reserveCapacity(parties.reduce(0) { $0 + $1.batch.events.count })
        for party in parties {
            for event in party.batch.events { keys.append(event.key) }
        }
        try core.checkpoints.makeRoom(for: keys.count) { applier.drain() }
        let known = try core.derived.positions(of: keys)
        index.clear(expecting: keys.count)
        var deciding = GroupDeciding(
            parties: parties,
            stale: try core.truth.staleOrders(parties),
            nextPosition: position + 1,
            at: core.clock(),
            compressors: core.compressors
        )
        let decision = try deciding.decide(known: known, index: &index, log: log)
        var group = Applier.Group(
            decision: decision,
            parties: parties,
            numbers: [],
            commit: commit,
            started: 0
        )
        guard decision.leavesTrace else { return group }
        group.numbers = try core.truth.write(decision, parties, commit: commit + 1) { database in
            try also(decision, parties.map(\.batch), database)
        }
        if !group.numbers.isEmpty { core.quarantineBell.ring() }
        // Items that stay in quarantine are marked, and nothing is received: no commit of intake.
        guard decision.books.received > 0 else { return group }
        commit += 1
        position = decision.lastPosition
        group.commit = commit
        // The next group is decided before this one is added: it must know its keys.
        core.derived.insert(index.keys, first: decision.firstPosition)
        beforeReadings()
        return group
    }

    /// Appends events of the ledger's own, which have no key, in one transaction with what else is
    /// written.
    ///
    /// - Parameters:
    ///   - write: Is given the transaction.
    ///   - beforeReadings: Runs once it is on stable storage, before readings know its position.
    func append(
        _ decoded: DecodedBatch,
        at arrival: Instant,
        writing write: (Database) throws -> Void,
        beforeReadings: () -> Void
    ) throws {
        let preparer = core.preparer.withLock { $0 }
        let batch = preparer.prepare(decoded, arrival: arrival)
        let party = Party(
            batch: batch,
            packed: nil,
            totals: nil,
            isAtomic: false,
            order: nil
        ) { _ in }
        try core.checkpoints.makeRoom(for: 0) { applier.drain() }
        index.clear(expecting: batch.events.count)
        var deciding = GroupDeciding(
            parties: [party],
            stale: [],
            nextPosition: position + 1,
            at: arrival,
            compressors: core.compressors
        )
        let unknown = [UInt64](repeating: 0, count: batch.events.count)
        let decision = try deciding.decide(known: unknown, index: &index, log: log)
        let numbers = try core.truth.write(decision, [party], commit: commit + 1, also: write)
        commit += 1
        position = decision.lastPosition
        beforeReadings()
        core.add(
            Applier.Group(
                decision: decision,
                parties: [party],
                numbers: numbers,
                commit: commit,
                started: core.ticks()
            )
        )
    }

    /// Drops the derived state and derives it again from the log. Calls wait meanwhile, as many as
    /// the room holds; the others are told to come again.
    func rebuild() {
        core.logger.critical("derived state is damaged; it is rebuilt from the log")
        do {
            try core.rebuildDerived()
            log = LogReading(truth: core.truth, derived: core.derived)
            core.logger.notice("derived state is rebuilt", metadata: ["position": "\(position)"])
        } catch {
            core.logger.critical("the rebuild failed", metadata: ["error": "\(error)"])
            core.room.withLock { $0.close() }
        }
    }
}

extension Truth {
    /// Writes a decided group in one transaction.
    ///
    /// - Parameter also: Writes what else belongs to it.
    /// - Returns: the number of each quarantined event, in the decision's order.
    func write(
        _ decision: GroupDecision,
        _ parties: [Party],
        commit: Int64,
        also: (Database) throws -> Void = { _ in }
    ) throws -> [Int64] {
        let at = decision.at
        writeAhead.wrote(decision.blocks.reduce(0) { $0 + $1.packed.payload.count })
        return try pool.writeWithoutTransaction { database in
            var numbers: [Int64] = []
            try database.inTransaction(.immediate) {
                try Self.insert(decision, commit: commit, database)
                for block in decision.blocks {
                    try Self.insert(block, commit: commit, at: at, database)
                }
                for quarantined in decision.quarantined {
                    let party = parties[quarantined.party]
                    numbers.append(try Self.insert(quarantined, of: party, hashKey, at, database))
                }
                try Self.insert(decision.unreadable, database)
                try Self.write(decision.warned, at: at, database)
                try also(database)
                try Self.write(decision.marks, at: at, database)
                for page in decision.pages { try Self.write(page, at: at, database) }
                for page in decision.repairs { try page.write(database) }
                return .commit
            }
            return numbers
        }
    }

    private static func insert(
        _ decision: GroupDecision,
        commit: Int64,
        _ database: Database
    ) throws {
        guard decision.books.received > 0 else { return }
        try database.cachedStatement(
            sql: """
                INSERT INTO intake_commit (number, at, last_position, received, books)
                VALUES (?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            commit, decision.at.microseconds, Int64(decision.lastPosition),
            decision.books.received, decision.books.json,
        ])
    }

    private static func insert(
        _ block: GroupDecision.Block,
        commit: Int64,
        at: Instant,
        _ database: Database
    ) throws {
        let packed = block.packed
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO event_block (\(blockColumns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        try statement.execute(arguments: [
            Int64(block.firstPosition), packed.count, commit, at.microseconds,
            packed.timeMin.microseconds, packed.timeMax.microseconds, packed.rawBytes,
            packed.checksum(firstPosition: block.firstPosition, at: at),
            Data(packed.summary), packed.arrivals.map { Data($0) }, Data(packed.payload),
        ])
    }

    private static func insert(
        _ quarantined: GroupDecision.Quarantined,
        of party: Party,
        _ hashKey: SipHashKey,
        _ at: Instant,
        _ database: Database
    ) throws -> Int64 {
        let bytes = party.batch.bytes
        let original = Array(bytes[quarantined.whole.range])
        // Which rule it was is part of the reason, and on its way to which set.
        let rule = quarantined.rule.isEmpty ? "" : ":" + quarantined.rule
        let set = party.set.map { "#" + BackfillSet.id($0) } ?? ""
        let reason = Array((quarantined.reason + rule + set).utf8)
        let digest = unsafe original.withUnsafeBytes { original in
            unsafe reason.withUnsafeBytes { reason in
                unsafe KeyHash(key: hashKey, source: reason, id: original)
            }
        }
        func text(_ slice: ByteSlice) -> String {
            String(decoding: bytes[slice.range], as: UTF8.self)
        }
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO quarantine (digest, reason, pointer, detail, source, event_id, type,
                    first_seen_at, last_seen_at, seen, original, rule, backfill_set)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)
                ON CONFLICT (digest) DO UPDATE SET
                    seen = seen + 1, last_seen_at = excluded.last_seen_at
                RETURNING number
                """
        )
        let number = try Int64.fetchOne(
            statement,
            arguments: [
                Data(digest.bytes), quarantined.reason, quarantined.pointer, quarantined.detail,
                text(quarantined.source), text(quarantined.eventID), text(quarantined.type),
                at.microseconds, at.microseconds, Data(original), quarantined.rule,
                party.set,
            ]
        )
        guard let number else { throw LedgerError(.corrupt, "quarantine gave no number") }
        return number
    }

    static func insert(_ unreadable: [GroupDecision.Unreadable], _ database: Database) throws {
        guard !unreadable.isEmpty else { return }
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO unreadable (position, meter, reason) VALUES (?, ?, ?)
                ON CONFLICT DO NOTHING
                """
        )
        for row in unreadable {
            try statement.execute(arguments: [
                Int64(row.position), Int64(row.meter), Int64(row.reason.rawValue),
            ])
        }
    }
}

extension KeyHash {
    var bytes: [UInt8] {
        [high, low].flatMap { word in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> $0) }
        }
    }
}

extension SipHashKey {
    /// - Parameter bytes: 16 bytes.
    init(bytes: [UInt8]) {
        func word(_ bytes: some Sequence<UInt8>) -> UInt64 {
            bytes.reduce(0) { $0 << 8 | UInt64($1) }
        }
        self.init(k0: word(bytes.prefix(8)), k1: word(bytes.suffix(8)))
    }
}
