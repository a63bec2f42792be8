import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel
import WireFormat

@Suite("Actions on the quarantine") struct QuarantineActionTests {
    private let fixture = LedgerFixture()

    /// Sound but for its time, which lacks an offset.
    private static func line(_ number: Int, amount: String = "-1") -> String {
        #"{"id":"\#(number)","source":"s","type":"llm.x","subject":"c","#
            + #""time":"2026-11-01T00:00:00","data":{"amount":\#(amount),"x":1}}"#
    }

    private static let mend = EventRepair(
        set: [
            EventRepair.Assignment(pointer: "/time", expression: #"concat($.time, "Z")"#),
            EventRepair.Assignment(pointer: "/data/amount", expression: "abs($.data.amount)"),
        ],
        remove: ["/data/x"]
    )

    private static func request(
        _ kind: QuarantineActionRequest.Kind,
        _ repair: EventRepair? = nil
    ) -> QuarantineActionRequest {
        QuarantineActionRequest(
            kind: kind,
            filter: QuarantineFilter(reason: "time-missing-offset"),
            repair: repair,
            note: QuarantineNote(author: "kim", reason: "clocks without a zone")
        )
    }

    private func runner(_ ledger: SQLiteLedger) -> QuarantineRunner {
        QuarantineRunner(store: ledger, zones: .shared)
    }

    private func total(_ ledger: SQLiteLedger) async throws -> Quantity? {
        let query = UsageQuery(meterTypes: [.sum], range: .allTime)
        return try await ledger.readings(query).readings.first?.value
    }

    private func expectBalance(_ ledger: SQLiteLedger) async throws {
        let books = try await ledger.books(.all)
        let standing = books.standing
        #expect(books.total.balances)
        #expect(
            standing.open + standing.released + standing.discarded
                == books.total.quarantined + books.total.conflict
        )
    }

    @Test("thousands are repaired and released in pages, across restarts, each counted once")
    func repairAndRelease() async throws {
        var ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        try await ledger.finishBackfills()
        let count = 2 * Limits.quarantinePageItemsMax + 100
        try await ledger.record(lines: (0..<count).map { Self.line($0) })
        // Two that stay: one is known with another amount, one has no number.
        try await ledger.record(lines: [Self.line(0, amount: "7"), Self.line(-1, amount: "{}")])
        // One that is known already, once it is mended.
        let known = Self.line(5).replacing("00:00\"", with: "00:00Z\"")
            .replacing("-1,\"x\":1", with: "1")
        try await ledger.record(lines: [known])

        let action = try await ledger.start(Self.request(.repairAndRelease, Self.mend))
        #expect(action.total == Int64(count + 2))
        var turns = 0
        while try await runner(ledger).takeTurn() {
            turns += 1
            let now = try #require(try await ledger.action(action.number))
            let released = Int64(now.tally.accepted + now.tally.duplicate)
            #expect(try await ledger.books(.all).standing.released == released)
            try ledger.close()
            ledger = try fixture.open()
        }

        let done = try #require(try await ledger.action(action.number))
        #expect(turns == 3)
        #expect(done.state == .done)
        #expect((done.tally.items, done.tally.failed) == (Int64(count + 2), 2))
        #expect((done.tally.accepted, done.tally.duplicate) == (Int64(count - 1), 1))
        #expect(done.tally.repaired == Int64(count + 1))
        #expect(try await total(ledger) == (try Quantity("\(count)")))
        let open = try await ledger.quarantine(
            QuarantineQuery(QuarantineFilter(state: .open), limit: 9)
        ).events
        #expect(open.map(\.reason) == ["time-missing-offset", "conflict"])
        #expect(open.map(\.version) == [1, 2])
        try await expectBalance(ledger)
        try ledger.close()
        #expect(try fixture.verified().findings.isEmpty)
    }

    @Test("a repair alone counts nothing, and a release counts what it left")
    func repair() async throws {
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        try await ledger.finishBackfills()
        try await ledger.record(lines: (0..<3).map { Self.line($0) })

        _ = try await ledger.start(Self.request(.repair, Self.mend))
        while try await runner(ledger).takeTurn() {}
        #expect(try await ledger.books(.all).total.counted == 0)
        let item = try #require(try await ledger.item(1))
        #expect((item.state, item.version) == (.open, 2))
        #expect(
            item.edited.map { String(decoding: $0, as: UTF8.self) }
                == Self.line(0).replacing("00:00\"", with: "00:00Z\"")
                .replacing("-1,\"x\":1", with: "1")
        )

        _ = try await ledger.start(Self.request(.release))
        while try await runner(ledger).takeTurn() {}
        #expect(try await total(ledger) == (try Quantity("3")))
        try await expectBalance(ledger)
        try ledger.close()
    }

    @Test("what came after an action was asked for, or was changed by others, is not its")
    func bounds() async throws {
        let ledger = try fixture.open()
        try await ledger.record(lines: [Self.line(1), Self.line(2)])
        let action = try await ledger.start(Self.request(.discard))
        try await ledger.record(lines: [Self.line(3)])
        _ = try await ledger.change(1, version: 1, .discard, QuarantineNote(author: "other"))

        while try await runner(ledger).takeTurn() {}

        let items = try await ledger.quarantine(QuarantineQuery(limit: 9)).events
        #expect(items.map(\.state) == [.open, .discarded, .discarded])
        #expect(items.map(\.note.author) == ["", "kim", "other"])
        #expect(try await ledger.action(action.number)?.tally.discarded == 1)
        try ledger.close()
    }

    @Test("a page that was prepared before a cancel or an edit leaves no trace")
    func stale() async throws {
        let ledger = try fixture.open()
        try await ledger.record(lines: [Self.line(1), Self.line(2)])
        for isCancelled in [false, true] {
            let action = try await ledger.start(Self.request(.release))
            let page = try await ledger.items(
                action.request.filter,
                after: 0,
                upTo: action.lastItem,
                limit: 10
            )
            var work = QuarantineWork(action)
            work.items = page.events.map { QuarantineWork.Item(item: $0) }
            (work.looked, work.after, work.isLast) = (2, 2, true)
            if isCancelled {
                _ = try await ledger.cancel(action.number)
            } else {
                _ = try await ledger.change(1, version: 1, .edit([]), QuarantineNote())
            }
            let before = try await ledger.quarantine(QuarantineQuery(limit: 9)).events

            try await ledger.perform(work)

            #expect(try await ledger.quarantine(QuarantineQuery(limit: 9)).events == before)
            let after = try await ledger.action(action.number)
            #expect(after?.tally == QuarantineAction.Tally())
            #expect(after?.state == (isCancelled ? .cancelled : .running))
            _ = try await ledger.cancel(action.number)
        }
        await #expect(throws: LedgerError.self) { try await ledger.cancel(9) }
        try ledger.close()
    }

    @Test(
        "a repair computes from the event as it stands, sound or not",
        arguments: [
            (#"{"a":1}"#, "/b", "$.a + 1", #"{"a":1,"b":2}"#),
            (#"{"a":"x\"y"}"#, "/d/e", "upper($.a)", #"{"a":"x\"y","d":{"e":"X\"Y"}}"#),
            (#"{"id":5}"#, "/id", #"concat("n-", $.a)"#, #"{"id":"n-"}"#),
            (#"{"a":[1,2]}"#, "/a/1", "$.a[0]", #"{"a":[1,1]}"#),
            (#"{"a":true}"#, "/b", "$.a", #"{"a":true,"b":true}"#),
            (#"{"a":1}"#, "/b", "$.none", "the same"), (#"{"a":1}"#, "/a", "$.a", "the same"),
            (#"{"a":1}"#, "/a/b", "1", "fails"), (#"{"a":[1]}"#, "/a/1", "1", "fails"),
            (#"{"a":1}"#, "/b", "$.a / 0", "fails"), ("[1]", "/a", "1", "fails"),
            ("{", "/a", "1", "fails"),
        ]
    )
    func repairs(event: String, pointer: String, expression: String, expected: String) throws {
        let one = EventRepair.Assignment(pointer: pointer, expression: expression)
        let repair = try QuarantineRepair(EventRepair(set: [one], remove: []), zones: .shared)

        switch repair.applied(to: Array(event.utf8)) {
        case .changed(let bytes): #expect(String(decoding: bytes, as: UTF8.self) == expected)
        case .unchanged: #expect(expected == "the same")
        case .failed: #expect(expected == "fails")
        }
    }
}
