import Foundation
import HTTPTypes
import Logging
import MeteringEngine
import SQLiteLedger
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

@Suite("Backfill sets over HTTP") struct BackfillSetTests {
    private static let who = #""author":"Ada","reason":"a restored queue""#

    /// The edge over a ledger of its own, with a meter type that counts all events.
    private struct House {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("odometer-sets-\(UUID().uuidString)").path
        let ledger: SQLiteLedger
        let edge: Edge

        init() async throws {
            ledger = try SQLiteLedger(
                SQLiteLedger.Opening(
                    directory: directory,
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                    clock: { Edge.now },
                    entropy: Array(repeating: 7, count: 32)
                )
            )
            edge = Edge(over: ledger, quarantine: ledger, sets: ledger)
            let type = #"{"key":"all","eventTypes":["*"],"aggregation":"count"}"#
            _ = try await edge.post("/v1/meter-types", type)
        }

        func leave() throws {
            try ledger.close()
            try FileManager.default.removeItem(atPath: directory)
        }

        func counted() async throws -> String? {
            let path = "/v1/usage?meterType=all&from=2026-10-01T00:00:00Z&to=2026-12-01T00:00:00Z"
            let readings = try await edge.get(path).json["readings"]?.arrayValue
            return readings?.first?["value"]?.stringValue
        }

        func open(_ members: String = "") async throws -> Edge.Reply {
            let body = #"{"name":"a day"\#(members),\#(BackfillSetTests.who)}"#
            return try await edge.post("/v1/backfill-sets", body)
        }

        func send(_ ids: String..., amount: String = "1") async throws -> Edge.Reply {
            let events = ids.map { Edge.event($0, amount: amount) }.joined(separator: ",")
            return try await edge.post("/v1/backfill-sets/bs-1/events", "[\(events)]")
        }

        func say(_ what: String, _ more: String = "") async throws -> Edge.Reply {
            try await edge.post(
                "/v1/backfill-sets/bs-1/\(what)",
                "{\(BackfillSetTests.who)\(more)}"
            )
        }
    }

    @Test("events of a set count together from its close on, and no more from its revert on")
    func life() async throws {
        let house = try await House()
        try await house.edge.send("a")
        #expect(try await house.open().json["state"]?.stringValue == "open")

        #expect(try await house.send("b", "c").json["accepted"]?.canonical == "2")
        #expect(try await house.counted() == "1")
        let waiting = try await house.edge.get("/v1/events/gateway/b").json
        let tried = try await house.say("close", #","dryRun":true"#).json["preview"]
        let closed = try await house.say("close")
        #expect(try await house.counted() == "3")
        let again = try await house.say("close")
        let reverted = try await house.say("revert")

        #expect(waiting["status"]?.stringValue == "void")
        #expect(waiting["backfillSet"]?.stringValue == "bs-1")
        let because = waiting["explanation"]?.arrayValue?.first?["because"]?.stringValue
        #expect(because == "the backfill set bs-1 was open")
        #expect(tried?["events"]?.canonical == "2")
        #expect(tried?["meters"]?.arrayValue?.first?["after"]?.stringValue == "3")
        #expect(closed.status == 201)
        #expect(closed.json["correction"]?["backfillSet"]?.stringValue == "bs-1")
        #expect((again.status, again.json["correction"]) == (200, .null))
        #expect(reverted.json["correction"]?["kind"]?.stringValue == "revert")
        #expect(try await house.counted() == "1")
        let set = try await house.edge.get("/v1/backfill-sets/bs-1").json
        #expect(set["state"]?.stringValue == "reverted")
        #expect(set["correction"]?.stringValue == "c-2")
        let events = try await house.edge.get("/v1/corrections/c-1/events").items
        #expect(events.map { $0["id"]?.stringValue } == ["b", "c"])
        try house.leave()
    }

    @Test("what a set replaces makes room, but for what was sent to it again")
    func replacing() async throws {
        let house = try await House()
        try await house.edge.send("a", "b", "c")
        _ = try await house.open(#","replaceExisting":{"expression":"$.id != \"c\""}"#)
        _ = try await house.send("d")
        _ = try await house.send("a")

        _ = try await house.say("close")

        let status = { (id: String) in
            try await house.edge.get("/v1/events/gateway/\(id)").json["status"]?.stringValue
        }
        #expect(try await status("a") == "counted", "it was sent again")
        #expect(try await status("b") == "void", "it makes room")
        #expect(try await status("c") == "counted", "it is not selected")
        #expect(try await status("d") == "counted", "it is the set's own")
        _ = try await house.say("revert")
        #expect(try await status("b") == "counted")
        #expect(try await status("d") == "void")
        try house.leave()
    }

    @Test("a set that is not open takes no events, and none of the call is recorded")
    func notOpen() async throws {
        let house = try await House()
        _ = try await house.open()
        _ = try await house.send("a")
        _ = try await house.say("close")

        let late = try await house.send("b")

        #expect((late.status, late.problem) == (409, "set-not-open"))
        #expect(try await house.edge.get("/v1/events/gateway/b").status == 404)
        try house.leave()
    }

    @Test("what was rejected on its way into a set is released into it, while it is open")
    func released() async throws {
        let house = try await House()
        _ = try await house.open()
        let wrong = Edge.event("a", amount: "1").replacing("00:00Z\"", with: "00:00\"")
        let answer = try await house.edge.post("/v1/backfill-sets/bs-1/events", "[\(wrong)]")
        #expect(answer.json["rejected"]?.canonical == "1")
        let item = try await house.edge.get("/v1/quarantine/q-1").json
        #expect(item["backfillSet"]?.stringValue == "bs-1")
        let repair = #"{"version":1,"patch":{"time":"2026-11-01T00:00:00Z"}}"#
        let json: HTTPFields = [.contentType: "application/json"]
        let edited = try await house.edge.ask(
            .patch,
            "/v1/quarantine/q-1",
            Array(repair.utf8),
            json
        )
        #expect(edited.status == 200)

        #expect(try await house.edge.post("/v1/quarantine/q-1/release", "{}").status == 200)

        #expect(try await house.counted() == "0", "the set is open")
        #expect(try await house.edge.get("/v1/backfill-sets/bs-1").json["events"]?.canonical == "1")
        _ = try await house.say("close")
        #expect(try await house.counted() == "1")
        try house.leave()
    }

    @Test("an action releases each item into the set that it was sent to, while that takes events")
    func releasedTogether() async throws {
        let house = try await House()
        _ = try await house.open()
        _ = try await house.open()
        let wrong = ["a", "b", "c", "d", "e"].map { id in
            Edge.event(id, amount: "1").replacing("00:00Z\"", with: "00:00\"")
        }
        let paths = ["/backfill-sets/bs-1", "", "/backfill-sets/bs-1", "/backfill-sets/bs-2", ""]
        for (path, event) in zip(paths, wrong) {
            _ = try await house.edge.post("/v1\(path)/events", "[\(event)]")
        }
        _ = try await house.edge.post("/v1/backfill-sets/bs-2/revert", "{\(Self.who)}")
        let action = #"""
            {"action":"repair-and-release","filter":{"reason":"time-missing-offset"},
            "repair":{"set":{"/time":"concat($.time, \"Z\")"}},\#(Self.who)}
            """#
        let started = try await house.edge.post("/v1/quarantine/actions", action)
        #expect(started.status == 202, "\(started.text)")

        let runner = QuarantineRunner(store: house.ledger, zones: .shared)
        while try await runner.takeTurn() {}

        let done = try await house.edge.get("/v1/quarantine/actions/qa-1").json
        #expect(done["items"]?.stringValue == "5", "\(done.canonical)")
        #expect(done["accepted"]?.stringValue == "4", "\(done.canonical)")
        #expect(done["failed"]?.stringValue == "1", "the set of one is reverted")
        #expect(try await house.counted() == "2")
        #expect(try await house.edge.get("/v1/backfill-sets/bs-1").json["events"]?.canonical == "2")
        _ = try await house.say("close")
        #expect(try await house.counted() == "4")
        try house.leave()
    }

    @Test("a repair rule releases into the set that an item was sent to, while that takes events")
    func mended() async throws {
        let house = try await House()
        _ = try await house.open()
        let rule = #"""
            {"key":"zulu","match":{"reason":"time-missing-offset"},
            "repair":{"set":{"/time":"concat($.time, \"Z\")"}}}
            """#
        #expect(try await house.edge.post("/v1/repair-rules", rule).status == 201)
        let wrong = ["a", "b", "c"].map { id in
            Edge.event(id, amount: "1").replacing("00:00Z\"", with: "00:00\"")
        }
        _ = try await house.edge.post("/v1/backfill-sets/bs-1/events", "[\(wrong[0])]")
        _ = try await house.edge.post("/v1/events", "[\(wrong[1])]")
        let runner = RepairRunner(store: house.ledger, zones: .shared)
        while try await runner.takeTurn() {}
        _ = try await house.edge.post("/v1/backfill-sets/bs-1/events", "[\(wrong[2])]")
        _ = try await house.say("close")
        while try await runner.takeTurn() {}

        #expect(try await house.counted() == "2")
        #expect(try await house.edge.get("/v1/backfill-sets/bs-1").json["events"]?.canonical == "1")
        let left = try await house.edge.get("/v1/quarantine/q-3").json
        #expect(left["state"]?.stringValue == "open")
        #expect(left.canonical.contains("bs-1 takes no more events"), "\(left.canonical)")
        try house.leave()
    }

    @Test("a set is listed as it stood at a position")
    func past() async throws {
        let house = try await House()
        _ = try await house.edge.post("/v1/events", "[\(Edge.event("x", amount: "1"))]")
        _ = try await house.open()
        _ = try await house.send("a", "b")
        _ = try await house.say("close")
        _ = try await house.say("revert")

        var seen: [String] = []
        for position in 0...5 {
            let path = "/v1/backfill-sets?asOf=\(position)"
            let set = try await house.edge.get(path).items.first
            let words = [set?["state"]?.stringValue, set?["events"]?.canonical]
            seen.append(words.compactMap(\.self).joined(separator: " "))
        }
        #expect(seen == ["", "open 0", "open 1", "open 2", "closed 2", "reverted 2"])
        #expect(try await house.edge.get("/v1/backfill-sets?asOf=6").status == 422)
        #expect(try await house.edge.get("/v1/corrections?asOf=4").items.count == 1)
        try house.leave()
    }

    @Test("a change that reaches into closed periods is made with consent alone")
    func closedPeriods() async throws {
        let house = try await House()
        let daily =
            #"{"key":"kwh","eventTypes":["*"],"aggregation":"count","resetSchedule":"daily"}"#
        _ = try await house.edge.post("/v1/meter-types", daily)
        _ = try await house.edge.post("/v1/events", "[\(Edge.event("a", amount: "1"))]")
        let keeper = RecordKeeper(
            ledger: house.ledger,
            store: house.ledger,
            zones: SystemTimeZones.shared,
            clock: { Instant(microseconds: Edge.now.microseconds + 5 * 86_400_000_000) }
        )
        while try await keeper.keep() > 0 {}
        let key = try #require(MeterTypeKey("kwh"))
        let until = try #require(try await house.ledger.closedUntil(key))
        func change(_ name: String, _ more: String) async throws -> Edge.Reply {
            while try await !house.ledger.backfills().isEmpty { await Task.yield() }
            return try await house.edge.ask(
                .patch,
                "/v1/meter-types/kwh",
                Array("{\"name\":\"\(name)\",\(more)}".utf8),
                [.contentType: "application/json"]
            )
        }
        let before = Instant(microseconds: until.microseconds - 1).rfc3339

        let reaching = try await change("A", #""effectiveFrom":"\#(before)""#)
        let since = try await change("B", #""effectiveFrom":null,"restate":false"#)
        let later = try await change("C", #""effectiveFrom":"\#(until.rfc3339)""#)
        let consented = try await change("D", #""effectiveFrom":null,"restate":true"#)
        let word = try await change("E", #""restate":"yes""#)

        #expect((reaching.status, reaching.problem) == (409, "periods-closed"))
        let fault = reaching.json["errors"]?.arrayValue?.first
        #expect(fault?["pointer"]?.stringValue == "/effectiveFrom")
        #expect((since.status, later.status, consented.status) == (409, 200, 200))
        #expect(word.status == 422)
        try house.leave()
    }

    @Test("what a caller got wrong is told with its place")
    func refusals() async throws {
        let house = try await House()
        #expect(try await house.send("a").status == 404)
        let broken = try await house.open(#","replaceExisting":{"expression":"$.a <"}"#)
        #expect(broken.status == 422)
        let fault = broken.json["errors"]?.arrayValue?.first
        #expect(fault?["pointer"]?.stringValue == "/replaceExisting/expression")
        let all = try await house.open(#","replaceExisting":{}"#)
        #expect((all.status, all.problem) == (422, "invalid-field"))
        _ = try await house.open()
        #expect(try await house.say("close").status == 422, "it has no events")
        _ = try await house.send("a")
        let void = #"{"kind":"void","events":[{"source":"gateway","id":"a"}],\#(Self.who)}"#
        #expect(try await house.edge.post("/v1/corrections", void).status == 422)
        _ = try await house.say("close")
        let back = #"{"kind":"restore","correction":"c-1",\#(Self.who)}"#
        #expect(try await house.edge.post("/v1/corrections", back).status == 422)
        let kind = #"{"kind":"close","events":[{"source":"gateway","id":"a"}],\#(Self.who)}"#
        #expect(try await house.edge.post("/v1/corrections", kind).status == 422)
        try house.leave()
    }

    @Test("under one token one set is opened, and the sets are listed newest first")
    func tokens() async throws {
        let house = try await House()
        let headers: HTTPFields = [.idempotencyKey: "t-1"]
        let body = #"{"name":"a day",\#(Self.who)}"#
        let first = try await house.edge.post("/v1/backfill-sets", body, headers)
        let again = try await house.edge.post("/v1/backfill-sets", body, headers)
        let other = #"{"name":"another",\#(Self.who)}"#
        let taken = try await house.edge.post("/v1/backfill-sets", other, headers)
        _ = try await house.open()

        #expect(first.json == again.json)
        #expect((taken.status, taken.problem) == (409, "already-exists"))
        let page = try await house.edge.get("/v1/backfill-sets?limit=1&state=open")
        #expect(page.items.map { $0["id"]?.stringValue } == ["bs-2"])
        let next = try #require(page.json["next"]?.stringValue)
        let rest = try await house.edge.get("/v1/backfill-sets?limit=1&state=open&cursor=\(next)")
        #expect(rest.items.map { $0["id"]?.stringValue } == ["bs-1"])
        let audit = try await house.ledger.audit(AuditQuery(limit: 10)).entries
        #expect(audit.filter { $0.kind == "backfill-set" }.map(\.action) == ["create", "create"])
        try house.leave()
    }
}
