import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Synchronization
import Testing
import UsageModel

@Suite("Usage records") struct RecordKeeperTests {
    private static let day: Int64 = 86_400_000_000
    /// 2026-11-01T00:00:00Z.
    private static let base: Int64 = 1_793_491_200_000_000

    private static func at(days: Int64, hours: Int64 = 0) -> Instant {
        Instant(microseconds: base + days * day + hours * 3_600_000_000)
    }

    private let fixture = LedgerFixture()

    private static func daily(makesZero: Bool = true) -> MeterTypeDefinition {
        var definition = MeterTypeDefinition.sample(.sum, byModel: true)
        definition.resetSchedule = .daily
        definition.unit = "token"
        definition.records.makesZeroUsage = makesZero
        return definition
    }

    private static func event(_ id: String, _ instant: Instant, _ number: String) -> SampleEvent {
        SampleEvent(id: id, time: instant, number: number, model: "large")
    }

    @Test("after five days off, five daily records come out, each with its own sum")
    func outage() async throws {
        fixture.turn(to: Self.at(days: 0, hours: 12))
        let ledger = try fixture.open()
        _ = try await ledger.create(Self.daily())
        for day in Int64(0)..<5 where day != 3 {
            let event = Self.event("e\(day)", Self.at(days: day, hours: 1), "\(day + 1).5")
            try await ledger.record([event])
        }
        #expect(try await fixture.keeper(ledger).keep() == 0)

        fixture.turn(to: Self.at(days: 5, hours: 1))
        let made = try await fixture.keeper(ledger).keep()
        let again = try await fixture.keeper(ledger).keep()

        let records = try await ledger.allRecords()
        #expect((made, again) == (5, 0))
        #expect(records.map(\.value?.description) == ["1.5", "2.5", "3.5", "0", "5.5"])
        #expect(records.map(\.period.lowerBound) == (0..<5).map { Self.at(days: $0) })
        #expect(records.map(\.sequence) == [1, 2, 3, 4, 5])
        #expect(records.allSatisfy { $0.kind == .final && $0.delta == $0.value })
        #expect(records[0].labels.unit == "token")
        #expect(records[0].dimensions.map(\.value) == [try Quantity("1.5")])
        #expect(records[0].localStart == "2026-11-01T00:00:00+00:00")
        try ledger.close()
    }

    @Test("a period closes when its grace is over, and not before")
    func grace() async throws {
        fixture.turn(to: Self.at(days: 0, hours: 12))
        let ledger = try fixture.open()
        _ = try await ledger.create(Self.daily())
        try await ledger.record([Self.event("a", Self.at(days: 0, hours: 1), "1")])
        let keeper = fixture.keeper(ledger)

        fixture.turn(to: Instant(microseconds: Self.at(days: 1, hours: 1).microseconds - 1))
        #expect(try await keeper.keep() == 0)
        fixture.turn(to: Self.at(days: 1, hours: 1))
        #expect(try await keeper.keep() == 1)
        try ledger.close()
    }

    @Test("late usage is told as a signed difference, and earlier periods are opened")
    func late() async throws {
        fixture.turn(to: Self.at(days: 2, hours: 2))
        let ledger = try fixture.open()
        _ = try await ledger.create(Self.daily())
        try await ledger.record([Self.event("a", Self.at(days: 1, hours: 1), "5")])
        #expect(try await fixture.keeper(ledger).keep() == 1)

        try await ledger.record([
            Self.event("b", Self.at(days: 1, hours: 2), "-2.25"),
            Self.event("c", Self.at(days: -2, hours: 2), "7"),
        ])
        #expect(try await fixture.keeper(ledger).keep() == 4)

        let records = try await ledger.allRecords()
        #expect(records.map(\.kind) == [.final, .final, .final, .final, .adjustment])
        #expect(records.map(\.value?.description) == ["5", "7", "0", "0", "2.75"])
        let adjustment = try #require(records.last)
        #expect(adjustment.delta == (try Quantity("-2.25")))
        #expect((adjustment.revision, adjustment.eventsDelta) == (1, 1))
        #expect(adjustment.previous == records[0].id)
        #expect(try await fixture.keeper(ledger).keep() == 0)
        try ledger.close()
    }

    @Test("what is said of a meter later changes the records of its closed periods")
    func suspended() async throws {
        fixture.turn(to: Self.at(days: 2, hours: 2))
        let ledger = try fixture.open()
        let type = try await ledger.create(Self.daily())
        try await ledger.record([
            Self.event("a", Self.at(days: 0, hours: 1), "5"),
            Self.event("b", Self.at(days: 1, hours: 1), "6"),
        ])
        let id = try #require(MeterID(meterType: type.key, subject: "acme"))
        #expect(try await fixture.keeper(ledger).keep() == 2)

        let change = StandingChange(
            .suspended,
            from: Self.at(days: 1),
            to: Self.at(days: 2),
            reason: "moved"
        )
        _ = try await ledger.say(change, of: id)
        #expect(try await fixture.keeper(ledger).keep() == 1)

        let adjustment = try #require(try await ledger.allRecords().last)
        #expect(adjustment.delta == (try Quantity("-6")))
        #expect(adjustment.period.lowerBound == Self.at(days: 1))
        try ledger.close()
    }

    @Test("periods without usage leave no record where the type makes none")
    func noZero() async throws {
        fixture.turn(to: Self.at(days: 4, hours: 2))
        let ledger = try fixture.open()
        _ = try await ledger.create(Self.daily(makesZero: false))
        try await ledger.record([
            Self.event("a", Self.at(days: 0, hours: 1), "5"),
            Self.event("b", Self.at(days: 3, hours: 1), "6"),
        ])
        #expect(try await fixture.keeper(ledger).keep() == 2)
        try await ledger.record([Self.event("c", Self.at(days: 1, hours: 1), "1")])
        #expect(try await fixture.keeper(ledger).keep() == 1)

        let records = try await ledger.allRecords()
        #expect(records.map(\.value?.description) == ["5", "6", "1"])
        #expect(records.map(\.kind) == [.final, .final, .final])
        try ledger.close()
    }

    @Test("an enrolled meter's first period runs from its start, and its last to its end")
    func enrolled() async throws {
        fixture.turn(to: Self.at(days: 0))
        let ledger = try fixture.open()
        var definition = Self.daily()
        definition.enrolment = .explicit
        let type = try await ledger.create(definition)
        let id = try #require(MeterID(meterType: type.key, subject: "acme"))
        let enrolment = MeterEnrolment(
            id: id,
            start: Self.at(days: 0, hours: 18),
            end: Self.at(days: 2),
            externalRef: "SAP-1"
        )
        _ = try await ledger.enrol([enrolment])
        fixture.turn(to: Self.at(days: 9))
        #expect(try await fixture.keeper(ledger).keep() == 2)

        let records = try await ledger.allRecords()
        #expect(
            records.map(\.period.lowerBound) == [Self.at(days: 0, hours: 18), Self.at(days: 1)]
        )
        #expect(records.map(\.period.upperBound) == [Self.at(days: 1), Self.at(days: 2)])
        #expect(records[0].labels.meterExternalRef == "SAP-1")
        try ledger.close()
    }

    @Test("a changed schedule takes effect at the next boundary")
    func changedSchedule() async throws {
        fixture.turn(to: Self.at(days: 1, hours: 2))
        let ledger = try fixture.open()
        var definition = try await ledger.create(Self.daily()).definition
        try await ledger.record([Self.event("a", Self.at(days: 0, hours: 1), "5")])
        #expect(try await fixture.keeper(ledger).keep() == 1)
        definition.resetSchedule = .every(try .init(.hour, interval: 12))
        let noon = Self.at(days: 1, hours: 12)
        _ = try await ledger.revise(definition, effective: .at(noon), after: 1)
        try await ledger.finishBackfills()
        fixture.turn(to: Self.at(days: 3, hours: 2))
        #expect(try await fixture.keeper(ledger).keep() == 3)

        let ends = try await ledger.allRecords().map(\.period.upperBound)
        #expect(
            ends == [
                Self.at(days: 1), Self.at(days: 2), Self.at(days: 2, hours: 12), Self.at(days: 3),
            ]
        )
        try ledger.close()
    }

    @Test("a type that leaves the zone to the customer closes as the owner's clocks say")
    func customersZone() async throws {
        fixture.turn(to: Self.at(days: 1, hours: 0))
        let ledger = try fixture.open()
        var definition = Self.daily()
        definition.timezone = MeterTypeDefinition.customersZone
        _ = try await ledger.create(definition)
        let owner = CustomerDefinition(
            key: try #require(CustomerKey("acme")),
            name: "Acme",
            timezone: "Asia/Kathmandu",
            subjects: [Ownership(subject: "acme")]
        )
        _ = try await ledger.put(owner)
        try await ledger.record([Self.event("a", Self.at(days: 0, hours: 20), "5")])
        fixture.turn(to: Self.at(days: 1, hours: 20))
        #expect(try await fixture.keeper(ledger).keep() == 1)

        let record = try #require(try await ledger.allRecords().first)
        #expect(record.localStart == "2026-11-02T00:00:00+05:45")
        #expect(record.period.lowerBound.rfc3339 == "2026-11-01T18:15:00Z")
        #expect((record.customer?.text, record.labels.customerName) == ("acme", "Acme"))
        try ledger.close()
    }

    @Test("a late sample of a gauge reaches every period after it, however many there are")
    func lateSample() async throws {
        fixture.turn(to: Self.at(days: 0, hours: 1))
        let ledger = try fixture.open()
        var definition = MeterTypeDefinition.sample(.timeWeighted)
        definition.resetSchedule = .hourly
        _ = try await ledger.create(definition)
        try await ledger.record([Self.event("a", Self.at(days: 0), "5")])
        fixture.turn(to: Self.at(days: 60, hours: 1))
        #expect(try await fixture.keeper(ledger).keep() == 1_440)

        let half = Instant(microseconds: Self.base + 1_800_000_000)
        try await ledger.record([Self.event("b", half, "7")])
        #expect(try await fixture.keeper(ledger).keep() == 1_440)

        let adjustments = try await ledger.allRecords().suffix(1_440)
        #expect(
            adjustments.map(\.period.lowerBound) == (0..<1_440).map { Self.at(days: 0, hours: $0) }
        )
        #expect(adjustments.first?.delta == (try Quantity("1")))
        #expect(adjustments.dropFirst().allSatisfy { $0.delta.description == "2" })
        try ledger.close()
    }

    @Test("an event of long ago opens every period from its own on")
    func longAgo() async throws {
        fixture.turn(to: Self.at(days: 0, hours: 3))
        let ledger = try fixture.open()
        var definition = Self.daily()
        definition.resetSchedule = .hourly
        _ = try await ledger.create(definition)
        try await ledger.record([Self.event("a", Self.at(days: 0), "5")])
        #expect(try await fixture.keeper(ledger).keep() == 2)

        try await ledger.record([Self.event("b", Self.at(days: -60), "1")])
        #expect(try await fixture.keeper(ledger).keep() == 1_440)
        #expect(try await fixture.keeper(ledger).keep() == 0)
        try ledger.close()
    }
}
