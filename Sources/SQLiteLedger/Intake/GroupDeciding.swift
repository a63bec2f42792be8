internal import MeteringEngine
internal import Synchronization
internal import UsageModel
internal import WireFormat

/// Decides a group: looks each key up once, compares what is found with what is stored, gives
/// positions to what is new.
struct GroupDeciding {
    /// Where a key of the group was seen first, within the group.
    private struct Place {
        var party: Int
        var event: Int
        var position: UInt64
    }

    private let parties: [Party]
    private let stale: Set<Int>
    private let compressors: CompressorPool
    private var decision: GroupDecision
    private var places: [Place] = []
    /// Small calls' events wait here for a common block.
    private var joined: BlockPacking?
    private var joinedFirst: UInt64 = 0

    /// - Parameter stale: The places of calls whose order does not hold any more.
    init(
        parties: [Party],
        stale: Set<Int>,
        nextPosition: UInt64,
        at: Instant,
        compressors: CompressorPool
    ) {
        (self.parties, self.stale, self.compressors) = (parties, stale, compressors)
        decision = GroupDecision(nextPosition: nextPosition, at: at)
    }

    /// - Parameters:
    ///   - known: For each event of all parties, in order, the position of its key; 0 where new.
    ///   - log: Reads what is stored, to confirm a key that is known.
    mutating func decide(
        known: [UInt64],
        index: inout GroupIndex,
        log: borrowing LogReading
    ) throws -> GroupDecision {
        var offset = 0
        for (number, party) in parties.enumerated() {
            let mark = (index.count, decision.nextPosition, decision.quarantined.count)
            var share = GroupDecision.Share()
            share.positions = [UInt64](repeating: 0, count: party.batch.events.count)
            share.firstPosition = decision.nextPosition
            let batch = party.batch
            if stale.contains(number) {
                share.isRefused = true
                decision.shares.append(share)
                offset += batch.events.count
                continue
            }
            var nextFinding = 0
            for event in batch.events.indices {
                let rejection = Self.rejection(of: event, batch.findings, &nextFinding)
                try decideEvent(
                    event,
                    of: number,
                    batch,
                    known: known[offset + event],
                    rejection,
                    &share,
                    &index,
                    log
                )
            }
            offset += batch.events.count
            reject(party.batch.rejected, of: number, &share)
            if party.isAtomic, share.exceptions.contains(where: { $0.verdict != .duplicate }) {
                index.truncate(to: mark.0)
                places.removeLast(places.count - mark.0)
                decision.nextPosition = mark.1
                decision.quarantined.removeLast(decision.quarantined.count - mark.2)
                share.isRefused = true
                share.accepted = 0
            } else {
                noteWarnings(batch, &share)
                try store(party, number, share)
                decision.books.add(party, share)
                if let order = party.order { takeMarks(of: order, batch, share) }
            }
            share.exceptions.sort { $0.index < $1.index }
            decision.shares.append(share)
        }
        try closeJoined()
        return decision
    }

    private mutating func decideEvent(
        _ place: Int,
        of number: Int,
        _ batch: PreparedBatch,
        known: UInt64,
        _ rejection: Int,
        _ share: inout GroupDecision.Share,
        _ index: inout GroupIndex,
        _ log: borrowing LogReading
    ) throws {
        var key = batch.events[place].key
        var known = known
        while true {
            if known != 0 {
                let stored = try log.event(at: known)
                switch stored.compare(with: batch.events[place].decoded, in: batch.bytes) {
                case .sameContent: return except(.duplicate, known, place, number, &share)
                case .otherContent: return except(.conflict, known, place, number, &share)
                case .otherKey: break
                }
            } else if let first = rejection < 0
                ? index.findOrInsert(key) : index.find(key)
            {
                let other = places[first]
                let stored = LoggedEvent(
                    bytes: parties[other.party].batch.bytes,
                    event: parties[other.party].batch.events[other.event].decoded
                )
                switch stored.compare(with: batch.events[place].decoded, in: batch.bytes) {
                case .sameContent: return except(.duplicate, other.position, place, number, &share)
                case .otherContent: return except(.conflict, other.position, place, number, &share)
                case .otherKey: break
                }
            } else {
                break
            }
            // Two keys of one hash: the later one is kept under the next hash of its probe chain.
            key = key.nextProbe
            known = try log.position(of: key)
        }
        // Only now: what is known already is a duplicate or a conflict, whatever rules say today.
        guard rejection < 0 else {
            return fail(batch.findings[rejection], place, number, &share)
        }
        let position = decision.nextPosition
        decision.nextPosition += 1
        places.append(Place(party: number, event: place, position: position))
        share.positions[place] = position
        share.accepted += 1
    }

    /// The place of what a rule that rejects found in an event; -1 where none did. The findings
    /// come in the order of the events.
    @inline(__always)
    private static func rejection(
        of event: Int,
        _ findings: [RuleFinding],
        _ next: inout Int
    ) -> Int {
        var rejection = -1
        while next < findings.count, findings[next].place == event {
            if findings[next].action == .reject { rejection = next }
            next += 1
        }
        return rejection
    }

    private mutating func fail(
        _ finding: RuleFinding,
        _ place: Int,
        _ number: Int,
        _ share: inout GroupDecision.Share
    ) {
        let event = parties[number].batch.events[place].decoded
        // A released item that fails again is in quarantine already.
        if parties[number].order == nil {
            decision.quarantined.append(
                GroupDecision.Quarantined(
                    party: number,
                    exception: Int(event.index),
                    reason: RejectionReason.ruleFailed.rawValue,
                    pointer: finding.pointer,
                    detail: finding.detail,
                    source: event.source,
                    eventID: event.id,
                    type: event.type,
                    whole: event.whole,
                    rule: finding.rule.text
                )
            )
        }
        share.exceptions.append(
            BatchOutcome.Exception(
                index: Int(event.index),
                verdict: .rejected,
                position: .zero,
                failure: finding
            )
        )
    }

    /// Counts what rules warned of in events that are new, by rule.
    private mutating func noteWarnings(_ batch: PreparedBatch, _ share: inout GroupDecision.Share) {
        guard !batch.findings.isEmpty else { return }
        var places: [ValidationRuleKey: Int] = [:]
        for finding in batch.findings where finding.action == .warn {
            let position = share.positions[finding.place]
            guard position != 0 else { continue }
            decision.warned[finding.rule, default: .init()].events += 1
            decision.warned[finding.rule]?.position = position
            if let known = places[finding.rule] {
                share.warnings[known].events += 1
                share.warnings[known].position = Position(position)
            } else {
                places[finding.rule] = share.warnings.count
                let warning = BatchOutcome.Warning(
                    finding: finding,
                    events: 1,
                    index: Int(batch.events[finding.place].decoded.index),
                    position: Position(position)
                )
                share.warnings.append(warning)
            }
        }
    }

    private mutating func except(
        _ verdict: Verdict,
        _ position: UInt64,
        _ place: Int,
        _ number: Int,
        _ share: inout GroupDecision.Share
    ) {
        let event = parties[number].batch.events[place].decoded
        // A released item that is in conflict is in quarantine already.
        if verdict == .conflict, parties[number].order == nil {
            decision.quarantined.append(
                GroupDecision.Quarantined(
                    party: number,
                    exception: Int(event.index),
                    reason: RejectionReason.conflict.rawValue,
                    pointer: "",
                    detail: GroupDecision.conflictDetail(position),
                    source: event.source,
                    eventID: event.id,
                    type: event.type,
                    whole: event.whole
                )
            )
        }
        share.exceptions.append(
            BatchOutcome.Exception(
                index: Int(event.index),
                verdict: verdict,
                position: Position(position)
            )
        )
    }

    private mutating func takeMarks(
        of order: ReleaseOrder,
        _ batch: PreparedBatch,
        _ share: GroupDecision.Share
    ) {
        let marks = ReleaseMark.all(order, batch, share)
        decision.marks += marks
        if var page = order.page {
            page.count(marks)
            decision.pages.append(page)
        }
        if var page = order.repairs {
            page.count(marks)
            decision.repairs.append(page)
        }
    }

    private mutating func reject(
        _ rejected: [RejectedEvent],
        of number: Int,
        _ share: inout GroupDecision.Share
    ) {
        for event in rejected {
            if parties[number].order == nil {
                decision.quarantined.append(
                    GroupDecision.Quarantined(
                        party: number,
                        exception: Int(event.index),
                        reason: event.reason.rawValue,
                        pointer: event.pointer,
                        detail: event.detail,
                        source: event.source,
                        eventID: event.id,
                        type: event.type,
                        whole: event.whole
                    )
                )
            }
            share.exceptions.append(
                BatchOutcome.Exception(
                    index: Int(event.index),
                    verdict: .rejected,
                    position: .zero
                )
            )
        }
    }

    /// Puts a call's new events into blocks.
    private mutating func store(_ party: Party, _ number: Int, _ share: GroupDecision.Share) throws
    {
        let batch = party.batch
        guard share.accepted > 0 else { return }
        collectUnreadable(batch, share)
        if let packed = party.packed, share.accepted == batch.events.count {
            try closeJoined()
            decision.blocks.append(
                GroupDecision.Block(firstPosition: share.firstPosition, packed: packed)
            )
            return
        }
        if joined == nil {
            joined = BlockPacking(reserving: 64 * 1024)
            joinedFirst = share.firstPosition
        }
        for (place, event) in batch.events.enumerated() where share.positions[place] != 0 {
            joined?.append(event, of: batch, number: number)
        }
        if let joined, joined.raw.count >= PackedBlock.joinedBytesMax { try closeJoined() }
    }

    private mutating func closeJoined() throws {
        guard let packing = joined else { return }
        joined = nil
        let packed = try compressors.withCompressor { try packing.packed($0) }
        decision.blocks.append(GroupDecision.Block(firstPosition: joinedFirst, packed: packed))
    }

    private mutating func collectUnreadable(_ batch: PreparedBatch, _ share: GroupDecision.Share) {
        guard batch.unreadable > 0 else { return }
        for (place, event) in batch.events.enumerated() where share.positions[place] != 0 {
            let first = Int(event.firstContribution)
            for contribution in batch.contributions[first..<(first + Int(event.contributionCount))]
            {
                guard let reason = contribution.unreadable else { continue }
                decision.unreadable.append(
                    GroupDecision.Unreadable(
                        position: share.positions[place],
                        meter: contribution.meter,
                        reason: reason
                    )
                )
            }
        }
    }
}

extension KeyHash {
    /// Where a key is looked for next when another key with its hash is in its place. With 128
    /// keyed bits nobody will see it happen; it is here so that the promise does not rest on luck.
    var nextProbe: KeyHash {
        KeyHash(high: high &* 0x9E37_79B9_7F4A_7C15 &+ 1, low: low &+ 0xD1B5_4A32_D192_ED03)
    }
}
