internal import Foundation
internal import GRDB
internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel
internal import WireFormat

/// Answers questions for stored events, and explains them.
struct EventReader {
    let core: LedgerCore

    func event(source: String, id: String) throws -> StoredEvent? {
        let preparer = core.preparer.withLock { $0 }
        var key = preparer.key(source: source, id: id)
        while true {
            let position = try core.derived.positions(of: [key])[0]
            guard position != 0 else { return nil }
            guard let event = try event(at: position, core.currentMeterTypes()) else { return nil }
            if event.source == source, event.id == id { return event }
            key = key.nextProbe
        }
    }

    func event(at position: UInt64, _ meterTypes: [MeterType]) throws -> StoredEvent? {
        guard let block = try core.truth.block(holding: position)?.events() else { return nil }
        let explaining = Explaining(core: core, meterTypes: meterTypes)
        var event = explaining.event(Int(position - block.firstPosition), of: block)
        event.repairedBy = try core.truth.repaired(in: position...position)[position]
        return event
    }

    func events(_ query: EventQuery) throws -> EventAnswer {
        let now = core.derived.read { $0.position }
        if let asOf = query.asOf, asOf.value > now {
            throw LedgerError(.positionUnknown, "the log ends at position \(now)")
        }
        let upTo = query.asOf?.value ?? now
        let patterns = try query.meterType.map { key in
            try core.versions(of: key).flatMap(\.definition.eventTypes)
        }
        let explaining = Explaining(
            core: core,
            meterTypes: core.currentMeterTypes(),
            asOf: upTo
        )
        let filter = EventFilter(query: query)
        let through = min(query.through?.value ?? upTo, upTo)
        var events: [StoredEvent] = []
        let scan = BlockScan(
            truth: core.truth,
            upTo: through,
            ranges: [query.range],
            subjects: query.subjects.map { core.derived.hash(of: Array($0.utf8)) },
            types: query.type.map { [$0] } ?? patterns ?? [],
            isDescending: query.isDescending,
            from: query.after.map { query.isDescending ? $0.value - 1 : $0.value + 1 }
        )
        var blocks = 0
        try scan.visit { block in
            blocks += 1
            guard blocks <= query.blocksMax else {
                throw LedgerError(.limitExceeded, "more than \(query.blocksMax) blocks")
            }
            let places = Array(block.decoded.events.indices)
            for place in query.isDescending ? places.reversed() : places {
                let at = block.firstPosition + UInt64(place)
                guard at <= through, filter.isAfterCursor(at), filter.mayAccept(place, of: block)
                else {
                    continue
                }
                let event = explaining.event(place, of: block)
                if filter.accepts(event) { events.append(event) }
                if events.count > query.limit { return false }
            }
            return true
        }
        return EventAnswer(
            position: Position(upTo),
            events: try tellingRepairs(Array(events.prefix(query.limit))),
            hasMore: events.count > query.limit
        )
    }

    /// Says of those that a repair rule released which one it was.
    private func tellingRepairs(_ events: [StoredEvent]) throws -> [StoredEvent] {
        guard let low = events.map(\.position.value).min(),
            let high = events.map(\.position.value).max()
        else { return events }
        let repaired = try core.truth.repaired(in: low...high)
        guard !repaired.isEmpty else { return events }
        return events.map { event in
            var event = event
            event.repairedBy = repaired[event.position.value]
            return event
        }
    }
}

/// Which events a question asks for.
struct EventFilter {
    let query: EventQuery

    func isAfterCursor(_ position: UInt64) -> Bool {
        guard let after = query.after?.value else { return true }
        return query.isDescending ? position < after : position > after
    }

    /// What can be told from the envelope.
    func mayAccept(_ place: Int, of block: UnpackedBlock) -> Bool {
        let event = block.decoded.events[place]
        let bytes = block.decoded.bytes
        let time = event.hasTime ? event.time : block.arrival(of: place)
        guard query.range.contains(time) else { return false }
        if query.subjects.count == 1, let subject = query.subjects.first {
            guard bytes[event.subject.range].elementsEqual(subject.utf8) else { return false }
        } else if !query.subjects.isEmpty {
            let subject = String(decoding: bytes[event.subject.range], as: UTF8.self)
            guard query.subjects.contains(subject) else { return false }
        }
        if let source = query.source, !bytes[event.source.range].elementsEqual(source.utf8) {
            return false
        }
        return query.type?.matches(bytes[event.type.range]) ?? true
    }

    /// What takes a measurement.
    func accepts(_ event: StoredEvent) -> Bool {
        if let asked = query.isCounted, asked != event.isCounted { return false }
        guard let key = query.meterType else { return true }
        guard let counted = event.explanation.first(where: { $0.meterType == key }),
            counted.isCounted
        else { return false }
        return query.dimensions.allSatisfy { asked in
            counted.dimensions.first { $0.name == asked.name }?.value == asked.value
        }
    }
}
