internal import Metering
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

/// What the meters of some subjects had counted as of a position, found out from the events:
/// rollups know the present alone.
struct PastMeters {
    /// How much a meter had counted; and the quarters of an hour in which it had met something,
    /// though that be void: as rollups tell it.
    struct Extent {
        var events: Int64 = 0
        var first = Int32.max
        var last = Int32.min
    }

    private(set) var extents: [MeterID: Extent] = [:]

    /// - Parameter keys: Those of them that have no version in force are passed by.
    /// - Throws: `positionUnknown` for a position that the log has not reached.
    /// - Complexity: unpacks the blocks up to the position that may hold events of the subjects,
    ///   some 0.5 ms each.
    init(
        core: LedgerCore,
        of subjects: Set<String>,
        _ keys: some Sequence<MeterTypeKey>,
        asOf position: Position
    ) throws {
        let inForce = Set(core.currentMeterTypes().inForce(asOf: position).map(\.key))
        let query = UsageQuery(
            meterTypes: keys.filter(inForce.contains),
            subjects: subjects.sorted(),
            range: .allTime,
            asOf: position
        )
        let end = core.derived.read { $0.rolledUp }
        guard position.value <= end else {
            throw LedgerError(.positionUnknown, "the log ends at position \(end)")
        }
        guard !query.meterTypes.isEmpty, !query.subjects.isEmpty else { return }
        var reader = try UsageReader(core: core, query: query)
        extents = try reader.extents(upTo: position.value)
    }

}

extension LedgerCore {
    /// Which of some subjects a meter had met by a position, whatever was said of them since: what
    /// rollups hold of them.
    ///
    /// - Throws: `positionUnknown` for a position that the log has not reached.
    /// - Complexity: as ``PastMeters``.
    func users(among subjects: Set<String>, asOf position: Position) throws -> Set<String> {
        let end = derived.read { $0.rolledUp }
        guard position.value <= end else {
            throw LedgerError(.positionUnknown, "the log ends at position \(end)")
        }
        guard !subjects.isEmpty else { return [] }
        let versions = currentMeterTypes().known(asOf: position)
        let scan = BlockScan(
            truth: truth,
            upTo: position.value,
            ranges: [.allTime],
            subjects: subjects.map { derived.hash(of: Array($0.utf8)) },
            types: versions.flatMap(\.definition.eventTypes)
        )
        var users: Set<String> = []
        var last = LastPreparer(hashKey: truth.hashKey)
        try scan.visit { block in
            let first = block.firstPosition
            let counting = versions.filter { $0.covers(Position(first)) }
            let batch = block.prepared(by: last.preparer(of: counting))
            for (place, event) in batch.events.enumerated()
            where event.isCounted && first + UInt64(place) <= position.value {
                let bytes = batch.bytes[event.decoded.subject.range]
                let subject = String(decoding: bytes, as: UTF8.self)
                if subjects.contains(subject) { users.insert(subject) }
            }
            return users.count < subjects.count
        }
        return users
    }
}

extension UsageReader {
    fileprivate mutating func extents(
        upTo position: UInt64
    ) throws -> [MeterID: PastMeters.Extent] {
        try checkKnown(at: position)
        let windows = try UsageWindows(query, readsEventsOnly: true)
        var extents: [MeterID: PastMeters.Extent] = [:]
        try visitEvents(windows, upTo: position) { reader, batch, first in
            for (place, event) in batch.events.enumerated() {
                let at = first + UInt64(place)
                guard at <= position, event.contributionCount > 0,
                    reader.asked?.contains(event.subjectHash) ?? true
                else { continue }
                let counts = reader.corrections.history.counts(at, asOf: position)
                let text = Array(batch.bytes[event.decoded.subject.range])
                let subject = reader.number(of: text)
                let start = Int(event.firstContribution)
                let end = start + Int(event.contributionCount)
                for one in batch.contributions[start..<end] where one.unreadable == nil {
                    let part = reader.coverage.bucket(
                        meter: one.meter,
                        subject: subject,
                        bucket: event.bucket
                    )
                    guard part != .none, let version = reader.meterTypes[one.meter],
                        let id = MeterID(
                            meterType: version.key,
                            subject: String(decoding: text, as: UTF8.self)
                        )
                    else { continue }
                    var extent = extents[id] ?? PastMeters.Extent()
                    extent.first = min(extent.first, event.bucket)
                    extent.last = max(extent.last, event.bucket)
                    let isIn = reader.coverage.instant(
                        meter: one.meter,
                        subject: subject,
                        time: event.time
                    )
                    if counts, isIn { extent.events += 1 }
                    extents[id] = extent
                }
            }
        }
        return extents
    }
}
