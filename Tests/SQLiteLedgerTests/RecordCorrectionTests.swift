import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel
import WireFormat

@Suite("Corrections in usage records") struct RecordCorrectionTests {
    private static let day: Int64 = 86_400_000_000
    /// 2026-11-01T00:00:00Z.
    private static let base: Int64 = 1_793_491_200_000_000

    private static func at(days: Int64, hours: Int64 = 0) -> Instant {
        Instant(microseconds: base + days * day + hours * 3_600_000_000)
    }

    private let fixture = LedgerFixture()

    private static func event(_ id: String, days: Int64, _ number: String) -> SampleEvent {
        SampleEvent(id: id, time: at(days: days, hours: 1), number: number)
    }

    private static func keys(_ ids: String...) -> CorrectionRequest.Targets {
        .keys(ids.map { EventKey(source: "gateway", id: $0) })
    }

    private func correct(_ ledger: SQLiteLedger, _ what: CorrectionRequest.What) async throws {
        let made = try await ledger.correct(.init(what, author: "Ada", reason: "a test"))
        #expect(made.correction != nil)
        _ = try await fixture.keeper(ledger).keep()
    }

    private func daily(_ aggregation: Aggregation) async throws -> SQLiteLedger {
        fixture.turn(to: Self.at(days: 0, hours: 12))
        let ledger = try fixture.open()
        var definition = MeterTypeDefinition.sample(aggregation)
        definition.resetSchedule = .daily
        _ = try await ledger.create(definition)
        return ledger
    }

    @Test("a void in a closed period is told as an adjustment, and so is its restore")
    func adjusted() async throws {
        let ledger = try await daily(.sum)
        try await ledger.record([
            Self.event("a", days: 0, "12.5"), Self.event("b", days: 0, "30"),
            Self.event("c", days: 1, "7"),
        ])
        fixture.turn(to: Self.at(days: 2, hours: 2))
        _ = try await fixture.keeper(ledger).keep()

        try await correct(ledger, .void(Self.keys("a")))
        try await correct(ledger, .restore(Self.keys("a")))
        let other = Self.event("a", days: 1, "2")
        let decoded = try decodeEvents(Array(other.json.utf8), framing: .plain)
        let batch = ledger.preparer.prepare(decoded, arrival: other.time)
        try await correct(ledger, .replace(batch))

        let records = try await ledger.allRecords().filter { $0.kind != .interim }
        #expect(records.map(\.delta.description) == ["42.5", "7", "-12.5", "12.5", "-12.5", "2"])
        #expect(records.map(\.eventsDelta) == [2, 1, -1, 1, -1, 1])
        let adjustments = records.dropFirst(2)
        #expect(adjustments.allSatisfy { $0.kind == .adjustment && $0.cause == .late })
        #expect(adjustments.map(\.period.lowerBound).last == Self.at(days: 1))
        try ledger.close()
    }

    @Test("the greatest value of a closed period goes down with the event that had it")
    func greatest() async throws {
        let ledger = try await daily(.max)
        try await ledger.record([Self.event("a", days: 0, "9"), Self.event("b", days: 0, "4")])
        fixture.turn(to: Self.at(days: 1, hours: 2))
        _ = try await fixture.keeper(ledger).keep()

        try await correct(ledger, .void(Self.keys("a")))

        let records = try await ledger.allRecords()
        #expect(records.map(\.value?.description) == ["9", "4"])
        try ledger.close()
    }

    @Test("a correction is followed across a restart, also when its derived state is lost")
    func restarted() async throws {
        var ledger = try await daily(.sum)
        try await ledger.record([Self.event("a", days: 0, "1"), Self.event("b", days: 0, "2")])
        fixture.turn(to: Self.at(days: 1, hours: 2))
        _ = try await fixture.keeper(ledger).keep()
        _ = try await ledger.correct(
            .init(.void(Self.keys("a")), author: "Ada", reason: "a test")
        )
        try ledger.close()
        ledger = try fixture.open()

        _ = try await fixture.keeper(ledger).keep()

        #expect(try await ledger.allRecords().map(\.delta.description) == ["3", "-1"])
        try ledger.close()
    }

    @Test("a preview tells the record that would be adjusted, and by what")
    func preview() async throws {
        let ledger = try await daily(.sum)
        try await ledger.record([Self.event("a", days: 0, "1"), Self.event("b", days: 0, "2")])
        fixture.turn(to: Self.at(days: 1, hours: 2))
        _ = try await fixture.keeper(ledger).keep()
        let record = try #require(try await ledger.allRecords().first)

        let preview = try await ledger.preview(
            .init(.void(Self.keys("a")), author: "Ada", reason: "a test")
        )

        let effect = try #require(preview.effects.first)
        #expect(preview.effects.count == 1 && !preview.hasMore)
        #expect((effect.before?.description, effect.after?.description) == ("3", "2"))
        #expect(effect.records.map(\.record) == [record.id])
        #expect(effect.records.map(\.after?.description) == ["2"])
        #expect(try await ledger.allRecords().count == 1)
        try ledger.close()
    }
}
