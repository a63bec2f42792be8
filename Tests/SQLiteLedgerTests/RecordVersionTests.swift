import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Synchronization
import Testing
import UsageModel

@Suite("Usage records over what changes") struct RecordVersionTests {
    /// 2026-11-01T00:00:00Z.
    private static let base: Int64 = 1_793_491_200_000_000

    private static func at(days: Int64, hours: Int64 = 0) -> Instant {
        Instant(microseconds: base + (days * 24 + hours) * 3_600_000_000)
    }

    private let fixture = LedgerFixture()

    private static func sum(
        _ schedule: ResetSchedule,
        makesZero: Bool = true
    ) -> MeterTypeDefinition {
        var definition = MeterTypeDefinition.sample(.sum)
        definition.resetSchedule = schedule
        definition.records.makesZeroUsage = makesZero
        return definition
    }

    private static func event(_ id: String, _ instant: Instant, _ number: String) -> SampleEvent {
        SampleEvent(id: id, time: instant, number: number, model: "large")
    }

    /// Makes the second version of a meter type, and waits until it is in force.
    private static func revise(
        _ ledger: SQLiteLedger,
        _ effective: EffectiveTime,
        _ change: (inout MeterTypeDefinition) -> Void
    ) async throws {
        var definition = try #require(try await ledger.meterTypes().first).definition
        change(&definition)
        _ = try await ledger.revise(definition, effective: effective, after: 1)
        try await ledger.finishBackfills()
    }

    // MARK: Late usage

    enum Change: CaseIterable { case toMonths, toNever, toNeverSinceEver, toLongerGrace }

    @Test("a changed reset schedule shows on a meter's page before it takes effect")
    func shownBefore() async throws {
        fixture.turn(to: Self.at(days: 0, hours: 12))
        let ledger = try fixture.open()
        _ = try await ledger.create(Self.sum(.daily))
        try await ledger.record([Self.event("a", Self.at(days: 0, hours: 1), "1")])
        // Monthly from the middle of the third day on: 2026-11-03T12:00Z.
        try await Self.revise(ledger, .at(Self.at(days: 2, hours: 12))) {
            $0.resetSchedule = .monthly
        }
        let definition = try #require(try await ledger.meterTypes().first).definition
        let id = try #require(MeterID(meterType: definition.key, subject: "acme"))

        let reading = try await ledger.reading(
            id,
            of: definition,
            in: .utc,
            at: Self.at(days: 1, hours: 12)
        )

        #expect(reading.period.range == Self.at(days: 1)..<Self.at(days: 2))
        #expect(
            reading.period.nextResets == [Self.at(days: 2), Self.at(days: 3), Self.at(days: 30)]
        )
        fixture.turn(to: Self.at(days: 31))
        try await fixture.keeper(ledger).keep()
        let ends = try await ledger.allRecords().map(\.period.upperBound)
        #expect(ends == [Self.at(days: 1)] + reading.period.nextResets)
        try ledger.close()
    }

    @Test("late usage counts in what closed before the type changed", arguments: Change.allCases)
    func lateAfterChange(change: Change) async throws {
        fixture.turn(to: Self.at(days: 5, hours: 2))
        let ledger = try fixture.open()
        _ = try await ledger.create(Self.sum(.daily))
        try await ledger.record([Self.event("a", Self.at(days: 1, hours: 1), "5")])
        #expect(try await fixture.keeper(ledger).keep() == 4)
        let isSinceEver = change == .toNeverSinceEver
        let effective = isSinceEver ? EffectiveTime.always : .at(Self.at(days: 4, hours: 12))
        try await Self.revise(ledger, effective) { definition in
            switch change {
            case .toMonths: definition.resetSchedule = .monthly
            case .toNever, .toNeverSinceEver: definition.resetSchedule = .never
            case .toLongerGrace: definition.records.gracePeriod = TimeLength("30d") ?? .hour
            }
        }
        #expect(try await fixture.keeper(ledger).keep() == 0)

        try await ledger.record([Self.event("b", Self.at(days: 2, hours: 1), "7")])
        #expect(try await fixture.keeper(ledger).keep() == 1)

        let adjustment = try #require(try await ledger.allRecords().last)
        #expect(adjustment.period == Self.at(days: 2)..<Self.at(days: 3))
        #expect((adjustment.kind, adjustment.delta) == (.adjustment, try Quantity("7")))
        try ledger.close()
    }

    @Test("late usage of a period without a record counts in the period that closed then")
    func lateInGap() async throws {
        fixture.turn(to: Self.at(days: 14, hours: 2))
        let ledger = try fixture.open()
        _ = try await ledger.create(Self.sum(.daily, makesZero: false))
        try await ledger.record([Self.event("a", Self.at(days: 2, hours: 1), "5")])
        #expect(try await fixture.keeper(ledger).keep() == 1)
        // The day goes on to its end; from there on it is months.
        try await Self.revise(ledger, .at(Self.at(days: 14, hours: 12))) { definition in
            definition.resetSchedule = .monthly
        }
        fixture.turn(to: Self.at(days: 31))
        #expect(try await fixture.keeper(ledger).keep() == 0)

        try await ledger.record([
            Self.event("b", Self.at(days: 20), "7"), Self.event("c", Self.at(days: 5), "1"),
            Self.event("d", Self.at(days: 14, hours: 18), "3"),
        ])
        #expect(try await fixture.keeper(ledger).keep() == 3)

        let records = try await ledger.allRecords().dropFirst()
        #expect(
            records.map(\.period) == [
                Self.at(days: 5)..<Self.at(days: 6), Self.at(days: 14)..<Self.at(days: 15),
                Self.at(days: 15)..<Self.at(days: 30),
            ]
        )
        #expect(records.map(\.value?.description) == ["1", "3", "7"])
        try ledger.close()
    }

    @Test("what a changed schedule cuts otherwise overlaps no record that there is")
    func lateBetweenRecords() async throws {
        fixture.turn(to: Self.at(days: 10, hours: 2))
        let ledger = try fixture.open()
        _ = try await ledger.create(Self.sum(.daily, makesZero: false))
        try await ledger.record([
            Self.event("a", Self.at(days: 1), "5"), Self.event("b", Self.at(days: 6), "6"),
        ])
        #expect(try await fixture.keeper(ledger).keep() == 2)
        try await Self.revise(ledger, .always) { $0.resetSchedule = .monthly }
        #expect(try await fixture.keeper(ledger).keep() == 0)

        try await ledger.record([Self.event("c", Self.at(days: 4), "7")])
        #expect(try await fixture.keeper(ledger).keep() == 1)

        let record = try #require(try await ledger.allRecords().last)
        #expect(record.period == Self.at(days: 2)..<Self.at(days: 6))
        #expect(record.value == (try Quantity("7")))
        try ledger.close()
    }

    @Test("an earlier event opens periods as the versions cut them, from its own on")
    func earlierEvent() async throws {
        fixture.turn(to: Self.at(days: 0))
        let ledger = try fixture.open()
        _ = try await ledger.create(Self.sum(.daily))
        try await Self.revise(ledger, .at(Self.at(days: 14, hours: 12))) { definition in
            definition.resetSchedule = .monthly
        }
        fixture.turn(to: Self.at(days: 62))
        try await ledger.record([Self.event("a", Self.at(days: 40), "5")])
        #expect(try await fixture.keeper(ledger).keep() == 1)

        try await ledger.record([Self.event("b", Self.at(days: 20), "7")])
        #expect(try await fixture.keeper(ledger).keep() == 1)

        let records = try await ledger.allRecords()
        #expect(
            records.map(\.period) == [
                Self.at(days: 30)..<Self.at(days: 61), Self.at(days: 15)..<Self.at(days: 30),
            ]
        )
        #expect(records.map(\.value?.description) == ["5", "7"])
        try ledger.close()
    }

    // MARK: Closing

    @Test("a period that began under never ends at the first boundary of what follows")
    func neverEnds() async throws {
        fixture.turn(to: Self.at(days: 1, hours: 2))
        let ledger = try fixture.open()
        _ = try await ledger.create(Self.sum(.never))
        try await ledger.record([Self.event("a", Self.at(days: 1, hours: 1), "5")])
        #expect(try await fixture.keeper(ledger).keep() == 0)
        try await Self.revise(ledger, .at(Self.at(days: 3, hours: 12))) { definition in
            definition.resetSchedule = .daily
        }
        fixture.turn(to: Self.at(days: 5, hours: 1))
        try await ledger.record([Self.event("b", Self.at(days: 3, hours: 18), "7")])
        #expect(try await fixture.keeper(ledger).keep() == 2)

        let records = try await ledger.allRecords()
        #expect(records.map(\.period.upperBound) == [Self.at(days: 4), Self.at(days: 5)])
        #expect(records.map(\.value?.description) == ["12", "0"])
        try ledger.close()
    }

    @Test("a meter whose end is taken back closes at once what is over")
    func endTakenBack() async throws {
        fixture.turn(to: Self.at(days: 0))
        let ledger = try fixture.open()
        let type = try await ledger.create(Self.sum(.daily))
        let id = try #require(MeterID(meterType: type.key, subject: "acme"))
        let enrolment = MeterEnrolment(id: id, start: Self.at(days: 0), end: Self.at(days: 2))
        _ = try await ledger.enrol([enrolment])
        fixture.turn(to: Self.at(days: 5, hours: 2))
        let keeper = fixture.keeper(ledger)
        #expect(try await keeper.keep() == 2)

        var alteration = MeterAlteration()
        alteration.end = .some(nil)
        _ = try await ledger.alter(id, alteration)
        #expect(try await keeper.keep() == 3)

        let starts = try await ledger.allRecords().map(\.period.lowerBound)
        #expect(starts == (0..<5).map { Self.at(days: $0) })
        try ledger.close()
    }

    @Test("a meter that begins after a schedule became shorter does not wait for the longer one")
    func beginsAfterChange() async throws {
        fixture.turn(to: Self.at(days: 1, hours: 12))
        let ledger = try fixture.open()
        _ = try await ledger.create(Self.sum(.monthly))
        try await Self.revise(ledger, .now) { $0.resetSchedule = .daily }
        let keeper = fixture.keeper(ledger)
        #expect(try await keeper.keep() == 0)

        fixture.turn(to: Self.at(days: 2, hours: 2))
        try await ledger.record([Self.event("a", Self.at(days: 2, hours: 1), "5")])
        #expect(try await keeper.keep() == 0)
        fixture.turn(to: Self.at(days: 3, hours: 1))
        #expect(try await keeper.keep() == 1)
        try ledger.close()
    }

    // MARK: What goes wrong

    private struct LackingZones: TimeZoneSource {
        let name: String

        func rules(named name: String) throws(TimeZoneError) -> TimeZoneRules {
            guard name != self.name else { throw .unknown(name: name) }
            return try SystemTimeZones.shared.rules(named: name)
        }
    }

    @Test("a meter type whose zone is not to be had keeps no other waiting")
    func lackingZone() async throws {
        fixture.turn(to: Self.at(days: 1, hours: 2))
        let ledger = try fixture.open()
        for (key, zone) in [("a", "UTC"), ("b", "Asia/Kathmandu"), ("c", "UTC")] {
            var definition = MeterTypeDefinition.sample(.sum, key: key)
            (definition.resetSchedule, definition.timezone) = (.daily, zone)
            _ = try await ledger.create(definition)
        }
        try await ledger.record([Self.event("a", Self.at(days: 0, hours: 1), "5")])
        let keeper = fixture.keeper(ledger, zones: LackingZones(name: "Asia/Kathmandu"))

        let error = await #expect(throws: LedgerError.self) { try await keeper.keep() }

        #expect(error?.code == .unavailable)
        #expect(try await ledger.allRecords().map(\.meter.meterType.text) == ["a", "c"])
        try ledger.close()
    }

    @Test("a record of another name for the same end of a period is refused, the same one is not")
    func otherName() async throws {
        fixture.turn(to: Self.at(days: 1, hours: 2))
        let ledger = try fixture.open()
        _ = try await ledger.create(Self.sum(.daily))
        try await ledger.record([Self.event("a", Self.at(days: 0, hours: 1), "5")])
        #expect(try await fixture.keeper(ledger).keep() == 1)
        var commit = RecordCommit()
        commit.records = try await ledger.allRecords()

        try await ledger.keep(commit)
        let start = Self.at(days: 0, hours: 1)
        commit.records[0].id = UsageRecordID(
            meter: commit.records[0].meter,
            start: start,
            revision: 0
        )
        let error = await #expect(throws: LedgerError.self) { try await ledger.keep(commit) }

        #expect(error?.code == .corrupt)
        #expect(try await ledger.allRecords().count == 1)
        try ledger.close()
    }
}
