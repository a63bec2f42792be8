internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel

/// Lists meters: the pairs of a subject and a meter type that have rollup cells, or are enrolled.
struct MeterReader {
    private let core: LedgerCore
    private let query: MeterQuery
    private let meterTypes: [UInt32: MeterType]
    /// The asked meter types, each once, in the order of their keys.
    private let keys: [(key: MeterTypeKey, rule: EnrolmentRule, isRetired: Bool)]
    private let registry: MeterRegistry
    private let customers: CustomerRegistry
    private var meters: [Meter] = []
    private var next: MeterQuery.Place?

    init(core: LedgerCore, query: MeterQuery) throws(LedgerError) {
        (self.core, self.query) = (core, query)
        for key in query.meterTypes { _ = try core.versions(of: key) }
        registry = core.meterRegistry.withLock { $0 }
        customers = core.customerRegistry.withLock { $0 }
        for key in query.customers where customers.customer(key) == nil {
            throw LedgerError(.notFound, "there is no customer \"\(key)\"")
        }
        var meterTypes: [UInt32: MeterType] = [:]
        var keys: [MeterTypeKey: (rule: EnrolmentRule, isRetired: Bool)] = [:]
        let all = core.currentMeterTypes().filter { version in
            query.meterTypes.isEmpty || query.meterTypes.contains(version.key)
        }
        // While a history is being counted for the first time, its list grows.
        for version in all.inForceOrFirst() { meterTypes[version.number] = version }
        for version in meterTypes.values.sorted(by: { $0.number < $1.number }) {
            keys[version.key] = (version.definition.enrolment, version.retiredAt != nil)
        }
        self.meterTypes = meterTypes
        self.keys = keys.map { ($0, $1.rule, $1.isRetired) }.sorted { $0.0 < $1.0 }
    }

    consuming func answer() throws -> MeterAnswer {
        let position = core.derived.read { $0.position }
        var walk = SubjectWalk(core: core, prefix: query.prefix, spans: core.spans(meterTypes))
        let start = query.after.map { walk.number(of: $0.subject) ?? 1 } ?? 1
        let asked = query.subjects.isEmpty ? customersSubjects : query.subjects
        if let asked {
            try walk.visit(subjects: asked, from: start) { try list($1, $0) }
        } else if let last = try walk.visitAll(from: start, { try list($1, $0) }) {
            next = MeterQuery.Place(subject: last, meterType: nil)
        }
        let details = try core.truth.enrolled(meters.map(\.id).filter(registry.isKnown))
        for place in meters.indices { meters[place].enrolled = details[meters[place].id] }
        return MeterAnswer(position: Position(position), meters: meters, next: next)
    }

    /// The subjects that the asked customers own; nil where no customer is asked for.
    private var customersSubjects: [String]? {
        guard !query.customers.isEmpty else { return nil }
        return query.customers.flatMap { key in
            (customers.customer(key)?.ownerships ?? []).filter { $0.range.contains(query.at) }
                .map(\.subject)
        }
    }

    /// Lists the meters of one subject; false when the page is full.
    private mutating func list(
        _ found: [UInt32: SubjectWalk.Found],
        _ subject: String
    ) throws -> Bool {
        let customer = customers.owner(of: subject, at: query.at)
        if !query.customers.isEmpty {
            guard let customer, query.customers.contains(customer) else { return true }
        }
        var byKey: [MeterTypeKey: SubjectWalk.Found] = [:]
        for (number, one) in found {
            guard let key = meterTypes[number]?.key else { continue }
            var joined = byKey[key] ?? SubjectWalk.Found()
            joined.events += one.events
            joined.first = min(joined.first, one.first)
            joined.last = max(joined.last, one.last)
            joined.isPartial = joined.isPartial || one.isPartial
            byKey[key] = joined
        }
        for (key, rule, isRetired) in keys {
            if let after = query.after, after.subject == subject {
                guard let last = after.meterType, key > last else { continue }
            }
            guard let id = MeterID(meterType: key, subject: subject) else { continue }
            let isKnown = registry.isKnown(id)
            guard isKnown || (rule == .auto && byKey[key] != nil) else { continue }
            let said = registry.standing(of: id, at: query.at) ?? .active
            let standing = isRetired ? .closed : said
            guard query.standings.isEmpty || query.standings.contains(standing) else { continue }
            let meter = try meter(id, byKey[key], standing, customer)
            guard isKnown || meter.events > 0 else { continue }
            guard meters.count < query.limit else {
                next = meters.last.map { last in
                    MeterQuery.Place(subject: last.id.subject, meterType: last.id.meterType)
                }
                return false
            }
            meters.append(meter)
        }
        return true
    }

    private func meter(
        _ id: MeterID,
        _ found: SubjectWalk.Found?,
        _ standing: MeterStanding,
        _ customer: CustomerKey?
    ) throws -> Meter {
        let nothing = Instant(microseconds: 0)..<Instant(microseconds: 0)
        var meter = Meter(id: id, events: 0, span: nothing, standing: standing, customer: customer)
        guard let found, found.first <= found.last else { return meter }
        // Asked after the walk: what it met is known by now.
        let hash = core.derived.hash(of: Array(id.subject.utf8))
        let isCorrected = core.corrections.withLock { $0.concerns(hash) }
        meter.events =
            found.isPartial || isCorrected ? try events(of: id) ?? found.events : found.events
        meter.span = RollupBucket.start(found.first)..<RollupBucket.start(found.last + 1)
        return meter
    }

    /// The events of a meter that begins, is suspended, or changes its version within a quarter of
    /// an hour with events; nil where its history is still being counted.
    private func events(of id: MeterID) throws -> Int64? {
        let query = UsageQuery(
            meterTypes: [id.meterType],
            subjects: [id.subject],
            range: .allTime,
            // Only the events matter, and not what holds since.
            carriedUntil: .earliest
        )
        do {
            return try UsageReader(core: core, query: query).answer().readings.first?.events
        } catch let error as LedgerError where error.code == .backfillRunning {
            return nil
        }
    }
}

extension LedgerCore {
    /// When the meters of a subject count, of the types of which some may not count all the time.
    func spans(
        _ meterTypes: [UInt32: MeterType]
    ) -> (_ subject: String) -> [UInt32: TimeSpans] {
        let registry = meterRegistry.withLock { $0 }
        let restricted = meterTypes.filter { _, version in
            !registry.isUnrestricted(version.definition) || version.effective != .allTime
        }
        return { subject in
            var spans: [UInt32: TimeSpans] = [:]
            for (number, meterType) in restricted {
                guard let id = MeterID(meterType: meterType.key, subject: subject) else { continue }
                let isAuto = meterType.definition.enrolment == .auto
                let own = registry.spans(of: id) ?? (isAuto ? .always : .never)
                spans[number] = own.clamped(to: meterType.effective)
            }
            return spans
        }
    }

    /// Lists subjects that used something, have an enrolled meter, or an owner.
    func subjects(_ query: SubjectQuery) throws -> SubjectAnswer {
        let position = derived.read { $0.position }
        let registry = meterRegistry.withLock { $0 }
        let customers = customerRegistry.withLock { $0 }
        var enrolled: Set<String> = []
        registry.visitSubjects { enrolled.insert($0) }
        var subjects: [SubjectAnswer.Subject] = []
        var next: String?
        var walk = SubjectWalk(core: self, prefix: query.prefix) { _ in [:] }
        let start = query.after.flatMap(walk.number(of:)).map { $0 + 1 } ?? 1
        let last = try walk.visitAll(from: start) { subject, found in
            let owner = customers.owner(of: subject, at: query.at)
            let isOwned = !customers.owners(of: subject).isEmpty
            guard !found.isEmpty || isOwned || enrolled.contains(subject),
                !query.isUnowned || owner == nil
            else { return true }
            guard subjects.count < query.limit else {
                next = subjects.last?.subject
                return false
            }
            subjects.append(SubjectAnswer.Subject(subject: subject, customer: owner))
            return true
        }
        return SubjectAnswer(
            position: Position(position),
            subjects: subjects,
            next: next ?? last
        )
    }
}
