internal import MeteringEngine
internal import UsageModel
internal import WireFormat

/// The part of ``LedgerConformance`` about who is enrolled, and who owns what.
struct EnrolmentConformance {
    private let ledger: any UsageLedger
    private var violations: [String] = []
    private let noon = Instant(microseconds: 1_793_534_400_000_000)

    init(_ ledger: any UsageLedger) { self.ledger = ledger }

    /// - Returns: what was violated, in words.
    consuming func run() async throws -> [String] {
        try await enrolment()
        try await standing()
        try await refusals()
        try await customers()
        try await owners()
        return violations
    }

    private mutating func check(_ holds: Bool, _ promise: String) {
        if !holds { violations.append(promise) }
    }

    private struct NoKey: Error {}

    private var key: MeterTypeKey {
        get throws {
            guard let key = MeterTypeKey("prints") else { throw NoKey() }
            return key
        }
    }

    private func customer(_ text: String) throws -> CustomerKey {
        guard let key = CustomerKey(text) else { throw NoKey() }
        return key
    }

    private func meter(_ subject: String) throws -> MeterID {
        guard let id = MeterID(meterType: try key, subject: subject) else { throw NoKey() }
        return id
    }

    private func later(_ seconds: Int64) -> Instant {
        Instant(microseconds: noon.microseconds + seconds * 1_000_000)
    }

    private func record(_ events: [SampleEvent]) async throws {
        let text = events.map(\.json).joined(separator: "\n")
        let decoded = try decodeEvents(Array(text.utf8), framing: .ndjson)
        let batch = ledger.preparer.prepare(decoded, arrival: noon)
        _ = try await ledger.record(batch, isAtomic: false)
    }

    private func sheet(_ id: String, _ subject: String, _ seconds: Int64) -> SampleEvent {
        SampleEvent(id: id, type: "print", subject: subject, time: later(seconds))
    }

    private func readings(
        subjects: [String] = [],
        customers: [CustomerKey] = [],
        groupBy: [UsageQuery.Group] = [],
        asOf: Position? = nil
    ) async throws -> [UsageReading] {
        try await ledger.readings(
            UsageQuery(
                meterTypes: [key],
                subjects: subjects,
                customers: customers,
                range: .allTime,
                groupBy: groupBy,
                asOf: asOf
            )
        ).readings
    }

    private func total(asOf: Position? = nil) async throws -> Int64 {
        try await readings(asOf: asOf).first?.events ?? -1
    }

    private func counted() async throws -> Int64 {
        while try await ledger.status().isRecounting { await Task.yield() }
        let total = try await ledger.books(.init(groupBy: [], range: .allTime)).total
        return total.balances ? total.counted : -1
    }

    private mutating func enrolment() async throws {
        var definition = MeterTypeDefinition(
            key: try key,
            name: "Prints",
            eventTypes: EventTypePattern("print").map { [$0] } ?? [],
            aggregation: .count
        )
        definition.enrolment = .explicit
        _ = try await ledger.create(definition)
        while try await !ledger.versions(of: key).allSatisfy(\.isBackfilled) {
            await Task.yield()
        }
        let before = try await counted()
        try await record([
            sheet("n1", "p/1", 0), sheet("n2", "p/1", 1_000), sheet("n3", "p/2", 0),
        ])
        check(try await total() == 0, "events of subjects that are not enrolled do not count")
        check(try await counted() == before, "they are unmatched in the books")
        let position = try await ledger.status().position

        let enrolment = MeterEnrolment(
            id: try meter("p/1"),
            start: later(500),
            metadata: [MetadataMember(name: "floor", value: "3")]
        )
        let answer = try await ledger.enrol([enrolment])
        check(answer.enrolled == 1 && answer.unchanged == 0, "enrolling says what is new")
        let again = try await ledger.enrol([enrolment])
        check(again.enrolled == 0 && again.unchanged == 1, "enrolling again changes nothing")
        check(try await total() == 1, "what the dates cover counts, though it came before")
        check(try await counted() == before + 1, "so do the books, once it is counted anew")
        try await record([sheet("n4", "p/1", 2_000), sheet("n5", "p/1", 100)])
        check(try await total() == 2, "and what comes later")
        check(try await total(asOf: Position(position.value)) == 1, "the last word at a position")
        let earlier = Position(position.value - 1)
        check(try await total(asOf: earlier) == 0, "as of an earlier position nobody was enrolled")
        let listed = try await ledger.meters(MeterQuery(meterTypes: [key], at: noon, limit: 10))
        check(listed.meters.map(\.id) == [enrolment.id], "a meter is there by its enrolment")
        check(listed.meters.first?.events == 2, "it says how many events it counts")
        check(listed.meters.first?.enrolled?.enrolment == enrolment, "and how it was enrolled")
    }

    private mutating func standing() async throws {
        let id = try meter("p/1")
        let change = StandingChange(.suspended, from: later(900), to: later(1_500), reason: "moved")
        let meter = try await ledger.say(change, of: id)
        check(meter.standing(at: later(1_000)) == .suspended, "a meter is suspended for a while")
        check(meter.standing(at: later(1_500)) == .active, "and active after it")
        check(try await total() == 1, "while suspended it counts nothing, also of what was counted")
        let suspended = MeterQuery(
            meterTypes: [try key],
            standings: [.suspended],
            at: later(1_000),
            limit: 9
        )
        check(try await ledger.meters(suspended).meters.count == 1, "lists ask for the standing")
        _ = try await ledger.say(StandingChange(.active, from: later(800)), of: id)
        check(try await total() == 2, "the last word is in force for the time it speaks of")
        _ = try await ledger.say(
            StandingChange(.closed, from: later(2_000), reason: "gone"),
            of: id
        )
        check(try await total() == 1, "a closed meter counts nothing from then on")
        var alteration = MeterAlteration()
        alteration.start = .some(nil)
        let altered = try await ledger.alter(id, alteration)
        check(altered.enrolment.metadata.count == 1, "what is not altered stays")
        check(try await total() == 3, "an earlier start lets earlier events count")
    }

    private mutating func refusals() async throws {
        func code(_ body: () async throws -> Void) async -> LedgerError.Code? {
            do {
                try await body()
                return nil
            } catch {
                return (error as? LedgerError)?.code
            }
        }
        let ledger = ledger
        let (known, other) = (try meter("p/1"), try meter("p/9"))
        let twice = MeterEnrolment(id: known, start: later(7))
        let fresh = MeterEnrolment(id: other)
        var refused = await code { _ = try await ledger.enrol([fresh, twice]) }
        check(refused == .alreadyExists, "other dates for a meter are refused")
        let listed = try await ledger.meters(MeterQuery(subjects: ["p/9"], limit: 9)).meters
        check(listed.isEmpty, "a refused call enrols nobody")
        refused = await code {
            _ = try await ledger.say(StandingChange(.closed, from: noon), of: other)
        }
        check(refused == .notFound, "who is not enrolled cannot be closed")
        guard let none = MeterTypeKey("none"), let id = MeterID(meterType: none, subject: "s")
        else { throw NoKey() }
        refused = await code { _ = try await ledger.enrol([MeterEnrolment(id: id)]) }
        check(refused == .notFound, "an unknown meter type enrols nobody")
    }

    private mutating func customers() async throws {
        let (north, south) = (try customer("north"), try customer("south"))
        let owned = [Ownership(subject: "p/1", to: later(1_000))]
        var definition = CustomerDefinition(key: north, name: "North", subjects: owned)
        let made = try await ledger.put(definition)
        check(made.definition == definition, "a customer is kept as it was put")
        check(try await ledger.customer(north) == made, "and read back")
        definition.name = "The North"
        check(try await ledger.put(definition).definition.name == "The North", "or changed")
        do {
            let other = CustomerDefinition(key: south, subjects: [Ownership(subject: "p/1")])
            _ = try await ledger.put(other)
            check(false, "a subject has one owner at a time")
        } catch {
            check(error.code == .subjectOwned && !error.faults.isEmpty, "the refusal says whose")
        }
        let rest = [Ownership(subject: "p/1", from: later(1_000))]
        _ = try await ledger.put(CustomerDefinition(key: south, subjects: rest))
        let page = try await ledger.customers(CustomerQuery(limit: 1))
        check(
            page.customers.map(\.key) == [north] && page.next == north,
            "customers come by their keys"
        )
        let next = try await ledger.customers(CustomerQuery(limit: 9, after: north))
        check(next.customers.map(\.key) == [south] && next.next == nil, "page by page")
        for (text, found) in [
            ("OrT", [north]), ("p/1", [north, south]), ("P/", [north, south]),
            ("th", [north, south]),
            ("northsouth", []), ("south ", []),
        ] {
            let page = try await ledger.customers(CustomerQuery(text: text, limit: 9))
            check(page.customers.map(\.key) == found, "customers are found by \(text)")
        }
    }

    private mutating func owners() async throws {
        let (north, south) = (try customer("north"), try customer("south"))
        let rows = try await readings(groupBy: [.customer])
        check(
            rows.map(\.customer) == ["north", "south"] && rows.map(\.events) == [2, 1],
            "each event goes to who owned its subject at its time"
        )
        let one = try await readings(customers: [south])
        check(one.map(\.events) == [1] && one.first?.customer == "south", "of one customer")
        let query = MeterQuery(meterTypes: [try key], customers: [north], at: noon, limit: 9)
        check(try await ledger.meters(query).meters.count == 1, "meters are listed by customer")
        let all = try await ledger.subjects(SubjectQuery(prefix: "p/", at: noon, limit: 9))
        check(all.subjects.first?.customer == north, "subjects name their owner")
        let unowned = try await ledger.subjects(
            SubjectQuery(prefix: "p/", isUnowned: true, at: noon, limit: 9)
        )
        check(unowned.subjects.map(\.subject) == ["p/2"], "or are listed where nobody owns them")
        let retired = try await ledger.retire(customer: south)
        check(retired.retiredAt != nil, "a customer is retired")
        check(try await ledger.retire(customer: south) == retired, "once")
        do {
            _ = try await ledger.put(CustomerDefinition(key: south))
            check(false, "a retired customer stays as it is")
        } catch {
            check(error.code == .retired, "the refusal says that it is retired")
        }
    }
}
