import Testing
import UsageModel
import WireFormat

@testable import Validation

extension JSONValue {
    /// Reads a literal of a test; `null` where it is no JSON.
    static func of(_ text: String) -> JSONValue { (try? parse(Array(text.utf8))) ?? .null }
}

@Suite("JSON Schema") struct JSONSchemaTests {
    /// Each row: a schema, a value that fits, one that does not, and where that is told.
    static let keywords: [(schema: String, fits: String, misfit: String, at: String)] = [
        ("true", "1", "", ""), ("false", "", "1", ""), ("{}", "null", "", ""),
        (#"{"type":"null"}"#, "null", "false", ""), (#"{"type":"boolean"}"#, "true", "1", ""),
        (#"{"type":"object"}"#, "{}", "[]", ""), (#"{"type":"array"}"#, "[]", "{}", ""),
        (#"{"type":"number"}"#, "1.5", #""1.5""#, ""),
        (#"{"type":"integer"}"#, "1.0", "1.5", ""), (#"{"type":"integer"}"#, "2e3", "2e-3", ""),
        (#"{"type":"string"}"#, #""a""#, "1", ""),
        (#"{"type":["string","null"]}"#, "null", "1", ""),
        (#"{"enum":["a",1,{"b":[1,2]}]}"#, #"{"b":[1.0,2]}"#, #"{"b":[2,1]}"#, ""),
        (#"{"enum":[1]}"#, "1.00", #""1""#, ""),
        (#"{"const":{"a":1,"b":2}}"#, #"{"b":2,"a":1}"#, "{}", ""),
        (#"{"const":null}"#, "null", "0", ""),
        (#"{"minimum":0}"#, "0", "-0.000000000000000000000000001", ""),
        (
            #"{"maximum":1e30}"#, "1000000000000000000000000000000",
            "1000000000000000000000000000001", ""
        ),
        (#"{"exclusiveMinimum":0}"#, "0.1", "0", ""),
        (#"{"exclusiveMaximum":1}"#, "0.9", "1.0", ""),
        (#"{"minimum":5}"#, #""a text is none""#, "4", ""),
        (#"{"multipleOf":0.1}"#, "0.3", "0.35", ""), (#"{"multipleOf":3}"#, "9e40", "1e40", ""),
        (#"{"multipleOf":0.01}"#, "19.99", "19.999", ""),
        (#"{"minLength":2}"#, #""ab""#, #""a""#, ""),
        (#"{"maxLength":1}"#, #""🙂""#, #""ab""#, ""),
        (#"{"pattern":"^a+$"}"#, #""aa""#, #""ab""#, ""), (#"{"pattern":"b"}"#, "7", #""a""#, ""),
        (#"{"format":"date-time"}"#, #""2026-11-01T12:00:00Z""#, #""2026-11-01T12:00:00""#, ""),
        (#"{"format":"date"}"#, #""2028-02-29""#, #""2026-02-29""#, ""),
        (#"{"format":"uuid"}"#, #""2EB8AA08-aa98-11ea-b4aa-73b441d16380""#, #""2eb8aa08""#, ""),
        (#"{"format":"email"}"#, #""joe.bloggs@example.com""#, #""joe@@example""#, ""),
        (#"{"format":"uri"}"#, #""https://example.com/a?b=c""#, #""example com""#, ""),
        (#"{"required":["a"]}"#, #"{"a":null}"#, "{}", "/a"),
        (#"{"properties":{"a":{"type":"number"}}}"#, #"{"a":1,"b":"x"}"#, #"{"a":"x"}"#, "/a"),
        (
            #"{"patternProperties":{"^n_":{"type":"number"}}}"#, #"{"n_a":1,"x":"y"}"#,
            #"{"n_a":"x"}"#, "/n_a"
        ),
        (
            #"{"properties":{"a":true},"patternProperties":{"^b":true},"#
                + #""additionalProperties":false}"#,
            #"{"a":1,"bb":2}"#, #"{"c":1}"#, "/c"
        ),
        (#"{"additionalProperties":{"type":"null"}}"#, #"{"a":null}"#, #"{"a":1}"#, "/a"),
        (#"{"propertyNames":{"maxLength":2}}"#, #"{"ab":1}"#, #"{"abc":1}"#, "/abc"),
        (#"{"minProperties":1}"#, #"{"a":1}"#, "{}", ""),
        (#"{"maxProperties":1}"#, #"{"a":1}"#, #"{"a":1,"b":2}"#, ""),
        (#"{"items":{"type":"number"}}"#, "[1,2]", #"[1,"x"]"#, "/1"),
        (
            #"{"prefixItems":[{"type":"string"}],"items":{"type":"number"}}"#, #"["a",1]"#,
            #"["a","b"]"#, "/1"
        ),
        (#"{"prefixItems":[{"type":"string"}]}"#, "[]", "[1]", "/0"),
        (#"{"contains":{"type":"null"}}"#, "[1,null]", "[1]", ""),
        (#"{"contains":{"type":"null"},"minContains":2}"#, "[null,null]", "[null]", ""),
        (#"{"contains":{"type":"null"},"minContains":0,"maxContains":1}"#, "[]", "[null,null]", ""),
        (#"{"minItems":1}"#, "[1]", "[]", ""), (#"{"maxItems":1}"#, "[1]", "[1,2]", ""),
        (#"{"uniqueItems":true}"#, #"[1,"1"]"#, "[1,1.0]", ""),
        (#"{"uniqueItems":false}"#, "[1,1]", "", ""),
        (#"{"uniqueItems":true}"#, #"[{"a":1},{"a":2}]"#, #"[{"a":1,"b":2},{"b":2,"a":1}]"#, ""),
        (#"{"allOf":[{"minimum":1},{"maximum":2}]}"#, "2", "3", ""),
        (#"{"anyOf":[{"type":"null"},{"minimum":2,"type":"number"}]}"#, "2", "1", ""),
        (#"{"oneOf":[{"minimum":1},{"maximum":2}]}"#, "3", "1.5", ""),
        (#"{"not":{"type":"null"}}"#, "1", "null", ""),
        (
            #"{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}}"#,
            #"{"a":1,"b":1}"#, #"{"a":1}"#, "/b"
        ),
        (
            #"{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}}"#,
            #"{"c":1}"#, "{}", "/c"
        ),
        (
            ##"{"$defs":{"n":{"type":"number"}},"properties":{"a~/b":{"$ref":"#/$defs/n"}}}"##,
            #"{"a~/b":1}"#, #"{"a~/b":"x"}"#, "/a~0~1b"
        ),
        (
            ##"{"properties":{"next":{"$ref":"#"},"v":{"type":"number"}}}"##,
            #"{"v":1,"next":{"v":2}}"#, #"{"next":{"next":{"v":"x"}}}"#, "/next/next/v"
        ),
        (
            #"{"title":"t","description":"d","default":1,"examples":[1],"$schema":"s","#
                + #""$id":"i","$comment":"c","deprecated":true,"type":"number"}"#,
            "1", "null", ""
        ),
    ]

    @Test("each keyword tells what fits from what does not", arguments: keywords.indices)
    func keyword(row: Int) throws {
        let (text, fits, misfit, at) = Self.keywords[row]
        let schema = try JSONSchema(.of(text))

        if !fits.isEmpty { #expect(schema.misfit(of: .of(fits)) == nil, "\(text)") }
        if !misfit.isEmpty {
            let found = schema.misfit(of: .of(misfit))
            #expect(found?.pointer == at, "\(text) \(misfit)")
            #expect(found?.reason.isEmpty == false)
        }
    }

    @Test(
        "what is not known, or makes no sense, is refused with its place",
        arguments: [
            ("1", ""), (#"{"typo":"string"}"#, "/typo"), (#"{"$anchor":"a"}"#, "/$anchor"),
            (#"{"unevaluatedProperties":false}"#, "/unevaluatedProperties"),
            (#"{"dependentRequired":{}}"#, "/dependentRequired"), (#"{"type":"text"}"#, "/type"),
            (#"{"type":[]}"#, "/type"), (#"{"enum":[]}"#, "/enum"),
            (#"{"minimum":"1"}"#, "/minimum"), (#"{"multipleOf":0}"#, "/multipleOf"),
            (#"{"multipleOf":-1}"#, "/multipleOf"),
            (#"{"multipleOf":1234567890123456789}"#, "/multipleOf"),
            (#"{"minLength":-1}"#, "/minLength"), (#"{"maxItems":1.5}"#, "/maxItems"),
            (#"{"maxItems":"1"}"#, "/maxItems"), (#"{"pattern":"("}"#, "/pattern"),
            (#"{"pattern":"(?=a)"}"#, "/pattern"), (#"{"format":"ipv4"}"#, "/format"),
            (#"{"required":"a"}"#, "/required"), (#"{"required":[1]}"#, "/required"),
            (#"{"properties":[]}"#, "/properties"), (#"{"items":[]}"#, "/items"),
            (#"{"properties":{"a/b":{"x":1}}}"#, "/properties/a~1b/x"),
            (#"{"allOf":[]}"#, "/allOf"), (#"{"allOf":[{"x":1}]}"#, "/allOf/0/x"),
            (#"{"uniqueItems":1}"#, "/uniqueItems"), (#"{"$defs":{"a":{"x":1}}}"#, "/$defs/a/x"),
            (#"{"$ref":"http://example.com"}"#, "/$ref"), (##"{"$ref":"#/no"}"##, "/$ref"),
            (##"{"$ref":"#"}"##, ""), (##"{"allOf":[{"not":{"$ref":"#"}}]}"##, ""),
        ]
    )
    func refused(text: String, pointer: String) {
        do {
            _ = try JSONSchema(.of(text))
            Issue.record("\(text) was taken")
        } catch {
            #expect(error.faults.map(\.pointer) == [pointer])
        }
    }

    @Test("no schema takes for ever: what asks too often, or too deep, does not fit")
    func limits() throws {
        // Each level asks the one before it twice.
        let levels = (1...40).map { level in
            ##""l\##(level)":{"allOf":[{"$ref":"#/$defs/l\##(level - 1)"},"##
                + ##"{"$ref":"#/$defs/l\##(level - 1)"}]}"##
        }
        let definitions = ([#""l0":true"#] + levels).joined(separator: ",")
        let wide = try JSONSchema(.of(##"{"$defs":{\##(definitions)},"$ref":"#/$defs/l40"}"##))
        let chain = (1...300).map { ##""c\##($0)":{"$ref":"#/$defs/c\##($0 - 1)"}"## }
        let links = ([#""c0":true"#] + chain).joined(separator: ",")
        let deep = try JSONSchema(.of(##"{"$defs":{\##(links)},"$ref":"#/$defs/c300"}"##))

        #expect(wide.misfit(of: 1)?.reason.contains("\(Limits.schemaStepsMax)") == true)
        #expect(deep.misfit(of: 1)?.reason.contains("\(Limits.schemaDepthMax)") == true)
        let many = (0...Limits.schemaNodesMax).map { "\"p\($0)\":true" }.joined(separator: ",")
        #expect(throws: JSONSchema.Faults.self) {
            try JSONSchema(.of(#"{"properties":{\#(many)}}"#))
        }
    }
}
