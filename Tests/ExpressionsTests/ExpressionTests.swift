import Expressions
import Testing
import UsageModel

@Suite("Expressions") struct ExpressionTests {
    @Test(
        "every example on the reference page gives what the page says",
        arguments: ReferencePage.rows("expression | event data")
    )
    func example(row: ReferencePage.Row) throws {
        try #require(row.cells.count == 3)
        let trial = try #require(ExpressionTrial(data: row.cells[1]))

        switch compile(row.cells[0]) {
        case .success(let expression): #expect(trial.result(of: expression) == row.cells[2])
        case .failure(let error): Issue.record("\(error)")
        }
    }

    @Test(
        "every error on the reference page is the one that is thrown",
        arguments: ReferencePage.rows("expression | error")
    )
    func error(row: ReferencePage.Row) throws {
        try #require(row.cells.count == 2)
        guard case .failure(let error) = compile(row.cells[0]) else {
            Issue.record("it compiles")
            return
        }
        #expect(error.description == row.cells[1])
    }

    @Test("the tables on the reference page are there")
    func tables() {
        #expect(ReferencePage.rows("expression | event data").count >= 100)
        #expect(ReferencePage.rows("expression | error").count >= 12)
    }

    @Test("every fault is on the reference page")
    func faults() {
        let page = ReferencePage.rows("fault | because").map(\.description).joined()
        for reason in ExpressionFault.Reason.allCases {
            #expect(page.contains(reason.rawValue), "\(reason)")
        }
    }

    // MARK: Paths

    @Test(
        "a path is the path it has always been",
        arguments: [
            "$.data.tokens.input", "$.data.items[0].qty", "$.data['a b']", "$.subject",
            "$.data.a-b",
            "$.data[\"]\"]", "$.data['it\\'s']", "$.data.größe", "$.data['']['$.x']", "$.data.1e5",
            "$.data.x[007]",
        ]
    )
    func paths(text: String) throws {
        let path = try EventPath(text)
        let expression = try compile(text).get()
        #expect(expression.plainPath == path)
        #expect(expression.paths == [path])
        // The same inside something larger.
        let sum = try compile("1 +\(text)* 2").get()
        #expect(sum.paths == [path])
        #expect(sum.plainPath == nil)
    }

    @Test("an attribute by its name is its path; parentheses and spaces make no difference")
    func attributes() throws {
        for name in ["source", "type", "subject", "id", "time"] {
            #expect(try compile(" (\(name)) ").get().plainPath == EventPath("$." + name))
        }
    }

    @Test("each path is there once, in the order of the text")
    func distinctPaths() throws {
        let expression = try compile("if(exists($.data.b), $.data.a + $.data.b, $.subject)").get()
        #expect(expression.paths.map(\.description) == ["$.data.b", "$.data.a", "$.subject"])
    }

    @Test("an expression reads the slots it is given")
    func placement() throws {
        let text = "$.data.a - $.data.b"
        let expression = try compile(text).get()
        let moved = expression.placed(at: [1, 0])
        let trial = try #require(ExpressionTrial(data: #"{"a":5,"b":3}"#))
        #expect(trial.result(of: expression) == "2")
        #expect(trial.result(of: moved) == "-2")
    }

    // MARK: Types

    @Test(
        "what an expression must be is checked when it is compiled",
        arguments: [
            ("1 + 1", ExpectedResult.bool, false), ("1 + 1", .number, true),
            ("1 + 1", .scalar, true), ("true", .bool, true), ("true", .number, false),
            ("$.data.a", .bool, true), ("$.data.a", .number, true), ("\"5\"", .number, false),
            ("null", .scalar, false), ("null", .bool, false), ("lower($.data.a)", .number, false),
            ("if($.data.a, 1, \"x\")", .number, true),
            ("if($.data.a, \"y\", \"x\")", .number, false),
            ("coalesce($.data.a, 1)", .number, true), ("coalesce(1, \"x\")", .scalar, true),
            ("coalesce(1, \"x\") + 1", .number, true), ("coalesce(\"x\", 1) + 1", .number, false),
            ("length($.data.a) == 1", .bool, true), ("length($.data.a) == \"1\"", .bool, false),
            ("1 == null", .bool, false), ("$.data.a + 1 == null", .bool, true),
            ("true < false", .bool, false), ("$.data.a < true", .bool, false),
            ("$.data.a == true", .bool, true), ("5 in $.data.a", .bool, true),
            ("5 in 6", .bool, false), ("5 in [\"5\"]", .bool, false), ("not 5", .bool, false),
            ("1 contains 2", .bool, false), ("$.data.a contains 2", .bool, true),
            ("$.data.a startsWith 2", .bool, false), ("\"a\" contains \"b\"", .bool, true),
            ("hour(5)", .number, false), ("date(time)", .number, false), ("-\"1\"", .number, false),
            ("[1]", .scalar, false), ("exists(subject)", .bool, true), ("exists(5)", .bool, false),
            ("exists($.data.a + 1)", .bool, false),
        ]
    )
    func types(text: String, expected: ExpectedResult, isSound: Bool) {
        let outcome = compile(text, expected)
        if isSound {
            #expect(throws: Never.self) { try outcome.get() }
        } else {
            #expect(throws: ExpressionError.self) { try outcome.get() }
        }
    }

    @Test(
        "what is no expression is refused where it goes wrong",
        arguments: [
            ("", 0), ("   ", 3), ("(1", 2), ("1)", 1), ("1 2", 2), ("$", 1), ("$.", 2),
            ("$.data.", 7), ("$.data[x]", 7), ("$.data.a $.data.b", 9), ("$.data.a-$.data.b", 9),
            ("01", 0), ("1.", 0), (".5", 0), ("1e", 0), ("1x", 0), ("0.1234567890123456789", 0),
            ("1e21", 0), ("\"a", 0), ("'a\\x'", 2), ("'\\ud800'", 1), ("'\\u12g4'", 1), ("+1", 0),
            ("1 + not true", 4), ("foo(1)", 0), ("min()", 4), ("abs(1, 2)", 5), ("if(true, 1)", 10),
            ("hour(time, subject)", 11), ("duration(time, time, 's')", 21), ("round(1, 1.5)", 9),
            ("round(1, 99999999999)", 9), ("subject in []", 11), ("subject in [subject", 19),
            ("subject not 5", 12), ("subject matches subject", 16), ("1 == 1 == 1", 7),
            ("subject matches '\\\\1'", 16), ("subject matches '(?=a)'", 16),
            ("true && && true", 8),
            ("Subject", 0), ("é", 0), ("$.data.a == 'é' + 1", 12), ("min(1,)", 6),
        ]
    )
    func refusals(text: String, offset: Int) {
        guard case .failure(let error) = compile(text) else {
            Issue.record("it compiles")
            return
        }
        #expect(error.offset == offset, "\(error)")
    }

    // MARK: Limits

    @Test("what reaches a limit compiles, one more is refused")
    func limits() {
        func isSound(_ text: String) -> Bool {
            if case .success = compile(text) { true } else { false }
        }
        func check(_ limit: Int, _ text: (Int) -> String, _ name: String) {
            #expect(isSound(text(limit)), "\(name)")
            #expect(!isSound(text(limit + 1)), "\(name) + 1")
        }
        check(Limits.expressionBytesMax, { "1" + String(repeating: " ", count: $0 - 1) }, "bytes")
        check(
            Limits.expressionListMax,
            { count in
                "1 in [" + (0..<count).map(String.init).joined(separator: ",") + "]"
            },
            "list"
        )
        check(
            Limits.expressionNodesMax,
            { count in
                "concat(" + Array(repeating: "1", count: count - 1).joined(separator: ",") + ")"
            },
            "nodes"
        )
        check(
            Limits.expressionDepthMax,
            { count in
                Array(repeating: "1", count: count).joined(separator: "+")
            },
            "depth of the tree"
        )
        check(
            Limits.expressionDepthMax - 1,
            { count in
                String(repeating: "(", count: count) + "1" + String(repeating: ")", count: count)
            },
            "parentheses"
        )
        check(
            Limits.patternBytesMax,
            { "'a' matches '\(String(repeating: "a", count: $0))'" },
            "pattern"
        )
        #expect(!isSound("'a' matches '((a{100}){100}){100}'"))
        #expect(!isSound(String(repeating: "not ", count: 1_000) + "true"))
        #expect(!isSound(String(repeating: "- ", count: 1_000) + "1"))
    }

    @Test("a computed text has a limit")
    func longText() throws {
        let half = String(repeating: "x", count: Limits.expressionTextBytesMax / 2)
        let trial = try #require(ExpressionTrial(data: "{\"a\":\"\(half)\",\"b\":\"\(half)y\"}"))
        let sound = try compile("length(concat($.data.a, $.data.a))").get()
        let long = try compile("length(concat($.data.a, $.data.b))").get()
        let lower = try compile("length(lower($.data.b))").get()
        #expect(trial.result(of: sound) == "\(Limits.expressionTextBytesMax)")
        #expect(trial.result(of: long) == "fault: text-too-long")
        #expect(trial.result(of: lower) == "\(half.count + 1)")
    }

    @Test("patterns and searches that are slow elsewhere are not slow here")
    func linear() throws {
        let text = String(repeating: "a", count: 100_000)
        let needle = String(repeating: "a", count: 50_000) + "b"
        let trial = try #require(ExpressionTrial(data: "{\"a\":\"\(text)\",\"b\":\"\(needle)\"}"))
        let clock = ContinuousClock()
        for source in ["$.data.a matches '^(a|aa)+$|(a*)*b'", "$.data.a contains $.data.b"] {
            let expression = try compile(source).get()
            let took = clock.measure { _ = trial.result(of: expression) }
            #expect(took < .seconds(1), "\(source)")
        }
    }

    @Test("excess digits are rejected where that is asked for, and compared rounded")
    func excessDigits() throws {
        let trial = try #require(ExpressionTrial(data: #"{"a":0.12345678901234567890}"#))
        let rounding = try compile("$.data.a * 1").get()
        let rejecting = try compile("$.data.a * 1", excessDigits: .reject).get()
        let comparing = try compile("$.data.a < 1", excessDigits: .reject).get()
        #expect(trial.result(of: rounding) == "0.123456789012345679")
        #expect(trial.result(of: rejecting) == "fault: excess-digits")
        #expect(trial.result(of: comparing) == "true")
    }

    // MARK: Explanations

    @Test(
        "an explanation names the smallest part that is false, and what the event has there",
        arguments: [
            (
                "source == \"gateway-us\"",
                "source == \"gateway-us\" is false (source is \"gateway-eu\")"
            ),
            (
                "exists($.data.a) and ($.data.a > 1 and $.data.b in [1, 2]) and subject == 'x'",
                "$.data.b in [1, 2] is false ($.data.b is 3)"
            ),
            ("not ($.data.a == 5)", "not ($.data.a == 5) is false ($.data.a is 5)"),
            ("$.data.none", "$.data.none is false ($.data.none is missing)"),
            ("exists($.data.none)", "exists($.data.none) is false ($.data.none is missing)"),
            (
                "true and 1 / $.data.zero > 1",
                "1 / $.data.zero > 1 has no value: division-by-zero at column 10 ($.data.zero is 0)"
            ),
            (
                "$.data.a == 1 or $.data.b == 2",
                "$.data.a == 1 or $.data.b == 2 is false ($.data.a is 5, $.data.b is 3)"
            ),
        ]
    )
    func explanation(text: String, sentence: String) throws {
        let trial = try #require(ExpressionTrial(data: #"{"a":5,"b":3,"zero":0}"#))
        let expression = try compile(text, .bool).get()
        #expect(trial.explanation(of: expression) == "filter: " + sentence)
    }

    @Test("a filter that holds needs no explanation")
    func noExplanation() throws {
        let trial = try #require(ExpressionTrial(data: #"{"a":5}"#))
        #expect(trial.explanation(of: try compile("$.data.a == 5 and true", .bool).get()) == nil)
    }
}
