import Testing
import WireFormat

@testable import Console

@Suite("The Console: texts that a field would change") struct TypedTextTests {
    @Test("a text with a line break or a mark that cannot be typed is spelled as JSON")
    func control() throws {
        let event = JSONValue.of(
            #"{"id":"a\nb","source":"gw","data":{"note":"one\r\ntwo","path":"a\u0007b","ok":"x"}}"#
        )

        let places = Desk.places(of: try #require(event))

        func place(_ pointer: String) -> Desk.Place? { places.first { $0.pointer == pointer } }
        #expect(place("/id")?.text == #""a\nb""#)
        #expect(place("/data/note")?.text == #""one\r\ntwo""#)
        #expect(place("/data/path")?.isText == false)
        #expect(place("/source")?.text == "gw")
        #expect(place("/data/ok")?.isText == true)
        #expect(place("/subject")?.text == "")
    }
}
