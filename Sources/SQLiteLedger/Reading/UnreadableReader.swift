internal import GRDB
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

/// Lists what could not be read, under the versions in force.
///
/// What a version found that another one has taken over from stays in the table, and is passed by.
struct UnreadableReader {
    /// Rows that are looked at under one question to the database.
    private static let rowsPerStep = 1_000

    private let core: LedgerCore
    private let query: UnreadableQuery
    private let versions: [UInt32: MeterType]
    private let coverage: Coverage

    /// - Throws: `notFound` for a meter type that there is not.
    init(core: LedgerCore, query: UnreadableQuery) throws(LedgerError) {
        (self.core, self.query) = (core, query)
        if let key = query.meterType { _ = try core.versions(of: key) }
        // What is found while a history is being counted for the first time is shown at once.
        let all = core.currentMeterTypes()
        let shown = query.asOf.map { all.inForce(asOf: $0) } ?? all.inForceOrFirst()
        let asked = shown.filter { query.meterType == nil || $0.key == query.meterType }
        coverage = Coverage(asked)
        versions = Dictionary(asked.map { ($0.number, $0) }, uniquingKeysWith: { one, _ in one })
    }

    func answer() throws -> UnreadableAnswer {
        let log = LogReading(truth: core.truth, derived: core.derived)
        var events: [UnreadableEvent] = []
        var after = query.after ?? .init(position: .zero, meter: 0)
        while events.count <= query.limit {
            let rows = try rows(after: after)
            for row in rows {
                after = .init(
                    position: Position(UInt64(row["position"] as Int64)),
                    meter: UInt32(row["meter"] as Int64)
                )
                guard let version = versions[after.meter],
                    let reason = UnreadableReason(rawValue: UInt8(row["reason"] as Int64))
                else { continue }
                let logged = try log.event(at: after.position.value)
                guard try belongs(logged, after) else { continue }
                func text(_ slice: ByteSlice) -> String {
                    String(decoding: logged.bytes[slice.range], as: UTF8.self)
                }
                let event = UnreadableEvent(
                    meterType: version.key,
                    reason: reason,
                    source: text(logged.event.source),
                    id: text(logged.event.id),
                    orderKey: after
                )
                events.append(event)
                if events.count > query.limit { break }
            }
            if rows.count < Self.rowsPerStep { break }
        }
        return UnreadableAnswer(
            events: Array(events.prefix(query.limit)),
            hasMore: events.count > query.limit
        )
    }

    /// Whether the version rules the event's time.
    private func belongs(_ logged: LoggedEvent, _ key: UnreadableEvent.OrderKey) throws -> Bool {
        guard let version = versions[key.meter],
            version.effectiveFrom != nil || version.effectiveTo != nil
        else { return true }
        var time = logged.event.time
        if !logged.event.hasTime {
            guard let block = try core.truth.block(holding: key.position.value) else {
                return false
            }
            let place = Int(key.position.value - block.firstPosition)
            time = block.packed.arrivals.map(ArrivalList.read)?[place] ?? block.at
        }
        return coverage.instant(meter: key.meter, subject: 0, time: time)
    }

    private func rows(after: UnreadableEvent.OrderKey) throws -> [Row] {
        let numbers = versions.keys.sorted().map(String.init).joined(separator: ",")
        return try core.truth.pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT position, meter, reason FROM unreadable
                    WHERE (position, meter) > (?, ?) AND position <= ?
                        AND meter IN (\(numbers))
                    ORDER BY position, meter LIMIT ?
                    """,
                arguments: [
                    Int64(after.position.value), Int64(after.meter),
                    Int64((query.asOf ?? .last).value), Self.rowsPerStep,
                ]
            )
        }
    }
}
