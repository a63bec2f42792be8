internal import Metering
internal import Synchronization
internal import UsageModel

// Thresholds: who reached one in a period that is running, and who fell below it again.
extension RecordKeeper {
    /// How often all meters are looked at whose readings grow by themselves, in microseconds.
    private static let watchInterval: Int64 = 60_000_000

    /// Holds all meters of a type against its thresholds, where that was not done, or their
    /// readings grow without an event.
    ///
    /// - Parameter isNew: Whether the thresholds or what is counted may have changed.
    func watchAll(_ step: RecordStep, isNew: Bool) async throws(LedgerError) -> Int {
        let key = step.calendar.key
        guard step.hasThresholds else { return 0 }
        let definition = step.calendar.version(at: step.now)?.definition
        let isGrowing = definition?.aggregation.isCarried ?? false
        let last = watched.withLock { $0[key] }
        let isDue = last.map { step.now.microseconds - $0.microseconds >= Self.watchInterval }
        guard isNew || (isGrowing && isDue ?? true) else { return 0 }
        var made = 0
        var place: MeterQuery.Place?
        repeat {
            var query = MeterQuery(meterTypes: [key], at: step.now, limit: Self.metersPerStep)
            query.after = place
            let page = try await ledger.meters(query)
            made += try await watch(page.meters, step)
            place = page.next
        } while place != nil && !Task.isCancelled
        watched.withLock { $0[key] = step.now }
        return made
    }

    /// Holds some meters against the thresholds of their type.
    func watch(_ meters: [Meter], _ step: RecordStep) async throws(LedgerError) -> Int {
        guard step.hasThresholds else { return 0 }
        var periods: [RecordPeriod] = []
        for meter in meters { periods += try await running(meter, step) }
        periods = periods.filter { !step.rules(of: $0).thresholds.isEmpty }
        var commit = RecordCommit()
        for start in stride(from: 0, to: periods.count, by: Self.metersPerStep) {
            let some = Array(periods[start..<min(start + Self.metersPerStep, periods.count)])
            let readings = try await readings(some, step)
            for period in some {
                guard let reading = readings[period] else { continue }
                commit.records += try await crossings(of: period, reading, step)
            }
        }
        guard !commit.isEmpty else { return 0 }
        try await store.keep(commit)
        await rest()
        return commit.records.count
    }

    /// The periods of a meter that began and are not due.
    func running(_ meter: Meter, _ step: RecordStep) async throws(LedgerError) -> [RecordPeriod] {
        let zone = try await zone(of: meter, step.calendar)
        guard let first = try step.firstStart(of: meter, zone) else { return [] }
        let closed = try await store.closings(of: [meter.id])[meter.id]?.until
        return try step.running(meter, from: closed ?? first, zone)
    }

    /// What is to be told of a period's thresholds: each that the reading reached since it was last
    /// told of, the least first; then those that it fell below.
    private func crossings(
        of period: RecordPeriod,
        _ reading: RecordReading,
        _ step: RecordStep
    ) async throws(LedgerError) -> [UsageRecord] {
        guard let definition = step.version(of: period)?.definition else { return [] }
        var told = try await store.interims(of: period.id, start: period.range.lowerBound)
        var crossed: Set<String> = []
        for record in told {
            guard let name = record.crossing?.name else { continue }
            if record.cause == .recovery { crossed.remove(name) } else { crossed.insert(name) }
        }
        let value = reading.value ?? .zero
        let levels = definition.records.thresholds.compactMap { threshold in
            threshold.amount(capacity: definition.capacity).map { (threshold, $0) }
        }
        .sorted { $0.1 < $1.1 }
        var records: [UsageRecord] = []
        for (threshold, amount) in levels {
            // A type that counts nothing at all has not reached 0.
            let isReached = reading.value != nil && value >= amount && reading.isSomething
            guard isReached != crossed.contains(threshold.name),
                told.count < Limits.interimRecordsMax
            else { continue }
            var percent: Quantity?
            if case .percent(let share) = threshold.level { percent = share }
            let record = try await interim(
                period,
                reading,
                isReached ? .threshold : .recovery,
                .init(name: threshold.name, percent: percent, amount: amount),
                after: told,
                step
            )
            told.append(record)
            records.append(record)
        }
        return records
    }
}

extension RecordStep {
    /// Whether any version in force has a threshold.
    var hasThresholds: Bool { calendar.hasThresholds }
}
