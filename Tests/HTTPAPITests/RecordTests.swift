import HTTPTypes
import MeteringEngine
import Testing
import UsageModel
import WireFormat

@Suite("Usage records over HTTP") struct RecordTests {
    private static func record(_ sequence: Int64, _ subject: String) throws -> UsageRecord {
        let meter = try #require(MeterID("kwh~" + subject))
        let start = Instant(microseconds: 1_793_491_200_000_000)
        var record = UsageRecord(
            sequence: sequence,
            id: UsageRecordID(meter: meter, start: start, revision: Int(sequence) - 1),
            kind: sequence == 1 ? .final : .adjustment,
            cause: sequence == 1 ? .periodEnd : .late,
            meter: meter,
            version: 1,
            period: start..<Instant(microseconds: start.microseconds + 86_400_000_000),
            zone: "UTC",
            revision: Int(sequence) - 1,
            value: sequence == 3 ? nil : try Quantity("12.5"),
            delta: try Quantity("-2"),
            events: 4,
            eventsDelta: -1,
            position: Position(7),
            createdAt: Edge.now
        )
        record.customer = CustomerKey("acme")
        record.previous = sequence == 1 ? nil : record.id
        (record.localStart, record.localEnd) = (
            "2026-11-01T00:00:00+00:00", "2026-11-02T00:00:00+00:00"
        )
        record.dimensions = [
            .init(
                dimensions: [.init(name: "tariff", value: nil)],
                value: try Quantity("1"),
                events: 2
            )
        ]
        record.hasMoreDimensions = true
        record.labels.name = "Energy"
        record.labels.unit = "kWh"
        record.labels.metadata = [.init(name: "a", value: "b")]
        record.labels.meterMetadata = [.init(name: "floor", value: "3")]
        record.labels.capacity = try Quantity("100")
        return record
    }

    @Test("records are listed page by page, and read by their id")
    func listed() async throws {
        let records = try (Int64(1)...3).map { try Self.record($0, "house-7") }
        let edge = Edge(records: ScriptedRecords(records))

        let page = try await edge.ask(.get, "/v1/usage-records?limit=2")
        let next = try #require(page.json["next"]?.stringValue)
        let rest = try await edge.ask(.get, "/v1/usage-records?limit=2&cursor=\(next)")
        let one = try await edge.ask(.get, "/v1/usage-records/" + records[1].id.text)

        #expect(page.items.map { $0["sequence"] } == ["1", "2"])
        #expect(rest.items.map { $0["sequence"] } == ["3"])
        #expect(rest.items.first?["value"] == .null)
        #expect(rest.json["next"] == nil)
        #expect(one.json == .object(UsageRecordDocument.write(records[1])))
        #expect(UsageRecordDocument.read(try #require(one.json.objectValue)) == records[1])
    }

    @Test("what is asked for is handed on")
    func asked() async throws {
        let store = ScriptedRecords([])
        let edge = Edge(records: store)

        let reply = try await edge.ask(
            .get,
            "/v1/usage-records?meterType=kwh&subject=a&customer=acme&kind=final&after=5&order=desc"
                + "&from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z"
        )

        let query = try #require(store.asked)
        #expect(reply.status == 200)
        #expect(query.meterTypes.map(\.text) == ["kwh"])
        #expect((query.subjects, query.customers.map(\.text)) == (["a"], ["acme"]))
        #expect((query.kinds, query.after) == ([.final], 5))
        #expect(query.isDescending)
        #expect(query.from?.rfc3339 == "2026-11-01T00:00:00Z")
        #expect(query.to?.rfc3339 == "2026-12-01T00:00:00Z")
    }

    @Test("a record that there is not, and a server that keeps none, are not found")
    func none() async throws {
        let id = try Self.record(1, "a").id.text

        let missing = try await Edge(records: ScriptedRecords([]))
            .ask(.get, "/v1/usage-records/" + id)
        let keepsNone = try await Edge().ask(.get, "/v1/usage-records")

        #expect((missing.status, keepsNone.status) == (404, 404))
    }
}
