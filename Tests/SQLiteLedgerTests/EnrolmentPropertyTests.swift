import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Synchronization
import Testing
import UsageModel

@Suite("Readings follow enrolments and owners") struct EnrolmentPropertyTests {
    /// Goal: whatever the order in which events come, meters are enrolled, altered, suspended and
    /// closed, subjects change their owners and the ledger is closed and opened, every reading is
    /// the naive fold over the events that count, now and as of any position; and so are the books.
    /// Method: each seed draws a plan of such steps, late events and backdated words among them,
    /// and compares after some of them, on and off bucket edges.
    @Test("any order of events, enrolments and owners: equal readings", arguments: UInt64(1)...200)
    func equalsNaive(seed: UInt64) async throws {
        var run = try EnrolmentRun(seed: seed)
        for step in 0..<40 {
            try await run.step()
            if step % 8 == 7 { try await run.compare() }
        }
        try await run.compare()
        try await run.finish()
    }
}

/// One ledger and its naive double, driven by a seed.
private struct EnrolmentRun {
    let seed: UInt64
    var generator: SeededGenerator
    let fixture = LedgerFixture()
    var ledger: SQLiteLedger
    var world = NaiveWorld()
    var definitions: [MeterTypeDefinition] = []
    var later: [MeterTypeDefinition] = []

    static let base: Int64 = 1_793_491_200_000_000
    static let keys = ["north", "south", "east"].compactMap(CustomerKey.init)

    init(seed: UInt64) throws {
        self.seed = seed
        generator = SeededGenerator(seed: seed)
        ledger = try fixture.open()
        let carried: [Aggregation] = [.timeWeighted, .counter, .peakConcurrency]
        let others: [Aggregation] = [.latest, .unique, .percentile]
        let some = others.randomElement(using: &generator) ?? .latest
        for aggregation in [.sum, .count, some] + carried.shuffled(using: &generator).prefix(2) {
            let byModel = Bool.random(using: &generator)
            var definition = MeterTypeDefinition.sample(aggregation, byModel: byModel)
            definition.enrolment = Bool.random(using: &generator) ? .explicit : .auto
            later.append(definition)
        }
    }

    private mutating func draw(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

    private mutating func instant() -> Instant {
        let odd = draw(2) == 0 ? 0 : Int64.random(in: 0..<900_000_000, using: &generator)
        return Instant(microseconds: Self.base + Int64(draw(300)) * 900_000_000 + odd)
    }

    private mutating func subject() -> String { "customer-\(draw(7))" }

    mutating func step() async throws {
        switch draw(12) {
        case 0..<4: try await record()
        case 4: try await create()
        case 5, 6: try await enrol()
        case 7: try await alter()
        case 8, 9: try await say()
        case 10: try await put()
        default: try draw(3) == 0 ? reopen() : ()
        }
    }

    private mutating func record() async throws {
        let first = world.events.count
        let fresh = (0..<(1 + draw(40))).map {
            SampleEvent.random(id: "e\(first + $0)", from: &generator)
        }
        try await ledger.record(fresh)
        world.events += fresh
    }

    private mutating func create() async throws {
        guard let definition = later.popLast() else { return }
        _ = try await ledger.create(definition)
        definitions.append(definition)
    }

    private mutating func reopen() throws {
        try ledger.close()
        ledger = try fixture.open()
    }

    private mutating func meter() -> MeterID? {
        guard let definition = definitions.randomElement(using: &generator) else { return nil }
        return MeterID(meterType: definition.key, subject: subject())
    }

    private mutating func enrol() async throws {
        guard let id = meter() else { return }
        let (one, two) = (instant(), instant())
        let start = draw(3) == 0 ? nil : min(one, two)
        let end = draw(3) > 0 || one == two ? nil : max(one, two)
        let enrolment = MeterEnrolment(id: id, start: start, end: end)
        do {
            let answer = try await ledger.enrol([enrolment])
            guard answer.enrolled == 1 else { return }
            world.words.append((world.events.count, id, .dates(from: start, to: end)))
        } catch {
            #expect(error.code == .alreadyExists, "seed \(seed)")
        }
    }

    private mutating func alter() async throws {
        guard let id = meter() else { return }
        var alteration = MeterAlteration()
        let (one, two) = (instant(), instant())
        alteration.start = .some(draw(3) == 0 ? nil : min(one, two))
        alteration.end = .some(one == two || draw(2) == 0 ? nil : max(one, two))
        do {
            let meter = try await ledger.alter(id, alteration).enrolment
            world.words.append((world.events.count, id, .dates(from: meter.start, to: meter.end)))
        } catch {
            #expect(error.code == .notFound, "seed \(seed)")
        }
    }

    private mutating func say() async throws {
        guard let id = meter() else { return }
        let standing = MeterStanding.allCases[draw(3)]
        let from = instant()
        let to = draw(2) == 0 ? nil : Instant(microseconds: from.microseconds + 5_000_000_000)
        do {
            _ = try await ledger.say(StandingChange(standing, from: from, to: to), of: id)
            let word = NaiveWorld.Word.standing(standing, from: from, to: to)
            world.words.append((world.events.count, id, word))
        } catch {
            #expect(error.code == .notFound, "seed \(seed)")
        }
    }

    private mutating func put() async throws {
        let key = Self.keys[draw(3)]
        if draw(8) == 0 {
            let time = instant()
            fixture.time.withLock { $0 = time }
            guard let customer = try? await ledger.retire(customer: key) else { return }
            world.customers.append((world.events.count, customer))
            return
        }
        let names = Set((0..<(1 + draw(3))).map { _ in subject() }).sorted()
        let owned = names.map { name in
            let (one, two) = (instant(), instant())
            return Ownership(
                subject: name,
                from: draw(2) == 0 ? nil : min(one, two),
                to: one == two || draw(2) == 0 ? nil : max(one, two)
            )
        }
        do {
            let customer = try await ledger.put(CustomerDefinition(key: key, subjects: owned))
            world.customers.append((world.events.count, customer))
        } catch {
            #expect(error.code == .subjectOwned || error.code == .retired, "seed \(seed)")
        }
    }

    mutating func compare() async throws {
        try await ledger.finishBackfills()
        let balance = try await ledger.books(.init(groupBy: [], range: .allTime)).total.balances
        #expect(balance, "seed \(seed)")
        try await ledger.finishRecounts()
        let books = try await ledger.books(.init(groupBy: [], range: .allTime)).total
        #expect(books.counted == Int64(world.counted(definitions)), "seed \(seed)")
        for definition in definitions {
            for _ in 0..<3 { try await compare(definition) }
        }
    }

    private mutating func compare(_ definition: MeterTypeDefinition) async throws {
        let (one, two) = (instant(), instant())
        let range = draw(3) == 0 ? Range<Instant>.allTime : min(one, two)..<max(one, two)
        let subjects = draw(3) == 0 ? ["customer-2", "customer-5"] : []
        let known = Set(world.customers.map(\.customer.key)).sorted()
        let customers = draw(3) == 0 ? Array(known.prefix(draw(3))) : []
        let (bySubject, byCustomer) = (draw(3) == 0, draw(2) == 0)
        let byModel = !definition.dimensions.isEmpty && draw(2) == 0
        let asOf = draw(3) == 0 ? draw(world.events.count + 1) : nil
        let window: WindowWidth? = range == .allTime || draw(2) == 0 ? nil : .hour
        let windows =
            window.map { Array(WindowCutter(width: $0, zone: .utc).windows(in: range)) } ?? [range]
        let until = range == .allTime || draw(3) == 0 ? instant() : range.upperBound
        var groups: [UsageQuery.Group] = byCustomer ? [.customer] : []
        if bySubject { groups.append(.subject) }
        if byModel { groups.append(.dimension("model")) }
        let answer = try await ledger.readings(
            UsageQuery(
                meterTypes: [definition.key],
                subjects: subjects,
                customers: customers,
                range: range,
                window: window,
                groupBy: groups,
                asOf: asOf.map { Position(UInt64($0)) },
                carriedUntil: until,
                limit: 100_000
            )
        )
        let expected = world.readings(
            definition,
            windows: windows,
            subjects: subjects,
            bySubject: bySubject,
            byModel: byModel,
            customers: customers.map(\.text),
            byCustomer: byCustomer,
            asOf: asOf,
            carriedUntil: until
        )
        let got = answer.readings.filter(\.isSomething)
        #expect(
            got == expected.filter(\.isSomething),
            "seed \(seed), \(definition.key) \(definition.enrolment), \(range), as of \(asOf ?? -1)"
        )
        if subjects.isEmpty, customers.isEmpty, asOf == nil, range == .allTime {
            try await compareMeters(definition)
        }
    }

    /// The list of meters says how many events each counts.
    private func compareMeters(_ definition: MeterTypeDefinition) async throws {
        let query = MeterQuery(meterTypes: [definition.key], limit: 1_000)
        let listed = try await ledger.meters(query).meters.filter { $0.events > 0 }
        let expected = world.readings(
            definition,
            windows: [.allTime],
            subjects: [],
            bySubject: true,
            byModel: false,
            customers: [],
            byCustomer: false,
            asOf: nil,
            carriedUntil: .beginning
        )
        let events = Dictionary(uniqueKeysWithValues: listed.map { ($0.id.subject, $0.events) })
        let naive = Dictionary(
            uniqueKeysWithValues: expected.map { ($0.subject ?? "", $0.events) }
        )
        #expect(events == naive, "seed \(seed), \(definition.key)")
    }

    mutating func finish() async throws {
        // What is not counted anew yet is left for the next start, or for verify to know.
        try await say()
        try ledger.close()
        let report = try fixture.verified()
        #expect(report.findings == [], "seed \(seed)")
        #expect(report.events == UInt64(world.events.count))
    }
}

extension SQLiteLedger {
    /// Waits until the books know all changes of meters.
    func finishRecounts() async throws {
        while try await status().isRecounting { await Task.yield() }
    }
}
