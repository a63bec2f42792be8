internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel
internal import WireFormat

/// Says what a planned correction would do, by reading as if it had been made.
struct CorrectionPreviewing {
    /// How many of the events are shown.
    private static let sampleMax = 20

    let core: LedgerCore
    let plan: CorrectionPlan

    /// - Complexity: unpacks the blocks of all events again, and takes two readings a meter.
    func answer() throws -> CorrectionPreview {
        var tried = core.corrections.withLock { $0 }
        let replacements = plan.replacements
        // Behind the end of the log is where the replacements would stand.
        let targets = plan.targets.map { target in
            var target = target
            if target.change.replacement != 0 { target.change.replacement += plan.position }
            return target
        }
        tried.add(targets, at: 0)
        var positions = plan.targets.map(\.change.position).filter { $0 != 0 }
        if let set = plan.backfillSet {
            tried.say(set.number, counts: plan.request.kind == .close)
            let isAbout = plan.request.kind == .close || set.state == .closed
            if isAbout { positions += tried.history.counting(with: set.number) }
            positions.sort()
        }
        let (meters, hasMore) = try meters(positions, replacements)
        let types = core.currentMeterTypes()
        let reader = EventReader(core: core)
        return CorrectionPreview(
            position: Position(plan.position),
            events: plan.events,
            sample: try positions.prefix(Self.sampleMax).compactMap { position in
                try reader.event(at: position, types)
            },
            effects: try meters.map { try effect(on: $0, tried, replacements) }
                .filter { $0.before != $0.after || !$0.records.isEmpty },
            hasMore: hasMore
        )
    }

    /// The times of the events, by the meters that read them.
    private typealias Times = [MeterID: [Instant]]

    private func meters(
        _ positions: [UInt64],
        _ replacements: PreparedBatch?
    ) throws -> (meters: [(id: MeterID, times: [Instant])], hasMore: Bool) {
        let types = core.currentMeterTypes().inForceOrFirst()
        let catalog = MeterCatalog(generation: 0, meterTypes: types)
        let preparer = EventPreparer(hashKey: core.truth.hashKey, catalog: catalog)
        let keys = Dictionary(
            types.map { ($0.number, $0.key) },
            uniquingKeysWith: { one, _ in one }
        )
        var times: Times = [:]
        func take(_ place: Int, of batch: PreparedBatch) {
            let event = batch.events[place]
            let subject = String(
                decoding: batch.bytes[event.decoded.subject.range],
                as: UTF8.self
            )
            let first = Int(event.firstContribution)
            for one in batch.contributions[first..<(first + Int(event.contributionCount))] {
                guard one.unreadable == nil, let key = keys[one.meter],
                    let id = MeterID(meterType: key, subject: subject)
                else { continue }
                times[id, default: []].append(event.time)
            }
        }
        var block: (positions: Range<UInt64>, batch: PreparedBatch)?
        for position in positions {
            if block?.positions.contains(position) != true {
                block = try core.truth.block(holding: position)?.events()
                    .asPrepared(by: preparer)
            }
            guard let block else { continue }
            take(Int(position - block.positions.lowerBound), of: block.batch)
        }
        if let replacements {
            let batch = preparer.prepareAgain(replacements)
            for place in batch.events.indices { take(place, of: batch) }
        }
        let sorted = times.sorted { $0.key.text < $1.key.text }
        return (
            sorted.prefix(Limits.correctionPreviewMetersMax).map { ($0.key, $0.value) },
            sorted.count > Limits.correctionPreviewMetersMax
        )
    }

    private func effect(
        on meter: (id: MeterID, times: [Instant]),
        _ tried: CorrectionRegistry,
        _ replacements: PreparedBatch?
    ) throws -> CorrectionPreview.Effect {
        func value(
            over range: Range<Instant>,
            _ registry: CorrectionRegistry?,
            _ batch: PreparedBatch?
        ) throws -> Quantity? {
            let query = UsageQuery(
                meterTypes: [meter.id.meterType],
                subjects: [meter.id.subject],
                range: range
            )
            let reader = try UsageReader(core: core, query: query, trying: registry, batch)
            return try reader.answer().readings.first?.value
        }
        var effect = CorrectionPreview.Effect(
            meter: meter.id,
            before: try value(over: .allTime, nil, nil),
            after: try value(over: .allTime, tried, replacements),
            records: []
        )
        for record in try core.truth.latestRecords(of: meter.id, holding: meter.times) {
            let after = try value(over: record.period, tried, replacements)
            guard after != record.value else { continue }
            effect.records.append(
                .init(
                    record: record.id,
                    period: record.period,
                    before: record.value,
                    after: after
                )
            )
        }
        return effect
    }
}

extension UnpackedBlock {
    fileprivate func asPrepared(
        by preparer: EventPreparer
    ) -> (positions: Range<UInt64>, batch: PreparedBatch) { (positions, prepared(by: preparer)) }
}
