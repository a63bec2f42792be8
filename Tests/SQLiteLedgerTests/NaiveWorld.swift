import MeteringEngine
import MeteringTestKit
import UsageModel

/// What was said and what was used, as plain lists: the reference for enrolments and customers.
struct NaiveWorld {
    enum Word {
        case dates(from: Instant?, to: Instant?)
        case standing(MeterStanding, from: Instant, to: Instant?)
    }

    /// In the order of their positions.
    var events: [SampleEvent] = []
    /// In the order in which they were said.
    var words: [(position: Int, id: MeterID, word: Word)] = []
    var customers: [(position: Int, customer: Customer)] = []

    /// Whether an event of a subject counts, by what was known at a position.
    func counts(
        _ event: SampleEvent,
        _ definition: MeterTypeDefinition,
        asOf position: Int?
    ) -> Bool {
        var (isKnown, isWithin, isActive) = (false, true, true)
        for (at, id, word) in words {
            guard at <= position ?? .max, id.subject == event.subject,
                id.meterType == definition.key
            else { continue }
            isKnown = true
            switch word {
            case .dates(let from, let to):
                isWithin =
                    (from.map { event.time >= $0 } ?? true)
                    && (to.map { event.time < $0 } ?? true)
            case .standing(let standing, let from, let to):
                if event.time >= from, to.map({ event.time < $0 }) ?? true {
                    isActive = standing == .active
                }
            }
        }
        return isKnown ? isWithin && isActive : definition.enrolment == .auto
    }

    func owner(of event: SampleEvent, asOf position: Int?) -> String? {
        var last: [CustomerKey: Customer] = [:]
        for (at, customer) in customers where at <= position ?? .max {
            last[customer.key] = customer
        }
        for customer in last.values {
            for owned in customer.definition.subjects where owned.subject == event.subject {
                let isOver = customer.retiredAt.map { event.time >= $0 } ?? false
                if owned.from.map({ event.time >= $0 }) ?? true,
                    owned.to.map({ event.time < $0 }) ?? true, !isOver
                {
                    return customer.key.text
                }
            }
        }
        return nil
    }

    /// The readings over windows, by customer where that is asked for.
    func readings(
        _ definition: MeterTypeDefinition,
        windows: [Range<Instant>],
        subjects: [String],
        bySubject: Bool,
        byModel: Bool,
        customers: [String],
        byCustomer: Bool,
        asOf position: Int?,
        carriedUntil: Instant
    ) -> [UsageReading] {
        let shows = byCustomer || !customers.isEmpty
        if definition.aggregation.isCarried {
            return NaiveUsage(events).carriedReadings(
                [NaiveUsage.Version(definition: definition)],
                windows: windows,
                subjects: subjects,
                bySubject: bySubject,
                byModel: byModel,
                upTo: position,
                carriedUntil: carriedUntil
            ) { _, subject in
                parts(definition, subject, showsOwner: shows, asOf: position)
            }.filter { customers.isEmpty || customers.contains($0.customer ?? "") }
        }
        let known = events.prefix(position ?? events.count)
        let counted = known.filter { counts($0, definition, asOf: position) }
        var groups: [String?: NaiveUsage] = [:]
        for event in counted {
            let owner = owner(of: event, asOf: position)
            guard customers.isEmpty || customers.contains(where: { $0 == owner }) else { continue }
            groups[shows ? owner : nil, default: NaiveUsage()].events.append(event)
        }
        return groups.flatMap { owner, usage in
            usage.readings(
                definition,
                windows: windows,
                subjects: subjects,
                bySubject: bySubject,
                byModel: byModel
            ).map { reading in
                var reading = reading
                reading.customer = owner
                return reading
            }
        }.sorted { $0.orderKey < $1.orderKey }
    }

    /// The parts of time in which a meter counts, found by asking at each instant at which anything
    /// that was said begins or ends.
    private func parts(
        _ definition: MeterTypeDefinition,
        _ subject: String,
        showsOwner: Bool,
        asOf position: Int?
    ) -> [NaiveUsage.Part] {
        var edges: [Instant?] = [.beginning, .end]
        for (_, id, word) in words where id.subject == subject {
            switch word {
            case .dates(let from, let to): edges += [from, to]
            case .standing(_, let from, let to): edges += [from, to]
            }
        }
        for (_, customer) in customers {
            edges.append(customer.retiredAt)
            for owned in customer.definition.subjects where owned.subject == subject {
                edges += [owned.from, owned.to]
            }
        }
        var parts: [NaiveUsage.Part] = []
        var stretch = 0
        let sorted = Set(edges.compactMap(\.self)).sorted()
        for (start, end) in zip(sorted, sorted.dropFirst()) {
            let probe = SampleEvent(id: "probe", subject: subject, time: start)
            guard counts(probe, definition, asOf: position) else {
                stretch += 1
                continue
            }
            let owner = showsOwner ? owner(of: probe, asOf: position) : nil
            parts.append(.init(range: start..<end, stretch: stretch, customer: owner))
        }
        return parts
    }

    /// How many events some meter type counts.
    func counted(_ definitions: [MeterTypeDefinition]) -> Int {
        events.count { event in
            definitions.contains { definition in
                counts(event, definition, asOf: nil)
                    && NaiveUsage([event]).counted([[.init(definition: definition)]]) == 1
            }
        }
    }
}
