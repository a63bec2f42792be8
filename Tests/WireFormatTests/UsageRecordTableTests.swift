import Testing
import UsageModel
import WireFormat

@Suite("Usage records as a table") struct UsageRecordTableTests {
    private func record() throws -> UsageRecord {
        let meter = try #require(MeterID("kwh~house-7"))
        let start = Instant(microseconds: 1_793_491_200_000_000)
        var record = UsageRecord(
            sequence: 12,
            id: UsageRecordID(meter: meter, start: start, revision: 0),
            kind: .final,
            cause: .periodEnd,
            meter: meter,
            version: 2,
            period: start..<Instant(microseconds: start.microseconds + 86_400_000_000),
            zone: "UTC",
            revision: 0,
            value: nil,
            delta: try Quantity("-2.5"),
            events: 4,
            eventsDelta: -1,
            position: Position(7),
            createdAt: start
        )
        record.dimensions = [
            .init(
                dimensions: [.init(name: "tariff", value: nil)],
                value: try Quantity("1"),
                events: 2
            )
        ]
        record.labels.name = "Energy, \"green\""
        record.labels.metadata = [.init(name: "a", value: "b,c")]
        return record
    }

    private func cells(_ record: UsageRecord) throws -> [String: String] {
        var csv = CSVWriter()
        csv.row(UsageRecordTable.header)
        UsageRecordTable.write(record, to: &csv)
        var reader = CSVReader()
        reader.feed(csv.bytes)
        reader.finish()
        let header = try #require(try reader.next()).fields
        let row = try #require(try reader.next()).fields
        #expect(header.count == row.count)
        return Dictionary(uniqueKeysWithValues: zip(header, row))
    }

    @Test("a row holds what the document has: texts as they are, lists and objects as JSON")
    func row() throws {
        let cells = try cells(try record())
        for (name, text) in [
            ("sequence", "12"), ("kind", "final"), ("meterType", "kwh"), ("subject", "house-7"),
            ("version", "2"), ("customer", ""), ("value", ""), ("delta", "-2.5"),
            ("periodStart", "2026-11-01T00:00:00Z"), ("periodEnd", "2026-11-02T00:00:00Z"),
            ("timezone", "UTC"), ("events", "4"), ("eventsDelta", "-1"),
            ("name", "Energy, \"green\""), ("metadata", #"{"a":"b,c"}"#),
            ("dimensions", #"[{"dimensions":{"tariff":null},"value":"1","events":"2"}]"#),
            ("meterMetadata", ""), ("position", "7"), ("createdAt", "2026-11-01T00:00:00Z"),
        ] {
            #expect(cells[name] == text, "\(name)")
        }
    }

    @Test("every member of a document has a column")
    func columns() throws {
        let header = Set(UsageRecordTable.header)
        let document = UsageRecordDocument.write(try record())
        // `moreDimensions` is about the document alone.
        let missing = document.names.filter { !header.contains($0) && $0 != "period" }
        #expect(missing == [])
        #expect(header.count == UsageRecordTable.header.count)
    }
}
