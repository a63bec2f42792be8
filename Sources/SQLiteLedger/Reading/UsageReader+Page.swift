internal import Metering
internal import MeteringEngine
internal import UsageModel

// What was gathered becomes readings: in order, a page of them, and the totals beside.
extension UsageReader {
    func page(
        _ gathered: [UsageReading.OrderKey: MeterFold],
        _ windows: UsageWindows
    ) throws -> [UsageReading] {
        var keys = Array(gathered.keys)
        if query.isCut, !query.fillsZero {
            keys.removeAll { gathered[$0]?.isNothing == true }
        }
        if let after = query.after { keys = keys.filter { $0 > after } }
        keys.sort()
        return try readings(keys.prefix(query.limit + 1), of: gathered, windows)
    }

    private func readings(
        _ keys: some Sequence<UsageReading.OrderKey>,
        of gathered: [UsageReading.OrderKey: MeterFold],
        _ windows: UsageWindows
    ) throws -> [UsageReading] {
        let ends = Dictionary(
            windows.ranges.map { ($0.lowerBound, $0) },
            uniquingKeysWith: { one, _ in one }
        )
        let versions = Dictionary(grouping: meterTypes.values, by: \.key)
        let names = query.groupBy.compactMap { group in
            if case .dimension(let name) = group { name } else { nil }
        }
        return try keys.compactMap { key in
            guard let row = gathered[key], let range = ends[key.start],
                let definition = Self.definition(versions[key.meterType] ?? [], ruling: range)
            else { return nil }
            var reading = UsageReading(
                meterType: key.meterType,
                customer: key.groups[0],
                subject: key.groups[1],
                range: range,
                dimensions: zip(names, key.groups.dropFirst(2)).map { .init(name: $0, value: $1) },
                value: try value(row, definition),
                events: row.state.count
            )
            if query.addsExact, definition.rounding != nil {
                var exact = definition
                exact.rounding = nil
                reading.exact = try value(row, exact)
            }
            return reading
        }
    }

    /// The definition that says how a value over a range is rounded: the one in force at its end.
    private static func definition(
        _ versions: [MeterType],
        ruling range: Range<Instant>
    ) -> MeterTypeDefinition? {
        let last = Instant(microseconds: max(range.upperBound.microseconds, .min + 1) - 1)
        let ruling = versions.first { $0.effective.contains(last) }
        return (ruling ?? versions.min { $0.number < $1.number })?.definition
    }

    private func value(_ row: MeterFold, _ definition: MeterTypeDefinition) throws -> Quantity? {
        do {
            return try row.value(definition)
        } catch {
            throw LedgerError(
                .valueOverflow,
                "the value of \"\(definition.key)\" does not fit a quantity"
            )
        }
    }

    /// The readings over all groups.
    func totals(
        _ gathered: [UsageReading.OrderKey: MeterFold],
        _ windows: UsageWindows
    ) throws -> [UsageReading] {
        var totals: [UsageReading.OrderKey: MeterFold] = [:]
        let versions = Dictionary(grouping: meterTypes.values, by: \.key)
        for (meterType, same) in versions {
            let aggregation = same[0].definition.aggregation
            func key(_ start: Instant, _ groups: [String?]) -> UsageReading.OrderKey {
                UsageReading.OrderKey(start: start, meterType: meterType, groups: groups)
            }
            for range in windows.ranges {
                for groups in namedGroups { totals[key(range.lowerBound, groups)] = MeterFold() }
            }
            for (group, row) in gathered where group.meterType == meterType {
                let key = key(
                    group.start,
                    [
                        query.customers.isEmpty ? nil : group.groups[0],
                        named.isEmpty ? nil : group.groups[1],
                    ]
                )
                totals[key, default: MeterFold()].merge(row, aggregation)
            }
        }
        return try readings(totals.keys.sorted(), of: totals, windows)
    }
}
