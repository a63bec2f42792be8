import MeteringTestKit
import Testing

@testable import FileIntake

@Suite("Row splitters") struct SplitterTests {
    /// All rows, the bytes being brought in pieces of the given size.
    private static func rows(
        _ splitter: some RowSplitter,
        _ text: String,
        piece: Int
    ) -> [[String]] {
        var splitter = splitter
        let bytes = Array(text.utf8)
        var (used, there) = (0, 0)
        var rows: [[String]] = []
        while true {
            if used == there, there == bytes.count { return rows }
            var row = Row()
            let isLast = there == bytes.count
            let split =
                used == there
                ? .needsMore : splitter.split(bytes[used..<there], isLast: isLast, into: &row)
            switch split {
            case .row(let count):
                used += count
                rows.append((0..<row.count).map { String(decoding: row[$0], as: UTF8.self) })
                if let fault = row.fault { rows[rows.count - 1].append("! " + fault) }
            case .gap(let count): used += count
            case .needsMore: there = min(there + piece, bytes.count)
            }
        }
    }

    @Test(
        "delimited rows are what RFC 4180 says, wherever the bytes are cut",
        arguments: [
            ("a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
            ("a,b\r\n1,2", [["a", "b"], ["1", "2"]]),
            ("\n\r\na\n\n", [["a"]]), ("", []),
            (",\n", [["", ""]]), ("a,\r\n", [["a", ""]]),
            ("\"a,b\",\"c\"\"d\",\"e\nf\"\n", [["a,b", "c\"d", "e\nf"]]),
            ("\"\",\"\"\"\"\n", [["", "\""]]),
            ("a\"b,c\n", [["a\"b", "c"]]), (" \"a\" ,b\n", [[" \"a\" ", "b"]]),
            ("\"a\"x,b\n", [["ax", "b", "! text after a closing quote"]]),
            ("\"a\r\nb\"\r\n", [["a\r\nb"]]),
            ("a,\"b", [["a", "b", "! a quote that is not closed"]]),
            ("\"a\"", [["a"]]), ("é,ü\n", [["é", "ü"]]),
        ]
    )
    func delimited(text: String, expected: [[String]]) {
        for piece in 1...9 {
            #expect(Self.rows(DelimitedSplitter(delimiter: 0x2C), text, piece: piece) == expected)
        }
    }

    @Test(
        "JSON values are found in sequences and arrays, wherever the bytes are cut",
        arguments: [
            (#"{"a":1}{"b":[2,{"c":"}"}]}"#, [#"{"a":1}"#, #"{"b":[2,{"c":"}"}]}"#]),
            (#"[{"a":1}, {"b":"\"]"} ]"#, [#"{"a":1}"#, #"{"b":"\"]"}"#]),
            ("[\n {\n  \"a\": 1\n }\n]\n", [#"{   "a": 1  }"#]),
            ("[1,\"x\",null,[2,3]]", ["1", "\"x\"", "null", "[2,3]"]),
            (#"[{"a":1}]  [{"b":2}]"#, [#"{"a":1}"#, #"{"b":2}"#]),
            ("{\"a\":\"x\ny\"}", ["{\"a\":\"x\ty\"}"]), (#"{"a":1"#, [#"{"a":1"#]),
            (#"{"a":"\\"}{"#, [#"{"a":"\\"}"#, "{"]), ("[]", []), (" \n", []), ("]", ["]"]),
            (#"{"a":"\\\""}"#, [#"{"a":"\\\""}"#]),
        ]
    )
    func json(text: String, expected: [String]) {
        for piece in 1...9 {
            #expect(Self.rows(JSONSplitter(), text, piece: piece) == expected.map { [$0] })
        }
    }

    @Test("lines lose their ends and blank ones are no rows")
    func lines() {
        for piece in 1...5 {
            #expect(
                Self.rows(LineSplitter(), "a\r\n\n \t\nb\nc", piece: piece) == [
                    ["a"], ["b"], ["c"],
                ]
            )
        }
    }

    @Test("an access log's line has its fields, quoted and bracketed ones whole")
    func accessLog() {
        let line =
            #"83.149.9.216 - bob [17/May/2015:10:05:03 +0000] "GET /a?b=\"c\" HTTP/1.1" 200 - "#
            + #""-" "Mozilla/5.0 (X11; \"y\")""# + "\n"
        #expect(
            Self.rows(AccessLogSplitter(), line, piece: 7) == [
                [
                    "83.149.9.216", "", "bob", "17/May/2015:10:05:03 +0000",
                    #"GET /a?b=\"c\" HTTP/1.1"#, "200", "", "", #"Mozilla/5.0 (X11; \"y\")"#,
                    "GET", #"/a?b=\"c\""#, "HTTP/1.1",
                ]
            ]
        )
        let common = #"::1 - - [17/May/2015:10:05:03 +0000] "-" 408 0"#
        #expect(
            Self.rows(AccessLogSplitter(), common, piece: 64) == [
                ["::1", "", "", "17/May/2015:10:05:03 +0000", "", "408", "0", "", "", "", "", ""]
            ]
        )
        let short = Self.rows(AccessLogSplitter(), "what is this", piece: 64)
        #expect(short == [["what", "is", "this", "! 3 fields where an access log has 7 or 9"]])
    }

    /// Goal: any table comes back as it was written, however it is quoted and cut.
    @Test("random tables are read back", arguments: UInt64(1)...200)
    func roundTrip(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let letters = Array("ab,\"\n\r é")
        let table = (0..<Int.random(in: 1...20, using: &random)).map { _ in
            (0..<Int.random(in: 1...5, using: &random)).map { _ in
                String(
                    (0..<Int.random(in: 0...6, using: &random)).map { _ in
                        letters[Int.random(in: 0..<letters.count, using: &random)]
                    }
                )
            }
        }
        let text = table.map { row in
            row.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: ",")
        }.joined(separator: Bool.random(using: &random) ? "\n" : "\r\n")

        let read = Self.rows(
            DelimitedSplitter(delimiter: 0x2C),
            text,
            piece: Int.random(in: 1...40, using: &random)
        )

        #expect(
            read.map { $0.map { Array($0.utf8) } } == table.map { $0.map { Array($0.utf8) } },
            "seed \(seed)"
        )
    }
}
