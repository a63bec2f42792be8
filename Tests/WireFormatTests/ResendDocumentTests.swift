import Testing
import UsageModel
import WireFormat

@Suite("Documents that ask to send again (ResendDocument)") struct ResendDocumentTests {
    private static let first = "ur_0123456789abcdef0123456789abcdef"
    private static let second = "ur_ffffffffffffffffffffffffffffffff"

    private static func read(_ text: String) throws -> DeliverySelection {
        try ResendDocument.read(try JSONValue.parse(Array(text.utf8)))
    }

    private static func pointers(_ text: String) throws -> [String] {
        do {
            _ = try read(text)
            return []
        } catch let faults as ResendDocument.Faults {
            #expect(faults.all.allSatisfy { !$0.reason.isEmpty && !$0.remedy.isEmpty })
            return faults.all.map(\.pointer)
        }
    }

    private static func ids(_ count: Int) -> String {
        let ids = Array(repeating: "\"\(first)\"", count: count).joined(separator: ",")
        return #"{"destination":"billing","records":[\#(ids)]}"#
    }

    @Test(
        "one of three ways says which",
        arguments: [
            (#""state":"failed""#, .failed),
            (#""state":"failed","from":null,"records":null"#, .failed),
            (#""from":"17","to":"20""#, .numbers(17...20)),
            (#""from":"1","to":"1""#, .numbers(1...1)),
            (#""from":"1","to":"9223372036854775807""#, .numbers(1...Int64.max)),
            (
                #""records":["\#(first)","\#(second)"]"#,
                .records([UsageRecordID(first)!, UsageRecordID(second)!])
            ),
        ] as [(String, DeliverySelection.What)]
    )
    func taken(_ members: String, _ what: DeliverySelection.What) throws {
        let selection = try Self.read("{\"destination\":\"billing\",\(members)}")
        let key = try #require(DestinationKey("billing"))
        #expect(selection == DeliverySelection(destination: key, what: what))
    }

    @Test(
        "what does not say which is refused, and where it does not",
        arguments: [
            ("", [""]),
            (#","state":"failed","records":["\#(first)"]"#, [""]),
            (#","state":"failed","from":"1","to":"2""#, [""]),
            (#","to":"2""#, [""]),
            (#","state":"failed","to":"2""#, ["/to"]),
            (#","records":["\#(first)"],"to":"2""#, ["/to"]),
            (#","state":"pending""#, ["/state"]), (#","state":"delivered""#, ["/state"]),
            (#","from":"1""#, ["/to"]), (#","from":"0","to":"3""#, ["/to"]),
            (#","from":"4","to":"3""#, ["/to"]), (#","from":"a","to":"3""#, ["/to"]),
            (#","from":"1","to":"9223372036854775808""#, ["/to"]),
            (#","from":"1","to":2"#, ["/to", "/to"]),
            (#","records":[]"#, ["/records"]), (#","records":"\#(first)""#, ["/records"]),
            (#","records":["\#(first)","ur_1"]"#, ["/records"]),
            (#","records":[7]"#, ["/records"]),
            (#","state":"failed","all":true"#, ["/all"]),
        ]
    )
    func refused(_ members: String, _ pointers: [String]) throws {
        #expect(try Self.pointers("{\"destination\":\"billing\"\(members)}") == pointers)
    }

    @Test("the destination must be named, by a key")
    func destination() throws {
        #expect(try Self.pointers(#"{"state":"failed"}"#) == ["/destination"])
        #expect(try Self.pointers(#"{"destination":"A b","state":"failed"}"#) == ["/destination"])
        #expect(try Self.pointers(#"[]"#) == [""])
    }

    @Test("so many records may be named, and no more")
    func most() throws {
        #expect(try Self.pointers(Self.ids(Limits.resendRecordsMax)) == [])
        #expect(try Self.pointers(Self.ids(Limits.resendRecordsMax + 1)) == ["/records"])
    }
}
