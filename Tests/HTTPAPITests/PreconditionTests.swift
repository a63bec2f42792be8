import HTTPTypes
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

@Suite("Changes to what was read") struct PreconditionTests {
    /// Where customers, destinations and meter types are, and two bodies of each.
    enum Thing: String, CaseIterable {
        case customer = "/v1/customers/acme"
        case destination = "/v1/destinations/acme"
        case meterType = "/v1/meter-types/acme"

        func body(_ name: String) -> String {
            switch self {
            case .customer, .meterType: #"{"name":"\#(name)"}"#
            case .destination: #"{"name":"\#(name)","stdout":{}}"#
            }
        }
    }

    private static func change(
        _ thing: Thing,
        _ edge: Edge,
        _ name: String,
        _ headers: HTTPFields = [:]
    ) async throws -> Edge.Reply {
        var headers = headers
        headers[.contentType] = "application/json"
        let method: HTTPRequest.Method = thing == .meterType ? .patch : .put
        return try await edge.ask(method, thing.rawValue, Array(thing.body(name).utf8), headers)
    }

    /// A desk where each thing stands, named `first`.
    private static func desk() async throws -> DeliveryDesk {
        let desk = try DeliveryDesk()
        let type = """
            {"key":"acme","name":"first","eventTypes":["*"],"aggregation":"count"}
            """
        #expect(try await desk.edge.post("/v1/meter-types", type).status == 201)
        for thing in [Thing.customer, .destination] {
            #expect(try await change(thing, desk.edge, "first").status == 201)
        }
        return desk
    }

    @Test("a stale tag makes no version either, where only the time it rules from differs")
    func staleTime() async throws {
        let desk = try await Self.desk()
        let edge = desk.edge
        let path = Thing.meterType.rawValue
        let read = try #require(try await edge.get(path).headers[.eTag])
        #expect(try await Self.change(.meterType, edge, "second").status == 200)
        let sent: HTTPFields = [.contentType: "application/json", .ifMatch: read]

        let body = #"{"name":"second","effectiveFrom":null}"#
        let stale = try await edge.ask(.patch, path, Array(body.utf8), sent)

        #expect(stale.status == 412)
        #expect(try await edge.get(path + "/versions").items.count == 2)
    }

    @Test("a change is made to what was read, and to nothing else", arguments: Thing.allCases)
    func stale(thing: Thing) async throws {
        let desk = try await Self.desk()
        let edge = desk.edge
        func change(_ name: String, _ headers: HTTPFields) async throws -> Edge.Reply {
            try await Self.change(thing, edge, name, headers)
        }
        let read = try #require(try await edge.get(thing.rawValue).headers[.eTag])

        let one = try await change("one", [.ifMatch: read])
        let other = try await change("other", [.ifMatch: read])
        // Nobody's change is taken away by what changes nothing: a retry needs no new tag.
        let retried = try await change("one", [.ifMatch: read])

        #expect((one.status, other.status, retried.status) == (200, 412, 200))
        #expect(other.problem == "precondition-failed")
        #expect(other.json["current"]?["name"] == "one")
        let tag = try #require(other.headers[.eTag])
        #expect(tag != read)
        #expect(one.headers[.eTag] == tag)
        #expect(try await edge.get(thing.rawValue).headers[.eTag] == tag)
        #expect(try await change("other", [.ifMatch: "\"x\", \(tag)"]).status == 200)
        #expect(try await change("third", [.ifMatch: "*"]).status == 200)
        #expect(try await change("fourth", [.ifMatch: "W/\(tag)"]).status == 412)
        #expect(try await change("fourth", [.ifMatch: ""]).status == 412)
        #expect(try await change("fourth", [:]).status == 200)
    }

    @Test(
        "what is made replaces nothing, and what is changed is there",
        arguments: [Thing.customer, .destination]
    )
    func absent(thing: Thing) async throws {
        let desk = try await Self.desk()
        let edge = desk.edge

        let over = try await Self.change(thing, edge, "over", [.ifNoneMatch: "*"])
        #expect(over.status == 412)
        #expect(over.json["current"]?["name"] == "first")
        let path = thing.rawValue + "-2"
        let body = Array(thing.body("x").utf8)
        var headers: HTTPFields = [.contentType: "application/json", .ifMatch: "*"]
        let missing = try await edge.ask(.put, path, body, headers)
        #expect(missing.status == 412)
        #expect(missing.json["current"] == nil)
        headers[.ifMatch] = nil
        headers[.ifNoneMatch] = "*"
        #expect(try await edge.ask(.put, path, body, headers).status == 201)
    }

    @Test("nobody retires another thing than was read", arguments: [Thing.customer, .destination])
    func retired(thing: Thing) async throws {
        let desk = try await Self.desk()
        let edge = desk.edge
        let read = try #require(try await edge.get(thing.rawValue).headers[.eTag])
        _ = try await Self.change(thing, edge, "one")

        let late = try await edge.ask(.delete, thing.rawValue, nil, [.ifMatch: read])
        #expect(late.status == 412)
        let tag = try #require(late.headers[.eTag])
        let done = try await edge.ask(.delete, thing.rawValue, nil, [.ifMatch: tag])
        #expect(done.status == 200)
        #expect(done.json["retiredAt"] != nil)
    }

    @Test("of many changes to what all of them read, one is made", arguments: Thing.allCases)
    func race(thing: Thing) async throws {
        let desk = try await Self.desk()
        let edge = desk.edge
        let read = try #require(try await edge.get(thing.rawValue).headers[.eTag])

        let replies = try await withThrowingTaskGroup(of: Edge.Reply.self) { group in
            for number in 0..<8 {
                group.addTask {
                    try await Self.change(thing, edge, "n\(number)", [.ifMatch: read])
                }
            }
            return try await group.reduce(into: [Edge.Reply]()) { $0.append($1) }
        }

        let made = replies.filter { $0.status == 200 }
        #expect(made.count == 1)
        #expect(replies.filter { $0.status == 412 }.count == 7)
        let stands = try await edge.get(thing.rawValue)
        #expect(stands.json["name"] == made.first?.json["name"])
    }
}
