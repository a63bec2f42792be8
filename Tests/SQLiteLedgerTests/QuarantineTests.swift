import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Synchronization
import Testing
import UsageModel
import WireFormat

@Suite("The quarantine") struct QuarantineTests {
    private let fixture = LedgerFixture()
    private let note = QuarantineNote(author: "kim", reason: "the sender was mended")

    /// An event of the sample's shape; without `time` it cannot be told from a broken one.
    private static func line(_ id: String, time: String = "2026-11-01T00:00:00Z") -> String {
        #"{"id":"\#(id)","source":"s","type":"llm.x","subject":"c","time":"\#(time)","#
            + #""data":{"amount":2}}"#
    }

    private static func edit(_ text: String) -> QuarantineChange { .edit(Array(text.utf8)) }

    private func total(_ ledger: SQLiteLedger) async throws -> Quantity? {
        let query = UsageQuery(meterTypes: [.sum], range: .allTime)
        return try await ledger.readings(query).readings.first?.value
    }

    /// Judges the books, and that all that was received and is not counted is in quarantine.
    private func balanced(_ ledger: SQLiteLedger) async throws -> BooksAnswer {
        let books = try await ledger.books(.all)
        let standing = books.standing
        #expect(books.total.balances)
        #expect(
            standing.open + standing.released + standing.discarded
                == books.total.quarantined + books.total.conflict
        )
        let lines = books.standings
        #expect(lines.reduce(0) { $0 + $1.open } == standing.open)
        return books
    }

    @Test("a mended item is counted once, under its own key and time, also after a restart")
    func release() async throws {
        var ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        try await ledger.finishBackfills()
        try await ledger.record(lines: [Self.line("a", time: "2026-10-07T12:00:00")])

        let edited = try await ledger.change(1, version: 1, Self.edit(Self.line("a")), note)
        let outcome = try await ledger.release(1, version: 2, note)
        let again = try await ledger.release(1, version: nil, note)

        guard case .changed(let open, nil) = edited, case .changed(let item, .accepted) = outcome,
            case .settled = again
        else {
            Issue.record("\(edited) \(outcome) \(again)")
            return
        }
        #expect((open.version, open.state, open.note) == (2, .open, note))
        #expect((item.version, item.state, item.releasedPosition) == (3, .released, Position(1)))
        #expect(String(decoding: item.original, as: UTF8.self).contains("12:00:00\""))
        #expect(try await total(ledger) == (try Quantity("2")))
        let books = try await balanced(ledger)
        #expect((books.total.received, books.total.counted) == (2, 1))
        #expect((books.total.quarantined, books.standing.released) == (1, 1))

        try ledger.close()
        ledger = try fixture.open()
        let duplicate = try await ledger.record(lines: [Self.line("a")])
        #expect(duplicate.exceptions.map(\.verdict) == [.duplicate])
        #expect(try await ledger.item(1) == item)
        #expect(try await total(ledger) == (try Quantity("2")))
        _ = try await balanced(ledger)
        try ledger.close()
        #expect(try fixture.verified().findings.isEmpty)
    }

    @Test(
        "what cannot be counted stays open with its reason, and is received no second time",
        arguments: [
            (#"{"id":"b","source":"s","type":"t"}"#, "subject-missing", "/subject"),
            ("not JSON at all", "malformed-json", ""), ("[1]", "not-an-object", ""),
            (Self.line("known").replacing(":2}", with: ":3}"), "conflict", ""),
        ]
    )
    func again(bytes: String, reason: String, pointer: String) async throws {
        let ledger = try fixture.open()
        try await ledger.record(lines: [Self.line("known"), #"{"id":"x"}"#])
        let before = try await balanced(ledger)

        _ = try await ledger.change(1, version: nil, Self.edit(bytes), note)
        let outcome = try await ledger.release(1, version: nil, note)

        guard case .changed(let item, let verdict?) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(verdict == (reason == "conflict" ? .conflict : .rejected))
        #expect((item.state, item.reason, item.pointer) == (.open, reason, pointer))
        #expect(item.version == 3)
        let after = try await balanced(ledger)
        #expect(after.total == before.total)
        #expect(try await ledger.quarantine(QuarantineQuery(limit: 9)).events.count == 1)
        try ledger.close()
    }

    @Test("a release of what is known is a duplicate, and releases the item")
    func duplicate() async throws {
        let ledger = try fixture.open()
        try await ledger.record(lines: [Self.line("a"), #"{"id":"x"}"#])
        _ = try await ledger.change(1, version: 1, Self.edit(Self.line("a")), note)

        let outcome = try await ledger.release(1, version: 2, note)

        guard case .changed(let item, .duplicate) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect((item.state, item.releasedPosition) == (.released, Position(1)))
        let books = try await balanced(ledger)
        #expect((books.total.received, books.total.duplicate) == (3, 1))
        try ledger.close()
    }

    @Test("an event without a time took place when it first came, not when it was released")
    func time() async throws {
        let ledger = try fixture.open()
        let first = fixture.time.withLock { $0 }
        try await ledger.record(lines: [#"{"id":"a","source":"s","type":"t"}"#])
        fixture.turn(to: Instant(microseconds: first.microseconds + 86_400_000_000))
        let mended = #"{"id":"a","source":"s","type":"t","subject":"c"}"#
        _ = try await ledger.change(1, version: 1, Self.edit(mended), note)

        _ = try await ledger.release(1, version: 2, note)

        #expect(try await ledger.event(source: "s", id: "a")?.time == first)
        try ledger.close()
    }

    @Test("of 50 who edit one item at a time one wins, and the others see what stands")
    func editors() async throws {
        let ledger = try fixture.open()
        try await ledger.record(lines: [#"{"id":"x"}"#])

        let outcomes = try await withThrowingTaskGroup(
            of: QuarantineOutcome.self,
            returning: [QuarantineOutcome].self
        ) { group in
            for editor in 0..<50 {
                group.addTask {
                    let edit = Self.edit(#"{"id":"x","editor":"\#(editor)"}"#)
                    let note = QuarantineNote(author: "\(editor)")
                    return try await ledger.change(1, version: 1, edit, note)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }

        let item = try await ledger.item(1)
        var (won, lost) = (0, 0)
        for outcome in outcomes {
            switch outcome {
            case .changed(let changed, _):
                won += 1
                #expect(changed == item)
            case .outdated(let standing):
                lost += 1
                #expect(standing == item)
            case .settled: Issue.record("settled")
            }
        }
        #expect((won, lost) == (1, 49))
        #expect(item?.version == 2)
        try ledger.close()
    }

    @Test("of those who release, edit and discard one item at a time one wins")
    func releases() async throws {
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        try await ledger.finishBackfills()
        let lines = (0..<20).map { Self.line("\($0)", time: "x") }
        try await ledger.record(lines: lines)
        for number in 1...20 {
            let mended = Self.edit(Self.line("\(number - 1)"))
            _ = try await ledger.change(Int64(number), version: 1, mended, note)
        }

        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in Int64(1)...20 {
                for _ in 0..<3 {
                    group.addTask { _ = try await ledger.release(number, version: 2, note) }
                }
                group.addTask {
                    let other = Self.edit(Self.line("\(number - 1)"))
                    _ = try await ledger.change(number, version: 2, other, note)
                }
                group.addTask {
                    _ = try await ledger.change(number, version: 2, .discard, note)
                }
            }
            try await group.waitForAll()
        }

        let items = try await ledger.quarantine(QuarantineQuery(limit: 100)).events
        #expect(items.allSatisfy { $0.version == 3 })
        let released = items.count { $0.state == .released }
        let books = try await balanced(ledger)
        #expect(books.total.counted == Int64(released))
        #expect(books.total.received == Int64(20 + released))
        try ledger.close()
    }

    @Test("what is discarded stays so when the same bytes come again, until it is opened again")
    func discard() async throws {
        let ledger = try fixture.open()
        try await ledger.record(lines: [#"{"id":"x"}"#])

        _ = try await ledger.change(1, version: 1, .discard, note)
        try await ledger.record(lines: [#"{"id":"x"}"#])
        let item = try await ledger.item(1)

        #expect((item?.state, item?.version, item?.seen) == (.discarded, 2, 2))
        #expect(try await balanced(ledger).standing.discarded == 2)
        guard case .settled = try await ledger.release(1, version: nil, note),
            case .settled = try await ledger.change(1, version: nil, .discard, note),
            case .changed(let open, nil) = try await ledger.change(1, version: 2, .reopen, note),
            case .settled = try await ledger.change(1, version: nil, .reopen, note)
        else {
            Issue.record("a state allows what it should not")
            return
        }
        #expect((open.state, open.version) == (.open, 3))
        await #expect(throws: LedgerError.self) {
            try await ledger.change(2, version: 1, .discard, note)
        }
        try ledger.close()
    }

    @Test(
        "items are found by each of their sides",
        arguments: [
            ("all", [4, 3, 2, 1]), ("reason", [2, 1]), ("source", [3, 1]), ("type", [3]),
            ("event", [1]), ("state", [2]), ("text", [4, 3]), ("from", [4]), ("to", [3, 2, 1]),
        ]
    )
    func search(side: String, numbers: [Int64]) async throws {
        let ledger = try fixture.open()
        let first = fixture.time.withLock { $0 }
        let later = Instant(microseconds: first.microseconds + 1_000_000)
        try await ledger.record(lines: [
            #"{"id":"a","source":"s"}"#, #"{"id":"b","source":"r"}"#,
            #"{"id":"c","source":"s","type":"t"}"#,
        ])
        fixture.turn(to: later)
        try await ledger.record(lines: [#"{"id":"needle"#])
        _ = try await ledger.change(2, version: 1, .discard, note)
        _ = try await ledger.change(3, version: 1, Self.edit(#"{"id":"the needle"}"#), note)
        var filter = QuarantineFilter()
        switch side {
        case "reason": filter.reason = "type-missing"
        case "source": filter.source = "s"
        case "type": filter.type = "t"
        case "event": filter.eventID = "a"
        case "state": filter.state = .discarded
        case "text": filter.text = "needle"
        case "from": filter.seenFrom = later
        case "to": filter.seenTo = later
        default: break
        }

        let found = try await ledger.quarantine(QuarantineQuery(filter, limit: 9)).events
        let groups = try await ledger.groups(QuarantineGroupQuery(filter, limit: 9)).groups

        #expect(found.map(\.number) == numbers)
        #expect(groups.reduce(0) { $0 + $1.items } == Int64(numbers.count))
        #expect(groups.map(\.sample).max() == numbers.first)
        try ledger.close()
    }
}
