import HTTPTypes
import Testing
import WireFormat

@Suite("The Console: events and corrections") struct DeskEventTests {
    @Test("events are listed, filtered by the address, and hostile names stay text")
    func listed() async throws {
        let house = try await DeskHouse()
        let empty = try await house.page("/console/events")
        #expect(empty.text.contains("No event has come yet"))
        try await house.fill()

        let all = try await house.page("/console/events")
        let some = try await house.page("/console/events?subject=acme&from=2026-10-30")
        let none = try await house.page("/console/events?subject=nobody")
        let wrong = try await house.page("/console/events?from=yesterday", status: 422)

        #expect(all.text.contains("data-href=\"/console/events/gateway%2Feu/a\""))
        #expect(all.text.contains("data-tail=\"/console/live?tail=1"))
        #expect(all.text.contains("&quot;\u{301}&gt;&lt;script&gt;"))
        #expect(!all.text.contains(DeskHouse.hostile))
        #expect(some.text.contains("/gateway%2Feu/b\""))
        #expect(!some.text.contains("script&gt;"))
        #expect(none.text.contains("No event fits"))
        #expect(wrong.text.contains("value=\"yesterday\""))
        #expect(wrong.text.contains("aria-invalid=\"true\""))
    }

    @Test("an event tells who counted it, and leads to what can be done")
    func one() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        try await house.api(
            .post,
            "/v1/meter-types",
            ["key": "sms", "eventTypes": ["sms"], "aggregation": "count"]
        )

        let event = try await house.page("/console/events/gateway%2Feu/a")
        let id = DeskHouse.encoded(DeskHouse.hostile)
        let hostile = try await house.page("/console/events/gateway%2Feu/" + id)
        let missing = try await house.page("/console/events/gateway/x", status: 404)

        #expect(event.text.contains("/console/meters/all~acme"))
        #expect(event.text.contains("/console/meter-types/sms"))
        #expect(event.text.contains("Void this event"))
        #expect(!hostile.text.contains(DeskHouse.hostile))
        #expect(missing.text.contains("/console/quarantine/items?source=gateway"))
    }

    @Test("an event is voided: first what that would do, then in earnest, then taken back")
    func void() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        #expect(try await house.usage() == "15")
        let new = "/console/corrections/new"

        let look = try await house.page(new + "?kind=void&source=gateway%2Feu&id=a")
        #expect(look.text.contains("What it would do"))
        #expect(look.text.contains("value=\"-5\""))
        let unnamed = try await house.post(
            new,
            ["kind": "void", "do": "make", "keys": "gateway/eu\ta", "reason": "a test"]
        )
        #expect(unnamed.status == 422)
        #expect(unnamed.text.contains("value=\"a test\""))
        #expect(try await house.usage() == "15")
        let made = try await house.post(
            new,
            [
                "kind": "void", "do": "make", "keys": "gateway/eu\ta", "reason": "a test",
                "author": "Ada",
            ]
        )
        #expect((made.status, made.location) == (303, "/console/corrections/c-1"))
        #expect(try await house.usage() == "10")

        let list = try await house.page("/console/corrections")
        let one = try await house.page("/console/corrections/c-1")
        let event = try await house.page("/console/events/gateway%2Feu/a")
        #expect(list.text.contains("a test"))
        #expect(one.text.contains("/console/events/gateway%2Feu/a"))
        #expect(event.text.contains("Let it count again"))

        let back = try await house.post(
            new,
            [
                "kind": "restore", "by": "correction", "correction": "c-1", "do": "make",
                "reason": "it was none", "author": "Ada",
            ]
        )
        #expect(back.location == "/console/corrections/c-2")
        #expect(try await house.usage() == "15")
        let again = try await house.post(
            new,
            [
                "kind": "restore", "by": "correction", "correction": "c-1", "do": "make",
                "reason": "it was none", "author": "Ada",
            ]
        )
        #expect(again.text.contains("Nothing was to change"))
    }

    @Test("what came since a preview is not voided with what it showed")
    func expected() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        let new = "/console/corrections/new"
        let look = try await house.page(new + "?kind=void&by=filter&type=call")
        let shown = try #require(look.field("expected"))
        try await house.send([DeskHouse.event("late")])
        let fields: KeyValuePairs<String, String> = [
            "kind": "void", "by": "filter", "do": "make", "type": "call", "reason": "a test",
            "author": "Ada", "expected": shown,
        ]

        let refused = try await house.post(new, fields)

        #expect(refused.status == 409)
        #expect(try await house.usage() == "20")
        let next = try #require(refused.field("expected"))
        #expect(next != shown)
    }

    @Test("events are replaced, and voided by a filter")
    func others() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        let new = "/console/corrections/new"
        let draft = try await house.page(new + "?kind=replace&source=gateway%2Feu&id=a")
        #expect(draft.text.contains("&quot;amount&quot;: 5"))

        let event = String(decoding: DeskHouse.event("a", amount: 7).serialized(), as: UTF8.self)
        let look = try await house.post(
            new,
            ["kind": "replace", "do": "look", "replacements": event]
        )
        #expect(look.status == 200)
        #expect(look.text.contains("value=\"2\""))
        let wrong = try await house.post(
            new,
            ["kind": "replace", "do": "look", "replacements": "{"]
        )
        #expect(wrong.status == 422)
        let made = try await house.post(
            new,
            [
                "kind": "replace", "do": "make", "replacements": event, "reason": "too few",
                "author": "Ada",
            ]
        )
        #expect(made.status == 303)
        #expect(try await house.usage() == "17")

        let filter = try await house.page(new + "?kind=void&by=filter&subject=acme")
        #expect(filter.text.contains("Void 2 events"))
        let voided = try await house.post(
            new,
            [
                "kind": "void", "by": "filter", "subject": "acme", "do": "make",
                "reason": "gone", "author": "Ada",
            ]
        )
        #expect(voided.location == "/console/corrections/c-2")
        #expect(try await house.usage() == "5")
    }

    @Test("a backfill set is opened, compared, closed and reverted")
    func sets() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        let opened = try await house.post(
            "/console/backfill-sets",
            ["name": "the outage <b>", "reason": "lost", "author": "Ada"]
        )
        #expect(opened.location == "/console/backfill-sets/bs-1")
        try await house.api(.post, "/v1/backfill-sets/bs-1/events", [DeskHouse.event("late")])

        let list = try await house.page("/console/backfill-sets?state=open")
        let set = try await house.page("/console/backfill-sets/bs-1")
        #expect(list.text.contains("the outage &lt;b&gt;"))
        #expect(set.text.contains("With and without it"))
        let refused = try await house.post("/console/backfill-sets/bs-1", ["do": "close"])
        #expect(refused.status == 422)
        let form: KeyValuePairs = ["do": "close", "reason": "checked", "author": "Ada"]
        let closed = try await house.post("/console/backfill-sets/bs-1", form)
        #expect(closed.status == 303)
        #expect(try await house.usage() != "15")
        _ = try await house.page("/console/backfill-sets/bs-1")
        let back: KeyValuePairs = ["do": "revert", "reason": "no", "author": "Ada"]
        #expect(try await house.post("/console/backfill-sets/bs-1", back).status == 303)
        #expect(try await house.page("/console/backfill-sets/bs-1").text.contains("reverted"))
    }
}
