import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Synchronization
import Testing
import UsageModel

@Suite("Retention of the quarantine") struct RetentionTests {
    private let fixture = LedgerFixture()
    private static let start = Instant(microseconds: 1_793_600_000_000_000)

    private static func line(_ id: String) -> String {
        #"{"id":"\#(id)","source":"s","type":"llm.x","subject":"c","#
            + #""time":"2026-11-01T00:00:00","data":{"amount":1}}"#
    }

    private func retention(_ ledger: SQLiteLedger, _ keeping: String) throws -> QuarantineRetention
    {
        QuarantineRetention(
            store: ledger,
            keeping: try #require(TimeLength(keeping)),
            clock: { [fixture] in fixture.time.withLock { $0 } }
        )
    }

    private func turn(hours: Int64) {
        fixture.turn(to: Instant(microseconds: Self.start.microseconds + hours * 3_600_000_000))
    }

    private struct Seen: Equatable {
        var books: BooksLine
        var standing: QuarantineStanding
        var states: [QuarantineState]
    }

    private func look(_ ledger: SQLiteLedger) async throws -> Seen {
        let books = try await ledger.books(.all)
        let standing = books.standing
        #expect(books.total.balances)
        #expect(
            standing.open + standing.released + standing.discarded
                == books.total.quarantined + books.total.conflict
        )
        let items = try await ledger.quarantine(QuarantineQuery(limit: 10)).events
        return Seen(books: books.total, standing: standing, states: items.map(\.state))
    }

    @Test(
        "settled items lose their bytes in time, open ones never, and the books stay as they were"
    )
    func drop() async throws {
        var ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        try await ledger.finishBackfills()
        try await ledger.record(lines: ["a", "b", "c", "d"].map(Self.line))
        let note = QuarantineNote(author: "kim", reason: "a load test")
        let sound = Array(Self.line("a").replacing("00:00\"", with: "00:00Z\"").utf8)
        _ = try await ledger.change(1, version: 1, .edit(sound), note)
        _ = try await ledger.release(1, version: 2, note)
        _ = try await ledger.change(2, version: 1, .discard, note)
        turn(hours: 2)
        _ = try await ledger.change(3, version: 1, .discard, note)
        let before = try await look(ledger)

        turn(hours: 24)
        #expect(try await !retention(ledger, "24h").takeTurn())
        #expect(try await ledger.item(1)?.droppedAt == nil)
        turn(hours: 25)
        #expect(try await !retention(ledger, "24h").takeTurn())
        #expect(try await look(ledger) == before)
        try ledger.close()
        ledger = try fixture.open()
        #expect(try await look(ledger) == before)

        for number: Int64 in 1...4 {
            let item = try #require(try await ledger.item(number))
            #expect((item.droppedAt != nil) == (number < 3), "q-\(number)")
            #expect(item.original.isEmpty == (number < 3))
            #expect(number > 2 || item.edited == nil)
            #expect(number == 4 || item.note == note)
        }
        // What is discarded and dropped cannot be opened again, and comes as often as it will.
        guard case .settled = try await ledger.change(2, version: nil, .reopen, note) else {
            Issue.record("there is nothing to open")
            return
        }
        try await ledger.record(lines: [Self.line("b")])
        #expect(try await ledger.item(2)?.seen == 2)
        _ = try await look(ledger)
        try ledger.close()
        #expect(try fixture.verified().findings.isEmpty)
    }

    @Test("one entry of the trail tells of a page, and nothing of a page that dropped nothing")
    func pages() async throws {
        let ledger = try fixture.open()
        let count = Limits.quarantineDropItemsMax + 1
        try await ledger.record(lines: (0..<count).map { Self.line("\($0)") })
        let filter = QuarantineFilter(source: "s")
        _ = try await ledger.start(
            QuarantineActionRequest(
                kind: .discard,
                filter: filter,
                repair: nil,
                note: QuarantineNote(reason: "noise")
            )
        )
        while try await QuarantineRunner(store: ledger, zones: .shared).takeTurn() {}
        turn(hours: 1)
        let retention = try retention(ledger, "0s")
        #expect(try await retention.takeTurn())
        #expect(try await !retention.takeTurn())
        #expect(try await !retention.takeTurn())

        var query = AuditQuery(limit: 10)
        query.kinds = [.quarantine]
        query.isOldestFirst = true
        let entries = try await ledger.audit(query).entries
        #expect(entries.map(\.action) == ["drop", "drop"])
        #expect(entries.map(\.actor) == ["retention", "retention"])
        #expect(entries[0].after?.contains(#""items":"\#(count - 1)""#) == true)
        #expect(
            entries[1].after?.hasSuffix(#""first":"q-\#(count)","last":"q-\#(count)"}"#) == true
        )
        #expect(try await ledger.books(.all).standing.discarded == Int64(count))
    }
}
