import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel

@Suite("Every ledger keeps the promises of the seam") struct ConformanceTests {
    @Test("the embedded ledger")
    func embedded() async throws {
        let fixture = LedgerFixture()
        let ledger = try fixture.open()
        var conformance = LedgerConformance(ledger)
        let violations = try await conformance.run()
        #expect(violations == [])
        try ledger.close()
    }

    @Test("the reference ledger")
    func reference() async throws {
        let ledger = ReferenceLedger(clock: { Instant(microseconds: 1_793_600_000_000_000) })
        var conformance = LedgerConformance(ledger)
        let violations = try await conformance.run()
        #expect(violations == [])
    }
}
