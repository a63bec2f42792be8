internal import Metering
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

/// Runs a draft over stored events beside the live meter type. Writes nothing, and makes no name.
struct PreviewReader {
    let core: LedgerCore
    let query: PreviewQuery

    /// - Throws: `limitExceeded` for more events, subjects or states than a preview may look at.
    /// - Complexity: unpacks and measures each block of the range that has an event type of the
    ///   draft, once; some 1 µs an event.
    func answer() throws -> PreviewAnswer {
        if let newest = query.newest { return try answer(ofNewest: newest) }
        let live = try live()
        let position = live?.position.value ?? core.derived.read { $0.position }
        let draft = MeterType.alone(query.draft)
        var readings = try UsageReader(core: core, query: query.readings, alone: draft)
        var bySubject = try UsageReader(core: core, query: query.comparison, alone: draft)
        let windows = try UsageWindows(query.readings, readsEventsOnly: true)
        let whole = try UsageWindows(query.comparison, readsEventsOnly: true)
        let scan = readings.scan(windows, upTo: position)
        guard try scan.events() <= Limits.previewEventsMax else {
            throw LedgerError(
                .limitExceeded,
                "the range holds more than \(Limits.previewEventsMax) events"
            )
        }
        var asked = LastPreparer(hashKey: core.truth.hashKey)
        try scan.visit { block in
            let batch = block.prepared(by: asked.preparer(of: [draft]))
            readings.take(batch, from: block.firstPosition, upTo: position, windows)
            bySubject.take(batch, from: block.firstPosition, upTo: position, whole)
            let held = readings.held + bySubject.held
            guard held <= Limits.previewStatesMax,
                bySubject.rows.count <= Limits.previewSubjectsMax
            else {
                throw LedgerError(
                    .limitExceeded,
                    "the answer would take more than \(Limits.previewSubjectsMax) subjects or "
                        + "\(Limits.previewStatesMax) states"
                )
            }
            return true
        }
        return try PreviewAnswer(
            readings: try readings.answer(windows, at: position),
            live: live?.readings ?? [],
            draft: try Self.all(of: bySubject.answer(whole, at: position)).readings
        )
    }

    /// - Complexity: looks at ``Limits/previewSummariesMax`` summaries of blocks at most, and
    ///   unpacks those that may hold the events, ``Limits/previewBlocksMax`` at most, twice.
    private func answer(ofNewest count: Int) throws -> PreviewAnswer {
        let position = core.derived.read { $0.position }
        let draft = MeterType.alone(query.draft)
        var readings = try UsageReader(core: core, query: query.readings, alone: draft)
        let windows = try UsageWindows(query.readings, readsEventsOnly: true)
        var scan = readings.scan(windows, upTo: position)
        scan.isDescending = true
        (scan.blocksMax, scan.summariesMax) = (
            Limits.previewBlocksMax, Limits.previewSummariesMax
        )
        var newest = PreviewAnswer.Newest()
        readings.since = position + 1
        try scan.visit { block in
            for place in block.decoded.events.indices.reversed() {
                let at = block.firstPosition + UInt64(place)
                guard at <= position, readings.corrections.history.counts(at, asOf: position),
                    let time = block.time(of: place, ofTypes: query.draft.eventTypes)
                else { continue }
                newest.add(time)
                readings.since = at
                if newest.events == count { return false }
            }
            return true
        }
        scan.isDescending = false
        (scan.from, scan.blocksMax, scan.summariesMax) = (readings.since, .max, .max)
        var asked = LastPreparer(hashKey: core.truth.hashKey)
        try scan.visit { block in
            let batch = block.prepared(by: asked.preparer(of: [draft]))
            readings.take(batch, from: block.firstPosition, upTo: position, windows)
            return true
        }
        var answer = try PreviewAnswer(
            readings: try readings.answer(windows, at: position),
            live: [],
            draft: []
        )
        answer.newest = newest
        return answer
    }

    /// What the meter type of the draft's key says by subject; nil where there is none.
    private func live() throws -> UsageAnswer? {
        do throws(LedgerError) {
            _ = try core.versionsInForce(of: query.draft.key)
        } catch {
            guard error.code == .notFound || error.code == .backfillCancelled else { throw error }
            return nil
        }
        return try Self.all(of: UsageReader(core: core, query: query.comparison).answer())
    }

    private static func all(of answer: UsageAnswer) throws(LedgerError) -> UsageAnswer {
        guard !answer.hasMore else {
            throw LedgerError(
                .limitExceeded,
                "the range holds more than \(Limits.previewSubjectsMax) subjects"
            )
        }
        return answer
    }
}

extension MeterType {
    /// A version that nobody made and that counts all there is.
    static func alone(_ definition: MeterTypeDefinition) -> MeterType {
        MeterType(
            number: .max,
            definition: definition,
            createdAt: .earliest,
            createdPosition: .zero,
            backfilled: .zero
        )
    }

    /// The same version, were it the only one for all time.
    var alone: MeterType {
        var alone = self
        (alone.effectiveFrom, alone.effectiveTo, alone.cancelledAt) = (nil, nil, nil)
        (alone.countsAfter, alone.backfilled) = (.zero, .zero)
        return alone
    }
}

extension UnpackedBlock {
    /// When an event was used; nil of one of another type.
    fileprivate func time(of place: Int, ofTypes types: [EventTypePattern]) -> Instant? {
        let event = decoded.events[place]
        let type = decoded.bytes[event.type.range]
        guard !LedgerEntry.isEntry(type: type), types.contains(where: { $0.matches(type) })
        else { return nil }
        return event.hasTime ? event.time : arrival(of: place)
    }
}
