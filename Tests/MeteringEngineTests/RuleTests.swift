import MeteringEngine
import Testing
import UsageModel
import WireFormat

@Suite("Validation rules") struct RuleTests {
    /// 2026-11-01T12:00:00Z
    static let noon = Instant(microseconds: 1_793_534_400_000_000)

    private static func event(
        _ data: String,
        subject: String = "ext-7",
        time: String? = "2026-11-01T11:00:00Z"
    ) -> String {
        let time = time.map { #""time":"\#($0)","# } ?? ""
        return #"{"id":"a","source":"s","type":"call","subject":"\#(subject)",\#(time)"#
            + #""data":\#(data)}"#
    }

    private static func rule(
        _ check: String,
        key: String = "r",
        type: String = "call",
        action: String = "reject",
        message: String = ""
    ) throws -> ValidationRule {
        let text = """
            {"key":"\(key)","eventType":"\(type)","action":"\(action)",\
            "message":"\(message)",\(check)}
            """
        let definition = try ValidationRuleDocument.read(JSONValue.parse(Array(text.utf8)))
        #expect(definition.faults(zones: .shared).isEmpty)
        return ValidationRule(definition: definition, version: 3, createdAt: noon)
    }

    private static func findings(
        _ rules: [ValidationRule],
        _ events: [String],
        arrivals: [Instant] = [noon]
    ) throws -> [RuleFinding] {
        let bytes = Array("[\(events.joined(separator: ","))]".utf8)
        let decoded = try decodeEvents(bytes, framing: .plain)
        #expect(decoded.events.count == events.count)
        let book = try #require(RuleBook(rules))
        return book.findings(in: decoded.events, of: decoded.bytes, arrivals: arrivals)
    }

    /// Each row: a check, an event that passes, one that fails, and where.
    static let checks: [(check: String, passes: String, fails: String, at: String)] = [
        (#""required":["$.data.a.b"]"#, event(#"{"a":{"b":0}}"#), event(#"{"a":{}}"#), "/data/a/b"),
        (
            #""required":["$.data['x/y'][0]"]"#, event(#"{"x/y":[1]}"#), event(#"{"x/y":[]}"#),
            "/data/x~1y/0"
        ),
        (#""required":["$.data.a"]"#, event(#"{"a":false}"#), event(#"{"a":null}"#), "/data/a"),
        (
            #""range":{"path":"$.data.n","min":"0"}"#, event(#"{"n":0}"#),
            event(#"{"n":-0.0000000000000000001}"#), "/data/n"
        ),
        (
            #""range":{"path":"$.data.n","max":10}"#, event(#"{"n":"1e1"}"#),
            event(#"{"n":10.01}"#), "/data/n"
        ),
        (
            #""range":{"path":"$.data.n","min":"0","max":"1"}"#, event("{}"),
            event(#"{"n":"one"}"#), "/data/n"
        ),
        (
            #""range":{"path":"$.data.n","min":"0"}"#, event(#"{"n":null}"#), event(#"{"n":[1]}"#),
            "/data/n"
        ),
        (
            #""range":{"path":"$.data.n","min":"0"}"#, event(#"{"n":1e400}"#),
            event(#"{"n":-1e400}"#), "/data/n"
        ),
        (
            #""time":{"maxAge":"1h"}"#, event("1"), event("1", time: "2026-11-01T10:59:59.999999Z"),
            "/time"
        ),
        (
            #""time":{"maxAhead":"5m"}"#, event("1", time: "2026-11-01T12:05:00Z"),
            event("1", time: "2026-11-01T12:05:00.000001Z"), "/time"
        ),
        (#""time":{"maxAge":"0s","maxAhead":"0s"}"#, event("1", time: nil), event("1"), "/time"),
        (#""subjects":["ext-7","ext-8"]"#, event("1"), event("1", subject: "ext-9"), "/subject"),
        (#""subjects":"^ext-[0-9]+$""#, event("1"), event("1", subject: "desk-1"), "/subject"),
        (
            #""expression":"$.data.end >= $.data.start""#, event(#"{"start":1,"end":2}"#),
            event(#"{"start":2,"end":1}"#), ""
        ),
        (#""expression":"$.data.ok""#, event(#"{"ok":true}"#), event(#"{"ok":"yes"}"#), ""),
        (#""expression":"$.data.ok""#, event(#"{"ok":true}"#), event("{}"), ""),
        (#""expression":"1 / $.data.n > 0""#, event(#"{"n":1}"#), event(#"{"n":0}"#), ""),
        (#""expression":"hour(time) == 12""#, event("1", time: nil), event("1"), ""),
        (
            #""schema":{"type":"object","properties":{"n":{"minimum":0}}}"#, event(#"{"n":0}"#),
            event(#"{"n":-1}"#), "/data/n"
        ),
        (#""schema":{"type":"object"}"#, event("{}"), event("[]"), "/data"),
    ]

    @Test("each check tells what passes from what fails", arguments: checks.indices)
    func check(row: Int) throws {
        let (check, passes, fails, at) = Self.checks[row]
        let rule = try Self.rule(check)

        let findings = try Self.findings([rule], [passes, fails, passes])

        #expect(findings.map(\.place) == [1], "\(check)")
        #expect(findings.map(\.pointer) == [at], "\(check)")
        #expect(findings.first?.detail.hasPrefix("r version 3: ") == true)
        let document = ValidationRuleDocument.write(rule.definition)
        #expect(try ValidationRuleDocument.read(.object(document)) == rule.definition)
    }

    @Test("an event without data fails a schema, and one of another type is not looked at")
    func types() throws {
        let bare = #"{"id":"a","source":"s","type":"call","subject":"c"}"#
        let other = Self.event("[]").replacing(#""call""#, with: #""text""#)
        let schema = try Self.rule(#""schema":true"#)
        let all = try Self.rule(#""subjects":["x"]"#, key: "all", type: "*")

        let findings = try Self.findings([schema, all], [bare, other])

        #expect(findings.map(\.rule.text) == ["r", "all"])
        #expect(findings.map(\.pointer) == ["/data", "/subject"])
        #expect(try Self.findings([schema], [other]).isEmpty)
    }

    @Test("the first rule that rejects stands alone; of those that warn all are told")
    func order() throws {
        let rules = [
            try Self.rule(#""required":["$.data.a"]"#, key: "a", action: "warn", message: "no a"),
            try Self.rule(#""required":["$.data.b"]"#, key: "b"),
            try Self.rule(#""required":["$.data.c"]"#, key: "c"),
            try Self.rule(#""required":["$.data.d"]"#, key: "d", action: "warn"),
        ]

        let findings = try Self.findings(
            rules,
            [Self.event("{}"), Self.event(#"{"b":1,"c":1}"#), Self.event(#"{"a":1,"b":1}"#)]
        )

        #expect(findings.map(\.place) == [0, 1, 1, 2])
        #expect(findings.map(\.rule.text) == ["b", "a", "d", "c"])
        #expect(findings[1].detail == "a version 3: no a")
        var retired = rules[1]
        retired.retiredAt = Self.noon
        #expect(RuleBook([retired]) == nil)
    }

    @Test("each event is compared with its own arrival")
    func arrivals() throws {
        let rule = try Self.rule(#""time":{"maxAge":"1h"}"#)
        let later = Instant(microseconds: Self.noon.microseconds + 1)

        let findings = try Self.findings(
            [rule],
            [Self.event("1"), Self.event("1")],
            arrivals: [Self.noon, later]
        )

        #expect(findings.map(\.place) == [1])
    }

    @Test(
        "what cannot be a rule is told field by field",
        arguments: [
            ("{}", ["/key", "/eventType", "/action", ""]),
            (
                #"{"key":"A","eventType":"","action":"no","schema":true}"#,
                ["/key", "/action", "/eventType"]
            ),
            (#"{"key":"a","eventType":"llm.*","action":"warn","schema":true}"#, ["/eventType"]),
            (#"{"key":"a","eventType":"*","action":"warn"}"#, [""]),
            (
                #"{"key":"a","eventType":"*","action":"warn","schema":true,"expression":"true"}"#,
                [""]
            ),
            (#"{"key":"a","eventType":"*","action":"warn","required":[]}"#, ["/required"]),
            (
                #"{"key":"a","eventType":"*","action":"warn","required":["data.a"]}"#,
                ["/required/0"]
            ),
            (
                #"{"key":"a","eventType":"*","action":"warn","range":{"path":"$.data.n"}}"#,
                ["/range"]
            ),
            (
                #"{"key":"a","eventType":"*","action":"warn","range":{"path":"n","min":"x"}}"#,
                ["/range/path", "/range/min"]
            ),
            (
                #"{"key":"a","eventType":"*","action":"warn","range":{"path":"$.a","#
                    + #""min":2,"max":1}}"#,
                ["/range/max"]
            ),
            (#"{"key":"a","eventType":"*","action":"warn","time":{}}"#, ["/time"]),
            (
                #"{"key":"a","eventType":"*","action":"warn","time":{"maxAge":"P1D"}}"#,
                ["/time/maxAge"]
            ),
            (#"{"key":"a","eventType":"*","action":"warn","subjects":[]}"#, ["/subjects"]),
            (#"{"key":"a","eventType":"*","action":"warn","subjects":[1]}"#, ["/subjects/0"]),
            (
                #"{"key":"a","eventType":"*","action":"warn","schema":true,"version":1}"#,
                ["/version"]
            ),
        ]
    )
    func faults(text: String, pointers: [String]) throws {
        let value = try JSONValue.parse(Array(text.utf8))
        do {
            _ = try ValidationRuleDocument.readCreation(value)
            Issue.record("\(text) was taken")
        } catch {
            #expect(Set(error.all.map(\.pointer)) == Set(pointers), "\(text)")
        }
    }

    @Test(
        "what does not compile is told with its place in the rule",
        arguments: [
            (#""schema":{"properties":{"a":{"typo":1}}}"#, "/schema/properties/a/typo"),
            (#""subjects":"(""#, "/subjects"), (#""expression":"1 +""#, "/expression"),
            (#""expression":"1 + 1""#, "/expression"),
        ]
    )
    func compiling(check: String, pointer: String) throws {
        let text = #"{"key":"a","eventType":"*","action":"warn",\#(check)}"#
        let definition = try ValidationRuleDocument.read(JSONValue.parse(Array(text.utf8)))

        #expect(definition.faults(zones: .shared).map(\.pointer) == [pointer])
    }
}
