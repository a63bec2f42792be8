import Testing
import UsageModel
import WireFormat

@Suite("Documents that ask for a correction (CorrectionDocument)") struct CorrectionDocumentTests {
    private static let who = #""author":"Ada","reason":"a test""#
    private static let event = #"""
        {"id":"a","source":"s","type":"t","subject":"u","time":"2026-11-01T00:00:00Z"}
        """#

    private static let (early, late) = ("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z")
    private static let key = #""id":"a","source":"s""#

    private static func read(_ text: String) throws -> CorrectionDocument {
        try CorrectionDocument(try JSONValue.parse(Array(text.utf8)))
    }

    private static func pointers(_ text: String) throws -> [String] {
        do {
            _ = try read(text)
            return []
        } catch let faults as CorrectionDocument.Faults {
            #expect(faults.all.allSatisfy { !$0.reason.isEmpty && !$0.remedy.isEmpty })
            return faults.all.map(\.pointer)
        }
    }

    @Test("events are named by their keys")
    func keys() throws {
        let text = #"{"kind":"void","events":[{"source":"s","id":"a"}],\#(Self.who)}"#
        let document = try Self.read(text)
        guard case .keys(let keys) = document.targets else { return #expect(Bool(false)) }
        #expect(keys == [EventKey(source: "s", id: "a")])
        #expect((document.kind, document.author, document.reason) == (.void, "Ada", "a test"))
        #expect(!document.isDryRun)
    }

    @Test("or found by a filter")
    func filter() throws {
        let text = #"""
            {"kind":"restore","filter":{"subject":"u","type":"llm.*","from":"2026-11-01T00:00:00Z"},
            "dryRun":true,\#(Self.who)}
            """#
        let document = try Self.read(text)
        guard case .filter(let filter) = document.targets else { return #expect(Bool(false)) }
        #expect(filter.subject == "u" && filter.source == nil && filter.to == nil)
        #expect(filter.type == EventTypePattern("llm.*"))
        #expect(filter.from == Instant(microseconds: 1_793_491_200_000_000))
        #expect(document.isDryRun)
    }

    @Test("replacements are whole events")
    func replacements() throws {
        let text = #"{"kind":"replace","replacements":[\#(Self.event)],\#(Self.who)}"#
        guard case .replacements(let decoded) = try Self.read(text).targets else {
            return #expect(Bool(false))
        }
        #expect(decoded.events.count == 1)
    }

    @Test(
        "what is wrong is told with its place",
        arguments: [
            (#""kind":"void""#, [""]),
            (#""kind":"undo","events":[{"source":"s","id":"a"}]"#, ["/kind"]),
            (#""kind":"void","events":[]"#, ["/events"]),
            (#""kind":"void","events":[{"source":"s"}]"#, ["/events/0"]),
            (#""kind":"void","events":[{"source":"s","id":7}]"#, ["/events/0"]),
            (#""kind":"void","filter":{}"#, ["/filter"]),
            (#""kind":"void","filter":{"subjects":"u"}"#, ["/filter/subjects"]),
            (#""kind":"void","filter":{"type":"a*b"}"#, ["/filter/type"]),
            (
                #""kind":"void","filter":{"from":"\#(late)","to":"\#(early)"}"#,
                ["/filter/to"]
            ),
            (#""kind":"void","correction":"c-1""#, ["/correction", ""]),
            (#""kind":"restore","correction":"12""#, ["/correction"]),
            (#""kind":"restore","correction":"c-1","filter":{"subject":"u"}"#, [""]),
            (#""kind":"replace","events":[{"source":"s","id":"a"}]"#, ["/events", ""]),
            (#""kind":"replace","replacements":[]"#, ["/replacements"]),
            (
                #""kind":"replace","replacements":[{\#(key),"type":"t","subject":"u"}]"#,
                ["/replacements/0/time"]
            ),
            (
                #""kind":"replace","replacements":[{"id":"a","source":"s","type":"t"}]"#,
                ["/replacements/0/subject"]
            ),
            (
                #""kind":"replace","replacements":[\#(event),\#(event)]"#,
                ["/replacements/1"]
            ),
        ]
    )
    func refused(_ members: String, _ pointers: [String]) throws {
        #expect(try Self.pointers("{\(members),\(Self.who)}") == pointers)
    }

    @Test("who and why are required, and bounded")
    func people() throws {
        let what = #""kind":"void","events":[{"source":"s","id":"a"}]"#
        #expect(try Self.pointers("{\(what)}") == ["/author", "/reason"])
        let long = String(repeating: "a", count: Limits.authorBytesMax + 1)
        #expect(
            try Self.pointers("{\(what),\"author\":\"\(long)\",\"reason\":\"r\"}") == ["/author"]
        )
        #expect(try Self.pointers("{\(what),\"author\":\"a\",\"reason\":\"\"}") == ["/reason"])
    }
}
