import HTTPTypes
import MeteringEngine
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

@Suite("Finding customers") struct CustomerSearchTests {
    private static func desk() async throws -> DeliveryDesk {
        let desk = try DeliveryDesk()
        for (key, body) in [
            ("a-1", #"{"name":"Müller GmbH","externalRef":"SAP-4711","subjects":["van 12"]}"#),
            (
                "b-2",
                #"{"name":"Acme","subjects":[{"subject":"VAN-9","to":"2020-01-01T00:00:00Z"}]}"#
            ),
            ("c-Acme", "{}"),
        ] {
            let path = "/v1/customers/" + key
            let json: HTTPFields = [.contentType: "application/json"]
            #expect(try await desk.edge.ask(.put, path, Array(body.utf8), json).status == 201)
        }
        return desk
    }

    @Test(
        "a customer is found by its key, name, reference and subjects, small letters or large",
        arguments: [
            ("", ["a-1", "b-2", "c-Acme"]), ("A-1", ["a-1"]), ("ACME", ["b-2", "c-Acme"]),
            ("M%C3%9CLLER", ["a-1"]), ("p-47", ["a-1"]), ("van", ["a-1", "b-2"]),
            ("van-9", ["b-2"]), ("van%2012", ["a-1"]), ("gmbhsap", []), ("nobody", []),
            ("acme%00", []),
        ] as [(String, [String])]
    )
    func found(text: String, keys: [String]) async throws {
        let desk = try await Self.desk()
        var seen: [String?] = []
        var cursor: String?
        repeat {
            let page = try await desk.get(
                "customers?limit=1&q=\(text)" + (cursor.map { "&cursor=\($0)" } ?? "")
            )
            #expect(page.items.count <= 1)
            seen += page.items.map { $0["key"]?.stringValue }
            cursor = page.json["next"]?.stringValue
        } while cursor != nil

        #expect(seen == keys)
    }

    @Test("what a customer is no more called finds it no more")
    func changed() async throws {
        let desk = try await Self.desk()
        let json: HTTPFields = [.contentType: "application/json"]
        let body = Array(#"{"name":"Other"}"#.utf8)
        #expect(try await desk.edge.ask(.put, "/v1/customers/a-1", body, json).status == 200)

        #expect(try await desk.get("customers?q=sap").items.isEmpty)
        #expect(try await desk.get("customers?q=other").items.count == 1)
    }
}
