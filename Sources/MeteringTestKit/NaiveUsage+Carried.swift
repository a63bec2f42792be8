internal import Metering
public import MeteringEngine
public import UsageModel

// Readings of the aggregations whose values are carried, by ``NaiveSeries``.
extension NaiveUsage {
    /// A part of time in which a version counts a subject, for one customer.
    public struct Part: Sendable {
        public var range: Range<Instant>
        /// Values hold from one part into the next of the same stretch, and in no other.
        public var stretch: Int
        public var customer: String?

        public init(range: Range<Instant>, stretch: Int = 0, customer: String? = nil) {
            (self.range, self.stretch, self.customer) = (range, stretch, customer)
        }

        fileprivate func times(in window: Range<Instant>) -> Range<Int64> {
            let range = range.clamped(to: window).clamped(to: Instant.reach)
            return range.lowerBound.microseconds..<range.upperBound.microseconds
        }
    }

    private struct SeriesKey: Hashable {
        /// The first of the versions that it is of.
        var version: Int
        var subject: String
        var model: String?
        var stretch: Int
    }

    private struct Group: Hashable {
        var customer: String?
        var subject: String?
        var model: String?
    }

    /// A series, as far as it belongs to one group.
    private struct Share {
        var definition: MeterTypeDefinition
        var series: NaiveSeries
        var part: Part
    }

    /// When a version rules.
    static func ruled(_ versions: [Version], _ place: Int) -> Range<Instant> {
        let from = versions[place].from ?? .beginning
        let end = versions[(place + 1)...].map { $0.from ?? .beginning }.min() ?? .end
        return from..<max(from, end)
    }

    /// Of each version the first of those that it goes on from: one that rules until it does, and
    /// makes the same of any event.
    static func continued(_ versions: [Version]) -> [Int] {
        func before(_ place: Int) -> Int? {
            let start = ruled(versions, place).lowerBound
            return versions.indices.first { other in
                let ruled = ruled(versions, other)
                var definition = versions[other].definition
                let own = versions[place].definition
                // What has no part in reading events.
                (definition.name, definition.description) = (own.name, own.description)
                (definition.category, definition.externalRef) = (own.category, own.externalRef)
                (definition.metadata, definition.capacity) = (own.metadata, own.capacity)
                (definition.rounding, definition.records) = (own.rounding, own.records)
                (definition.timezone, definition.resetSchedule) = (own.timezone, own.resetSchedule)
                return !ruled.isEmpty && ruled.upperBound == start && definition == own
            }
        }
        return versions.indices.map { place in
            var first = place
            while let earlier = before(first) { first = earlier }
            return first
        }
    }

    /// One reading for each window and group of a series that there is; a value that is no quantity
    /// is nil.
    ///
    /// - Parameter parts: Of a version, by its place, and a subject: none that overlap.
    public func carriedReadings(
        _ versions: [Version],
        windows: [Range<Instant>],
        subjects: [String],
        bySubject: Bool,
        byModel: Bool,
        upTo position: Int?,
        carriedUntil: Instant,
        parts: (_ version: Int, _ subject: String) -> [Part]
    ) -> [UsageReading] {
        guard let definition = versions.first?.definition else { return [] }
        var series: [SeriesKey: [NaiveSeries.Fact]] = [:]
        var known: [String: [[Part]]] = [:]
        let continued = Self.continued(versions)
        for (place, event) in events.prefix(position ?? events.count).enumerated()
        where subjects.isEmpty || subjects.contains(event.subject) {
            let subject = event.subject
            let all = known[subject] ?? versions.indices.map { parts($0, subject) }
            known[subject] = all
            for version in versions.indices {
                guard let part = all[version].first(where: { $0.range.contains(event.time) }),
                    let member = Self.member(versions[version], event, place),
                    let value = member.value
                else { continue }
                let key = SeriesKey(
                    version: continued[version],
                    subject: subject,
                    model: member.model,
                    stretch: part.stretch
                )
                let fact = NaiveSeries.Fact(
                    mantissa: value.mantissa,
                    time: event.time.microseconds,
                    position: UInt64(place + 1)
                )
                series[key, default: []].append(fact)
            }
        }
        let groups = Self.shares(
            series,
            versions,
            known,
            showsSubject: bySubject || !subjects.isEmpty,
            byModel: byModel
        )
        let readings = groups.flatMap { group, shares in
            windows.map { window in
                UsageReading(
                    meterType: definition.key,
                    customer: group.customer,
                    subject: group.subject,
                    range: window,
                    dimensions: byModel ? [.init(name: "model", value: group.model)] : [],
                    value: Self.value(definition, shares, window, carriedUntil),
                    events: Self.events(shares, window)
                )
            }
        }
        return readings.sorted { $0.orderKey < $1.orderKey }
    }

    private static func shares(
        _ series: [SeriesKey: [NaiveSeries.Fact]],
        _ versions: [Version],
        _ known: [String: [[Part]]],
        showsSubject: Bool,
        byModel: Bool
    ) -> [Group: [Share]] {
        var groups: [Group: [Share]] = [:]
        for (key, facts) in series {
            for (version, first) in continued(versions).enumerated() where first == key.version {
                let definition = versions[version].definition
                for part in known[key.subject]?[version] ?? [] where part.stretch == key.stretch {
                    let group = Group(
                        customer: part.customer,
                        subject: showsSubject ? key.subject : nil,
                        model: byModel ? key.model : nil
                    )
                    let series = NaiveSeries(facts)
                    groups[group, default: []].append(
                        Share(definition: definition, series: series, part: part)
                    )
                }
            }
        }
        return groups
    }

    private static func events(_ shares: [Share], _ window: Range<Instant>) -> Int64 {
        shares.reduce(0) { $0 + $1.series.events(in: $1.part.times(in: window)) }
    }

    private static func value(
        _ definition: MeterTypeDefinition,
        _ shares: [Share],
        _ window: Range<Instant>,
        _ carriedUntil: Instant
    ) -> Quantity? {
        let shares = shares.filter { !$0.part.times(in: window).isEmpty }
        switch definition.aggregation {
        case .timeWeighted:
            let areas = shares.map { share in
                share.series.area(
                    share.part.times(in: window),
                    carryMax: share.definition.carryMax?.microseconds,
                    until: carriedUntil.microseconds
                )
            }
            let unit = definition.timeUnit ?? .second
            return areas.reduce(.zero, +).quotient(by: unit.microseconds)
        case .counter:
            return shares.map { $0.series.growth($0.part.times(in: window)) }.reduce(.zero, +)
                .quotient(by: 1)
        default:
            let times = Part(range: window).times(in: window)
            let isOver = times.lowerBound >= carriedUntil.microseconds
            if isOver, events(shares, window) == 0 { return .zero }
            let changes = shares.flatMap { $0.series.changes(within: $0.part.times(in: window)) }
            return NaiveSeries.peak(of: changes, in: times)
        }
    }
}
