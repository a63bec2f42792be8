import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel
import WireFormat

@Suite("Counted exactly once") struct ExactnessTests {
    private let fixture = LedgerFixture()

    @Test("the same event again is a duplicate, in the call, in a later call, after a restart")
    func duplicates() async throws {
        var ledger = try fixture.open()
        let event = SampleEvent(id: "a", number: "5")

        let first = try await ledger.record([event, event])
        let second = try await ledger.record([event])
        try ledger.close()
        ledger = try fixture.open()
        let third = try await ledger.record([event])

        #expect(first.accepted == 1)
        #expect(first.exceptions.map(\.verdict) == [.duplicate])
        #expect(second.exceptions.map(\.verdict) == [.duplicate])
        #expect(third.exceptions.map(\.verdict) == [.duplicate])
        #expect(third.exceptions.map(\.position) == [Position(1)])
        try ledger.close()
    }

    @Test(
        "content is compared as JSON values",
        arguments: [
            (#""amount":1.0,"users":[]"#, Verdict.duplicate),
            (#""users":[],"amount":10e-1"#, .duplicate),
            (#" "users" : [] , "amount" : 1 "#, .duplicate),
            (#""amount":1.0000000000000000001,"users":[]"#, .conflict),
            (#""amount":"1","users":[]"#, .conflict),
        ]
    )
    func content(data: String, verdict: Verdict) async throws {
        let ledger = try fixture.open()
        func line(_ data: String) -> String {
            #"{"id":"a","source":"s","type":"llm.x","subject":"c","#
                + #""time":"2026-11-01T00:00:00Z","data":{"# + data + "}}"
        }
        _ = try await ledger.record(lines: [line(#""amount":1,"users":[]"#)])

        let again = try await ledger.record(lines: [line(data)])

        #expect(again.exceptions.map(\.verdict) == [verdict])
        let waiting = try await ledger.quarantine(QuarantineQuery(limit: 10))
        #expect(waiting.events.count == (verdict == .conflict ? 1 : 0))
        try ledger.close()
    }

    @Test("two keys of one hash are two events")
    func collision() async throws {
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.count))
        let events = ["a", "b", "c"].map { SampleEvent(id: $0) }
        let bytes = events.map(\.json).joined(separator: "\n")
        func colliding() throws -> PreparedBatch {
            var batch = ledger.preparer.prepare(
                try decodeEvents(Array(bytes.utf8), framing: .ndjson),
                arrival: Instant(microseconds: 0)
            )
            for place in batch.events.indices { batch.events[place].key = batch.events[0].key }
            return batch
        }

        let first = try await ledger.record(try colliding(), isAtomic: false)
        let second = try await ledger.record(try colliding(), isAtomic: false)

        #expect(first.accepted == 3)
        #expect(second.exceptions.map(\.verdict) == [.duplicate, .duplicate, .duplicate])
        #expect(second.exceptions.map(\.position) == [Position(1), Position(2), Position(3)])
        try ledger.close()
    }

    @Test("an atomic call with a conflict leaves nothing")
    func atomic() async throws {
        let ledger = try fixture.open()
        _ = try await ledger.record([SampleEvent(id: "a", number: "1")])

        let refused = try await ledger.record(
            [SampleEvent(id: "b"), SampleEvent(id: "a", number: "2")],
            isAtomic: true
        )
        let accepted = try await ledger.record(
            [SampleEvent(id: "b"), SampleEvent(id: "a", number: "1")],
            isAtomic: true
        )

        #expect(refused.isRefused)
        #expect(refused.accepted == 0)
        #expect(!accepted.isRefused)
        #expect(accepted.accepted == 1)
        let books = try await ledger.books(.all)
        #expect(books.total.received == 3)
        #expect(books.total.conflict == 0)
        #expect(books.total.balances)
        try ledger.close()
    }

    @Test("the books balance by source, type and hour, and count what no meter type counts")
    func books() async throws {
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        let events = [
            SampleEvent(id: "1"), SampleEvent(id: "1"), SampleEvent(id: "1", number: "9"),
            SampleEvent(id: "2", type: "other"), SampleEvent(id: "3", number: "\"x\""),
        ]
        let outcome = try await ledger.record(lines: events.map(\.json) + ["{}", "nonsense"])

        let books = try await ledger.books(.all)
        var line = BooksLine()
        (line.received, line.counted, line.unmatched) = (7, 1, 2)
        (line.duplicate, line.conflict, line.quarantined, line.unreadable) = (1, 1, 2, 1)

        #expect(outcome.unreadable == 1)
        #expect(books.total == line)
        let unbalanced = books.lines.filter { !$0.balances }
        #expect(unbalanced.isEmpty)
        let unreadable = try await ledger.unreadable(UnreadableQuery(meterType: nil, limit: 10))
        #expect(unreadable.events.map(\.reason) == [.valueNotNumber])
        #expect(unreadable.events.map(\.id) == ["3"])
        try ledger.close()
    }

    @Test("the same broken bytes again are one item in quarantine, seen twice")
    func quarantine() async throws {
        let ledger = try fixture.open()
        let first = try await ledger.record(lines: [#"{"id":"x"}"#])
        let second = try await ledger.record(lines: [#"{"id":"x"}"#])

        let items = try await ledger.quarantine(QuarantineQuery(limit: 10)).events

        #expect(items.map(\.seen) == [2])
        #expect(items.map { String(decoding: $0.original, as: UTF8.self) } == [#"{"id":"x"}"#])
        #expect(first.exceptions[0].quarantineID == items[0].id)
        #expect(second.exceptions[0].quarantineID == items[0].id)
        try ledger.close()
    }

    @Test("a sum that does not fit is an error, and a later negative mends it")
    func overflow() async throws {
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        let most = "170141183460469231731"
        try await ledger.record([
            SampleEvent(id: "1", number: most), SampleEvent(id: "2", number: most),
        ])
        let query = UsageQuery(meterTypes: [.sum], range: .allTime)
        await #expect(throws: LedgerError.self) { try await ledger.readings(query) }

        try await ledger.record([SampleEvent(id: "3", number: "-" + most)])

        let answer = try await ledger.readings(query)
        #expect(answer.readings.map(\.value?.description) == [most])
        try ledger.close()
    }

    @Test("a second ledger on one directory is refused")
    func lock() throws {
        let ledger = try fixture.open()
        #expect(throws: LedgerError.self) { try fixture.open() }
        try ledger.close()
        let again = try fixture.open()
        try again.close()
    }
}

extension BooksQuery {
    static let all = BooksQuery(groupBy: [.source, .type, .hour], range: .allTime)
}

extension Range where Bound == Instant {
    static let allTime = Instant(microseconds: .min)..<Instant(microseconds: .max)
}

extension MeterTypeKey {
    static let sum = MeterTypeKey("m-sum")!
}
