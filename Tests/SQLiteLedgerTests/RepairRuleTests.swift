import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel
import WireFormat

@Suite("Repair rules") struct RepairRuleTests {
    private let fixture = LedgerFixture()

    /// Sound but for its time, which lacks an offset.
    private static func line(_ id: String, source: String = "s", amount: String = "1") -> String {
        #"{"id":"\#(id)","source":"\#(source)","type":"llm.x","subject":"c","#
            + #""time":"2026-11-01T00:00:00","data":{"amount":\#(amount)}}"#
    }

    private static func sound(_ id: String, amount: String = "1") -> String {
        line(id, amount: amount).replacing("00:00\"", with: "00:00Z\"")
    }

    private static func rule(
        _ key: String = "clock",
        source: String? = nil,
        time: String = #"concat($.time, "Z")"#,
        isEnabled: Bool = true
    ) throws -> RepairRuleDefinition {
        RepairRuleDefinition(
            key: try #require(RepairRuleKey(key)),
            match: QuarantineFilter(reason: "time-missing-offset", source: source),
            repair: EventRepair(
                set: [EventRepair.Assignment(pointer: "/time", expression: time)],
                remove: []
            ),
            isEnabled: isEnabled
        )
    }

    private func opened() async throws -> SQLiteLedger {
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        try await ledger.finishBackfills()
        return ledger
    }

    /// - Returns: how many pages there were.
    @discardableResult
    private func run(_ ledger: SQLiteLedger) async throws -> Int {
        var turns = 0
        while try await RepairRunner(store: ledger, zones: .shared).takeTurn() { turns += 1 }
        return turns
    }

    private func states(_ ledger: SQLiteLedger) async throws -> [QuarantineState] {
        try await ledger.quarantine(QuarantineQuery(limit: 10_000)).events.reversed().map(\.state)
    }

    private func expect(_ ledger: SQLiteLedger, counted: Int64) async throws {
        let books = try await ledger.books(.all)
        let standing = books.standing
        #expect(books.total.balances)
        #expect(books.total.counted == counted)
        #expect(
            standing.open + standing.released + standing.discarded
                == books.total.quarantined + books.total.conflict
        )
    }

    @Test("a rule mends the items that come after it, and only those, once, over restarts")
    func later() async throws {
        var ledger = try await opened()
        try await ledger.record(lines: (0..<3).map { Self.line("before-\($0)") })
        _ = try await ledger.add(Self.rule(), appliesToOpen: false)
        let count = Limits.quarantinePageItemsMax + 2
        try await ledger.record(lines: (0..<count).map { Self.line("after-\($0)") })
        try await ledger.record(lines: [Self.line("other").replacing("\"c\"", with: "\"\"")])
        try ledger.close()
        ledger = try fixture.open()

        #expect(try await run(ledger) == 2)
        // The same bytes again are the same item, which is released.
        try await ledger.record(lines: [Self.line("after-0"), Self.line("before-0")])
        #expect(try await run(ledger) == 0)
        try ledger.close()
        ledger = try fixture.open()
        #expect(try await run(ledger) == 0)

        let states = try await states(ledger)
        #expect(states.prefix(3).allSatisfy { $0 == .open })
        #expect(states.dropFirst(3).dropLast().allSatisfy { $0 == .released })
        #expect(states.last == .open)
        let last = try #require(try await ledger.item(Int64(states.count)))
        #expect((last.reason, last.repair) == ("subject-empty", nil))
        try await expect(ledger, counted: Int64(count))
        let key = try #require(RepairRuleKey("clock"))
        let rule = try #require(try await ledger.repairRule(key))
        #expect((rule.repaired, rule.failed) == (Int64(count), 0))
        try ledger.close()
        #expect(try fixture.verified().findings.isEmpty)
    }

    /// A row: how the rule sets the time, what is known before, and what comes of the item.
    static let attempts: [(time: String, known: String?, RepairMark.Outcome, version: Int64)] = [
        (#"concat($.time, "Z")"#, nil, .accepted, 2),
        (#"concat($.time, "Z")"#, sound("a"), .duplicate, 2),
        (#"concat($.time, "Z")"#, sound("a", amount: "2"), .conflict, 2),
        (#"concat($.time, "?")"#, nil, .rejected, 2),
        ("$.time", nil, .failed, 1),
        ("$.data.no_such_place", nil, .failed, 1),
        ("$.data.amount / 0", nil, .failed, 1),
    ]

    @Test("what a rule could not release stays open with the mark of it, and is not tried again")
    func attempts() async throws {
        for (time, known, outcome, version) in Self.attempts {
            let fixture = LedgerFixture()
            let ledger = try fixture.open()
            _ = try await ledger.create(.sample(.sum))
            try await ledger.finishBackfills()
            _ = try await ledger.add(Self.rule(time: time), appliesToOpen: false)
            if let known { try await ledger.record(lines: [known]) }
            try await ledger.record(lines: [Self.line("a")])

            #expect(try await run(ledger) == 1, "\(time)")
            #expect(try await run(ledger) == 0, "\(time)")
            let item = try #require(try await ledger.item(1))
            #expect(item.repair?.outcome == outcome, "\(time)")
            #expect(item.repair?.rule == "clock")
            #expect(item.repair?.detail.isEmpty == outcome.isRelease)
            #expect(item.state == (outcome.isRelease ? .released : .open), "\(time)")
            #expect(item.version == version, "\(time)")
            #expect(item.original == Array(Self.line("a").utf8))
            try await expect(ledger, counted: known != nil || outcome == .accepted ? 1 : 0)
            try ledger.close()
            #expect(try fixture.verified().findings.isEmpty)
        }
    }

    @Test("another version of a rule leaves what was tried, and an action for open items takes it")
    func versions() async throws {
        let ledger = try await opened()
        _ = try await ledger.add(Self.rule(time: #"concat($.time, "?")"#), appliesToOpen: false)
        try await ledger.record(lines: [Self.line("a")])
        try await run(ledger)

        let mended = RepairRuleDefinition(
            key: try Self.rule().key,
            match: QuarantineFilter(),
            repair: EventRepair(
                set: [EventRepair.Assignment(pointer: "/time", expression: #""2026-11-01Z""#)],
                remove: []
            )
        )
        guard
            case .outdated(let now) = try await ledger.revise(
                mended,
                version: 2,
                appliesToOpen: false
            )
        else {
            Issue.record("version 2 is none yet")
            return
        }
        #expect(now.version == 1)
        _ = try await ledger.revise(mended, version: 1, appliesToOpen: false)
        #expect(try await run(ledger) == 0)

        let sound = RepairRuleDefinition(
            key: mended.key,
            match: QuarantineFilter(),
            repair: EventRepair(
                set: [
                    EventRepair.Assignment(
                        pointer: "/time",
                        expression: #""2026-11-01T00:00:00Z""#
                    )
                ],
                remove: []
            )
        )
        guard
            case .changed(let rule, let action?) = try await ledger.revise(
                sound,
                version: 2,
                appliesToOpen: true
            )
        else {
            Issue.record("it starts an action")
            return
        }
        #expect(rule.version == 3)
        while try await QuarantineRunner(store: ledger, zones: .shared).takeTurn() {}
        let done = try #require(try await ledger.action(action.number))
        #expect(
            (done.tally.accepted, done.request.note.reason) == (1, "repair rule clock, version 3")
        )
        try await expect(ledger, counted: 1)
    }

    @Test("a rule that is off does nothing, and leaves what came meanwhile when it is on again")
    func off() async throws {
        let ledger = try await opened()
        _ = try await ledger.add(Self.rule(isEnabled: false), appliesToOpen: false)
        try await ledger.record(lines: [Self.line("a")])
        #expect(try await run(ledger) == 0)
        _ = try await ledger.revise(Self.rule(), version: 1, appliesToOpen: false)
        #expect(try await run(ledger) == 0)
        try await ledger.record(lines: [Self.line("b")])
        #expect(try await run(ledger) == 1)
        #expect(try await states(ledger) == [.open, .released])
        // What came while it was on is mended by the version that stands when its turn comes.
        try await ledger.record(lines: [Self.line("c")])
        _ = try await ledger.revise(
            Self.rule(time: #"concat($.time, "+01:00")"#),
            version: 2,
            appliesToOpen: false
        )
        try await run(ledger)
        #expect(try await ledger.item(3)?.repair?.version == 3)
        try await expect(ledger, counted: 2)
    }

    @Test("of several rules that match, the first in the order of their keys has the item")
    func order() async throws {
        let ledger = try await opened()
        _ = try await ledger.add(Self.rule("b"), appliesToOpen: false)
        _ = try await ledger.add(Self.rule("a", source: "t"), appliesToOpen: false)
        _ = try await ledger.add(Self.rule("c"), appliesToOpen: false)
        try await ledger.record(lines: [Self.line("1"), Self.line("2", source: "t")])
        try await run(ledger)
        #expect(try await ledger.item(1)?.repair?.rule == "b")
        #expect(try await ledger.item(2)?.repair?.rule == "a")
    }

    @Test("a filter by validation rule finds what that rule rejected, and nothing else")
    func byValidationRule() async throws {
        let ledger = try await opened()
        try await ledger.record(lines: [Self.line("1")])
        var item = try #require(try await ledger.item(1))
        item.rule = "call-takes-time"
        var filter = QuarantineFilter()
        filter.rule = "call-takes-time"
        #expect(filter.holds(of: item))
        item.rule = "call-is-short"
        #expect(!filter.holds(of: item))
    }

    /// What comes between the look at an item and its release.
    enum Between: CaseIterable { case edit, discard, change, deletion }

    @Test("whoever comes between a look and its release is heard", arguments: Between.allCases)
    func between(_ between: Between) async throws {
        let ledger = try await opened()
        _ = try await ledger.add(Self.rule(), appliesToOpen: false)
        try await ledger.record(lines: [Self.line("a"), Self.line("b")])
        let due = try #require(try await ledger.repairsDue())
        var work = RepairWork(after: 2)
        work.items = due.items.map { item in
            let bytes = String(decoding: item.bytes, as: UTF8.self)
                .replacing("00:00\"", with: "00:00Z\"")
            return RepairWork.Item(
                item: item,
                rule: due.rules[0],
                attempt: .mended(Array(bytes.utf8))
            )
        }
        let note = QuarantineNote(author: "kim", reason: "mine")
        switch between {
        case .edit:
            _ = try await ledger.change(1, version: 1, .edit(Array(Self.sound("a").utf8)), note)
        case .discard: _ = try await ledger.change(1, version: 1, .discard, note)
        case .change:
            _ = try await ledger.revise(
                Self.rule(time: #"concat($.time, "+01:00")"#),
                version: 1,
                appliesToOpen: false
            )
        case .deletion: _ = try await ledger.delete(due.rules[0].key, version: nil)
        }

        try await ledger.repair(work)
        try await expect(ledger, counted: 0)
        try await run(ledger)
        switch between {
        case .edit: #expect(try await states(ledger) == [.open, .released])
        case .discard: #expect(try await states(ledger) == [.discarded, .released])
        case .change: #expect(try await states(ledger) == [.released, .released])
        case .deletion: #expect(try await states(ledger) == [.open, .open])
        }
        // Once more, the same page: nothing is done twice.
        try await ledger.repair(work)
        let released = try await states(ledger).count { $0 == .released }
        try await expect(ledger, counted: Int64(released))
    }

    @Test("the trail and the event tell which version of which rule it was, and whose")
    func told() async throws {
        let ledger = try await opened()
        let rule = try Self.rule()
        try await by(Author(name: "kim", reason: "old clocks")) {
            _ = try await ledger.add(rule, appliesToOpen: false)
        }
        try await ledger.record(lines: [Self.line("a")])
        try await run(ledger)
        try await by(Author(name: "lee")) { _ = try await ledger.delete(rule.key, version: 1) }
        _ = try await ledger.add(rule, appliesToOpen: false)
        #expect(try await ledger.repairRule(rule.key)?.version == 2)
        try await expectTold(ledger)
        try ledger.close()
        #expect(try fixture.verified().findings.isEmpty)
    }

    private func by(_ author: Author, _ body: () async throws -> Void) async throws {
        try await Author.$current.withValue(author) { try await body() }
    }

    private func expectTold(_ ledger: SQLiteLedger) async throws {
        var query = AuditQuery(limit: 10)
        query.kinds = [.repairRule, .quarantined]
        query.isOldestFirst = true
        let entries = try await ledger.audit(query).entries
        #expect(entries.map(\.action) == ["create", "release", "retire", "create"])
        #expect(entries.map(\.actor) == ["kim", "rule:clock", "lee", ""])
        #expect(entries[0].reason == "old clocks")
        #expect(entries[1].key == "q-1")
        #expect(entries[1].reason == "version 1 by kim")
        #expect(entries[1].after?.contains(#""repairedBy":{"rule":"clock","version":1}"#) == true)
        let event = try #require(try await ledger.event(source: "s", id: "a"))
        let repaired = StoredEvent.Repaired(item: 1, rule: "clock", version: 1)
        #expect(event.repairedBy == repaired)
        let range = Instant.earliest..<Instant.latest
        let listed = try await ledger.events(EventQuery(range: range, limit: 9)).events
        #expect(listed.map(\.repairedBy) == [repaired])
    }

    @Test("what is rejected, asked for or made a rule rings for whoever works on it")
    func rings() async throws {
        let ledger = try await opened()
        var rings = ledger.quarantineRings.makeAsyncIterator()
        try await ledger.record(lines: [Self.line("a"), Self.line("b")])
        #expect(await rings.next() != nil)
        _ = try await ledger.add(Self.rule(), appliesToOpen: true)
        #expect(await rings.next() != nil)
        _ = try await ledger.start(
            QuarantineActionRequest(
                kind: .release,
                filter: QuarantineFilter(),
                repair: nil,
                note: QuarantineNote()
            )
        )
        #expect(await rings.next() != nil)
    }

    /// Goal: whatever happens in between, an event that a rule mends counts once. Method: events,
    /// turns, restarts and changes of the rule in any order; at the end all that came while it was
    /// on are counted, and no others.
    @Test(
        "events, turns, restarts and changes in any order count each event once",
        arguments: 0..<8
    )
    func anyOrder(_ number: UInt64) async throws {
        var generator = SeededGenerator(seed: 7_100 + number)
        var ledger = try await opened()
        _ = try await ledger.add(Self.rule(), appliesToOpen: false)
        var (version, isOn, sent, mended) = (Int64(1), true, 0, Set<Int>())
        for _ in 0..<40 {
            switch Int.random(in: 0..<8, using: &generator) {
            case 0..<4:
                let ids = (0..<Int.random(in: 1..<5, using: &generator)).map { sent + $0 }
                sent += ids.count
                try await ledger.record(lines: ids.map { Self.line("\($0)") })
                if isOn { mended.formUnion(ids) }
                // Whoever sends again brings nothing new.
                try await ledger.record(lines: ids.map { Self.line("\($0)") })
            case 4, 5: _ = try await RepairRunner(store: ledger, zones: .shared).takeTurn()
            case 6:
                try ledger.close()
                ledger = try fixture.open()
            default:
                // Those that wait are mended first: off, the rule would leave them.
                try await run(ledger)
                isOn.toggle()
                _ = try await ledger.revise(
                    Self.rule(isEnabled: isOn),
                    version: version,
                    appliesToOpen: false
                )
                version += 1
            }
        }
        try await run(ledger)
        try await expect(ledger, counted: Int64(mended.count))
        let released = try await ledger.books(.all).standing.released
        // Each came twice.
        #expect(released == 2 * Int64(mended.count), "seed \(7_100 + number)")
        try ledger.close()
        #expect(try fixture.verified().findings.isEmpty, "seed \(7_100 + number)")
    }
}
