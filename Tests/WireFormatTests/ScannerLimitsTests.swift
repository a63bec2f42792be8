import MeteringTestKit
import Testing
import UsageModel
import WireFormat

@Suite("Limits and places of faults") struct ScannerLimitsTests {
    private static func event(data: String) -> String {
        "{\(VerdictTable.members),\"data\":\(data)}"
    }

    private static func rejection(_ data: String) throws -> RejectedEvent? {
        let batch = try decodeEvents(Array(event(data: data).utf8), framing: .plain)
        return batch.rejected.first
    }

    @Test("an object has at most 4,096 members, also the event itself")
    func members() throws {
        func object(_ count: Int) -> String {
            (0..<count).map { "\"m\($0)\":0" }.joined(separator: ",")
        }
        #expect(try Self.rejection("{\(object(Limits.objectMembersMax))}") == nil)
        let over = try #require(try Self.rejection("{\(object(Limits.objectMembersMax + 1))}"))
        #expect(over.reason == .tooManyMembers)
        #expect(over.pointer == "/data/m4096")
        let extensions = "{\(VerdictTable.members),\(object(Limits.objectMembersMax + 1))}"
        let batch = try decodeEvents(Array(extensions.utf8), framing: .plain)
        #expect(batch.rejected.map(\.reason) == [.tooManyMembers])
    }

    /// Goal: a repeated name is found in objects of any size, whatever it looks like.
    /// Method: objects of 1 to 200 names, of which two at drawn places are made the same.
    @Test("a repeated name is found in large objects", arguments: [UInt64(11), 12, 13])
    func repeatedNames(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let count = Int.random(in: 2...200, using: &generator)
            let stem = ["", "a", "common-prefix-", "é"].randomElement(using: &generator) ?? ""
            var names = (0..<count).map { "\(stem)\($0)" }.shuffled(using: &generator)
            #expect(try Self.rejection(Self.object(names)) == nil, "seed \(seed)")
            let first = Int.random(in: 0..<count - 1, using: &generator)
            let second = Int.random(in: first + 1..<count, using: &generator)
            let name = names[first]
            names[second] = name
            let escaped = Bool.random(using: &generator)
            if escaped { names[second] = name.replacing("0", with: "\\u0030") }
            let fault = try Self.rejection(Self.object(names))
            #expect(fault?.reason == .duplicateMember, "seed \(seed): \(names)")
            #expect(fault?.pointer == "/data/\(name)", "seed \(seed)")
        }
    }

    private static func object(_ names: [String]) -> String {
        "{" + names.map { "\"\($0)\":{\"x\":1}" }.joined(separator: ",") + "}"
    }

    @Test("a call has at most 100,000 events", arguments: [EventFraming.plain, .ndjson])
    func events(framing: EventFraming) throws {
        let separator = framing == .ndjson ? "\n" : ","
        func body(_ count: Int) -> [UInt8] {
            let events = Array(repeating: "{}", count: count).joined(separator: separator)
            return Array((framing == .ndjson ? events : "[\(events)]").utf8)
        }
        #expect(try decodeEvents(body(Limits.batchEventsMax), framing: framing).received == 100_000)
        let fault = #expect(throws: MalformedBody.self) {
            try decodeEvents(body(Limits.batchEventsMax + 1), framing: framing)
        }
        #expect(fault?.fault == .tooManyEvents)
    }

    @Test(
        "the pointer names the member at fault",
        arguments: [
            (#"{"a":{"b":[0,{"c":"\ud800"}]}}"#, "/data/a/b/1/c"),
            (#"{"a/b":{"m~n":"\u0000"}}"#, "/data/a~1b/m~0n"),
            (#"{"\u0041":"\ud800"}"#, "/data/A"),
            (#"{"a":[[],[1,2,1e1000]]}"#, "/data/a/1/2"),
            (#"{"a":1,"b":{"c":1,"c":2}}"#, "/data/b/c"),
            (#"{"a":1,"x\ud800":{"c":1}}"#, "/data/x\u{fffd}"),
            (#""\ud800""#, "/data"),
            (#"[{"a":1},{"a":"]\"}","b":"\ud800"}]"#, "/data/1/b"),
            (#"{"":{"":"\ud800"}}"#, "/data//"),
        ]
    )
    func pointers(data: String, pointer: String) throws {
        #expect(try Self.rejection(data)?.pointer == pointer)
    }

    @Test("the first fault of an event is the one that is told")
    func firstFault() throws {
        #expect(try Self.rejection(#"{"a":"\ud800","b":"\u0000"}"#)?.reason == .loneSurrogate)
        #expect(try Self.rejection(#"{"b":"\u0000","a":"\ud800"}"#)?.reason == .nulCharacter)
        // Also where a repeated name is only found when its large object ends.
        let names = (0..<40).map { "\"m\($0)\":0" }.joined(separator: ",")
        #expect(
            try Self.rejection("{\"m5\":0,\(names),\"z\":\"\\ud800\"}")?.reason == .duplicateMember
        )
        #expect(
            try Self.rejection("{\"z\":\"\\ud800\",\(names),\"m5\":0}")?.reason == .loneSurrogate
        )
    }

    @Test("a rejected event keeps the attributes that are sound")
    func keepsAttributes() throws {
        let body = Array(#"{"id":"a","source":"\u0073","type":7,"time":"x"}"#.utf8)
        let batch = try decodeEvents(body, framing: .plain)
        let rejected = try #require(batch.rejected.first)
        #expect(rejected.reason == .typeNotString)
        #expect(DecodeEventsTests.text(rejected.id, in: batch) == "a")
        #expect(DecodeEventsTests.text(rejected.source, in: batch) == "s")
        #expect(rejected.type.isEmpty)
    }

    @Test(
        "nesting without end is refused in time that grows with the bytes",
        arguments: [
            EventFraming.plain, .ndjson,
        ]
    )
    func deep(framing: EventFraming) throws {
        let body = Array(repeating: UInt8(ascii: "["), count: 10 << 20)
        if framing == .plain {
            let fault = #expect(throws: MalformedBody.self) {
                try decodeEvents(body, framing: framing)
            }
            #expect(fault?.offset == body.count)
        } else {
            let batch = try decodeEvents(body, framing: framing)
            #expect(batch.rejected.map(\.reason) == [.malformedJSON])
        }
    }
}
