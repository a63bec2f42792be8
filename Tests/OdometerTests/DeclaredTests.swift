import Testing
import WireFormat
import Yams

@testable import odometer

@Suite("What files declare") struct DeclaredTests {
    private static func documents(_ text: String) throws -> [DeclaredDocument] {
        try DeclaredDocuments.documents(Array(text.utf8), from: "file")
    }

    private static func object(_ text: String) throws -> JSONObject {
        try #require(try JSONValue.parse(Array(text.utf8)).objectValue)
    }

    /// As a server tells it: every default said, and what is the server's to say.
    private static let told = """
        {"key":"calls","name":"calls","eventTypes":["llm.*"],"aggregation":"count",\
        "excessDigits":"round","timezone":"UTC","resetSchedule":"never","version":1,\
        "createdAt":"2026-11-01T00:00:00Z",\
        "backfill":{"state":"done","eventsDone":"0","eventsTotal":"0"}}
        """

    private static let customers = """
        {"key":"acme","name":"Acme","timezone":"UTC","subjects":["a",{"subject":"b",\
        "from":"2026-01-01T00:00:00Z"}],"createdAt":"2026-11-01T00:00:00Z",\
        "changedAt":"2026-11-01T00:00:00Z"}
        """
    private static let meters = [
        #"{"id":"calls~a","meterType":"calls","subject":"a","state":"active","unit":"","#
            + #""start":"2026-11-01T00:00:00Z","metadata":{"floor":"3"},"#
            + #""enrolledAt":"2026-11-01T00:00:00Z","customer":"acme"}"#,
        // Opened by itself: nobody declared it.
        #"{"id":"calls~b","meterType":"calls","subject":"b","state":"active","unit":""}"#,
        #"{"id":"calls~c","meterType":"calls","subject":"c","state":"closed","unit":"","#
            + #""enrolledAt":"2026-11-01T00:00:00Z"}"#,
    ]

    private static func plan(_ declared: String, told: String = told) throws -> DeclaredPlan {
        try DeclaredPlan(documents(declared), held: ["meter-type": [object(told)]])
    }

    @Test("YAML of several documents, lists, and JSON are the same documents")
    func spellings() throws {
        let yaml = "kind: meter-type\nkey: a\n---\n- kind: meter-type\n  key: b\n---\n"
        let json = #"[{"kind":"meter-type","key":"a"},{"kind":"meter-type","key":"b"}]"#

        let one = try Self.documents(yaml)
        let other = try Self.documents(json)

        #expect(one.map(\.value) == other.map(\.value))
        #expect(one.map(\.place) == ["file, document 1", "file, document 2"])
    }

    @Test(
        "a declaration is held against what the server tells",
        arguments: [
            ("key: other\neventTypes: [x]\naggregation: count", "make", []),
            ("key: calls\neventTypes: [llm.*]\naggregation: count", "none", []),
            (
                "key: calls\neventTypes: [llm.*]\naggregation: count\ntimezone: UTC\n"
                    + "resetSchedule: never\nunit: ~\nname: calls", "none", []
            ),
            (
                "key: calls\neventTypes: [llm.*]\naggregation: count\nunit: call\n"
                    + "resetSchedule: {every: month}",
                "refuse", ["unit", "resetSchedule"]
            ),
            ("key: calls\neventTypes: [x]\naggregation: count", "change", ["eventTypes"]),
        ]
    )
    func actions(yaml: String, word: String, fields: [String]) throws {
        let plan = try Self.plan("kind: meter-type\n" + yaml)

        #expect(plan.steps.map(\.action.word) == [word])
        #expect(plan.steps[0].action.changes.map(\.name) == fields)
        #expect(plan.differs == (word != "none"))
        #expect(plan.refusals.count == (word == "refuse" ? 1 : 0))
    }

    @Test("a change sends the fields that differ, and null for those that are no longer said")
    func change() throws {
        let told = String(Self.told.dropLast()) + #","effectiveFrom":null,"filter":"true"}"#
        let plan = try Self.plan(
            "kind: meter-type\nkey: calls\neventTypes: [x]\naggregation: count",
            told: told
        )

        let step = try #require(plan.steps.first)
        let call = step.kind.change(step.document, step.action.changes)
        #expect(plan.calls.map(\.call.path) == [call.path])
        #expect((call.method, call.path) == (.patch, "/v1/meter-types/calls"))
        #expect(call.body == ["eventTypes": ["x"], "filter": .null])
    }

    @Test("what is retired cannot be declared again")
    func retired() throws {
        let told = String(Self.told.dropLast()) + #","retiredAt":"2026-11-02T00:00:00Z"}"#
        let plan = try Self.plan(
            "kind: meter-type\nkey: calls\neventTypes: [llm.*]\naggregation: count",
            told: told
        )

        #expect(plan.text == "! meter-type calls: it is retired\n")
    }

    @Test("customers and meters are held against what the server tells of them")
    func customersAndMeters() throws {
        let declared = """
            kind: meter
            meterType: calls
            subject: a
            start: "2026-11-01T01:00:00+01:00"
            ---
            {kind: meter, meterType: calls, subject: b}
            ---
            {kind: meter, meterType: calls, subject: c}
            ---
            {kind: meter, meterType: calls, subject: d}
            ---
            kind: customer
            key: acme
            name: Acme
            subjects: [{subject: b, from: "2026-01-01T00:00:00Z"}, a]
            """

        let plan = try DeclaredPlan(
            Self.documents(declared),
            held: [
                "customer": [Self.object(Self.customers)],
                "meter": Self.meters.map(Self.object),
            ]
        )

        #expect(
            plan.text == """
                = customer acme
                ~ meter calls~a
                    metadata: {"floor":"3"} -> nothing
                + meter calls~b
                ! meter calls~c: it is closed
                + meter calls~d

                """
        )
        #expect(plan.calls.map(\.call.path) == ["/v1/meters/calls~a", "/v1/meters"])
        #expect(
            plan.calls.map(\.call.body) == [
                ["metadata": .null],
                [
                    "meters": [
                        ["meterType": "calls", "subject": "b"],
                        ["meterType": "calls", "subject": "d"],
                    ]
                ],
            ]
        )
    }

    @Test("a changed validation rule is a change of the version that the server told")
    func rules() throws {
        let told = try Self.object(
            """
            {"key":"sane","eventType":"call","action":"warn","range":{"path":"$.data.n","min":"0"},\
            "version":4,"createdAt":"2026-11-01T00:00:00Z"}
            """
        )
        let yaml = "kind: validation-rule\nkey: sane\neventType: call\n"
        let same = yaml + "action: warn\nrange: {path: $.data.n, min: 0.0}\n"
        let other = yaml + "action: reject\nrange: {path: $.data.n, min: 0}\n"

        let none = try DeclaredPlan(Self.documents(same), held: ["validation-rule": [told]])
        let plan = try DeclaredPlan(Self.documents(other), held: ["validation-rule": [told]])
        let made = try DeclaredPlan(Self.documents(other), held: [:])

        #expect(none.steps.map(\.action.word) == ["none"])
        #expect(plan.calls.map(\.call.method) == [.put])
        #expect(plan.calls.first?.call.path == "/v1/validation-rules/sane")
        #expect(plan.calls.first?.call.body["version"] == 4)
        #expect(made.calls.first?.call.method == .post)
        #expect(made.calls.first?.call.body["version"] == nil)
    }

    @Test("meters are enrolled many in a call")
    func many() throws {
        let count = DeclaredKind.meter.madeMax + 1
        let declared = (0..<count).map { place in
            DeclaredDocument(
                place: "file",
                value: [
                    "kind": "meter", "meterType": "calls", "subject": .string("s\(place)"),
                ]
            )
        }

        let plan = try DeclaredPlan(declared, held: [:])

        #expect(plan.calls.map(\.steps.count) == [count - 1, 1])
    }

    @Test(
        "a subject of a flag may have times",
        arguments: [
            ("a", #""a""#), ("a,b", #""a,b""#),
            ("a,2026-01-01T00:00:00Z", #"{"subject":"a","from":"2026-01-01T00:00:00Z"}"#),
            ("a,,2026-01-01T00:00:00Z", #"{"subject":"a","to":"2026-01-01T00:00:00Z"}"#),
            (
                "a,b,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z",
                #"{"subject":"a,b","from":"2026-01-01T00:00:00Z","to":"2026-02-01T00:00:00Z"}"#
            ),
        ]
    )
    func subject(flag: String, json: String) throws {
        #expect(CustomersPut.subject(flag) == (try JSONValue.parse(Array(json.utf8))))
    }

    @Test("a difference is shown by its fields, for people and for programs")
    func shown() throws {
        let plan = try Self.plan(
            """
            kind: meter-type
            key: calls
            eventTypes: [llm.*]
            aggregation: count
            unit: call
            ---
            kind: meter-type
            key: tokens
            eventTypes: [llm.*]
            aggregation: sum
            value: $.data.tokens
            """
        )

        #expect(
            plan.text == """
                ! meter-type calls: it keeps its unit
                    unit: nothing -> "call"
                + meter-type tokens

                """
        )
        #expect(
            plan.document
                == [
                    [
                        "kind": "meter-type", "key": "calls", "action": "refuse",
                        "because": "it keeps its unit",
                        "changes": [["field": "unit", "to": "call"]],
                    ],
                    ["kind": "meter-type", "key": "tokens", "action": "make", "changes": []],
                ]
        )
    }

    @Test(
        "a document that no server could take says where and why",
        arguments: [
            ("key: a", "file: no kind; known: "), ("kind: metre\nkey: a", "kind \"metre\"; known"),
            ("kind: customer\nname: a", "/key: it is missing"),
            ("kind: meter\nsubject: a", "/meterType: "),
            ("kind: meter\nmeterType: a\nsubject: b\nend: x", "/end: "),
            ("kind: meter-type\nkey: a", "/eventTypes: it is missing"),
            ("kind: meter-type\nfiltre: a", "/filtre: there is no such field"),
            ("[1]", "file: it is a number, not an object"), ("{\"a\":}", "file: "),
            ("a: [", "neither JSON nor YAML"),
            (
                "kind: meter-type\nkey: a\neventTypes: [x]\naggregation: count\n---\n"
                    + "kind: meter-type\nkey: a\neventTypes: [y]\naggregation: count",
                "declared twice: in file, document 1 and in file, document 2"
            ),
        ]
    )
    func faults(yaml: String, words: String) throws {
        let failure = #expect(throws: CommandFailure.self) { _ = try Self.plan(yaml) }

        #expect(failure?.code == .usage)
        #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
    }

    @Test("what is exported is declared by what was told, in YAML as in JSON")
    func export() throws {
        let full = """
            {"key":"t","name":"T: \\"x\\"","description":"two\\nlines","unit":"kWh",\
            "eventTypes":["a","b.*"],"aggregation":"sum","filter":"$.data.a == \\"#\\"",\
            "value":"$.data.n * 2","dimensions":{"model":"$.data.model"},\
            "rounding":{"mode":"half-up","places":2},"excessDigits":"reject",\
            "timezone":"Europe/Berlin","resetSchedule":{"cron":"0 0 L * *"},"capacity":"1.50",\
            "metadata":{"yes":"no","1":"2"},"version":3,"createdAt":"2026-11-01T00:00:00Z"}
            """
        for told in [Self.told, full] {
            let document = try ExportCommand.document(Self.object(told), .meterType)
            let json = String(decoding: JSONValue.object(document).serialized(), as: UTF8.self)
            for text in [YAMLText.document(document), json] {
                #expect(try Self.documents(text).map(\.value) == [document])
                #expect(try Self.plan(text, told: told).steps.map(\.action.word) == ["none"])
            }
        }
    }

    /// U+FEFF stands within a text: at its beginning Yams drops it in reading.
    @Test("a value written as YAML is read as the same value")
    func yaml() throws {
        let texts = [
            "", "true", "No", "null", "~", "1", "1.0", "0x10", "1e3", "2026-11-01", "- a", "a: b",
            "#c", "a #c", " a", "a ", "'q'", "\"q\"", "a\nb", "\t", "\r\n", "\\", "é", "😀",
            "\u{7f}", "\u{85}", "\u{2028}", "a\u{feff}", "*x", "&x", "!x", "%x", "@x", "`x`", "{a}",
            "[a]", "a,b", "?", ":", "---", "...", "plain words", "a  b", "<<", "=",
        ]
        var object = JSONObject()
        for (index, text) in texts.enumerated() {
            object[text.isEmpty ? "empty" : text] = .string(text)
            object["\(index)"] = .array([.string(text), [.string(text), ["a": .string(text)]]])
        }
        object["nested"] = [
            "none": .null, "yes": true, "number": .number("0.10"), "list": [], "map": [:],
            "maps": [["a": 1, "b": ["c": [1, 2]]], ["d": [:]], [[1], []]],
        ]

        let text = YAMLText.document(object)

        let read = try #require(try Self.documents(text).first?.value)
        #expect(read.names == object.names)
        for member in object.members {
            #expect(
                read[member.name] == member.value,
                "\(YAMLText.document([member.name: member.value]))"
            )
        }
    }
}
