import MeteringEngine
import Synchronization
import Testing
import UsageModel
import WireFormat

@testable import BillingExport

@Suite("CloudEvents and lines", .timeLimit(.minutes(5))) struct CloudEventsTests {
    private func sent(_ batch: DeliveryBatch) async throws -> Loopback.Asked {
        try await Loopback.run { server in
            let headers = [MetadataMember(name: "Content-Type", value: "text/plain")]
            let rules = CloudEventsRules(url: server.url + "/e", source: "/here", headers: headers)
            #expect(try await Outlets(.cloudEvents(rules)).send(batch).isDelivered)
            return try #require(server.asked.first)
        }
    }

    @Test("one record is an event in the structured mode")
    func structured() async throws {
        let batch = try Sample.batch()
        let one = try await sent(batch)
        let record = batch.items[0].record
        #expect(one.all("content-type") == ["application/cloudevents+json"])
        #expect(one.header("idempotency-key") == record.id.text)
        let expected: JSONValue = [
            "specversion": "1.0", "id": .string(record.id.text), "source": "/here",
            "type": "odometer.usage-record", "subject": "kwh~house-7",
            "time": "2026-12-01T00:00:30.250Z", "datacontenttype": "application/json",
            "data": .object(batch.document(of: batch.items[0])),
        ]
        #expect(try JSONValue.parse(one.body) == expected)
    }

    @Test("several are a batch, and a try has a type of its own")
    func batched() async throws {
        let several = try await sent(try Sample.batch(count: 2))
        let attempt = try await sent(try Sample.batch(isTest: true))
        #expect(several.header("content-type") == "application/cloudevents-batch+json")
        let numbers = try JSONValue.parse(several.body).arrayValue?.map { event in
            event["data"]?["deliveryNumber"]
        }
        #expect(numbers == ["17", "18"])
        #expect(try JSONValue.parse(attempt.body)["type"] == "odometer.test")
    }

    @Test("our own intake reads what is sent")
    func readable() async throws {
        let body = try await sent(try Sample.batch(count: 2)).body
        let decoded = try decodeEvents(body, framing: .cloudEventBatch)
        #expect(decoded.events.count == 2 && decoded.rejected.isEmpty)
    }

    @Test("lines go to where the process writes, a record each")
    func lines() async throws {
        let written = Mutex<[UInt8]>([])
        var outlets = Outlets(.stdout)
        outlets.out = { bytes in written.withLock { $0 += bytes } }
        #expect(try await outlets.send(try Sample.batch(count: 2)).isDelivered)
        let lines = written.withLock { $0 }.split(separator: UInt8(ascii: "\n"))
        let numbers = try lines.map { try JSONValue.parse(Array($0))["deliveryNumber"] }
        #expect(numbers == ["17", "18"])
    }

    @Test("lines that cannot be written wait")
    func unwritten() async throws {
        struct Full: Error {}
        var outlets = Outlets(.stdout)
        outlets.out = { _ in throw Full() }
        #expect(try await outlets.send(try Sample.batch()).isRetried)
    }
}
