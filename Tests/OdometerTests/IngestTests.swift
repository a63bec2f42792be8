import ArgumentParser
import FileIntake
import Metering
import Testing
import Yams

@testable import odometer

@Suite("Ingest") struct IngestTests {
    @Test("only rows with nothing unanswered before them are acknowledged")
    func watermark() {
        var mark = Watermark()
        for row in [10, 20, 30, 40] { mark.sent(lastRow: row, digest: [UInt8(row)]) }
        mark.acknowledged(lastRow: 20)
        #expect(mark.row == 0)
        mark.acknowledged(lastRow: 10)
        #expect((mark.row, mark.digest) == (20, [20]))
        mark.acknowledged(lastRow: 40)
        #expect((mark.row, mark.isSettled) == (20, false))
        mark.acknowledged(lastRow: 30)
        #expect((mark.row, mark.isSettled) == (40, true))
    }

    @Test(
        "waits double, are drawn below their ceiling, and are no shorter than the server asks",
        arguments: [
            (1, 0.5, nil, 0.05), (2, 0.5, nil, 0.1), (4, 1, nil, 0.8), (8, 1, nil, 10),
            (1_000, 1, nil, 10), (1, 0, nil, 0.01), (1, 0.25, 3, 3.25), (9, 0.5, 0, 5),
        ] as [(Int, Double, Int?, Double)]
    )
    func backoff(attempt: Int, fraction: Double, retryAfter: Int?, expected: Double) {
        let seconds = Backoff.seconds(
            attempt: attempt,
            fraction: fraction,
            retryAfter: retryAfter
        )
        #expect(abs(seconds - expected) < 1e-9)
    }

    @Test("what cannot get better is not tried again")
    func worthwhile() {
        let worthwhile = (100..<600).filter(Backoff.isWorthwhile)
        #expect(worthwhile == [408, 429, 500, 502, 503, 504, 507])
    }

    @Test("the progress tells share, rate and the time left")
    func progress() {
        #expect(
            ProgressLine.text(events: 12_000, bytesRead: 25, bytesTotal: 100, seconds: 4)
                == "[#####···············]  25%  12,000 events  3,000/s  ETA 0:12"
        )
        #expect(
            ProgressLine.text(events: 999, bytesRead: 5, bytesTotal: nil, seconds: 0.5)
                == "999 events  1,998/s"
        )
        #expect(
            ProgressLine.text(events: 1_234_567, bytesRead: 9, bytesTotal: 9, seconds: 2)
                == "[####################] 100%  1,234,567 events  617,283/s"
        )
    }

    @Test("flags beat the mapping file, a constant beats its column, unknown keys are refused")
    func mapping() throws {
        let words = try MappingWords(
            file: """
                format: csv
                source: lab
                typeColumn: kind
                subject: caller
                time: at
                timeFormat: "%F %T"
                timezone: Europe/Berlin
                data: {seconds: duration}
                text: [duration]
                columns: [at, caller, duration]
                """,
            path: "m.yaml"
        )
        let mapping = try words.mapping()
        #expect(try words.format == .csv)
        #expect(mapping.source == .text("lab"))
        #expect(mapping.type == .column("kind"))
        #expect(mapping.subject == .column("caller"))
        #expect(mapping.zone?.name == "Europe/Berlin")
        #expect(mapping.data == [.init(name: "seconds", column: "duration")])
        #expect(mapping.text == ["duration"])
        #expect(mapping.columns == ["at", "caller", "duration"])

        let flags = try MappingFlags.parse(["--type", "call", "--data", "x=y", "--data", "z"])
        let said = try MappingWords(flags: flags).mapping()
        #expect(said.type == .text("call"))
        #expect(said.data == [.init(name: "x", column: "y"), .init(name: "z", column: "z")])

        #expect(throws: IntakeFault.self) { try MappingWords(file: "sauce: x", path: "m.yaml") }
        for wrong in ["format: xml", "timezone: Nowhere/Land", "source: a\nsourceColumn: b"] {
            #expect(throws: IntakeFault.self) {
                let words = try MappingWords(file: wrong, path: "m.yaml")
                _ = try words.format
                _ = try words.mapping()
            }
        }
    }

    @Test("YAML becomes JSON with numbers as they are written")
    func yaml() throws {
        let yaml = """
            key: a
            n: 0.10
            big: 12345678901234567890
            zip: "007"
            odd: 007
            yes: yes
            none: ~
            list: [1e3, true, 'x"y']
            """
        let node = try #require(try Yams.compose(yaml: yaml))
        #expect(
            YAMLText.json(node)
                == #"{"key":"a","n":0.10,"big":12345678901234567890,"zip":"007","odd":"007","#
                + #""yes":"yes","none":null,"list":[1e3,true,"x\"y"]}"#
        )
    }

    @Test("a table is as wide as its cells, and control characters cannot reach the terminal")
    func table() {
        var table = Table(["A", "NUMBER"], numbers: [1])
        table.add(["x\u{1b}[31m", "7"])
        #expect(table.text() == "A            NUMBER\nx\\u{1b}[31m       7\n")
    }

    @Test("a log line is one line, whatever is in it")
    func logLine() {
        let fields = [(name: "msg", value: "a \"b\"\nc"), (name: "n", value: "1"), ("e", "")]
        #expect(LogWriter.line(fields, format: .logfmt) == #"msg="a \"b\"\nc" n=1 e="""# + "\n")
        #expect(
            LogWriter.line(fields, format: .json)
                == #"{"msg":"a \"b\"\nc","n":"1","e":""}"# + "\n"
        )
    }
}
