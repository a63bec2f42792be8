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
    /// The last change of meters that is known.
    private let known: Int64
    private let customers: CustomerRegistry
    private var meters: [Meter] = []
    private var next: MeterQuery.Place?

    init(core: LedgerCore, query: MeterQuery) throws(LedgerError) {
        (self.core, self.query) = (core, query)
        for key in query.meterTypes { _ = try core.versions(of: key) }
        registry = core.meterRegistry.withLock { $0 }
        known = query.asOf.map { [registry] in registry.number(asOf: $0.value) } ?? .max
        let customers = core.customerRegistry.withLock { $0 }
        for key in query.customers where customers.customer(key) == nil {
            throw LedgerError(.notFound, "there is no customer \"\(key)\"")
        }
        self.customers = query.asOf.map { customers.asOf($0.value) } ?? customers
        var meterTypes: [UInt32: MeterType] = [:]
        var keys: [MeterTypeKey: (rule: EnrolmentRule, isRetired: Bool)] = [:]
        // A version is known before the tables reach its entry.
        let end = Position(core.derived.read { $0.rolledUp })
        let all = core.currentMeterTypes().filter { version in
            let isAhead = version.hasEntry && version.inForceSince.map { $0 > end } ?? false
            return !isAhead
                && (query.meterTypes.isEmpty || query.meterTypes.contains(version.key))
        }
        // While a history is being counted for the first time, its list grows.
        let listed = query.asOf.map { all.inForce(asOf: $0) } ?? all.inForceOrFirst()
        // What another version counted before may be counted no more, and is seen as of then.
        for version in query.asOf == nil ? listed : all { meterTypes[version.number] = version }
        for version in listed.sorted(by: { $0.number < $1.number }) {
            let isRetired = version.retiredPosition.map { $0 <= query.asOf ?? .last } ?? false
            keys[version.key] = (version.definition.enrolment, isRetired)
        }
        self.meterTypes = meterTypes
        self.keys = keys.map { ($0, $1.rule, $1.isRetired) }.sorted { $0.0 < $1.0 }
    }

    consuming func answer() throws -> MeterAnswer {
        let position = query.asOf ?? Position(core.derived.read { $0.position })
        let spans = query.asOf == nil ? core.spans(meterTypes) : { _ in [:] }
        var walk = SubjectWalk(core: core, prefix: query.prefix, spans: spans)
        let start = query.after.map { walk.number(of: $0.subject) ?? 1 } ?? 1
        let asked = query.subjects.isEmpty ? customersSubjects : query.subjects
        if let asked {
            try walk.visit(subjects: asked, from: start) { try list($1, $0) }
        } else if let last = try walk.visitAll(from: start, { try list($1, $0) }) {
            next = MeterQuery.Place(subject: last, meterType: nil)
        }
        if let asOf = query.asOf { try leaveOutLater(than: asOf) }
        let ids = meters.map(\.id).filter { registry.isKnown($0, by: known) }
        let details = try core.truth.enrolled(ids, by: known)
        for place in meters.indices { meters[place].enrolled = details[meters[place].id] }
        return MeterAnswer(position: position, meters: meters, next: next)
    }

    /// Tells what meters had counted as of a position, and leaves out those that were none yet.
    private mutating func leaveOutLater(than position: Position) throws {
        let past = try PastMeters(
            core: core,
            of: Set(meters.map(\.id.subject)),
            keys.map(\.key),
            asOf: position
        )
        for place in meters.indices {
            guard let extent = past.extents[meters[place].id] else { continue }
            meters[place].events = extent.events
            meters[place].span =
                RollupBucket.start(extent.first)..<RollupBucket.start(extent.last + 1)
        }
        meters.removeAll { $0.events == 0 && !registry.isKnown($0.id, by: known) }
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
            let isKnown = registry.isKnown(id, by: known)
            guard isKnown || (rule == .auto && byKey[key] != nil) else { continue }
            let said = registry.standing(of: id, at: query.at, by: known) ?? .active
            let standing = isRetired ? .closed : said
            guard query.standings.isEmpty || query.standings.contains(standing) else { continue }
            let meter = try meter(id, byKey[key], standing, customer)
            guard isKnown || meter.events > 0 || query.asOf != nil else { continue }
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
        guard query.asOf == nil, let found, found.first <= found.last else { return meter }
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
        let position = query.asOf ?? Position(derived.read { $0.position })
        let registry = meterRegistry.withLock { $0 }
        let known = query.asOf.map { registry.number(asOf: $0.value) } ?? .max
        let now = customerRegistry.withLock { $0 }
        let customers = query.asOf.map { now.asOf($0.value) } ?? now
        var enrolled: Set<String> = []
        registry.visitSubjects(by: known) { enrolled.insert($0) }
        var subjects: [SubjectAnswer.Subject] = []
        /// Those that may have used something as of then, and are otherwise not known.
        var users: Set<String> = []
        var next: String?
        var walk = SubjectWalk(core: self, prefix: query.prefix) { _ in [:] }
        let start = query.after.flatMap(walk.number(of:)).map { $0 + 1 } ?? 1
        let last = try walk.visitAll(from: start) { subject, found in
            let owner = customers.owner(of: subject, at: query.at)
            let isKnown = !customers.owners(of: subject).isEmpty || enrolled.contains(subject)
            guard !found.isEmpty || isKnown, !query.isUnowned || owner == nil else { return true }
            guard subjects.count < query.limit else {
                next = subjects.last?.subject
                return false
            }
            subjects.append(SubjectAnswer.Subject(subject: subject, customer: owner))
            if !isKnown { users.insert(subject) }
            return true
        }
        if let asOf = query.asOf {
            let later = users.subtracting(try self.users(among: users, asOf: asOf))
            subjects.removeAll { later.contains($0.subject) }
        }
        return SubjectAnswer(
            position: position,
            subjects: subjects,
            next: next ?? last
        )
    }
}
