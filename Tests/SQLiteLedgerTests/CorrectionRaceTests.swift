import MeteringEngine
import MeteringTestKit
import Testing
import UsageModel

@testable import SQLiteLedger

@Suite("Corrections and what comes while they are worked out") struct CorrectionRaceTests {
    private let fixture = LedgerFixture()

    private static func event(_ id: String, _ subject: String = "acme") -> SampleEvent {
        SampleEvent(id: id, subject: subject, model: "large")
    }

    private func sum(_ ledger: SQLiteLedger) async throws -> String? {
        let query = UsageQuery(meterTypes: [.sum], range: .allTime)
        return try await ledger.readings(query).readings.first?.value?.description
    }

    private static func filter(_ subject: String) -> EventQuery {
        var query = EventQuery(range: .allTime, limit: 1)
        query.subjects = [subject]
        return query
    }

    @Test("a filter finds what came after the plan was made, and nothing else", arguments: [1, 40])
    func filtered(late: Int) async throws {
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        try await ledger.record([Self.event("a"), Self.event("b", "other"), Self.event("c")])
        let request = CorrectionRequest(
            .void(.matching(Self.filter("acme"))),
            author: "Ada",
            reason: "a race"
        )
        let plan = try CorrectionPlanning(core: ledger.core, request: request).plan()
        #expect(plan.events == 2)
        try await ledger.record((0..<late).map { Self.event("late-\($0)") })
        try await ledger.record([Self.event("d", "other")])

        let outcome = try await ledger.perform { try $0.correct(plan) }

        #expect(outcome?.correction?.events == Int64(2 + late))
        #expect(try await sum(ledger) == "2")
        #expect(try await ledger.books(.all).total.balances)
        try ledger.close()
        #expect(try fixture.verified().findings == [])
    }

    @Test("what came while a close was worked out makes room too")
    func closed() async throws {
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        try await ledger.record([Self.event("a")])
        var replacing = EventSelection()
        replacing.subject = "acme"
        let set = try await ledger.open(
            BackfillSetRequest(name: "again", replacing: replacing, author: "Ada", reason: "a race")
        )
        try await ledger.record([Self.event("new")], into: set.number)
        let request = CorrectionRequest(.close(set.number), author: "Ada", reason: "a race")
        let plan = try CorrectionPlanning(core: ledger.core, request: request).plan()
        try await ledger.record([Self.event("late")])
        #expect(try await sum(ledger) == "2")

        _ = try await ledger.perform { try $0.correct(plan) }

        #expect(try await sum(ledger) == "1", "only the event of the set counts")
        _ = try await ledger.correct(
            CorrectionRequest(.revert(set.number), author: "Ada", reason: "a race")
        )
        #expect(try await sum(ledger) == "2", "both of before count again")
        try ledger.close()
    }
}
