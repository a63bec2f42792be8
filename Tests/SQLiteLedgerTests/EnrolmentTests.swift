import GRDB
import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel

@Suite("Enrolments and customers are kept") struct EnrolmentTests {
    private static func explicit(_ key: String = "prints") -> MeterTypeDefinition {
        var definition = MeterTypeDefinition.sample(.sum, key: key)
        definition.enrolment = .explicit
        return definition
    }

    private static func meter(_ subject: String) throws -> MeterID {
        let key = try #require(MeterTypeKey("prints"))
        return try #require(MeterID(meterType: key, subject: subject))
    }

    private static func sum(_ ledger: SQLiteLedger, asOf: Position? = nil) async throws -> String? {
        let key = try #require(MeterTypeKey("prints"))
        let query = UsageQuery(meterTypes: [key], range: .allTime, asOf: asOf)
        return try await ledger.readings(query).readings.first?.value?.description
    }

    /// What was there before the tables were: the migration only adds.
    @Test("a ledger of the version before opens, and enrols")
    func earlierVersion() async throws {
        let fixture = LedgerFixture()
        var ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum, key: "auto"))
        try await ledger.record([SampleEvent(id: "e1", number: "5")])
        try ledger.close()
        let database = try DatabaseQueue(path: fixture.directory + "/ledger.sqlite")
        try await database.write { database in
            try database.execute(
                sql: """
                    DROP TABLE meter_change;
                    DROP TABLE customer_change;
                    DELETE FROM grdb_migrations WHERE identifier LIKE '3 %';
                    """
            )
        }
        try database.close()

        ledger = try fixture.open()
        _ = try await ledger.create(Self.explicit())
        try await ledger.finishBackfills()
        let answer = try await ledger.enrol([MeterEnrolment(id: Self.meter("acme"))])

        #expect(answer.enrolled == 1)
        #expect(try await Self.sum(ledger) == "5")
        try ledger.close()
        #expect(try fixture.verified().findings == [])
    }

    @Test("a hundred thousand meters are enrolled in one call, and again, in seconds")
    func manyMeters() async throws {
        let fixture = LedgerFixture()
        let ledger = try fixture.open()
        _ = try await ledger.create(Self.explicit())
        try await ledger.record([SampleEvent(id: "e1", subject: "s-99999", number: "5")])
        let enrolments = try (0..<100_000).map { number in
            MeterEnrolment(
                id: try Self.meter("s-\(number)"),
                start: SampleEvent(id: "").time,
                metadata: [MetadataMember(name: "floor", value: "\(number % 40)")]
            )
        }
        let clock = ContinuousClock()

        var enrolled: [Int] = []
        let first = try await clock.measure {
            enrolled.append(try await ledger.enrol(enrolments).enrolled)
        }
        let second = try await clock.measure {
            enrolled.append(try await ledger.enrol(enrolments).enrolled)
        }

        #expect(enrolled == [100_000, 0])
        // Far more than it takes, also beside other tests; what grows with the square is over it.
        #expect(first < .seconds(90) && second < .seconds(90), "\(first), \(second)")
        #expect(try await Self.sum(ledger) == "5")
        try ledger.close()
        let opening = try clock.measure { try fixture.open().close() }
        #expect(opening < .seconds(90), "\(opening)")
    }

    /// The sums of all subjects together cannot be used where some subject does not count.
    @Test("a suspended meter of an automatic type is left out of the sum over all subjects")
    func suspendedAuto() async throws {
        let fixture = LedgerFixture()
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum, key: "prints"))
        try await ledger.record([
            SampleEvent(id: "e1", subject: "a", number: "1"),
            SampleEvent(id: "e2", subject: "b", number: "2"),
        ])
        #expect(try await Self.sum(ledger) == "3")
        let from = Instant(microseconds: SampleEvent(id: "").time.microseconds - 5)

        let word = StandingChange(.suspended, from: from, reason: "broken")
        _ = try await ledger.say(word, of: Self.meter("b"))

        #expect(try await Self.sum(ledger) == "1")
        try await ledger.finishRecounts()
        #expect(try await ledger.books(.init(groupBy: [], range: .allTime)).total.unmatched == 1)
        let event = try await ledger.event(source: "gateway", id: "e2")
        #expect(
            event?.explanation.first?.because == "enrolment: the meter was suspended at the time"
        )
        var query = EventQuery(range: .allTime, limit: 10)
        query.isCounted = false
        #expect(try await ledger.events(query).events.map(\.id) == ["e2"])
        try ledger.close()
        #expect(try fixture.verified().findings == [])
    }

    @Test("what is known of meters and customers is there after a restart")
    func restart() async throws {
        let fixture = LedgerFixture()
        var ledger = try fixture.open()
        _ = try await ledger.create(Self.explicit())
        let enrolment = MeterEnrolment(
            id: try Self.meter("acme"),
            start: Instant(microseconds: 0),
            end: Instant(microseconds: 9_000_000_000_000_000),
            category: "office",
            externalRef: "SAP-1",
            metadata: [MetadataMember(name: "a \"b\"", value: "c\n")]
        )
        _ = try await ledger.enrol([enrolment])
        _ = try await ledger.say(
            StandingChange(.closed, from: Instant(microseconds: 5), reason: "gone"),
            of: enrolment.id
        )
        let customer = CustomerDefinition(
            key: try #require(CustomerKey("Acme.GmbH")),
            name: "Acme",
            timezone: "Europe/Berlin",
            metadata: [MetadataMember(name: "x", value: "y")],
            subjects: [Ownership(subject: "acme", to: Instant(microseconds: 7))]
        )
        let made = try await ledger.put(customer)
        let query = MeterQuery(at: Instant(microseconds: 6), limit: 10)
        let before = try await ledger.meters(query).meters
        try ledger.close()

        ledger = try fixture.open()

        #expect(try await ledger.meters(query).meters == before)
        #expect(before.first?.enrolled?.enrolment == enrolment)
        #expect(before.first?.standing == .closed)
        #expect(before.first?.customer == customer.key)
        #expect(try await ledger.customer(customer.key) == made)
        try ledger.close()
    }
}
