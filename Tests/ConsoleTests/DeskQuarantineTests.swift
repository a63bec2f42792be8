import HTTPTypes
import MeteringEngine
import SQLiteLedger
import Testing
import WireFormat

@Suite("The Console: quarantine") struct DeskQuarantineTests {
    /// Events that cannot be counted: two without an offset, one without a subject, one that is no
    /// JSON object.
    private static func house() async throws -> DeskHouse {
        let house = try await DeskHouse()
        try await house.fill()
        var nameless = DeskHouse.event("d")
        if case .object(var object) = nameless {
            object["subject"] = nil
            nameless = .object(object)
        }
        try await house.send([
            DeskHouse.event("c", time: "2026-10-30T12:00:00"),
            DeskHouse.event(DeskHouse.hostile + "2", time: "2026-10-30T13:00:00"), nameless,
            "127.0.0.1 - - <GET />",
        ])
        return house
    }

    @Test("records are told by what is wrong with them, and one by the field at fault")
    func listed() async throws {
        let house = try await Self.house()
        let groups = try await house.page("/console/quarantine")
        let items = try await house.page("/console/quarantine/items?reason=time-missing-offset")
        let item = try await house.page("/console/quarantine/items/q-1")
        let hostile = try await house.page("/console/quarantine/items/q-2")
        let missing = try await house.page("/console/quarantine/items/q-3")
        let text = try await house.page("/console/quarantine/items/q-4")
        let none = try await house.page("/console/quarantine/items?text=nothing-of-it")
        _ = try await house.page("/console/quarantine/items/q-99", status: 404)

        #expect(groups.text.contains("state=open&amp;reason=time-missing-offset"))
        #expect(items.text.contains("/console/quarantine/items/q-1"))
        #expect(items.text.contains("<code class=\"nowrap\">/time</code>"))
        #expect(item.text.contains("<mark>&quot;time&quot;: &quot;2026-10-30T12:00:00&quot;"))
        #expect(!hostile.text.contains(DeskHouse.hostile))
        #expect(missing.text.contains("/subject is missing"))
        #expect(text.text.contains("It is no JSON object"))
        #expect(none.text.contains("Nothing fits"))
    }

    @Test("a group of records that name no source leads to them alone, and so do its actions")
    func sourceless() async throws {
        let house = try await Self.house()
        let lacks = [["id"], ["id", "source"]].map { names in
            var object = DeskHouse.event("e").objectValue ?? [:]
            for name in names { object[name] = nil }
            return JSONValue.object(object)
        }
        try await house.send(lacks)
        let lacking = "state=open&reason=id-missing&type=call&without=source"

        let groups = try await house.page("/console/quarantine")
        let items = try await house.page("/console/quarantine/items?" + lacking)
        let action = try await house.page(
            "/console/quarantine/actions/new?action=discard&filter.reason=id-missing"
                + "&filter.type=call&filter.without=source"
        )

        #expect(groups.text.contains(lacking.replacing("&", with: "&amp;")))
        #expect(items.text.contains("/console/quarantine/items/q-6"))
        #expect(!items.text.contains("/console/quarantine/items/q-5"))
        #expect(items.text.contains("filter.without=source"))
        #expect(action.text.contains("Discard: 1 record<"))
        #expect(action.field("expected") == "1")
        let other = try await house.post(
            "/console/quarantine/actions/new",
            [
                "action": "discard", "filter.reason": "id-missing", "why": "old", "expected": "1",
            ]
        )
        #expect(other.status == 409)
        #expect(other.field("expected") == "2")
    }

    @Test("one record is mended field by field, and released with it")
    func mended() async throws {
        let house = try await Self.house()
        let item = "/console/quarantine/items/q-1"
        let done = try await house.post(
            item,
            [
                "do": "fields", "version": "1", "then": "release", "author": "kim",
                "f:/time": "2026-10-30T12:00:00Z", "f:/data/amount": "6",
            ]
        )
        #expect((done.status, done.location) == (303, item))
        #expect(try await house.usage() == "21")
        let event = try await house.get("/v1/events/gateway%2Feu/c")["event"]
        #expect(event?["data"]?["amount"]?.numberValue == "6")
        let released = try await house.page(item)
        #expect(released.text.contains("released"))
        #expect(released.text.contains("/console/events/gateway%2Feu/c"))
    }

    @Test("of two who mend one record the second sees both, and keeps what was typed")
    func outdated() async throws {
        let house = try await Self.house()
        let item = "/console/quarantine/items/q-3"
        let first = try await house.post(
            item,
            ["do": "fields", "version": "1", "then": "stay", "f:/subject": "zeta"]
        )
        let second = try await house.post(
            item,
            ["do": "fields", "version": "1", "then": "stay", "f:/subject": "acme"]
        )
        let third = try await house.post(
            item,
            ["do": "json", "version": "1", "event": #"{"id":"d","subject":"<i>"}"#]
        )
        let broken = try await house.post(item, ["do": "json", "version": "2", "event": "{"])

        #expect(first.status == 303)
        #expect(second.status == 409)
        #expect(second.text.contains("Somebody else saved first"))
        #expect(second.text.contains("zeta"))
        #expect(second.text.contains("<ins>  &quot;subject&quot;: &quot;acme&quot;"))
        #expect(second.field("version") == "2")
        #expect(third.status == 409)
        #expect(third.text.contains("&lt;i&gt;"))
        #expect(broken.status == 422)
    }

    @Test("a record is discarded with a reason, opened again, and replaced whole")
    func settled() async throws {
        let house = try await Self.house()
        let item = "/console/quarantine/items/q-4"
        let unsaid = try await house.post(item, ["do": "discard", "version": "1"])
        let gone = try await house.post(
            item,
            ["do": "discard", "version": "1", "reason": "noise", "author": "kim"]
        )
        let late = try await house.post(item, ["do": "release", "version": "2"])
        let back = try await house.post(item, ["do": "reopen", "version": "2"])
        let event = String(decoding: DeskHouse.event("line").serialized(), as: UTF8.self)
        let whole = try await house.post(
            item,
            ["do": "json", "version": "3", "event": event, "then": "release"]
        )

        #expect(unsaid.status == 422)
        #expect(gone.status == 303)
        #expect(late.status == 409)
        #expect(back.status == 303)
        #expect(whole.status == 303)
        #expect(try await house.page(item).text.contains("released"))
    }

    @Test("many are mended by an expression: every change first, then in earnest, with progress")
    func many() async throws {
        let house = try await Self.house()
        let new = "/console/quarantine/actions/new"
        let filter = "?action=repair-and-release&filter.reason=time-missing-offset&place1=%2Ftime"
        let query = filter + "&value1=" + DeskHouse.encoded(#"concat($.time, "Z")"#)
        let draft = try await house.page(new + query)
        let wrong = try await house.page(new + filter + "&value1=concat(", status: 422)
        let empty = try await house.page(new)

        #expect(draft.text.contains("2026-10-30T12:00:00Z"))
        #expect(draft.text.contains("Repair and release: 2 records"))
        #expect(!draft.text.contains(DeskHouse.hostile))
        #expect(wrong.text.contains("aria-invalid"))
        #expect(empty.text.contains("Show what it would do"))

        let started = try await house.post(
            new,
            [
                "action": "repair-and-release", "filter.reason": "time-missing-offset",
                "place1": "/time", "value1": #"concat($.time, "Z")"#, "author": "kim",
                "why": "the old clock",
            ]
        )
        #expect(started.location == "/console/quarantine/actions/qa-1")
        let running = try await house.page("/console/quarantine/actions/qa-1")
        #expect(running.text.contains("data-poll=\"2\""))
        #expect(running.text.contains("Cancel it here"))
        let runner = QuarantineRunner(store: house.ledger, zones: .shared)
        while try await runner.takeTurn() {}
        let done = try await house.page("/console/quarantine/actions/qa-1")
        #expect(!done.text.contains("data-poll"))
        #expect(done.text.contains("the old clock"))
        #expect(try await house.get("/v1/quarantine/q-1")["state"] == "released")
    }

    @Test("an action is cancelled, and a discard of many needs a reason")
    func cancelled() async throws {
        let house = try await Self.house()
        let new = "/console/quarantine/actions/new"
        let unsaid = try await house.post(new, ["action": "discard"])
        #expect(unsaid.status == 422)
        let started = try await house.post(new, ["action": "discard", "why": "old"])
        let place = try #require(started.location)
        let cancelled = try await house.post(place, [:])
        #expect(cancelled.location == place)
        #expect(try await house.page(place).text.contains("cancelled"))
    }
}
