internal import Foundation
internal import GRDB
internal import Logging
internal import MeteringEngine
internal import Synchronization
internal import UsageModel
internal import WireFormat

/// The one writer: takes the calls that wait as a group, decides them, commits them in one
/// transaction, adds them to the derived state, and answers.
///
/// Lives on a thread of its own, for a commit blocks on the device. Nothing but this thread touches
/// its state.
final class Committer {
    private let core: LedgerCore
    private var index = GroupIndex()
    private var log: LogReading
    private(set) var position: UInt64
    private(set) var commit: Int64

    init(core: LedgerCore, position: UInt64, commit: Int64) {
        (self.core, self.position, self.commit) = (core, position, commit)
        log = LogReading(truth: core.truth, derived: core.derived)
    }

    /// Runs until the room is closed and empty: whoever was let in is answered.
    func run() {
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
            let (decision, parties, numbers) = try decideAndCommit(parties)
            core.derived.apply(decision, parties, keys: index.keys, commit: commit)
            let elapsed = core.ticks() - started
            core.count(decision, parties, microseconds: elapsed)
            answer(decision, parties, numbers)
        } catch {
            let fault = core.fault(error, during: "the commit of \(parties.count) calls")
            for party in parties { party.answer(.failure(fault)) }
            if error is DerivedFileError { rebuild() }
        }
    }

    private func decideAndCommit(
        _ waiting: [Party]
    ) throws -> (GroupDecision, [Party], [Int64]) {
        let preparer = core.preparer.withLock { $0 }
        let parties = waiting.map { party in
            guard party.batch.generation != preparer.catalog.generation else { return party }
            var party = party
            party.batch = preparer.prepareAgain(party.batch)
            return party
        }
        var keys: [KeyHash] = []
        keys.reserveCapacity(parties.reduce(0) { $0 + $1.batch.events.count })
        for party in parties {
            for event in party.batch.events { keys.append(event.key) }
        }
        try core.checkpoints.makeRoom(for: keys.count)
        let known = try core.derived.positions(of: keys)
        index.clear(expecting: keys.count)
        var deciding = GroupDeciding(
            parties: parties,
            nextPosition: position + 1,
            at: core.clock(),
            compressors: core.compressors
        )
        let decision = try deciding.decide(known: known, index: &index, log: log)
        guard decision.leavesTrace else { return (decision, parties, []) }
        let numbers = try core.truth.write(
            decision,
            parties,
            commit: commit + 1
        )
        commit += 1
        position = decision.lastPosition
        return (decision, parties, numbers)
    }

    private func answer(_ decision: GroupDecision, _ parties: [Party], _ numbers: [Int64]) {
        var ids: [Int: [Int: Int64]] = [:]
        for (quarantined, number) in zip(decision.quarantined, numbers) {
            ids[quarantined.party, default: [:]][quarantined.exception] = number
        }
        for (number, party) in parties.enumerated() {
            let share = decision.shares[number]
            var exceptions = share.exceptions
            if let known = ids[number] {
                for place in exceptions.indices {
                    guard let id = known[exceptions[place].index] else { continue }
                    exceptions[place].quarantineID = QuarantinedEvent.id(id)
                }
            }
            let outcome = BatchOutcome(
                position: Position(decision.lastPosition),
                accepted: share.accepted,
                firstPosition: Position(share.accepted > 0 ? share.firstPosition : 0),
                exceptions: exceptions,
                isRefused: share.isRefused,
                unreadable: share.isRefused ? 0 : party.batch.unreadable
            )
            party.answer(.success(outcome))
        }
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
    /// - Returns: the number of each quarantined event, in the decision's order.
    func write(
        _ decision: GroupDecision,
        _ parties: [Party],
        commit: Int64
    ) throws -> [Int64] {
        let at = decision.at
        return try pool.writeWithoutTransaction { database in
            var numbers: [Int64] = []
            try database.inTransaction(.immediate) {
                try database.cachedStatement(
                    sql: """
                        INSERT INTO intake_commit (number, at, last_position, received, books)
                        VALUES (?, ?, ?, ?, ?)
                        """
                ).execute(arguments: [
                    commit, at.microseconds, Int64(decision.lastPosition), decision.books.received,
                    decision.books.json,
                ])
                for block in decision.blocks {
                    try Self.insert(block, commit: commit, at: at, database)
                }
                for quarantined in decision.quarantined {
                    let bytes = parties[quarantined.party].batch.bytes
                    numbers.append(try Self.insert(quarantined, bytes, hashKey, at, database))
                }
                try Self.insert(decision.unreadable, database)
                return .commit
            }
            return numbers
        }
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
        _ bytes: [UInt8],
        _ hashKey: SipHashKey,
        _ at: Instant,
        _ database: Database
    ) throws -> Int64 {
        let original = Array(bytes[quarantined.whole.range])
        let reason = Array(quarantined.reason.utf8)
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
                    first_seen_at, last_seen_at, seen, original)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)
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
                at.microseconds, at.microseconds, Data(original),
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
