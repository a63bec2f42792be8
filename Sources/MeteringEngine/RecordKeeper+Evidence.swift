internal import Metering
internal import UsageModel
internal import WireFormat

// What records tell of the events behind them, where the meter type asks for it.
extension RecordKeeper {
    /// The evidence of periods of one range, by their subjects.
    ///
    /// - Parameter position: Of the reading: events that came later are not behind it.
    /// - Complexity: reads the blocks that may hold the subjects' events in the range.
    func evidence(
        _ periods: [RecordPeriod],
        _ range: Range<Instant>,
        asOf position: Position,
        _ step: RecordStep
    ) async throws(LedgerError) -> [String: UsageRecord.Evidence] {
        let asked = periods.filter { step.rules(of: $0).hasEvidence }
        guard let first = asked.first else { return [:] }
        var query = EventQuery(range: range, limit: Self.eventsPerStep)
        query.subjects = Set(asked.map(\.id.subject))
        (query.meterType, query.asOf) = (step.calendar.key, position)
        var gathering: [String: EvidenceGathering] = [:]
        while !Task.isCancelled {
            let page = try await ledger.events(query)
            for event in page.events {
                gathering[event.subject, default: EvidenceGathering()].add(event)
            }
            guard page.hasMore, let last = page.events.last else { break }
            query.after = last.position
        }
        let fields = step.rules(of: first).carriedFields
        return gathering.compactMapValues { $0.evidence(fields) }
    }
}

/// The events behind one record, as far as they were seen.
private struct EvidenceGathering {
    private var first: StoredEvent?
    private var last: StoredEvent?
    private var sum: UInt128 = 0

    /// Everybody may know it: hashes must be spread, not secret.
    private static let key = SipHashKey(k0: 0x6F64_6F6D_6574_6572, k1: 0x7265_636F_7264_0002)

    mutating func add(_ event: StoredEvent) {
        // Events come in the order of their positions; of one time, the first and the last stand.
        if first.map({ event.time < $0.time }) ?? true { first = event }
        if last.map({ event.time >= $0.time }) ?? true { last = event }
        let (source, id) = (Array(event.source.utf8), Array(event.id.utf8))
        let hash = unsafe source.withUnsafeBytes { source in
            unsafe id.withUnsafeBytes { id in
                unsafe KeyHash(key: Self.key, source: source, id: id)
            }
        }
        sum &+= UInt128(hash.high) << 64 | UInt128(hash.low)
    }

    func evidence(_ fields: [CarriedField]) -> UsageRecord.Evidence? {
        guard let first, let last else { return nil }
        let digits = String(sum, radix: 16)
        return UsageRecord.Evidence(
            firstEventAt: first.time,
            lastEventAt: last.time,
            keysHash: String(repeating: "0", count: 32 - digits.utf8.count) + digits,
            fields: fields.isEmpty
                ? []
                : Self.fields(fields, try? JSONValue.parse(first.json), try? .parse(last.json))
        )
    }

    private static func fields(
        _ fields: [CarriedField],
        _ first: JSONValue?,
        _ last: JSONValue?
    ) -> [MetadataMember] {
        fields.compactMap { field in
            let document = field.edge == .first ? first : last
            guard let text = document?.scalar(at: field.path),
                text.utf8.count <= Limits.carriedFieldBytesMax
            else { return nil }
            return MetadataMember(name: field.name, value: text)
        }
    }
}
