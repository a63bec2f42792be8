internal import Metering
public import MeteringEngine
internal import Synchronization
public import UsageModel
internal import WireFormat

// Enrolments and customers: what was said is kept in a list, and read from the start each time.
extension ReferenceLedger {
    /// What somebody said of a meter.
    struct Said {
        enum Word {
            case dates(MeterEnrolment, isNew: Bool)
            case standing(StandingChange)
        }

        var position: Int
        var at: Instant
        var id: MeterID
        var word: Word
    }

    /// Whether a meter counts at a time.
    static func counts(
        _ definition: MeterTypeDefinition,
        _ subject: String,
        _ time: Instant,
        _ said: [Said]
    ) -> Bool {
        var isKnown = false
        var isWithin = true
        var isActive = true
        for one in said where one.id.meterType == definition.key && one.id.subject == subject {
            isKnown = true
            switch one.word {
            case .dates(let enrolment, _):
                isWithin =
                    enrolment.start.map { time >= $0 } ?? true
                    && enrolment.end.map { time < $0 } ?? true
            case .standing(let change):
                guard time >= change.from, change.to.map({ time < $0 }) ?? true else { continue }
                isActive = change.standing == .active
            }
        }
        return isKnown ? isWithin && isActive : definition.enrolment == .auto
    }

    /// Whether some meter type counts an event of a batch.
    static func counts(
        _ batch: PreparedBatch,
        _ place: Int,
        _ meterTypes: [MeterType],
        _ said: [Said]
    ) -> Bool {
        let event = batch.events[place]
        let subject = String(decoding: batch.bytes[event.decoded.subject.range], as: UTF8.self)
        let first = Int(event.firstContribution)
        return batch.contributions[first..<(first + Int(event.contributionCount))].contains { one in
            guard one.unreadable == nil,
                let type = meterTypes.first(where: { $0.number == one.meter })
            else { return false }
            return counts(type.definition, subject, event.time, said)
        }
    }

    public func enrol(
        _ enrolments: [MeterEnrolment]
    ) async throws(LedgerError) -> EnrolAnswer {
        let outcome: Result<EnrolAnswer, LedgerError> = state.withLock { state in
            let before = state
            var fresh = 0
            for enrolment in enrolments {
                let id = enrolment.id
                guard let type = state.meterTypes.first(where: { $0.key == id.meterType }) else {
                    state = before
                    return .failure(LedgerError(.notFound, "no meter type \(id.meterType)"))
                }
                if type.retiredAt != nil {
                    state = before
                    return .failure(LedgerError(.retired, "retired"))
                }
                if let known = state.enrolled(id), known.isEnrolled {
                    if known.enrolment == enrolment { continue }
                    state = before
                    var error = LedgerError(.alreadyExists, "enrolled in other words")
                    error.faults = [FieldFault(pointer: "/start", reason: "", remedy: "")]
                    return .failure(error)
                }
                state.say(.dates(enrolment, isNew: true), of: id, at: clock())
                fresh += 1
            }
            return .success(
                EnrolAnswer(
                    position: Position(UInt64(state.entries.count)),
                    enrolled: fresh,
                    unchanged: enrolments.count - fresh
                )
            )
        }
        return try outcome.get()
    }

    public func alter(
        _ id: MeterID,
        _ alteration: MeterAlteration
    ) async throws(LedgerError) -> EnrolledMeter {
        let outcome: Result<EnrolledMeter, LedgerError> = state.withLock { state in
            guard let meter = state.meter(toChange: id, at: clock()) else {
                return .failure(LedgerError(.notFound, "no meter \(id)"))
            }
            let changed = alteration.applied(to: meter.enrolment)
            if let start = changed.start, let end = changed.end, start >= end {
                return .failure(LedgerError(.invalidDates, "the end is not after the start"))
            }
            guard changed != meter.enrolment else { return .success(meter) }
            state.say(.dates(changed, isNew: false), of: id, at: clock())
            return .success(state.enrolled(id) ?? meter)
        }
        return try outcome.get()
    }

    public func say(
        _ change: StandingChange,
        of id: MeterID
    ) async throws(LedgerError) -> EnrolledMeter {
        let outcome: Result<EnrolledMeter, LedgerError> = state.withLock { state in
            guard let meter = state.meter(toChange: id, at: clock()) else {
                return .failure(LedgerError(.notFound, "no meter \(id)"))
            }
            if meter.words.last?.change == change { return .success(meter) }
            let wasAlwaysActive = meter.words.allSatisfy { $0.change.standing == .active }
            if wasAlwaysActive, change.standing == .active, change.to == nil {
                return .success(meter)
            }
            state.say(.standing(change), of: id, at: clock())
            return .success(state.enrolled(id) ?? meter)
        }
        return try outcome.get()
    }

    public func put(
        _ customer: CustomerDefinition,
        if condition: @escaping ChangeCondition<Customer>
    ) async throws(LedgerError) -> Customer {
        let outcome: Result<Customer, LedgerError> = state.withLock { state in
            let known = state.customer(customer.key, asOf: nil)
            if known?.retiredAt != nil { return .failure(LedgerError(.retired, "retired")) }
            if let known, known.definition == customer { return .success(known) }
            guard condition(known) else { return .failure(LedgerError(.outdated, "another")) }
            for other in state.customersNow() where other.key != customer.key {
                for mine in customer.subjects {
                    let isTaken = other.ownerships.contains { theirs in
                        theirs.subject == mine.subject && theirs.range.overlaps(mine.range)
                    }
                    guard isTaken else { continue }
                    var error = LedgerError(.subjectOwned, "owned by \(other.key)")
                    error.faults = [FieldFault(pointer: "/subjects", reason: "", remedy: "")]
                    return .failure(error)
                }
            }
            let made = Customer(
                definition: customer,
                createdAt: known?.createdAt ?? clock(),
                changedAt: clock()
            )
            state.customers.append((state.entries.count, made))
            return .success(made)
        }
        return try outcome.get()
    }

    public func retire(
        customer key: CustomerKey,
        if condition: @escaping ChangeCondition<Customer>
    ) async throws(LedgerError) -> Customer {
        let outcome: Result<Customer, LedgerError> = state.withLock { state in
            guard var customer = state.customer(key, asOf: nil) else {
                return .failure(LedgerError(.notFound, "no customer \(key)"))
            }
            guard customer.retiredAt == nil else { return .success(customer) }
            guard condition(customer) else { return .failure(LedgerError(.outdated, "another")) }
            (customer.retiredAt, customer.changedAt) = (clock(), clock())
            state.customers.append((state.entries.count, customer))
            return .success(customer)
        }
        return try outcome.get()
    }

    public func customer(
        _ key: CustomerKey,
        asOf position: Position?
    ) async throws(LedgerError) -> Customer? {
        state.withLock { $0.customer(key, asOf: position.map { Int($0.value) }) }
    }

    public func customers(_ query: CustomerQuery) async throws(LedgerError) -> CustomerAnswer {
        let customers = state.withLock { $0.customersNow() }.sorted { $0.key < $1.key }
            .filter { customer in
                let texts = [
                    customer.key.text, customer.definition.name, customer.definition.externalRef,
                ]
                return (texts + customer.definition.subjects.map(\.subject)).contains {
                    query.text.isEmpty || $0.lowercased().contains(query.text.lowercased())
                } && (query.after.map { customer.key > $0 } ?? true)
            }
        return CustomerAnswer(
            customers: Array(customers.prefix(query.limit)),
            next: customers.count > query.limit ? customers[query.limit - 1].key : nil
        )
    }

    public func subjects(_ query: SubjectQuery) async throws(LedgerError) -> SubjectAnswer {
        let snapshot = try state.withLock { $0 }.asOf(query.asOf)
        var known = Set(snapshot.said.map(\.id.subject))
        known.formUnion(snapshot.customersNow().flatMap(\.ownerships).map(\.subject))
        for (place, entry) in snapshot.entries.enumerated() {
            let position = Position(UInt64(place + 1))
            let counting = snapshot.meterTypes.filter { $0.covers(position) }
            let catalog = MeterCatalog(generation: 0, meterTypes: counting)
            let preparer = EventPreparer(hashKey: hashKey, catalog: catalog)
            let batch = preparer.prepareAgain(entry.batch)
            let event = batch.events[entry.place]
            if event.isCounted { known.insert(text(batch, event.decoded.subject)) }
        }
        var listed = subjects(snapshot).filter(known.contains).map { subject in
            SubjectAnswer.Subject(
                subject: subject,
                customer: snapshot.owner(of: subject, at: query.at, asOf: nil)
            )
        }
        listed.removeAll { one in
            !one.subject.utf8.starts(with: query.prefix.utf8)
                || (query.isUnowned && one.customer != nil)
        }
        if let after = query.after,
            let last = listed.lastIndex(where: { $0.subject == after })
        {
            listed.removeFirst(last + 1)
        }
        let page = Array(listed.prefix(query.limit))
        return SubjectAnswer(
            position: Position(UInt64(snapshot.entries.count)),
            subjects: page,
            next: listed.count > page.count ? page.last?.subject : nil
        )
    }

    /// All subjects in the order in which they were met: by an event or by a word.
    func subjects(_ state: State) -> [String] {
        var met: [(position: Int, order: Int, subject: String)] = []
        for (place, entry) in state.entries.enumerated() {
            let subject = text(entry.batch, entry.batch.events[entry.place].decoded.subject)
            met.append((place, 1, subject))
        }
        for said in state.said { met.append((said.position, 0, said.id.subject)) }
        for (position, customer) in state.customers {
            for owned in customer.definition.subjects { met.append((position, 0, owned.subject)) }
        }
        met.sort { ($0.position, $0.order) < ($1.position, $1.order) }
        var seen: Set<String> = []
        return met.map(\.subject).filter { seen.insert($0).inserted }
    }
}

extension ReferenceLedger.State {
    /// What was known when the log ended at a position; nil: all of it. Its corrections stay.
    func asOf(_ position: Position?) throws(LedgerError) -> Self {
        guard let position else { return self }
        guard position.value <= UInt64(entries.count) else {
            throw LedgerError(.positionUnknown, "the log ends at position \(entries.count)")
        }
        let last = Int(position.value)
        var then = self
        then.entries = Array(entries.prefix(last))
        then.meterTypes = meterTypes.known(asOf: position)
        for place in then.meterTypes.indices
        where then.meterTypes[place].retiredPosition.map({ $0 > position }) ?? false {
            (then.meterTypes[place].retiredAt, then.meterTypes[place].retiredPosition) = (nil, nil)
        }
        then.said.removeAll { $0.position > last }
        then.customers.removeAll { $0.position > last }
        return then
    }

    mutating func say(_ word: ReferenceLedger.Said.Word, of id: MeterID, at: Instant) {
        said.append(ReferenceLedger.Said(position: entries.count, at: at, id: id, word: word))
    }

    func enrolled(_ id: MeterID) -> EnrolledMeter? {
        let said = said.filter { $0.id == id }
        guard let first = said.first else { return nil }
        var meter = EnrolledMeter(
            enrolment: MeterEnrolment(id: id),
            isEnrolled: false,
            since: first.at
        )
        for one in said {
            switch one.word {
            case .dates(let enrolment, let isNew):
                meter.enrolment = enrolment
                meter.isEnrolled = meter.isEnrolled || isNew
            case .standing(let change):
                let position = Position(UInt64(one.position))
                meter.words.append(.init(change: change, at: one.at, position: position))
            }
        }
        return meter
    }

    func meter(toChange id: MeterID, at now: Instant) -> EnrolledMeter? {
        let known = enrolled(id)
        let type = meterTypes.first { $0.key == id.meterType }
        guard let type, known?.isEnrolled == true || type.definition.enrolment == .auto else {
            return nil
        }
        let nothing = MeterEnrolment(id: id)
        return known ?? EnrolledMeter(enrolment: nothing, isEnrolled: false, since: now)
    }

    func customer(_ key: CustomerKey, asOf position: Int?) -> Customer? {
        customers.last { $0.customer.key == key && $0.position <= position ?? .max }?.customer
    }

    func customersNow() -> [Customer] {
        Set(customers.map(\.customer.key)).compactMap { customer($0, asOf: nil) }
    }

    func owner(of subject: String, at time: Instant, asOf position: Int?) -> CustomerKey? {
        let keys = Set(customers.map(\.customer.key))
        return keys.first { key in
            (customer(key, asOf: position)?.ownerships ?? []).contains { ownership in
                ownership.subject == subject && ownership.range.contains(time)
            }
        }
    }
}
