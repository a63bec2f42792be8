import Foundation
import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Synchronization
import Testing
import UsageModel
import WireFormat

@Suite("What becomes of late usage, of thresholds, and of periods that are ended early")
struct RecordPolicyTests {
    private static let day: Int64 = 86_400_000_000
    /// 2026-11-01T00:00:00Z.
    private static let base: Int64 = 1_793_491_200_000_000

    private static func at(days: Int64, hours: Int64 = 0) -> Instant {
        Instant(microseconds: base + days * day + hours * 3_600_000_000)
    }

    private let fixture = LedgerFixture()

    private func open(
        _ rules: (inout MeterTypeDefinition) -> Void
    ) async throws -> SQLiteLedger {
        fixture.turn(to: Self.at(days: 0, hours: 1))
        let ledger = try fixture.open()
        var definition = MeterTypeDefinition.sample(.sum, byModel: true)
        definition.resetSchedule = .daily
        rules(&definition)
        _ = try await ledger.create(definition)
        return ledger
    }

    private func use(
        _ ledger: SQLiteLedger,
        _ id: String,
        _ instant: Instant,
        _ number: String
    ) async throws {
        let event = SampleEvent(id: id, time: instant, number: number, model: "large")
        let decoded = try decodeEvents(Array(event.json.utf8), framing: .ndjson)
        let arrival = fixture.time.withLock { $0 }
        _ = try await ledger.record(
            ledger.preparer.prepare(decoded, arrival: arrival),
            isAtomic: false
        )
    }

    private func reading(_ ledger: SQLiteLedger, day: Int64) async throws -> Quantity? {
        let key = try #require(try await ledger.meterTypes().first?.key)
        let range = Self.at(days: day)..<Self.at(days: day + 1)
        return try await ledger.readings(UsageQuery(meterTypes: [key], range: range))
            .readings.first?.value
    }

    // MARK: Late usage

    @Test("collected adjustments wait for the next close, all of a period in one")
    func collected() async throws {
        let ledger = try await open { $0.records.lateAdjustments = .collected }
        let keeper = fixture.keeper(ledger)
        try await use(ledger, "a", Self.at(days: 0, hours: 2), "10")
        try await use(ledger, "b", Self.at(days: 1, hours: 2), "20")
        fixture.turn(to: Self.at(days: 2, hours: 2))
        #expect(try await keeper.keep() == 2)

        try await use(ledger, "c", Self.at(days: 0, hours: 3), "1")
        #expect(try await keeper.keep() == 0)
        try await use(ledger, "d", Self.at(days: 0, hours: 4), "2")
        try await use(ledger, "e", Self.at(days: 1, hours: 4), "5")
        try await use(ledger, "f", Self.at(days: 1, hours: 5), "-5")
        #expect(try await keeper.keep() == 0)
        fixture.turn(to: Self.at(days: 3, hours: 2))
        try await keeper.keep()
        #expect(try await keeper.keep() == 0)

        let made = try await ledger.allRecords().dropFirst(2)
        #expect(made.map(\.kind) == [.adjustment, .adjustment, .final])
        #expect(made.map(\.delta.description) == ["3", "0", "0"])
        #expect(made.map(\.eventsDelta) == [2, 2, 0])
        #expect(made.allSatisfy { $0.toldIn == nil && $0.late.isEmpty })
        try ledger.close()
    }

    @Test("under next-period what came late is told with the next final record, and counted once")
    func nextPeriod() async throws {
        let ledger = try await open { $0.records.latePolicy = .nextPeriod }
        let keeper = fixture.keeper(ledger)
        try await use(ledger, "a", Self.at(days: 0, hours: 2), "10")
        try await use(ledger, "b", Self.at(days: 1, hours: 2), "20")
        fixture.turn(to: Self.at(days: 2, hours: 2))
        try await keeper.keep()
        try await use(ledger, "c", Self.at(days: 0, hours: 3), "1.5")
        try await use(ledger, "d", Self.at(days: 1, hours: 3), "-2")
        try await use(ledger, "e", Self.at(days: 2, hours: 1), "7")
        #expect(try await keeper.keep() == 0)
        fixture.turn(to: Self.at(days: 3, hours: 2))
        try await keeper.keep()

        let records = try await ledger.allRecords()
        let final = try #require(records.last)
        #expect(records.map(\.kind) == [.final, .final, .adjustment, .adjustment, .final])
        #expect(records[2...3].map(\.toldIn) == [final.id, final.id])
        #expect(final.late.map(\.id) == records[2...3].map(\.id))
        #expect(final.late.map(\.delta.description) == ["1.5", "-2"])
        #expect(try final.amount().description == "6.5")
        #expect(try records.map { try $0.amount().description } == ["10", "20", "0", "0", "6.5"])
        #expect(records[2].value == (try await reading(ledger, day: 0)))
        try ledger.close()
    }

    @Test("a meter that closes nothing more has its late usage told at once")
    func over() async throws {
        let ledger = try await open { $0.records.latePolicy = .nextPeriod }
        let keeper = fixture.keeper(ledger)
        try await use(ledger, "a", Self.at(days: 0, hours: 2), "10")
        fixture.turn(to: Self.at(days: 1, hours: 2))
        try await keeper.keep()
        let id = try #require(try await ledger.allRecords().first?.meter)
        let change = StandingChange(.closed, from: Self.at(days: 1), reason: "left")
        _ = try await ledger.say(change, of: id)
        try await keeper.keep()

        try await use(ledger, "b", Self.at(days: 0, hours: 3), "1")
        try await keeper.keep()

        let last = try #require(try await ledger.allRecords().last)
        #expect((last.kind, last.delta.description, last.toldIn) == (.adjustment, "1", nil))
        try ledger.close()
    }

    @Test(
        "what comes too late does not count, is listed with its reason, and stays so",
        arguments: [true, false]
    )
    func tooLate(isQuarantined: Bool) async throws {
        let ledger = try await open { definition in
            if isQuarantined {
                definition.records.latePolicy = .quarantine
            } else {
                definition.records.lateUntil = TimeLength("2d")
            }
        }
        try await use(ledger, "a", Self.at(days: 0, hours: 2), "10")
        // An hour of grace: still in time, and then not any more.
        fixture.turn(to: Self.at(days: isQuarantined ? 1 : 3).before)
        try await use(ledger, "b", Self.at(days: 0, hours: 3), "1")
        fixture.turn(to: Self.at(days: isQuarantined ? 1 : 3, hours: 1))
        try await use(ledger, "c", Self.at(days: 0, hours: 4), "100")
        try await use(ledger, "d", Self.at(days: isQuarantined ? 1 : 3), "1000")

        #expect(try await reading(ledger, day: 0)?.description == "11")
        let unreadable = try await ledger.unreadable(UnreadableQuery(meterType: nil, limit: 10))
        #expect(unreadable.events.map(\.reason) == [.periodClosed])
        try ledger.close()
        try FileManager.default.removeItem(atPath: fixture.directory + "/derived")
        let again = try fixture.open()
        #expect(try await reading(again, day: 0)?.description == "11")
        try again.close()
    }

    // MARK: Thresholds

    @Test("one event crosses three thresholds, each fires once, and again in the next period")
    func thresholds() async throws {
        let ledger = try await open { definition in
            definition.capacity = Quantity(mantissa: 100 * Self.unit)
            definition.records.thresholds = [
                Threshold(name: "80", level: .percent(Quantity(mantissa: 80 * Self.unit))),
                Threshold(name: "50", level: .percent(Quantity(mantissa: 50 * Self.unit))),
                Threshold(name: "most", level: .amount(Quantity(mantissa: 90 * Self.unit))),
                Threshold(name: "never", level: .amount(Quantity(mantissa: 900 * Self.unit))),
            ]
        }
        let keeper = fixture.keeper(ledger)
        try await keeper.keep()
        try await use(ledger, "a", Self.at(days: 0, hours: 2), "49.9")
        #expect(try await keeper.keep() == 0)
        try await use(ledger, "b", Self.at(days: 0, hours: 3), "60")
        #expect(try await keeper.keep() == 3)
        try await use(ledger, "c", Self.at(days: 0, hours: 4), "1")
        #expect(try await keeper.keep() == 0)

        let fired = try await ledger.allRecords()
        #expect(fired.map(\.crossing?.name) == ["50", "80", "most"])
        #expect(fired.map(\.crossing?.amount.description) == ["50", "80", "90"])
        #expect(fired.allSatisfy { $0.kind == .interim && $0.cause == .threshold })
        #expect(fired.map(\.value?.description) == ["109.9", "109.9", "109.9"])
        #expect(try fired.allSatisfy { try $0.amount() == .zero })

        // Less again, as a correction would have it: above 50 still.
        try await use(ledger, "d", Self.at(days: 0, hours: 5), "-40.9")
        #expect(try await keeper.keep() == 2)
        let recovered = try await ledger.allRecords().suffix(2)
        #expect(recovered.map(\.cause) == [.recovery, .recovery])
        #expect(recovered.map(\.crossing?.name) == ["80", "most"])

        fixture.turn(to: Self.at(days: 1, hours: 2))
        try await use(ledger, "e", Self.at(days: 1, hours: 1), "50")
        try await keeper.keep()
        let later = try await ledger.allRecords().dropFirst(5)
        #expect(Set(later.map(\.kind)) == [.interim, .final])
        #expect(later.filter { $0.kind == .interim }.map(\.crossing?.name) == ["50"])
        try ledger.close()
    }

    @Test("a threshold that is said later fires for who is above it already")
    func thresholdLater() async throws {
        let ledger = try await open { _ in }
        let keeper = fixture.keeper(ledger)
        try await use(ledger, "a", Self.at(days: 0, hours: 2), "60")
        try await keeper.keep()
        var definition = try #require(try await ledger.meterTypes().first?.definition)
        definition.records.thresholds = [
            Threshold(name: "50", level: .amount(Quantity(mantissa: 50 * Self.unit)))
        ]
        _ = try await ledger.revise(definition, effective: .at(Self.at(days: 0)), after: 1)
        try await ledger.finishBackfills()

        #expect(try await keeper.keep() == 1)
        #expect(try await keeper.keep() == 0)
        try ledger.close()
    }

    private static let unit: Int128 = 1_000_000_000_000_000_000

    // MARK: Early ends

    @Test("closing now ends the running period, the next one begins, and late usage finds both")
    func closeNow() async throws {
        let ledger = try await open { _ in }
        let keeper = fixture.keeper(ledger)
        try await use(ledger, "a", Self.at(days: 0, hours: 2), "10")
        try await keeper.keep()
        fixture.turn(to: Self.at(days: 1, hours: 12))
        try await use(ledger, "b", Self.at(days: 1, hours: 2), "5")
        let key = try #require(try await ledger.meterTypes().first?.key)
        let id = try #require(MeterID(meterType: key, subject: SampleEvent(id: "x").subject))

        let closed = try await keeper.closeNow(id)
        let again = try await keeper.closeNow(id)
        fixture.turn(to: Self.at(days: 2, hours: 2))
        try await use(ledger, "c", Self.at(days: 1, hours: 11), "0.5")
        try await use(ledger, "d", Self.at(days: 1, hours: 13), "7")
        try await keeper.keep()

        #expect(closed.map(\.cause) == [.periodEnd, .closedNow])
        #expect(closed.map(\.value?.description) == ["10", "5"])
        #expect(closed.last?.period == Self.at(days: 1)..<Self.at(days: 1, hours: 12))
        #expect(again.isEmpty)
        let later = try await ledger.allRecords().dropFirst(2)
        #expect(
            Set(later.map(\.period)) == [
                Self.at(days: 1)..<Self.at(days: 1, hours: 12),
                Self.at(days: 1, hours: 12)..<Self.at(days: 2),
            ]
        )
        #expect(Set(later.map(\.delta.description)) == ["0.5", "7"])
        try ledger.close()
    }

    @Test("closing now makes up for all that was missed, however much that is")
    func closeLongAgo() async throws {
        let ledger = try await open { $0.resetSchedule = .hourly }
        try await use(ledger, "a", Self.at(days: -50), "10")
        let key = try #require(try await ledger.meterTypes().first?.key)
        let id = try #require(MeterID(meterType: key, subject: "acme"))

        let made = try await fixture.keeper(ledger).closeNow(id)

        // Fifty days of hours, and the one of now, which just began.
        #expect(made.count == 50 * 24 + 1)
        #expect(made.last?.period.upperBound == Self.at(days: 0, hours: 1))
        #expect(Set(made.map(\.id)).count == made.count)
        try ledger.close()
    }

    @Test("an interim record tells where the period stands, and bills nothing")
    func interim() async throws {
        let ledger = try await open { $0.records.hasEvidence = true }
        let keeper = fixture.keeper(ledger)
        try await use(ledger, "a", Self.at(days: 0, hours: 2), "10")
        let key = try #require(try await ledger.meterTypes().first?.key)
        let id = try #require(MeterID(meterType: key, subject: SampleEvent(id: "x").subject))
        fixture.turn(to: Self.at(days: 0, hours: 3))

        let one = try #require(try await keeper.tell(id))
        try await use(ledger, "b", Self.at(days: 0, hours: 4), "5")
        let two = try #require(try await keeper.tell(id))
        fixture.turn(to: Self.at(days: 1, hours: 2))
        try await keeper.keep()

        #expect([one.value, two.value].map(\.?.description) == ["10", "15"])
        #expect((two.revision, two.previous, two.cause) == (2, one.id, .onDemand))
        #expect(try [one, two].map { try $0.amount() } == [.zero, .zero])
        #expect(two.evidence?.firstEventAt == Self.at(days: 0, hours: 2))
        #expect(two.evidence?.lastEventAt == Self.at(days: 0, hours: 4))
        #expect(one.evidence?.keysHash != two.evidence?.keysHash)
        let final = try #require(try await ledger.allRecords().last)
        #expect((final.kind, final.revision, final.delta.description) == (.final, 0, "15"))
        #expect(final.evidence?.keysHash == two.evidence?.keysHash)
        try ledger.close()
    }

    @Test("a record of a type that rounds has the exact value beside")
    func exact() async throws {
        let ledger = try await open { $0.rounding = Rounding(mode: .halfEven, places: 0) }
        let keeper = fixture.keeper(ledger)
        try await use(ledger, "a", Self.at(days: 0, hours: 2), "10.7")
        fixture.turn(to: Self.at(days: 1, hours: 2))
        try await keeper.keep()

        let record = try #require(try await ledger.allRecords().first)
        #expect(record.value?.description == "11")
        #expect(record.exact?.description == "10.7")
        #expect(record.delta.description == "11")
        try ledger.close()
    }
}

extension Instant {
    fileprivate var before: Instant { Instant(microseconds: microseconds - 1) }
}
