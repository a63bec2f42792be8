internal import Metering
public import MeteringEngine
public import UsageModel

/// The reference for readings: a list of events and a fold over all of them, with nothing clever.
public struct NaiveUsage: Sendable {
    /// In the order of their positions; a key twice is the caller's mistake.
    public var events: [SampleEvent]

    public init(_ events: [SampleEvent] = []) { self.events = events }

    /// The readings of one meter type over given windows.
    ///
    /// The meter type's value is `$.data.amount`, or `$.data.users` for unique, `$.data.model` and
    /// `$.source` for unique-pairs, or an expression of ``SampleRule``, and so is its filter; its
    /// only dimension is `model`, what stands at `$.data.model`.
    public func readings(
        _ definition: MeterTypeDefinition,
        windows: [Range<Instant>],
        subjects: [String] = [],
        bySubject: Bool = false,
        byModel: Bool = false,
        upTo position: Int? = nil,
        carriedUntil: Instant = Instant(microseconds: .max)
    ) -> [UsageReading] {
        readings(
            [Version(definition: definition)],
            windows: windows,
            subjects: subjects,
            bySubject: bySubject,
            byModel: byModel,
            upTo: position,
            carriedUntil: carriedUntil
        )
    }

    /// A definition, and from when on it counts.
    public struct Version: Sendable {
        public var definition: MeterTypeDefinition
        /// nil: since ever.
        public var from: Instant?

        public init(definition: MeterTypeDefinition, from: Instant? = nil) {
            (self.definition, self.from) = (definition, from)
        }
    }

    /// The version that rules an event: of those that began by its time the one made last.
    public static func ruling(_ versions: [Version], _ event: SampleEvent) -> Version? {
        versions.last { version in version.from.map { $0 <= event.time } ?? true }
    }

    /// What an event means to a version: nil where it does not count.
    static func member(
        _ version: Version?,
        _ event: SampleEvent,
        _ place: Int
    ) -> Member? {
        guard let definition = version?.definition else { return nil }
        let type = Array(event.type.utf8)
        let value = Self.value(of: event, definition)
        guard definition.eventTypes.contains(where: { $0.matches(type) }),
            definition.filter.map({ SampleRule.holds($0, event) == true }) ?? true,
            definition.aggregation.takesPair ? event.model != nil : true,
            !definition.aggregation.needsNumber || value != nil,
            definition.aggregation != .counter || value.map({ $0 >= .zero }) ?? false
        else { return nil }
        let hasModel = definition.dimensions.contains { $0.name == "model" }
        let model = hasModel ? event.model?.replacing("\\\"", with: "\"") : nil
        return Member(event: event, place: place, value: value, model: model)
    }

    /// How many events some version of some meter type counts.
    public func counted(_ meterTypes: [[Version]]) -> Int {
        events.count { event in
            meterTypes.contains { Self.member(Self.ruling($0, event), event, 0) != nil }
        }
    }

    /// The same of a meter type whose definition changed, its first version first.
    public func readings(
        _ versions: [Version],
        windows: [Range<Instant>],
        subjects: [String] = [],
        bySubject: Bool = false,
        byModel: Bool = false,
        upTo position: Int? = nil,
        carriedUntil: Instant = Instant(microseconds: .max)
    ) -> [UsageReading] {
        if versions.first?.definition.aggregation.isCarried == true {
            return carriedReadings(
                versions,
                windows: windows,
                subjects: subjects,
                bySubject: bySubject,
                byModel: byModel,
                upTo: position,
                carriedUntil: carriedUntil
            ) { version, _ in [Part(range: Self.ruled(versions, version))] }
        }
        struct Group: Hashable {
            var window: Int
            var subject: String?
            var model: String?
        }
        guard let definition = versions.first?.definition else { return [] }
        var groups: [Group: [Member]] = [:]
        for (place, event) in events.prefix(position ?? events.count).enumerated() {
            guard let member = Self.member(Self.ruling(versions, event), event, place),
                subjects.isEmpty || subjects.contains(event.subject),
                let window = windows.firstIndex(where: { $0.contains(event.time) })
            else { continue }
            let showsSubject = bySubject || !subjects.isEmpty
            let group = Group(
                window: window,
                subject: showsSubject ? event.subject : nil,
                model: byModel ? member.model : nil
            )
            groups[group, default: []].append(member)
        }
        return groups.map { group, members in
            UsageReading(
                meterType: definition.key,
                subject: group.subject,
                range: windows[group.window],
                dimensions: byModel ? [.init(name: "model", value: group.model)] : [],
                value: Self.value(definition, members),
                events: Int64(members.count)
            )
        }.sorted { $0.orderKey < $1.orderKey }
    }

    struct Member {
        var event: SampleEvent
        var place: Int
        var value: Quantity?
        var model: String?
    }

    private static func value(
        of event: SampleEvent,
        _ definition: MeterTypeDefinition
    ) -> Quantity? {
        if case .expression(let text) = definition.value { return SampleRule.value(text, event) }
        return event.value
    }

    private static func value(
        _ definition: MeterTypeDefinition,
        _ members: [Member]
    ) -> Quantity? {
        let values = members.compactMap(\.value)
        let one: Int128 = 1_000_000_000_000_000_000
        switch definition.aggregation {
        case .count: return Quantity(mantissa: Int128(members.count) * one)
        case .sum: return Quantity(mantissa: values.reduce(0) { $0 + $1.mantissa })
        case .min: return values.min()
        case .max: return values.max()
        case .unique:
            let users = Set(members.flatMap(\.event.users))
            return Quantity(mantissa: Int128(users.count) * one)
        case .uniquePairs:
            let pairs = Set(members.map { [$0.event.model, $0.event.source] })
            return Quantity(mantissa: Int128(pairs.count) * one)
        case .percentile:
            return definition.percentile.map { Self.value($0, of: values.sorted()) }
        case .first:
            return members.min { left, right in
                (left.event.time, left.place) < (right.event.time, right.place)
            }?.value
        case .timeWeighted, .counter, .peakConcurrency: return nil
        case .latest:
            return members.max { left, right in
                (left.event.time, left.place) < (right.event.time, right.place)
            }?.value
        case .average:
            let sum = values.reduce(Int128(0)) { $0 + $1.mantissa }
            let count = Int128(values.count)
            var (quotient, remainder) = sum.quotientAndRemainder(dividingBy: count)
            let twice = remainder.magnitude * 2
            let isUp =
                twice > count.magnitude
                || (twice == count.magnitude && !quotient.isMultiple(of: 2))
            if isUp { quotient += sum < 0 ? -1 : 1 }
            return Quantity(mantissa: quotient)
        }
    }

    /// Of at least one value, in their order.
    private static func value(_ percentile: Percentile, of values: [Quantity]) -> Quantity {
        let (share, whole) = (Int128(percentile.share), Int128(Percentile.whole))
        if percentile.method == .nearestRank {
            let enough = values.indices.first {
                Int128($0 + 1) * whole >= share * Int128(values.count)
            }
            return values[enough ?? values.count - 1]
        }
        let (index, part) = (share * Int128(values.count - 1)).quotientAndRemainder(
            dividingBy: whole
        )
        let lower = values[Int(index)].mantissa
        guard part > 0 else { return values[Int(index)] }
        let (steps, rest) = (values[Int(index) + 1].mantissa - lower)
            .quotientAndRemainder(dividingBy: whole)
        let (up, left) = (rest * part).quotientAndRemainder(dividingBy: whole)
        let below = lower + steps * part + up
        let isUp = left * 2 > whole || (left * 2 == whole && !below.isMultiple(of: 2))
        return Quantity(mantissa: isUp ? below + 1 : below)
    }
}
