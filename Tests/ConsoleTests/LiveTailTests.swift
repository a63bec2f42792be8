import Foundation
import HTTPTypes
import Testing

@Suite("The Console: the live tail") struct LiveTailTests {
    @Test("the tail goes on where the page ends, and every event carries its position")
    func follows() async throws {
        let house = try await DeskHouse()
        let page = try await house.page("/console/events")
        #expect(page.text.contains("data-tail=\"/console/live?tail=1&amp;after=0\""))
        try await house.fill()

        let all = try await house.ask(.get, "/console/live?tail=1&after=0")
        #expect(all.text.components(separatedBy: "event: event\n").count == 4)
        #expect(all.text.contains("id: 1\nevent: event\n"))
        #expect(!all.text.contains("event: behind"))
        let last = try #require(HTTPField.Name("Last-Event-ID"))
        let again = try await house.ask(.get, "/console/live?tail=1&after=0", nil, [last: "2"])
        #expect(again.text.components(separatedBy: "event: event\n").count == 2)
        #expect(!again.text.contains("id: 2\n"))
    }

    @Test("filters are the API's, and what does not fit is not looked at again")
    func filters() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        let none = try await house.ask(.get, "/console/live?tail=1&after=0&status=unmatched")
        #expect(!none.text.contains("event: event"))
        #expect(none.text.contains("id: 3\n\n"))
        let some = try await house.ask(.get, "/console/live?tail=1&after=0&subject=acme&type=c*")
        #expect(some.text.components(separatedBy: "event: event\n").count == 3)
    }

    @Test("what lies too far behind is passed over, and the stream says how many")
    func behind() async throws {
        let house = try await DeskHouse()
        try await house.fill()
        let count = 20_200
        for start in stride(from: 0, to: count, by: 5_050) {
            try await house.send((start..<start + 5_050).map { DeskHouse.event("n\($0)") })
        }
        let seen = try await house.ask(.get, "/console/live?tail=1&after=0")
        #expect(seen.text.components(separatedBy: "event: event\n").count == 201)
        #expect(seen.text.contains("event: behind\ndata: {\"positions\":\"19003\"}"))
        #expect(seen.text.hasSuffix("id: 19203\n\n"))
    }

    @Test("a page of another site takes no seat", arguments: ["cross-site", "same-site"])
    func foreign(site: String) async throws {
        let house = try await DeskHouse()
        let name = try #require(HTTPField.Name("Sec-Fetch-Site"))
        for path in ["/console/live", "/console/live?tail=1"] {
            #expect(try await house.ask(.get, path, nil, [name: site]).status == 403)
            #expect(try await house.ask(.get, path, nil, [name: "same-origin"]).status == 200)
            #expect(try await house.ask(.get, path, nil, [name: "none"]).status == 200)
        }
    }

    @Test(
        "a filter with a lone percent sign stays a filter",
        arguments: ["100%", "100%zz", "100%+x", "%FF"]
    )
    func percent(subject: String) async throws {
        let house = try await DeskHouse()
        try await house.fill()
        let page = try await house.page("/console/events?type=call&subject=\(subject)")
        #expect(page.text.contains("No event fits"))
        #expect(page.text.contains("value=\"call\""))
        if subject.hasPrefix("100%") { #expect(page.text.contains("value=\"100%")) }
    }
}
