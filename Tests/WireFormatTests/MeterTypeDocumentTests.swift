import Testing
import UsageModel
import WireFormat

@Suite("Documents of meter types") struct MeterTypeDocumentTests {
    private static func document(_ members: String) throws -> JSONValue {
        try JSONValue.parse(Array("{\(members)}".utf8))
    }

    static let minimum = "\"key\":\"x\",\"eventTypes\":[\"a\"],\"aggregation\":\"count\""

    @Test("a document with every field is read, written and read again as the same")
    func whole() throws {
        let document = try Self.document(
            """
            "key":"tokens-in","name":"Input tokens","description":"What went in","unit":"token",
            "eventTypes":["llm.request","llm.*","llm.request"],"aggregation":"sum",
            "filter":"$.data.status != \\"error\\"",
            "value":"$.data.tokens['in put']",
            "dimensions":{"model":"$.data.model","a":"$.subject","c":"lower( $.data.b )"},
            "rounding":{"places":2,"mode":"half-up"},"excessDigits":"reject",
            "timezone":"Europe/Berlin","resetSchedule":{"every":"week","interval":2},
            "capacity":"1e6","category":"ai","externalRef":"SKU 4711",
            "activeFrom":"2026-01-01T01:00:00+01:00","activeTo":"2027-01-01T00:00:00Z",
            "metadata":{"z":"1","a":""}
            """
        )

        let definition = try MeterTypeDocument.read(document)
        let written = MeterTypeDocument.write(definition)
        let again = try MeterTypeDocument.read(written)

        #expect(definition.key.text == "tokens-in")
        #expect(definition.name == "Input tokens")
        #expect(definition.description == "What went in")
        #expect(definition.unit == "token")
        #expect(definition.eventTypes.map(\.text) == ["llm.request", "llm.*"])
        #expect(definition.aggregation == .sum)
        #expect(
            definition.value?.path?.steps == [
                .member("data"), .member("tokens"), .member("in put"),
            ]
        )
        #expect(definition.filter == "$.data.status != \"error\"")
        #expect(definition.dimensions.map(\.name) == ["a", "c", "model"])
        #expect(definition.dimensions[1].value == .expression("lower( $.data.b )"))
        #expect(definition.dimensions[2].value.path == (try EventPath("$.data.model")))
        #expect(definition.rounding == Rounding(mode: .halfUp, places: 2))
        #expect(definition.excessDigits == .reject)
        #expect(definition.timezone == "Europe/Berlin")
        #expect(definition.resetSchedule == .every(try .init(.week, interval: 2)))
        #expect(definition.capacity == (try Quantity("1000000")))
        #expect(definition.category == "ai")
        #expect(definition.externalRef == "SKU 4711")
        #expect(written["capacity"] == "1000000")
        #expect(written["resetSchedule"] == ["every": "week", "interval": 2])
        #expect(definition.activeFrom?.rfc3339 == "2026-01-01T00:00:00Z")
        #expect(definition.activeTo?.rfc3339 == "2027-01-01T00:00:00Z")
        #expect(definition.metadata.map(\.name) == ["a", "z"])
        #expect(definition.metadata.map(\.value) == ["", "1"])
        #expect(again == definition)
        #expect(written["filter"] == "$.data.status != \"error\"")
        #expect(written["activeFrom"] == "2026-01-01T00:00:00Z")
    }

    @Test("what is left out or null has its default")
    func least() throws {
        let bare = try MeterTypeDocument.read(Self.document(Self.minimum))
        let nulls = try MeterTypeDocument.read(
            Self.document(
                Self.minimum + """
                    ,"name":null,"value":null,"dimensions":null,"rounding":null,"activeTo":null,
                    "metadata":null,"excessDigits":null,"timezone":null,"resetSchedule":null,
                    "capacity":null,"category":null,"externalRef":null
                    """
            )
        )

        #expect(bare.name == "x")
        #expect(bare.value == nil)
        #expect(bare.rounding == nil)
        #expect(bare.excessDigits == .round)
        #expect(bare.timezone == "UTC")
        #expect(bare.resetSchedule == .never)
        #expect(bare.capacity == nil)
        #expect(bare.category.isEmpty && bare.externalRef.isEmpty)
        #expect(bare.activeFrom == nil)
        #expect(bare == nulls)
        #expect(try MeterTypeDocument.read(MeterTypeDocument.write(bare)) == bare)
    }

    @Test("every aggregation but count needs a value", arguments: Aggregation.allCases)
    func values(aggregation: Aggregation) throws {
        let rest =
            "\"key\":\"x\",\"eventTypes\":[\"a\"],\"aggregation\":\"\(aggregation.rawValue)\""
            + (aggregation == .percentile ? ",\"percentile\":50" : "")
            + (aggregation == .timeWeighted ? ",\"timeUnit\":\"hour\"" : "")
        let value = aggregation.takesPair ? "[\"$.data.n\",\"$.data.m\"]" : "\"$.data.n\""
        let without = Self.pointers(rest)
        let with = Self.pointers(rest + ",\"value\":\(value)")

        #expect(without == (aggregation == .count ? [] : ["/value"]))
        #expect(with == (aggregation == .count ? ["/value"] : []))
    }

    @Test(
        "an aggregation takes what it needs and nothing else",
        arguments: [
            ("\"unique-pairs\",\"value\":[\"$.subject\",\"lower($.data.a)\"]", []),
            ("\"unique-pairs\",\"value\":\"$.subject\"", ["/value"]),
            ("\"unique-pairs\",\"value\":[\"$.subject\"]", ["/value"]),
            ("\"unique-pairs\",\"value\":[\"$.subject\",7]", ["/value/1"]),
            ("\"sum\",\"value\":[\"$.a\",\"$.b\"]", ["/value"]),
            ("\"percentile\",\"value\":\"$.a\"", ["/percentile"]),
            ("\"percentile\",\"value\":\"$.a\",\"percentile\":\"99.95\"", []),
            ("\"percentile\",\"value\":\"$.a\",\"percentile\":101", ["/percentile"]),
            ("\"percentile\",\"value\":\"$.a\",\"percentile\":[]", ["/percentile"]),
            (
                "\"percentile\",\"value\":\"$.a\",\"percentile\":1,\"method\":\"x\"",
                ["/method"]
            ),
            ("\"percentile\",\"value\":\"$.a\",\"percentile\":1,\"method\":\"linear\"", []),
            ("\"time-weighted\",\"value\":\"$.a\"", ["/timeUnit"]),
            ("\"time-weighted\",\"value\":\"$.a\",\"timeUnit\":\"month\"", ["/timeUnit"]),
            (
                "\"time-weighted\",\"value\":\"$.a\",\"timeUnit\":\"hour\",\"carryMax\":\"90m\"",
                []
            ),
            (
                "\"time-weighted\",\"value\":\"$.a\",\"timeUnit\":\"day\",\"carryMax\":\"0m\"",
                ["/carryMax"]
            ),
            ("\"counter\",\"value\":\"$.a\",\"carryMax\":\"1h\"", ["/carryMax"]),
            ("\"peak-concurrency\",\"value\":\"if(type == \\\"a\\\", 1, -1)\"", []),
            (
                "\"max\",\"value\":\"$.a\",\"percentile\":1,\"method\":\"linear\"",
                ["/percentile", "/method"]
            ),
        ]
    )
    func parameters(aggregation: String, pointers: [String]) throws {
        let members = "\"key\":\"x\",\"eventTypes\":[\"a\"],\"aggregation\":\(aggregation)"
        #expect(Self.pointers(members) == pointers)
        guard pointers.isEmpty else { return }
        let definition = try MeterTypeDocument.read(Self.document(members))
        #expect(try MeterTypeDocument.read(MeterTypeDocument.write(definition)) == definition)
    }

    @Test("how periods become records is read, written and read again as the same")
    func records() throws {
        let document = try Self.document(
            Self.minimum
                + """
                ,"capacity":"1e6","gracePeriod":"90m","zeroUsageRecords":false
                """
        )

        let definition = try MeterTypeDocument.read(document)

        #expect(try MeterTypeDocument.read(MeterTypeDocument.write(definition)) == definition)
        #expect(definition.records.gracePeriod.description == "90m")
        #expect(!definition.records.makesZeroUsage)
    }

    @Test(
        "each fault is told by its pointer",
        arguments: [
            ("", ["/key", "/eventTypes", "/aggregation"]),
            ("\"key\":\"X\",\"eventTypes\":[\"a\"],\"aggregation\":\"count\"", ["/key"]),
            ("\"key\":7,\"eventTypes\":[\"a\"],\"aggregation\":\"count\"", ["/key"]),
            ("\"key\":\"x\",\"eventTypes\":\"a\",\"aggregation\":\"count\"", ["/eventTypes"]),
            ("\"key\":\"x\",\"eventTypes\":[],\"aggregation\":\"count\"", ["/eventTypes"]),
            (
                "\"key\":\"x\",\"eventTypes\":[\"a\",\"*b\",7],\"aggregation\":\"count\"",
                ["/eventTypes/1", "/eventTypes/2"]
            ),
            ("\"key\":\"x\",\"eventTypes\":[\"a\"],\"aggregation\":\"median\"", ["/aggregation"]),
            (minimum + ",\"name\":7", ["/name"]),
            (minimum + ",\"unit\":\"" + String(repeating: "u", count: 65) + "\"", ["/unit"]),
            (minimum + ",\"value\":\"$.data\"", ["/value"]),
            (minimum + ",\"filter\":true", ["/filter"]),
            (minimum + ",\"dimensions\":[]", ["/dimensions"]),
            (minimum + ",\"dimensions\":{\"a b\":\"$.data.a\"}", ["/dimensions/a b"]),
            (minimum + ",\"dimensions\":{\"a/b\":\"$.data.a\"}", ["/dimensions/a~1b"]),
            (minimum + ",\"dimensions\":{\"subject\":\"$.subject\"}", ["/dimensions/subject"]),
            (
                minimum + ",\"dimensions\":{\"a\":[],\"b\":7}",
                ["/dimensions/a", "/dimensions/b"]
            ),
            (minimum + ",\"rounding\":{\"mode\":\"half-even\"}", ["/rounding/places"]),
            (
                minimum + ",\"rounding\":{\"mode\":\"x\",\"places\":19}",
                ["/rounding/mode", "/rounding/places"]
            ),
            (minimum + ",\"rounding\":{\"mode\":\"up\",\"places\":1.0}", ["/rounding/places"]),
            (minimum + ",\"excessDigits\":\"keep\"", ["/excessDigits"]),
            (minimum + ",\"timezone\":7", ["/timezone"]),
            (
                minimum + ",\"timezone\":\"" + String(repeating: "z", count: 65) + "\"",
                ["/timezone"]
            ),
            (minimum + ",\"resetSchedule\":\"fortnightly\"", ["/resetSchedule"]),
            (minimum + ",\"resetSchedule\":{\"cron\":\"0 0 30 2 *\"}", ["/resetSchedule/cron"]),
            (
                minimum + ",\"resetSchedule\":{\"every\":\"day\",\"zone\":\"UTC\"}",
                ["/resetSchedule/zone"]
            ),
            (minimum + ",\"capacity\":\"-1\"", ["/capacity"]),
            (minimum + ",\"capacity\":\"much\"", ["/capacity"]),
            (minimum + ",\"capacity\":{}", ["/capacity"]),
            (minimum + ",\"gracePeriod\":\"1w\"", ["/gracePeriod"]),
            (minimum + ",\"gracePeriod\":\"367d\"", ["/gracePeriod"]),
            (minimum + ",\"zeroUsageRecords\":\"yes\"", ["/zeroUsageRecords"]),
            (
                minimum + ",\"category\":\"" + String(repeating: "c", count: 65) + "\"",
                ["/category"]
            ),
            (minimum + ",\"externalRef\":7", ["/externalRef"]),
            (minimum + ",\"activeFrom\":\"2026-01-01\"", ["/activeFrom"]),
            (
                minimum + ",\"activeFrom\":\"2026-01-01T00:00:00Z\""
                    + ",\"activeTo\":\"2026-01-01T01:00:00+01:00\"", ["/activeTo"]
            ),
            (minimum + ",\"metadata\":{\"a\":1,\"\":\"x\"}", ["/metadata/a", "/metadata/"]),
        ]
    )
    func faults(members: String, pointers: [String]) {
        #expect(Self.pointers(members) == pointers)
    }

    @Test("rules of records are read, and written so that they read equal")
    func recordRules() throws {
        let members = """
            ,"capacity":"100","latePolicy":"next-period","lateUntil":"30d","gracePeriod":"2h",\
            "thresholds":[{"percent":"80"},{"name":"most","amount":90.5}],\
            "recordFields":[{"name":"plan","of":"last","value":"$.data.plan"}]
            """
        let definition = try MeterTypeDocument.read(Self.document(Self.minimum + members))

        let rules = definition.records
        #expect(rules.latePolicy == .nextPeriod)
        #expect(rules.collects && rules.hasEvidence)
        #expect(rules.countsUntil == TimeLength("722h"))
        #expect(rules.thresholds.map(\.name) == ["80%", "most"])
        let amounts = rules.thresholds.map { $0.amount(capacity: definition.capacity) }
        #expect(amounts == [try Quantity("80"), try Quantity("90.5")])
        #expect(rules.carriedFields.map(\.edge) == [.last])
        #expect(try MeterTypeDocument.read(MeterTypeDocument.write(definition)) == definition)
    }

    @Test(
        "rules of records that cannot be are refused by their place",
        arguments: [
            (#""latePolicy":"never""#, ["/latePolicy"]),
            (#""latePolicy":"quarantine","lateUntil":"1d""#, ["/lateUntil"]),
            (#""lateUntil":"40000d""#, ["/lateUntil"]),
            (#""thresholds":[{"percent":"80"}]"#, ["/thresholds/0/percent"]),
            (#""capacity":"1","thresholds":[{"percent":"0"}]"#, ["/thresholds/0/percent"]),
            (#""thresholds":[{"amount":"1","percent":"1"}]"#, ["/thresholds/0"]),
            (#""thresholds":[{"amount":"1"},{"amount":"1"}]"#, ["/thresholds/1/name"]),
            (#""thresholds":[{"amount":"x"}]"#, ["/thresholds/0/amount"]),
            (#""recordFields":[{"name":"a","of":"next","value":"$.a"}]"#, ["/recordFields/0/of"]),
            (
                #""recordEvidence":false,"recordFields":[{"name":"a","of":"last","value":"$.a"}]"#,
                ["/recordFields"]
            ),
        ]
    )
    func recordFaults(members: String, pointers: [String]) {
        #expect(Self.pointers(Self.minimum + "," + members) == pointers)
    }

    @Test(
        "a field that is not the caller's is refused by name, with the reason",
        arguments: [
            ("filtre", "there is no such field"),
            ("version", "this field is ours to set"),
        ]
    )
    func unknown(name: String, reason: String) throws {
        let document = try Self.document(Self.minimum + ",\"\(name)\":null")

        let faults = #expect(throws: MeterTypeDocument.Faults.self) {
            try MeterTypeDocument.read(document)
        }

        #expect(faults?.unknown.map(\.pointer) == ["/\(name)"])
        #expect(faults?.unknown.map(\.reason) == [reason])
        #expect(faults?.invalid == [])
    }

    private static func pointers(_ members: String) -> [String] {
        guard let document = try? document(members) else { return ["not JSON"] }
        do throws(MeterTypeDocument.Faults) {
            _ = try MeterTypeDocument.read(document)
            return []
        } catch { return error.all.map(\.pointer) }
    }
}
