internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel

/// What enrolments and owners have to say about the subjects of a reading, as known at its
/// position.
///
/// Subjects are numbers of the ledger's names: whoever is enrolled or owned has one.
struct SubjectCoverage {
    /// When the meters of one type count.
    struct MeterTimes {
        var rule: EnrolmentRule
        var spans: [UInt32: TimeSpans]

        func spans(of subject: UInt32) -> TimeSpans {
            spans[subject] ?? (rule == .auto ? .always : .never)
        }
    }

    private struct Owned {
        var range: Range<Instant>
        /// The place in ``customers``, from 1.
        var customer: UInt32
    }

    /// The meter types of which some events may not count, by their numbers.
    private var meters: [UInt32: MeterTimes] = [:]
    /// Who owns what; nil where the reading does not ask.
    private var owners: [UInt32: [Owned]]?
    /// The customers asked for; empty: all, and nobody.
    private var wanted: Set<UInt32> = []
    private var customers: [CustomerKey] = []
    /// The subjects that can matter; nil: all.
    private(set) var subjects: [String]?

    /// Whoever the subject is, all of it belongs.
    static let everybody = SubjectCoverage()

    private init() {}

    init(
        core: LedgerCore,
        query: UsageQuery,
        _ meterTypes: [UInt32: MeterType]
    ) throws(LedgerError) {
        if !query.subjects.isEmpty { subjects = query.subjects }
        if !query.customers.isEmpty || query.groupBy.contains(.customer) {
            try own(core, query)
        }
        let registry = core.meterRegistry.withLock { $0 }
        let known = query.asOf.map { registry.number(asOf: $0.value) } ?? registry.last
        for (number, meterType) in meterTypes
        where !registry.isUnrestricted(meterType.definition) {
            var times = MeterTimes(rule: meterType.definition.enrolment, spans: [:])
            var found: [(subject: String, spans: TimeSpans)] = []
            if let subjects {
                for subject in subjects {
                    let id = MeterID(meterType: meterType.key, subject: subject)
                    guard let spans = id.flatMap({ registry.spans(of: $0, by: known) }) else {
                        continue
                    }
                    found.append((subject, spans))
                }
            } else {
                registry.visit(meterType.key, by: known) { found.append(($0.subject, $1)) }
            }
            let numbers = core.derived.numbers(of: found.map(\.subject))
            for (number, one) in zip(numbers, found) where number != 0 {
                times.spans[number] = one.spans
            }
            meters[number] = times
        }
    }

    private mutating func own(_ core: LedgerCore, _ query: UsageQuery) throws(LedgerError) {
        let now = core.customerRegistry.withLock { $0 }
        for key in query.customers where now.customer(key) == nil {
            throw LedgerError(.notFound, "there is no customer \"\(key)\"")
        }
        let registry = query.asOf.map { now.asOf($0.value) } ?? now
        if subjects == nil, !query.customers.isEmpty {
            let owned = query.customers.flatMap { registry.customer($0)?.ownerships ?? [] }
            subjects = Set(owned.map(\.subject)).sorted()
        }
        var places: [CustomerKey: UInt32] = [:]
        var found: [(subject: String, owned: [Owned])] = []
        func place(_ key: CustomerKey) -> UInt32 {
            if let known = places[key] { return known }
            customers.append(key)
            places[key] = UInt32(customers.count)
            return UInt32(customers.count)
        }
        wanted = Set(query.customers.map(place))
        func take(_ subject: String, _ owners: [CustomerRegistry.Owner]) {
            let owned = owners.map { Owned(range: $0.range, customer: place($0.customer)) }
            found.append((subject, owned))
        }
        if let subjects {
            for subject in subjects { take(subject, registry.owners(of: subject)) }
        } else {
            registry.visitOwned(take)
        }
        var owners: [UInt32: [Owned]] = [:]
        for (number, one) in zip(core.derived.numbers(of: found.map(\.subject)), found)
        where number != 0 {
            owners[number] = one.owned
        }
        self.owners = owners
    }

    /// Whether what belongs of a meter is not the same for all subjects.
    func dependsOnSubject(meter: UInt32) -> Bool { owners != nil || meters[meter] != nil }

    /// The subjects that are enrolled, where nobody else can have a part in the reading of a meter;
    /// nil where others can.
    func enrolled(meter: UInt32) -> [UInt32]? {
        guard let times = meters[meter], times.rule == .explicit else { return nil }
        return Array(times.spans.keys)
    }

    /// How much of a subject's bucket belongs to the reading of a meter.
    func bucket(meter: UInt32, subject: UInt32, _ range: Range<Instant>) -> Coverage.Part {
        var part = Coverage.Part.whole
        if let times = meters[meter] {
            switch times.spans(of: subject).extent(of: range) {
            case .whole: break
            case .none: return .none
            case .partial: part = .partial
            }
        }
        guard let owners else { return part }
        guard let owned = owners[subject]?.first(where: { $0.range.overlaps(range) }) else {
            return wanted.isEmpty ? part : .none
        }
        let isOneOwners =
            owned.range.lowerBound <= range.lowerBound
            && owned.range.upperBound >= range.upperBound
        guard isOneOwners else { return .partial }
        return wanted.isEmpty || wanted.contains(owned.customer) ? part : .none
    }

    func instant(meter: UInt32, subject: UInt32, time: Instant) -> Bool {
        if let times = meters[meter], !times.spans(of: subject).contains(time) { return false }
        return wanted.isEmpty || wanted.contains(owner(of: subject, at: time))
    }

    /// The stretch of time around an instant in which a meter counts a subject, whoever owns it.
    func stretch(meter: UInt32, subject: UInt32, time: Instant) -> Range<Instant>? {
        guard let times = meters[meter] else { return .allTime }
        return times.spans(of: subject).range(containing: time)
    }

    /// Where the stretches of a meter's subjects begin and end.
    func edges(meter: UInt32) -> [Instant] {
        (meters[meter]?.spans.values).map { all in
            all.flatMap { $0.ranges.flatMap { [$0.lowerBound, $0.upperBound] } }
        } ?? []
    }

    /// The parts of a stretch that belong to the reading, each with the number of its customer: see
    /// ``owner(of:at:)``.
    func parts(
        of stretch: Range<Instant>,
        subject: UInt32
    ) -> [(range: Range<Instant>, customer: UInt32)] {
        guard let owners else { return [(stretch, 0)] }
        var parts: [(range: Range<Instant>, customer: UInt32)] = []
        var start = stretch.lowerBound
        func add(_ end: Instant, _ customer: UInt32) {
            let end = min(end, stretch.upperBound)
            guard start < end else { return }
            if wanted.isEmpty || wanted.contains(customer) { parts.append((start..<end, customer)) }
            start = end
        }
        let owned = owners[subject] ?? []
        for one in owned.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            add(one.range.lowerBound, 0)
            add(one.range.upperBound, one.customer)
        }
        add(stretch.upperBound, 0)
        return parts
    }

    /// The number of the customer who owns a subject; 0: nobody, or the reading does not ask.
    func owner(of subject: UInt32, at time: Instant) -> UInt32 {
        owners?[subject]?.first { $0.range.contains(time) }?.customer ?? 0
    }

    func customer(_ number: UInt32) -> String? {
        number == 0 ? nil : customers[Int(number) - 1].text
    }
}

extension DerivedState {
    /// Names that are looked up under one hold of the lock.
    private static var namesPerHold: Int { 1_024 }

    /// The numbers of names; 0 for one that the ledger does not know.
    func numbers(of names: [String]) -> [UInt32] {
        var numbers: [UInt32] = []
        numbers.reserveCapacity(names.count)
        for start in stride(from: 0, to: names.count, by: Self.namesPerHold) {
            let part = names[start..<min(start + Self.namesPerHold, names.count)].map { name in
                let bytes = Array(name.utf8)
                return (bytes, hash(of: bytes))
            }
            numbers += read { tables in part.map { tables.names.find($0.0, hash: $0.1) ?? 0 } }
        }
        return numbers
    }
}
