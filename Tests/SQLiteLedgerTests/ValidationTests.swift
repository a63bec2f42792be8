import Foundation
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Synchronization
import Testing
import UsageModel
import WireFormat

@Suite("Validation rules at the ledger") struct ValidationTests {
    private let fixture = LedgerFixture()
    private let note = QuarantineNote(author: "kim", reason: "checked")

    private static func line(
        _ id: String,
        amount: String = "2",
        time: String = "2026-11-01T00:00:00Z"
    ) -> String {
        #"{"id":"\#(id)","source":"s","type":"llm.x","subject":"c","time":"\#(time)","#
            + #""data":{"amount":\#(amount)}}"#
    }

    private static func definition(
        _ check: String = #""range":{"path":"$.data.amount","min":"0"}"#,
        key: String = "sane",
        action: String = "reject",
        type: String = "llm.x"
    ) throws -> ValidationRuleDefinition {
        let text =
            #"{"key":"\#(key)","eventType":"\#(type)","action":"\#(action)",\#(check)}"#
        return try ValidationRuleDocument.read(JSONValue.parse(Array(text.utf8)))
    }

    private func total(_ ledger: SQLiteLedger) async throws -> Quantity? {
        let query = UsageQuery(meterTypes: [.sum], range: .allTime)
        return try await ledger.readings(query).readings.first?.value
    }

    private func balanced(_ ledger: SQLiteLedger) async throws -> BooksAnswer {
        let books = try await ledger.books(.all)
        let standing = books.standing
        #expect(books.total.balances)
        #expect(
            standing.open + standing.released + standing.discarded
                == books.total.quarantined + books.total.conflict
        )
        return books
    }

    @Test("a rejected event waits in quarantine with its rule, and rules stand after a restart")
    func reject() async throws {
        var ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        try await ledger.finishBackfills()
        _ = try await ledger.create(try Self.definition())

        let outcome = try await ledger.record(lines: [
            Self.line("a"), Self.line("b", amount: "-1"), Self.line("c", amount: "3"),
        ])
        try ledger.close()
        ledger = try fixture.open()
        let later = try await ledger.record(lines: [Self.line("d", amount: "-1")])

        #expect(outcome.accepted == 2)
        #expect(outcome.exceptions.map(\.verdict) == [.rejected])
        #expect(outcome.exceptions.first?.failure?.pointer == "/data/amount")
        #expect(outcome.exceptions.first?.quarantineID == "q-1")
        #expect(later.exceptions.map(\.verdict) == [.rejected])
        let item = try #require(try await ledger.item(1))
        #expect((item.reason, item.rule) == ("rule-failed", "sane"))
        #expect(
            (item.pointer, item.detail) == ("/data/amount", "sane version 1: it is less than 0")
        )
        let groups = try await ledger.groups(QuarantineGroupQuery(limit: 9)).groups
        #expect(groups.map(\.rule) == ["sane"])
        #expect(groups.map(\.items) == [2])
        var filter = QuarantineFilter()
        filter.rule = "other"
        #expect(try await ledger.quarantine(QuarantineQuery(filter, limit: 9)).events.isEmpty)
        let books = try await balanced(ledger)
        #expect((books.total.received, books.total.counted, books.total.quarantined) == (4, 2, 2))
        #expect(try await total(ledger) == (try Quantity("5")))
        try ledger.close()
        #expect(try fixture.verified().findings.isEmpty)
    }

    @Test("a rule that warns lets count, tells the sender, and is counted with the events")
    func warn() async throws {
        let ledger = try fixture.open()
        _ = try await ledger.create(try Self.definition(action: "warn"))
        let key = try #require(ValidationRuleKey("sane"))
        #expect(try await ledger.warnings(of: key) == nil)

        let outcome = try await ledger.record(lines: [
            Self.line("a"), Self.line("b", amount: "-1"), Self.line("c", amount: "-2"),
        ])
        let again = try await ledger.record(lines: [Self.line("b", amount: "-1")])
        let refused = try await ledger.record(
            lines: [Self.line("e", amount: "-3"), "nonsense"],
            isAtomic: true
        )

        #expect(outcome.accepted == 3)
        #expect(outcome.warnings.map(\.events) == [2])
        #expect(outcome.warnings.map(\.index) == [1])
        #expect(again.warnings.isEmpty)
        #expect((refused.isRefused, refused.warnings.isEmpty) == (true, true))
        let warnings = try #require(try await ledger.warnings(of: key))
        #expect((warnings.count, warnings.sample) == (2, Position(3)))
        try ledger.close()
    }

    @Test("what is known stays a duplicate or a conflict, whatever rules say today")
    func known() async throws {
        let ledger = try fixture.open()
        try await ledger.record(lines: [Self.line("a", amount: "-1")])
        _ = try await ledger.create(try Self.definition())

        let outcome = try await ledger.record(lines: [
            Self.line("a", amount: "-1.0"), Self.line("a", amount: "-2"),
            Self.line("b", amount: "-1"), Self.line("b", amount: "-1"),
            Self.line("b", amount: "1"), Self.line("b", amount: "-1"),
        ])

        #expect(
            outcome.exceptions.map(\.verdict)
                == [.duplicate, .conflict, .rejected, .rejected, .conflict]
        )
        #expect(outcome.exceptions.map(\.index) == [0, 1, 2, 3, 5])
        #expect(outcome.accepted == 1)
        #expect(try await ledger.item(2)?.seen == 2)
        let atomic = try await ledger.record(
            lines: [Self.line("x"), Self.line("y", amount: "-1")],
            isAtomic: true
        )
        #expect((atomic.isRefused, atomic.accepted) == (true, 0))
        _ = try await balanced(ledger)
        try ledger.close()
        #expect(try fixture.verified().findings.isEmpty)
    }

    @Test("a released item is judged again, its time against when it first came")
    func release() async throws {
        let ledger = try fixture.open()
        let arrival = fixture.time.withLock { $0 }
        let fresh = Instant(microseconds: arrival.microseconds - 3_000_000_000).rfc3339
        _ = try await ledger.create(try Self.definition())
        let bound = #""time":{"maxAge":"1h"}"#
        _ = try await ledger.create(try Self.definition(bound, key: "fresh", type: "*"))
        try await ledger.record(lines: [Self.line("a", amount: "-1", time: fresh)])
        let receipts = try await balanced(ledger).total.received
        fixture.turn(to: Instant(microseconds: arrival.microseconds + 86_400_000_000))

        let still = try await ledger.release(1, version: 1, note)
        let stale = QuarantineChange.edit(
            Array(Self.line("a", time: "2026-01-01T00:00:00Z").utf8)
        )
        _ = try await ledger.change(1, version: 2, stale, note)
        let old = try await ledger.release(1, version: 3, note)
        let broken = QuarantineChange.edit(Array(#"{"id":"a"}"#.utf8))
        _ = try await ledger.change(1, version: 4, broken, note)
        let unsound = try await ledger.release(1, version: 5, note)
        let mended = QuarantineChange.edit(Array(Self.line("a", time: fresh).utf8))
        _ = try await ledger.change(1, version: 6, mended, note)
        #expect(try await balanced(ledger).total.received == receipts)
        let released = try await ledger.release(1, version: 7, note)

        guard case .changed(let first, .rejected) = still,
            case .changed(let second, .rejected) = old,
            case .changed(let third, .rejected) = unsound,
            case .changed(let last, .accepted) = released
        else {
            Issue.record("\(still) \(old) \(unsound) \(released)")
            return
        }
        #expect((first.state, first.rule, first.pointer) == (.open, "sane", "/data/amount"))
        #expect((second.rule, second.pointer) == ("fresh", "/time"))
        #expect((third.rule, third.reason) == ("", "source-missing"))
        #expect(last.releasedPosition == Position(1))
        _ = try await balanced(ledger)
        try ledger.close()
    }

    @Test("versions are kept, a stale change is told what stands, and all of it is audited")
    func versions() async throws {
        var ledger = try fixture.open()
        let first = try Self.definition()
        let second = try Self.definition(action: "warn")
        let made = try await ledger.create(first)
        #expect(try await ledger.create(first) == made)
        await #expect(throws: LedgerError.self) { try await ledger.create(second) }

        guard case .changed(let revised) = try await ledger.revise(second, after: 1),
            case .outdated(let standing) = try await ledger.revise(first, after: 1),
            case .changed(let same) = try await ledger.revise(second, after: 2)
        else {
            Issue.record("a change went another way")
            return
        }
        #expect((revised.version, standing, same) == (2, revised, revised))
        let retired = try await ledger.retire(rule: first.key)
        #expect(try await ledger.retire(rule: first.key) == retired)
        await #expect(throws: LedgerError.self) { try await ledger.revise(first, after: 2) }
        await #expect(throws: LedgerError.self) { try await ledger.create(second) }
        try ledger.close()
        ledger = try fixture.open()

        #expect(try await ledger.versions(of: first.key).map(\.version) == [1, 2])
        #expect(try await ledger.validationRules() == [retired])
        let after = try await ledger.record(lines: [Self.line("a", amount: "-1")])
        #expect((after.accepted, after.warnings.isEmpty) == (1, true))
        var query = AuditQuery(limit: 9)
        query.kinds = [.validationRule]
        query.isOldestFirst = true
        let entries = try await ledger.audit(query).entries
        #expect(entries.map(\.action) == ["create", "revise", "retire"])
        #expect(entries[1].before?.contains("reject") == true)
        #expect(entries[1].after?.contains("warn") == true)
        try ledger.close()
    }

    @Test("what was accepted stays when the log is replayed, and corrections are asked nothing")
    func replay() async throws {
        var ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        try await ledger.finishBackfills()
        try await ledger.record(lines: [Self.line("a"), Self.line("b", amount: "3")])
        _ = try await ledger.create(try Self.definition(#""schema":false"#, type: "*"))

        let key = EventKey(source: "s", id: "a")
        let void = CorrectionRequest(.void(.keys([key])), author: "kim", reason: "a test")
        #expect(try await ledger.correct(void).correction?.events == 1)
        let other = try decodeEvents(
            Array("[\(Self.line("b", amount: "5"))]".utf8),
            framing: .plain
        )
        let batch = ledger.preparer.prepare(other, arrival: fixture.time.withLock { $0 })
        let replace = CorrectionRequest(.replace(batch), author: "kim", reason: "it was 5")
        #expect(try await ledger.correct(replace).correction?.events == 1)
        #expect(try await total(ledger) == (try Quantity("5")))
        try ledger.close()
        try FileManager.default.removeItem(atPath: fixture.directory + "/derived")
        ledger = try fixture.open()

        #expect(try await total(ledger) == (try Quantity("5")))
        let after = try await ledger.record(lines: [Self.line("a"), Self.line("c")])
        #expect(after.exceptions.map(\.verdict) == [.duplicate, .rejected])
        _ = try await balanced(ledger)
        try ledger.close()
        #expect(try fixture.verified().findings.isEmpty)
    }

    @Test("of calls that race a new rule each is judged under the one rule or the other")
    func races() async throws {
        let ledger = try fixture.open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    try await ledger.record(lines: [Self.line("\(number)", amount: "-1")])
                }
                if number == 20 {
                    group.addTask { _ = try await ledger.create(try Self.definition()) }
                }
            }
            try await group.waitForAll()
        }
        let after = try await ledger.record(lines: [Self.line("last", amount: "-1")])

        #expect(after.exceptions.map(\.verdict) == [.rejected])
        let books = try await balanced(ledger)
        #expect(books.total.unmatched + books.total.quarantined == 41)
        try ledger.close()
    }

    @Test("a trial tells how many of the newest events would fail, and changes nothing")
    func trial() async throws {
        let ledger = try fixture.open()
        for batch in 0..<3 {
            try await ledger.record(
                lines: (0..<10).map { Self.line("\(batch)-\($0)", amount: "\($0 - 2)") }
            )
        }
        let other = Self.line("other", amount: "-1").replacing("llm.x", with: "llm.y")
        try await ledger.record(lines: [other])
        let rule = try Self.definition()

        let all = try await ledger.tryOut(RuleTrial(rule, samples: 3))
        let some = try await ledger.tryOut(RuleTrial(rule, events: 15, samples: 0))
        let every = try await ledger.tryOut(RuleTrial(try Self.definition(type: "*")))

        #expect((all.looked, all.failed, all.oldest) == (30, 6, Position(1)))
        #expect(all.samples.map(\.id) == ["2-1", "2-0", "1-1"])
        #expect(all.samples.map(\.position.value) == [22, 21, 12])
        #expect((some.looked, some.failed, some.samples.count) == (15, 2, 0))
        #expect((every.looked, every.failed) == (31, 7))
        #expect(try await ledger.validationRules().isEmpty)
        try ledger.close()
    }

    @Test("the catalogue tells types and the fields of their newest events")
    func catalogue() async throws {
        let ledger = try fixture.open()
        try await ledger.record(lines: [
            Self.line("a", amount: "1"), Self.line("b", amount: #""two""#), #"{"id":"x"}"#,
            #"{"id":"c","source":"s","type":"llm.x","subject":"c","region":"eu","#
                + #""data":{"deep":{"a b":[1]}}}"#,
            Self.line("d").replacing("llm.x", with: "other"),
        ])
        try await ledger.record(lines: [Self.line("a", amount: "1")])

        let types = try await ledger.eventTypes()
        let found = try #require(try await ledger.eventType("llm.x", events: 100))
        let newest = try #require(try await ledger.eventType("llm.x", events: 1))

        #expect(types.map(\.type) == ["llm.x", "other"])
        #expect(types.map(\.received) == [4, 1])
        #expect((found.line.accepted, found.sample.events) == (3, 3))
        #expect(found.sample.positions == Position(1)...Position(3))
        #expect(
            found.sample.fields.map(\.path)
                == [
                    "$.data", "$.data.amount", "$.data.deep", "$.data.deep['a b']", "$.region",
                    "$.time",
                ]
        )
        let amount = found.sample.fields[1]
        #expect((amount.events, amount.kinds) == (2, ["number", "string"]))
        #expect(String(decoding: amount.example, as: UTF8.self) == #""two""#)
        #expect(newest.sample.fields.contains { $0.path == "$.region" })
        #expect(newest.sample.positions == Position(3)...Position(3))
        #expect(try await ledger.eventType("never", events: 1) == nil)
        try ledger.close()
    }
}
