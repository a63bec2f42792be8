import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel
import WireFormat

@Suite("Repairs in the audit trail") struct AuditedRepairTests {
    private let fixture = LedgerFixture()
    private let kim = Author(name: "kim", address: "127.0.0.1", client: "console")

    /// The trail behind the first entries, as "actor action kind key reason".
    private func trail(_ ledger: SQLiteLedger, after number: Int64 = 0) async throws -> [String] {
        var query = AuditQuery(limit: 100)
        (query.isOldestFirst, query.after) = (true, number)
        return try await ledger.audit(query).entries.map { entry in
            "\(entry.actor) \(entry.action) \(entry.kind) \(entry.key) \(entry.reason)"
        }
    }

    @Test("each correction leaves one entry, and what changes nothing none")
    func corrections() async throws {
        let ledger = try fixture.open()
        try await ledger.record([SampleEvent(id: "a"), SampleEvent(id: "b")])
        let keys = CorrectionRequest.Targets.keys([EventKey(source: "gateway", id: "a")])

        try await Author.$current.withValue(kim) {
            for what in [CorrectionRequest.What.void(keys), .void(keys), .restore(keys)] {
                _ = try await ledger.correct(.init(what, author: "kim", reason: "a test"))
            }
            _ = try await ledger.correct(.init(.void(keys), author: "Ada", reason: "again"))
        }

        #expect(
            try await trail(ledger) == [
                "kim void correction c-1 a test", "kim restore correction c-2 a test",
                "Ada void correction c-3 again",
            ]
        )
        let first = try await ledger.audit(AuditQuery(limit: 10)).entries.last
        #expect(first?.after == #"{"position":"3","events":1}"#)
        #expect(first?.address == "127.0.0.1")
        try ledger.close()
        #expect(try fixture.verified().findings == [])
    }

    @Test("what is done to an item of the quarantine leaves an entry each, and a refusal none")
    func items() async throws {
        let ledger = try fixture.open()
        let broken = #"{"id":"a","source":"s","type":"t","subject":"u","time":"yesterday"}"#
        let mended = #"{"id":"a","source":"s","type":"t","subject":"u"}"#
        try await ledger.record(lines: [broken])
        let note = QuarantineNote(author: "", reason: "mended")

        try await Author.$current.withValue(kim) {
            _ = try await ledger.change(1, version: 1, .discard, note)
            _ = try await ledger.change(1, version: 1, .discard, note)
            _ = try await ledger.change(1, version: 2, .reopen, note)
            _ = try await ledger.change(1, version: 3, .edit(Array(mended.utf8)), note)
            _ = try await ledger.release(1, version: 4, note)
            _ = try await ledger.release(1, version: nil, note)
        }

        #expect(
            try await trail(ledger) == [
                "kim discard quarantine-item q-1 mended", "kim reopen quarantine-item q-1 mended",
                "kim edit quarantine-item q-1 mended", "kim release quarantine-item q-1 mended",
            ]
        )
        let last = try await ledger.audit(AuditQuery(limit: 1)).entries.first
        #expect(last?.after == #"{"verdict":"accepted","version":5,"position":"1"}"#)
        try ledger.close()
    }

    @Test("an action on many items is one entry when it starts, and one when it is cancelled")
    func actions() async throws {
        let ledger = try fixture.open()
        try await ledger.record(lines: ["{}", "[]"])
        let request = QuarantineActionRequest(
            kind: .discard,
            filter: QuarantineFilter(),
            repair: nil,
            note: QuarantineNote(author: "kim", reason: "tests")
        )

        let action = try await ledger.start(request)
        _ = try await ledger.cancel(action.number)
        _ = try await ledger.cancel(action.number)

        #expect(
            try await trail(ledger) == [
                "kim start quarantine-action qa-1 tests", " cancel quarantine-action qa-1 ",
            ]
        )
        try ledger.close()
    }
}
