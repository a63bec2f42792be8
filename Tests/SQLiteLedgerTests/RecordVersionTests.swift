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

    private func keeper(
        _ ledger: SQLiteLedger,
        zones: any TimeZoneSource = SystemTimeZones.shared
    ) -> RecordKeeper {
        RecordKeeper(
            ledger: ledger,
            store: ledger,
            zones: zones,
            clock: { [fixture] in fixture.time.withLock { $0 } }
        )
    }

    private func turn(to instant: Instant) { fixture.time.withLock { $0 = instant } }

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

    private static func all(_ ledger: SQLiteLedger) async throws -> [UsageRecord] {
        try await ledger.records(RecordQuery(limit: 100_000)).records
    }

    private struct LackingZones: TimeZoneSource {
        let name: String

        func rules(named name: String) throws(TimeZoneError) -> TimeZoneRules {
            guard name != self.name else { throw .unknown(name: name) }
            return try SystemTimeZones.shared.rules(named: name)
        }
    }

    @Test("a meter type whose zone is not to be had keeps no other waiting")
    func lackingZone() async throws {
        turn(to: Self.at(days: 1, hours: 2))
        let ledger = try fixture.open()
        for (key, zone) in [("a", "UTC"), ("b", "Asia/Kathmandu"), ("c", "UTC")] {
            var definition = MeterTypeDefinition.sample(.sum, key: key)
            (definition.resetSchedule, definition.timezone) = (.daily, zone)
            _ = try await ledger.create(definition)
        }
        try await ledger.record([Self.event("a", Self.at(days: 0, hours: 1), "5")])
        let keeper = keeper(ledger, zones: LackingZones(name: "Asia/Kathmandu"))

        let error = await #expect(throws: LedgerError.self) { try await keeper.keep() }

        #expect(error?.code == .unavailable)
        #expect(try await Self.all(ledger).map(\.meter.meterType.text) == ["a", "c"])
        try ledger.close()
    }

    @Test("a record of another name for the same end of a period is refused, the same one is not")
    func otherName() async throws {
        turn(to: Self.at(days: 1, hours: 2))
        let ledger = try fixture.open()
        _ = try await ledger.create(Self.sum(.daily))
        try await ledger.record([Self.event("a", Self.at(days: 0, hours: 1), "5")])
        #expect(try await keeper(ledger).keep() == 1)
        var commit = RecordCommit()
        commit.records = try await Self.all(ledger)

        try await ledger.keep(commit)
        let start = Self.at(days: 0, hours: 1)
        commit.records[0].id = UsageRecordID(
            meter: commit.records[0].meter,
            start: start,
            revision: 0
        )
        let error = await #expect(throws: LedgerError.self) { try await ledger.keep(commit) }

        #expect(error?.code == .corrupt)
        #expect(try await Self.all(ledger).count == 1)
        try ledger.close()
    }
}
