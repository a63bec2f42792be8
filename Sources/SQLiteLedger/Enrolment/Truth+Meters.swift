internal import GRDB
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

// The table of what was said of meters: rows are only added.
extension Truth {
    /// A row of `meter_change`.
    struct MeterChangeRow: Sendable {
        var change: MeterRegistry.Change
        var id: MeterID
        var position: UInt64
        var at: Instant
        var reason = ""
        var category = ""
        var externalRef = ""
        var metadata: [MetadataMember] = []
    }

    /// Adds rows, all of them or none.
    ///
    /// - Complexity: some 15 µs a row, 40 µs for its entry in the audit trail, and one commit.
    func add(_ rows: [MeterChangeRow], audited: [AuditedChange], at now: Instant) throws {
        try pool.write { database in
            let statement = try database.cachedStatement(
                sql: """
                    INSERT INTO meter_change (number, position, at, meter_type, subject, kind,
                        from_time, to_time, reason, category, external_ref, metadata)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """
            )
            for row in rows {
                let metadata = row.metadata.isEmpty ? nil : row.metadata.document
                try statement.execute(arguments: [
                    row.change.number, Int64(row.position), row.at.microseconds,
                    row.id.meterType.text, row.id.subject, row.change.kind.rawValue,
                    row.change.from == .beginning ? nil : row.change.from.microseconds,
                    row.change.to == .end ? nil : row.change.to.microseconds,
                    row.reason, row.category, row.externalRef,
                    metadata.map { String(decoding: $0.serialized(), as: UTF8.self) },
                ])
            }
            try Self.audit(audited, at: now, database)
        }
    }

    func meterRegistry() throws -> MeterRegistry {
        try pool.read { database in
            var registry = MeterRegistry()
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT number, position, meter_type, subject, kind, from_time, to_time
                    FROM meter_change ORDER BY number
                    """
            )
            while let row = try rows.next() {
                guard let change = Self.change(row), let id = Self.id(row),
                    change.number == registry.last + 1
                else {
                    let number: Int64 = row["number"]
                    throw LedgerError(.corrupt, "change \(number) of the meters makes no sense")
                }
                registry.add(change, of: id, position: UInt64(row["position"] as Int64))
            }
            return registry
        }
    }

    private static func change(_ row: Row) -> MeterRegistry.Change? {
        guard let kind = MeterRegistry.Change.Kind(rawValue: row["kind"]) else { return nil }
        return MeterRegistry.Change(
            number: row["number"],
            kind: kind,
            from: (row["from_time"] as Int64?).map(Instant.init(microseconds:)) ?? .beginning,
            to: (row["to_time"] as Int64?).map(Instant.init(microseconds:)) ?? .end
        )
    }

    private static func id(_ row: Row) -> MeterID? {
        MeterTypeKey(row["meter_type"]).flatMap {
            MeterID(meterType: $0, subject: row["subject"])
        }
    }

    /// The meters that changes of some numbers speak of.
    func meters(changed numbers: ClosedRange<Int64>) throws -> Set<MeterID> {
        try pool.read { database in
            var ids: Set<MeterID> = []
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT meter_type, subject FROM meter_change WHERE number BETWEEN ? AND ?
                    """,
                arguments: [numbers.lowerBound, numbers.upperBound]
            )
            while let row = try rows.next() {
                if let id = Self.id(row) { ids.insert(id) }
            }
            return ids
        }
    }

    /// What was said of some meters, notes and reasons included.
    ///
    /// - Complexity: one index look-up a meter, some 10 µs.
    func enrolled(
        _ ids: some Sequence<MeterID>,
        by number: Int64 = .max
    ) throws -> [MeterID: EnrolledMeter] {
        try pool.read { database in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT * FROM meter_change
                    WHERE meter_type = ? AND subject = ? AND number <= ? ORDER BY number
                    """
            )
            var found: [MeterID: EnrolledMeter] = [:]
            for id in ids {
                let rows = try Row.fetchAll(
                    statement,
                    arguments: [id.meterType.text, id.subject, number]
                )
                for row in rows {
                    guard let change = Self.change(row) else { continue }
                    let at = Instant(microseconds: row["at"])
                    var meter =
                        found[id]
                        ?? EnrolledMeter(
                            enrolment: MeterEnrolment(id: id),
                            isEnrolled: false,
                            since: at
                        )
                    Self.take(row, change, at, into: &meter)
                    found[id] = meter
                }
            }
            return found
        }
    }

    private static func take(
        _ row: Row,
        _ change: MeterRegistry.Change,
        _ at: Instant,
        into meter: inout EnrolledMeter
    ) {
        let to = change.to == .end ? nil : change.to
        if let standing = change.kind.standing {
            meter.words.append(
                EnrolledMeter.Word(
                    change: StandingChange(
                        standing,
                        from: change.from,
                        to: to,
                        reason: row["reason"]
                    ),
                    at: at,
                    position: Position(UInt64(row["position"] as Int64))
                )
            )
            return
        }
        let metadata = (row["metadata"] as String?).flatMap { text in
            (try? JSONValue.parse(Array(text.utf8))).flatMap([MetadataMember].init(document:))
        }
        meter.enrolment.start = change.from == .beginning ? nil : change.from
        meter.enrolment.end = to
        meter.enrolment.category = row["category"]
        meter.enrolment.externalRef = row["external_ref"]
        meter.enrolment.metadata = metadata ?? []
        if change.kind == .enrolled { meter.isEnrolled = true }
    }
}
