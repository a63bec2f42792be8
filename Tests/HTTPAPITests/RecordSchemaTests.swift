import HTTPTypes
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

/// `GET /v1/usage-records/schema`, held against the records that are written.
@Suite("The schema of a usage record") struct RecordSchemaTests {
    private static let check = SchemaCheck(document: APIDescription.usageRecordSchema)

    private static func record(_ kind: UsageRecord.Kind) throws -> UsageRecord {
        let meter = try #require(MeterID("kwh~house-7"))
        let end = Instant(microseconds: Edge.now.microseconds + 86_400_000_000)
        let id = UsageRecordID(meter: meter, start: Edge.now, revision: 1)
        var record = UsageRecord(
            sequence: 12,
            id: id,
            kind: kind,
            cause: .late,
            meter: meter,
            version: 2,
            period: Edge.now..<end,
            zone: "Australia/Sydney",
            revision: 1,
            value: try Quantity("12.5"),
            delta: try Quantity("-2"),
            events: 4,
            eventsDelta: -1,
            position: Position(7),
            createdAt: end
        )
        record.customer = CustomerKey("acme")
        record.localStart = "2026-11-01T11:00:00+11:00"
        record.localEnd = "2026-11-02T11:00:00+11:00"
        record.exact = try Quantity("12.49")
        record.dimensions = [
            .init(
                dimensions: [.init(name: "tariff", value: nil), .init(name: "phase", value: "1")],
                value: nil,
                events: 2
            )
        ]
        record.hasMoreDimensions = true
        record.evidence = UsageRecord.Evidence(
            firstEventAt: Edge.now,
            lastEventAt: end,
            keysHash: String(repeating: "0a", count: 16),
            fields: [.init(name: "plan", value: "gold")]
        )
        record.labels = try labels()
        return record
    }

    private static func labels() throws -> UsageRecord.Labels {
        var labels = UsageRecord.Labels()
        (labels.name, labels.unit, labels.category) = ("Energy", "kWh", "power")
        (labels.externalRef, labels.metadata) = ("price_7", [.init(name: "a", value: "b")])
        (labels.meterCategory, labels.meterExternalRef) = ("flat", "si_7")
        labels.meterMetadata = [.init(name: "floor", value: "3")]
        (labels.customerName, labels.customerExternalRef) = ("Acme GmbH", "cus_7")
        labels.capacity = try Quantity("100")
        return labels
    }

    /// One of each kind; together they have everything that a record can have.
    private static func all() throws -> [UsageRecord] {
        var final = try record(.final)
        (final.cause, final.revision, final.value) = (.periodEnd, 0, nil)
        var adjustment = try record(.adjustment)
        (adjustment.previous, adjustment.toldIn) = (final.id, final.id)
        var telling = try record(.final)
        telling.late = [
            .init(
                id: adjustment.id,
                period: adjustment.period,
                delta: adjustment.delta,
                events: adjustment.eventsDelta
            )
        ]
        var crossing = try record(.interim)
        crossing.cause = .threshold
        crossing.crossing = .init(
            name: "most",
            percent: try Quantity("80"),
            amount: try Quantity("80.5")
        )
        var asked = try record(.interim)
        asked.cause = .onDemand
        (asked.labels, asked.customer, asked.dimensions) = (.init(), nil, [])
        return [final, adjustment, telling, crossing, asked]
    }

    @Test("the server serves it, and it refers to nothing outside it")
    func served() async throws {
        let reply = try await Edge().get("/v1/usage-records/schema?pretty")

        #expect(reply.status == 200)
        #expect(reply.headers[.contentType] == "application/schema+json")
        #expect(reply.json == APIDescription.usageRecordSchema)
        #expect(reply.json["$schema"] == "https://json-schema.org/draft/2020-12/schema")
        #expect(reply.json["$id"] == "urn:odometer:usage-record")
        let names = reply.json["$defs"]?.objectValue?.names ?? []
        let references = reply.text.matches(of: /"\$ref": ?"([^"]*)"/).map { String($0.1) }
        #expect(Set(references) == Set(names.map { "#/$defs/" + $0 }))
    }

    @Test("records of all kinds are valid against it")
    func valid() throws {
        for record in try Self.all() {
            let document = JSONValue.object(UsageRecordDocument.write(record))
            #expect(Self.check.faults(document, Self.check.document) == [])
        }
    }

    @Test("it tells what is none")
    func invalid() throws {
        var document = UsageRecordDocument.write(try Self.record(.final))
        document["kind"] = "last"
        document["value"] = .number("12.5")
        document["id"] = nil

        let faults = Self.check.faults(.object(document), Self.check.document)
        #expect(Set(faults.map { $0.prefix { $0 != ":" } }) == ["", "/kind", "/value"])
    }

    @Test("all fields that are written are described, and no others")
    func fields() throws {
        let records = try Self.all()
        // Else a field that a record has got since would be missed.
        #expect(Self.unused(in: records) == [])
        #expect(Self.unused(in: records.map(\.labels)) == [])

        let written = Set(records.flatMap { UsageRecordDocument.write($0).names })

        let described = APIDescription.usageRecordSchema["properties"]?.objectValue?.names ?? []
        #expect(written == Set(described))
    }

    /// The properties that no value fills.
    private static func unused(in values: [some Any]) -> [String] {
        let empty = ["", "nil", "[]", "false"]
        let children = values.flatMap { Mirror(reflecting: $0).children }
        let filled = children.filter { !empty.contains(String(describing: $0.value)) }
        return Set(children.compactMap(\.label)).subtracting(filled.compactMap(\.label)).sorted()
    }
}
