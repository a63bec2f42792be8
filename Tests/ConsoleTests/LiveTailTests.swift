import Foundation
import HTTPTypes
import Testing

@Suite("The Console: the live tail") struct LiveTailTests {
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
