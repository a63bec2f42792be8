internal import Metering
internal import UsageModel

// From readings to records.
extension RecordKeeper {
    private struct Place: Hashable {
        var start: Instant
        var subject: String

        init(_ reading: UsageReading) {
            (start, subject) = (reading.range.lowerBound, reading.subject ?? "")
        }

        init(_ period: RecordPeriod) {
            (start, subject) = (period.range.lowerBound, period.id.subject)
        }
    }

    /// What periods of a meter type come to.
    func readings(
        _ periods: [RecordPeriod],
        _ step: RecordStep
    ) async throws(LedgerError) -> [RecordPeriod: RecordReading] {
        var readings: [RecordPeriod: RecordReading] = [:]
        for asked in together(periods, step) {
            let query = query(asked, step)
            let answer = try await ledger.readings(query)
            let totals = Dictionary(
                answer.totals.map { (Place($0), $0) },
                uniquingKeysWith: { one, _ in one }
            )
            let rows = query.groupBy.isEmpty ? [] : answer.readings
            let parts = Dictionary(grouping: rows, by: Place.init)
            for (range, same) in Dictionary(grouping: asked, by: \.range) {
                let owners = try await owners(same, range, step)
                let evidence = try await evidence(same, range, asOf: answer.position, step)
                for period in same {
                    let total = totals[Place(period)]
                    let all = (parts[Place(period)] ?? []).filter { $0.events > 0 }
                    readings[period] = RecordReading(
                        value: total?.value,
                        exact: total?.exact,
                        events: total?.events ?? 0,
                        dimensions: all.prefix(Limits.recordPartsMax).map(Self.part),
                        hasMoreDimensions: all.count > Limits.recordPartsMax || answer.hasMore,
                        customer: owners[period.id.subject],
                        position: answer.position,
                        evidence: evidence[period.id.subject]
                    )
                }
            }
        }
        return readings
    }

    /// Periods that one question is asked for: those of one range, or where that takes fewer
    /// questions those of one meter. A ledger goes through all that it knows of a subject for each.
    private func together(_ periods: [RecordPeriod], _ step: RecordStep) -> [[RecordPeriod]] {
        struct Series: Hashable {
            var meter: MeterID
            var dimensions: [String]
        }
        let byRange = Dictionary(grouping: periods, by: \.range)
        let byMeter = Dictionary(grouping: periods) { period in
            Series(meter: period.id, dimensions: Self.dimensions(period, step))
        }
        guard byMeter.count < byRange.count else { return Array(byRange.values) }
        return byMeter.values.flatMap { periods in
            let sorted = periods.sorted { $0.range.lowerBound < $1.range.lowerBound }
            let overlap = zip(sorted, sorted.dropFirst()).contains { one, other in
                one.range.upperBound > other.range.lowerBound
            }
            return overlap ? sorted.map { [$0] } : [sorted]
        }
    }

    /// - Parameter periods: Of one range, or of one meter, in order.
    private func query(_ periods: [RecordPeriod], _ step: RecordStep) -> UsageQuery {
        let start = periods[0].range.lowerBound
        let end = periods[periods.count - 1].range.upperBound
        var query = UsageQuery(
            meterTypes: [step.calendar.key],
            subjects: Set(periods.map(\.id.subject)).sorted(),
            range: start..<end,
            groupBy: Self.dimensions(periods[0], step).map { .dimension($0) },
            carriedUntil: min(step.now, end),
            addsTotals: true,
            limit: Self.metersPerStep * Limits.recordPartsMax
        )
        if periods[0].range != start..<end { query.ranges = periods.map(\.range) }
        query.addsExact = true
        return query
    }

    /// Those of the version that rules the period.
    private static func dimensions(_ period: RecordPeriod, _ step: RecordStep) -> [String] {
        let version = step.calendar.version(at: period.range.lowerBound)
        return version?.definition.dimensions.map(\.name) ?? []
    }

    private static func part(_ reading: UsageReading) -> UsageRecord.Part {
        UsageRecord.Part(
            dimensions: reading.dimensions.map { .init(name: $0.name, value: $0.value) },
            value: reading.value,
            events: reading.events
        )
    }

    /// A record; after another one of the same period an adjustment of it.
    func record(
        of period: RecordPeriod,
        _ reading: RecordReading,
        after previous: UsageRecord?,
        _ step: RecordStep
    ) async throws(LedgerError) -> UsageRecord {
        let (start, end) = (period.range.lowerBound, period.range.upperBound)
        let revision = previous.map { $0.revision + 1 } ?? 0
        let zone = try step.calendar.zone(at: start, customers: period.zone)
        var record = UsageRecord(
            sequence: 0,
            id: UsageRecordID(meter: period.id, start: start, revision: revision),
            kind: previous == nil ? .final : .adjustment,
            cause: previous != nil ? .late : period.isCutShort ? .closedNow : .periodEnd,
            meter: period.id,
            version: step.version(of: period)?.version ?? 1,
            period: period.range,
            zone: zone.name,
            revision: revision,
            value: reading.value,
            delta: try Self.difference(reading.value, previous?.value),
            events: reading.events,
            eventsDelta: reading.events - (previous?.events ?? 0),
            position: reading.position,
            createdAt: clock()
        )
        (record.previous, record.exact) = (previous?.id, reading.exact)
        (record.localStart, record.localEnd) = (zone.local(start), zone.local(end))
        (record.dimensions, record.hasMoreDimensions) = (
            reading.dimensions, reading.hasMoreDimensions
        )
        // A meter of which everything was voided is listed no more, and nobody is told as its
        // owner.
        let last = reading.events == 0 ? previous?.customer : nil
        (record.customer, record.evidence) = (reading.customer ?? last, reading.evidence)
        record.labels = try await labels(of: period, record.customer, step)
        return record
    }

    /// An interim record of a period.
    ///
    /// - Parameter before: Those that there are, in their order.
    func interim(
        _ period: RecordPeriod,
        _ reading: RecordReading,
        _ cause: UsageRecord.Cause,
        _ crossing: UsageRecord.Crossing?,
        after before: [UsageRecord],
        _ step: RecordStep
    ) async throws(LedgerError) -> UsageRecord {
        var record = try await record(of: period, reading, after: nil, step)
        record.kind = .interim
        (record.cause, record.crossing) = (cause, crossing)
        record.revision = before.count + 1
        record.id = UsageRecordID(
            meter: period.id,
            start: period.range.lowerBound,
            interim: record.revision
        )
        record.previous = before.last?.id
        record.delta = .zero
        record.eventsDelta = reading.events - (before.last?.events ?? 0)
        return record
    }

    private static func difference(
        _ value: Quantity?,
        _ before: Quantity?
    ) throws(LedgerError) -> Quantity {
        do { return try (value ?? .zero).subtracting(before ?? .zero) } catch {
            throw LedgerError(.valueOverflow, "a difference of usage does not fit a quantity")
        }
    }

    /// Who owned the subjects at the last instant of a range.
    private func owners(
        _ periods: [RecordPeriod],
        _ range: Range<Instant>,
        _ step: RecordStep
    ) async throws(LedgerError) -> [String: CustomerKey] {
        guard step.hasCustomers else { return [:] }
        let query = MeterQuery(
            meterTypes: [step.calendar.key],
            subjects: periods.map(\.id.subject),
            at: Instant(microseconds: range.upperBound.microseconds - 1),
            limit: periods.count
        )
        var owners: [String: CustomerKey] = [:]
        for meter in try await ledger.meters(query).meters {
            owners[meter.id.subject] = meter.customer
        }
        return owners
    }

    private func labels(
        of period: RecordPeriod,
        _ customer: CustomerKey?,
        _ step: RecordStep
    ) async throws(LedgerError) -> UsageRecord.Labels {
        var labels = UsageRecord.Labels()
        if let definition = step.version(of: period)?.definition {
            (labels.name, labels.unit) = (definition.name, definition.unit)
            (labels.category, labels.externalRef) = (definition.category, definition.externalRef)
            labels.metadata = definition.metadata.map { .init(name: $0.name, value: $0.value) }
            labels.capacity = definition.capacity
        }
        if let enrolment = period.meter.enrolled?.enrolment {
            labels.meterCategory = enrolment.category
            labels.meterExternalRef = enrolment.externalRef
            labels.meterMetadata = enrolment.metadata
        }
        if let customer, let known = try await ledger.customer(customer) {
            labels.customerName = known.definition.name
            labels.customerExternalRef = known.definition.externalRef
        }
        return labels
    }
}
