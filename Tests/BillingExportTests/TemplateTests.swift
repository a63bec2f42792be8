import MeteringEngine
import Testing
import UsageModel
import WireFormat

@testable import BillingExport

@Suite("Templates") struct TemplateTests {
    private func document() throws -> JSONObject {
        let batch = try Sample.batch()
        return batch.fields.joined(to: batch.document(of: batch.items[0]))
    }

    @Test(
        "places are filled with what the record has",
        arguments: [
            ("plain", "plain"), ("", ""), ("${customer}", "acme"), ("a${unit}b", "akWhb"),
            ("${period.start}", "2026-11-01T00:00:00Z"), ("${metadata.a.b}", "dotted"),
            ("${metadata.none}", ""), ("[${meterMetadata.floor}]", "[3]"), ("${version}", "2"),
            ("${moreDimensions}", "true"), ("${deliveryNumber}", "17"), ("${delta}", "12.5"),
            ("$${customer}", "${customer}"), ("$$${customer}", "$${customer}"), ("$", "$"),
            ("100$", "100$"), ("${destination}-${first}", "billing-17"),
            ("${meterMetadata}", #"{"floor":"3"}"#),
        ]
    )
    func fills(text: String, filled: String) throws {
        let template = try Template(text, .recordInBatch, at: "/x")
        #expect(template.filled(try document()) == filled)
    }

    @Test("what a record does not have is empty")
    func missing() throws {
        var batch = try Sample.batch()
        batch.items[0].record.customer = nil
        batch.items[0].record.value = nil
        batch.items[0].record.labels = UsageRecord.Labels()
        let template = try Template("${customer}|${value}|${name}|${metadata.x}", .record, at: "")
        #expect(template.filled(batch.document(of: batch.items[0])) == "|||")
    }

    @Test(
        "what cannot be filled is a fault of the definition",
        arguments: [
            ("${custmer}", "`custmer` is no field of a usage record"),
            ("${}", "`` is no field of a usage record"), ("${ id }", "` id `"),
            ("${period.begin}", "`period.begin` is no field"), ("${id.x}", "`id.x` is no field"),
            ("${customer", "a `${` is not closed"), ("x ${delta:number}", "`:number` is for"),
            ("${delta:json}", "`:json` is for"), ("${items}", "`items` is no field"),
        ]
    )
    func faults(text: String, reason: String) throws {
        let fault = #expect(throws: FieldFault.self) {
            try Template(text, .record, at: "/headers/0/value")
        }
        #expect(fault?.pointer == "/headers/0/value")
        #expect(fault?.reason.contains(reason) == true)
        #expect(fault?.remedy.isEmpty == false)
    }

    /// Sets what no one record has: it is told in another, and another is told in it.
    private static func fill(_ record: inout UsageRecord) throws {
        let (id, amount) = (record.id, try Quantity("1"))
        (record.exact, record.toldIn) = (amount, id)
        record.late = [.init(id: id, period: record.period, delta: amount, events: 1)]
        record.crossing = .init(name: "80", percent: amount, amount: amount)
        record.evidence = .init(
            firstEventAt: Sample.now,
            lastEventAt: Sample.now,
            keysHash: String(repeating: "0", count: 32),
            fields: [.init(name: "plan", value: "gold")]
        )
    }

    @Test("a template may name all that a record's document has, and no more")
    func fields() throws {
        let batch = try Sample.batch()
        var item = batch.items[0]
        try Self.fill(&item.record)
        let document = batch.document(of: item)
        #expect(Set(TemplateFields.record.list.map(\.name)) == Set(document.names))
        guard case .members(let names) = TemplateFields.record.kind(of: "period") else {
            Issue.record("a period has members")
            return
        }
        #expect(names == document["period"]?.objectValue?.names)
        #expect(TemplateFields.batch.list.map(\.name) == batch.fields.names)
    }

    @Test(
        "strings of a JSON body are templates, and a place alone may be a number",
        arguments: [
            (#""${customer}""#, #""acme""#), (#"{"a":["x-${unit}",1,null,true]}"#, nil),
            (#""${delta:number}""#, "12.5"), (#""${events:integer}""#, "48"),
            (#""${version:number}""#, "2"), (#""${metadata.none:number}""#, "null"),
            (#""${meterMetadata:json}""#, #"{"floor":"3"}"#), (#""${metadata.x:json}""#, "null"),
            (#""${delta:json}""#, #""12.5""#), (#""$${delta:number}""#, #""${delta:number}""#),
            (#"{"${customer}":"${customer}"}"#, #"{"${customer}":"acme"}"#),
        ]
    )
    func bodies(text: String, filled: String?) throws {
        let batch = try Sample.batch()
        let body = try BodyTemplate(text, at: "/body")
        let value = try body.filled(batch.fields, [batch.document(of: batch.items[0])])
        let expected = filled ?? #"{"a":["x-kWh",1,null,true]}"#
        #expect(String(decoding: value.serialized(), as: UTF8.self) == expected)
        #expect(!body.isOfBatch)
    }

    @Test("all records of a batch are listed as they are, or as a template makes them")
    func batches() throws {
        let batch = try Sample.batch(count: 2)
        let documents = batch.items.map(batch.document(of:))
        let each = try BodyTemplate(
            #"{"n":"${count:integer}","#
                + #""all":[{"$each":{"no":"${deliveryNumber}","of":"${last}"}}]}"#,
            at: ""
        )
        let items = try BodyTemplate(#"{"events":"${items}","from":"${destination}"}"#, at: "")

        let made = try each.filled(batch.fields, documents)
        let listed = try items.filled(batch.fields, documents)
        #expect(each.isOfBatch && items.isOfBatch)
        #expect(
            String(decoding: made.serialized(), as: UTF8.self)
                == #"{"n":2,"all":[[{"no":"17","of":"18"},{"no":"18","of":"18"}]]}"#
        )
        #expect(listed["events"] == .array(documents.map(JSONValue.object)))
        #expect(listed["from"] == "billing")
    }

    @Test(
        "faults of a body are told where they are",
        arguments: [
            (#"{"a":{"b/c":["${x}"]}}"#, "/body/a/b~1c/0"), ("{", "/body"), ("", "/body"),
            (#"{"a":"${customer}","b":{"$each":"${id}"}}"#, "/body/a"),
            (#"{"b":{"$each":"${id}","c":1}}"#, "/body/b"),
            (#"{"b":{"$each":{"$each":1}}}"#, "/body/b/$each"),
            (#"{"b":{"$each":"${items}"}}"#, "/body/b/$each"),
        ]
    )
    func bodyFaults(text: String, pointer: String) throws {
        let fault = #expect(throws: FieldFault.self) { try BodyTemplate(text, at: "/body") }
        #expect(fault?.pointer == pointer)
    }

    @Test(
        "a value that is no number is refused, with its reason",
        arguments: [
            ("${delta:integer}", "`delta` is 12.5, which is not whole"),
            ("${customer:number}", "`customer` is `acme`, which is no number"),
        ]
    )
    func unfit(place: String, reason: String) throws {
        let batch = try Sample.batch()
        let body = try BodyTemplate("\"\(place)\"", at: "")
        let error = #expect(throws: UnfitValue.self) {
            try body.filled(batch.fields, [batch.document(of: batch.items[0])])
        }
        #expect(error?.reason == reason)
    }
}
