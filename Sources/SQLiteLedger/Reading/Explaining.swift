internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel
internal import WireFormat

/// Says of an event, for every meter type, whether it counts there and why.
struct Explaining {
    /// Of each meter type, in the order of the keys, the versions in force with the times they
    /// rule; where none is yet, the newest.
    private let versions: [[MeterType]]
    private let preparer: EventPreparer
    private let registry: MeterRegistry
    /// The last change of meters that is known.
    private let known: Int64
    private let corrections: CorrectionRegistry
    /// The last position of what is known.
    private let asOf: UInt64
    /// Of the versions that compute something, by number.
    private let reports: [UInt32: ExpressionReport]

    /// - Parameters:
    ///   - meterTypes: All versions of all meter types.
    ///   - position: What came after it is not known: versions, corrections, and what was said of
    ///     meters.
    init(core: LedgerCore, meterTypes: [MeterType], asOf position: UInt64 = .max) {
        let registry = core.meterRegistry.withLock { $0 }
        known = position == .max ? .max : registry.number(asOf: position)
        self.registry = registry
        corrections = core.corrections.withLock { $0 }
        asOf = position
        versions = Dictionary(grouping: meterTypes, by: \.key)
            .sorted { $0.key < $1.key }
            .map { _, versions in
                let inForce = versions.inForce(asOf: position == .max ? nil : Position(position))
                return inForce.isEmpty ? [versions.newest].compactMap(\.self) : inForce
            }
        let all = versions.flatMap(\.self)
        let catalog = MeterCatalog(generation: 0, meterTypes: all)
        preparer = EventPreparer(hashKey: core.truth.hashKey, catalog: catalog)
        reports = Dictionary(
            uniqueKeysWithValues: all.compactMap { meterType in
                ExpressionReport(meterType.definition).map { (meterType.number, $0) }
            }
        )
    }

    func event(_ place: Int, of block: UnpackedBlock) -> StoredEvent {
        let decoded = block.decoded.events[place]
        let one = DecodedBatch(bytes: block.decoded.bytes, events: [decoded], rejected: [])
        let arrival = block.arrival(of: place)
        let batch = preparer.prepare(one, arrival: arrival)
        let position = Position(block.firstPosition + UInt64(place))
        func text(_ slice: ByteSlice) -> String {
            String(decoding: batch.bytes[slice.range], as: UTF8.self)
        }
        let said = said(of: position.value)
        let void = whyVoid(position.value, said.last)
        var event = StoredEvent(
            json: Array(batch.bytes[decoded.whole.range]),
            position: position,
            receivedAt: arrival,
            time: batch.events[0].time,
            source: text(decoded.source),
            id: text(decoded.id),
            type: text(decoded.type),
            subject: text(decoded.subject),
            explanation: versions.compactMap { versions in
                Self.ruling(versions, at: batch.events[0].time)
                    .map { explanation(of: $0, batch, position, void) }
            }
        )
        event.corrections = said
        event.backfillSet = corrections.history.set(of: position.value)
        event.isVoid = void != nil
        return event
    }

    private func said(of position: UInt64) -> [StoredEvent.Corrected] {
        corrections.history.words(of: position).filter { $0.at <= asOf }.compactMap { word in
            corrections.correction(at: word.at).map { correction in
                StoredEvent.Corrected(
                    correction: correction,
                    counts: word.counts,
                    replacement: word.replacement == 0 ? nil : Position(word.replacement)
                )
            }
        }
    }

    /// Why corrections take an event out of all readings; nil where they do not.
    private func whyVoid(_ position: UInt64, _ last: StoredEvent.Corrected?) -> String? {
        if let last, !last.counts {
            let did = last.replacement.map { "replaced by position \($0)" } ?? "voided"
            return "\(did): \(last.correction.id), \(last.correction.reason)"
        }
        guard !corrections.history.counts(position, asOf: asOf) else { return nil }
        let set = corrections.history.set(of: position).flatMap { corrections.backfillSet($0) }
        guard let set else { return "it stands for an event of a backfill set that does not count" }
        let isReverted = set.correction.flatMap { corrections.correction($0) }
            .map { set.state == .reverted && $0.position.value <= asOf }
        return isReverted == true
            ? "the backfill set \(set.id) was reverted" : "the backfill set \(set.id) was open"
    }

    /// The version whose word counts at a time; before all of them, the one that comes first.
    private static func ruling(_ versions: [MeterType], at time: Instant) -> MeterType? {
        versions.first { $0.effective.contains(time) }
            ?? versions.min { $0.effective.lowerBound < $1.effective.lowerBound }
    }

    private func explanation(
        of meterType: MeterType,
        _ batch: PreparedBatch,
        _ position: Position,
        _ void: String?
    ) -> StoredEvent.Explanation {
        let contribution = batch.contributions.first { $0.meter == meterType.number }
        var because = ""
        if let reason = contribution?.unreadable {
            because = "unreadable: \(reason.code)"
            if let cause = computedCause(meterType, batch) { because += "; " + cause }
        } else if contribution == nil {
            because = whyUnmatched(meterType, batch)
        } else if let retired = meterType.retiredPosition, position > retired {
            because = "the meter type was retired before"
        } else if meterType.cancelledAt != nil {
            because = "the history was never counted: its backfill was cancelled"
        } else if !meterType.covers(position) {
            because = "the history is still being counted"
        } else if let cause = whyNotEnrolled(meterType, batch) {
            because = cause
        } else if let void {
            because = void
        }
        guard let contribution, because.isEmpty else {
            return .init(
                meterType: meterType.key,
                version: meterType.version,
                isCounted: false,
                because: because
            )
        }
        let tuple = String(decoding: batch.tuples[Int(contribution.tuple)], as: UTF8.self)
        let dimensions = UsageReader.dimensions(tuple)
        return .init(
            meterType: meterType.key,
            version: meterType.version,
            isCounted: true,
            value: value(contribution),
            dimensions: meterType.definition.dimensions.map {
                .init(name: $0.name, value: dimensions[$0.name])
            }
        )
    }

    /// What enrolment has against the event; nil where it counts.
    private func whyNotEnrolled(_ meterType: MeterType, _ batch: PreparedBatch) -> String? {
        let subject = batch.bytes[batch.events[0].decoded.subject.range]
        let id = MeterID(
            meterType: meterType.key,
            subject: String(decoding: subject, as: UTF8.self)
        )
        guard let id, let spans = registry.spans(of: id, by: known) else {
            let isExplicit = meterType.definition.enrolment == .explicit
            return isExplicit ? "enrolment: the subject is not enrolled" : nil
        }
        let time = batch.events[0].time
        guard !spans.contains(time) else { return nil }
        let changes = registry.changes(of: id).prefix { $0.number <= known }
        if let dates = changes.last(where: { $0.kind.standing == nil }) {
            if time < dates.from { return "enrolment: before its start \(dates.from.rfc3339)" }
            if time >= dates.to { return "enrolment: not before its end \(dates.to.rfc3339)" }
        }
        let standing = registry.standing(of: id, at: time, by: known) ?? .active
        return "enrolment: the meter was \(standing.rawValue) at the time"
    }

    private func value(_ contribution: Contribution) -> Quantity? {
        switch contribution.aggregation {
        case .count: Quantity(mantissa: 1_000_000_000_000_000_000)
        case .unique, .uniquePairs: nil
        default: Quantity(mantissa: contribution.mantissa)
        }
    }

    private func whyUnmatched(_ meterType: MeterType, _ batch: PreparedBatch) -> String {
        let definition = meterType.definition
        let type = batch.origins[0].type
        guard definition.eventTypes.contains(where: { $0.matches(type) }) else {
            let patterns = definition.eventTypes.map(\.text).joined(separator: ", ")
            return "type: \"\(String(decoding: type, as: UTF8.self))\" is not among \(patterns)"
        }
        if let from = meterType.effectiveFrom, batch.events[0].time < from {
            return "time: before effectiveFrom \(from.rfc3339)"
        }
        if let from = definition.activeFrom, batch.events[0].time < from {
            return "time: before activeFrom \(from.rfc3339)"
        }
        if let to = definition.activeTo, batch.events[0].time >= to {
            return "time: not before activeTo \(to.rfc3339)"
        }
        return computedCause(meterType, batch) ?? "not matched"
    }

    private func computedCause(_ meterType: MeterType, _ batch: PreparedBatch) -> String? {
        reports[meterType.number]?.cause(
            of: batch.events[0].decoded,
            in: batch.bytes,
            arrival: batch.arrival
        )
    }
}
