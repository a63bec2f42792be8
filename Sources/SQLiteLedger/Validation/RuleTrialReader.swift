internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel
internal import WireFormat

/// Reads the newest events of a type, the newest first, from blocks that may hold any.
struct NewestEvents {
    let core: LedgerCore
    /// One type, or ``ValidationRuleDefinition/everyType``.
    let type: String
    /// How many.
    let limit: Int

    /// Visits the events block by block: their places in the block, newest first.
    func visit(_ body: (UnpackedBlock, [Int]) throws -> Void) throws {
        let upTo = core.derived.read { $0.position }
        let scan = BlockScan(
            truth: core.truth,
            upTo: upTo,
            ranges: [.allTime],
            types: [EventTypePattern(type)].compactMap(\.self),
            isDescending: true
        )
        var left = limit
        try scan.visit { block in
            let places = block.decoded.events.indices.reversed().filter { place in
                block.firstPosition + UInt64(place) <= upTo && isAsked(place, of: block)
            }
            let some = Array(places.prefix(left))
            left -= some.count
            if !some.isEmpty { try body(block, some) }
            return left > 0
        }
    }

    private func isAsked(_ place: Int, of block: UnpackedBlock) -> Bool {
        let event = block.decoded.events[place]
        let found = block.decoded.bytes[event.type.range]
        guard type == ValidationRuleDefinition.everyType else {
            return found.elementsEqual(type.utf8)
        }
        // Entries of the ledger's own are nobody's events.
        return !LedgerEntry.isEntry(type: found)
    }
}

/// Says what a rule would have made of the newest events of its type.
struct RuleTrialReader {
    private let core: LedgerCore
    private let question: RuleTrial

    init(core: LedgerCore, _ question: RuleTrial) { (self.core, self.question) = (core, question) }

    func answer() throws -> RuleTrialAnswer {
        let rule = ValidationRule(
            definition: question.definition,
            version: 1,
            createdAt: core.clock()
        )
        var answer = RuleTrialAnswer()
        guard let book = RuleBook([rule]) else { return answer }
        let newest = NewestEvents(
            core: core,
            type: question.definition.eventType,
            limit: question.events
        )
        try newest.visit { block, places in
            let findings = book.findings(
                in: places.map { block.decoded.events[$0] },
                of: block.decoded.bytes,
                arrivals: places.map { block.arrival(of: $0) }
            )
            answer.looked += places.count
            answer.failed += findings.count
            answer.oldest = places.last.map { Position(block.firstPosition + UInt64($0)) }
            for finding in findings.prefix(max(question.samples - answer.samples.count, 0)) {
                answer.samples.append(Self.sample(finding, places[finding.place], of: block))
            }
        }
        return answer
    }

    private static func sample(
        _ finding: RuleFinding,
        _ place: Int,
        of block: UnpackedBlock
    ) -> RuleTrialAnswer.Sample {
        let event = block.decoded.events[place]
        func text(_ slice: ByteSlice) -> String {
            String(decoding: block.decoded.bytes[slice.range], as: UTF8.self)
        }
        return RuleTrialAnswer.Sample(
            source: text(event.source),
            id: text(event.id),
            subject: text(event.subject),
            position: Position(block.firstPosition + UInt64(place)),
            pointer: finding.pointer,
            detail: finding.detail
        )
    }
}
