import Metering
import Testing

@testable import FileIntake

@Suite("Row reader") struct RowReaderTests {
    /// The events of a text, brought in small pieces.
    static func events(
        _ text: String,
        _ format: FileFormat,
        rowsMax: Int = 1_000,
        piece: Int = 5,
        _ change: (inout RowMapping) throws -> Void = { _ in }
    ) throws -> (lines: [String], faults: [String], digest: [UInt8]) {
        var mapping = RowMapping()
        try change(&mapping)
        var reader = try RowReader(format: format, mapping: mapping)
        var rest = Array(text.utf8)[...]
        var (lines, faults, digest): ([String], [String], [UInt8]) = ([], [], [])
        var row = 1
        while let batch = try reader.next(
            rowsMax: rowsMax,
            bytesMax: 1_000_000,
            fill: { _ in
                defer { rest = rest.dropFirst(piece) }
                return rest.isEmpty ? nil : Array(rest.prefix(piece))
            }
        ) {
            #expect(batch.firstRow == row)
            #expect(batch.count <= rowsMax)
            row += batch.count
            lines += String(decoding: batch.lines, as: UTF8.self).split(separator: "\n")
                .map(String.init)
            faults += batch.faults.map { "\($0.row): \($0.reason)" }
            digest = batch.digest
        }
        #expect(lines.count == row - 1)
        return (lines, faults, digest)
    }

    private static func calls(_ mapping: inout RowMapping) throws {
        mapping.type = .text("call")
        mapping.source = .text("cns")
        mapping.subject = .column("caller")
        mapping.id = "id"
        mapping.time = "at"
        mapping.timeFormat = .unix(digits: 0)
    }

    @Test("a table's rows become events: numbers exact, empty fields left out, the rest text")
    func table() throws {
        let text = #"""
            id,at,caller,seconds,rate,zip,note
            1,60,7,121,0.10,00501,"say ""hi"""
            2,61,8,,1e3,1e9999,-5

            """#
        let read = try Self.events(text, .csv, Self.calls)
        #expect(
            read.lines == [
                #"{"id":"1","source":"cns","type":"call","subject":"7","#
                    + #""time":"1970-01-01T00:01:00Z","data":{"seconds":121,"rate":0.10,"#
                    + #""zip":"00501","note":"say \"hi\""}}"#,
                #"{"id":"2","source":"cns","type":"call","subject":"8","#
                    + #""time":"1970-01-01T00:01:01Z","data":{"rate":1e3,"#
                    + #""zip":"1e9999","note":-5}}"#,
            ]
        )
        #expect(read.faults == [])
    }

    @Test("chosen columns only, under other names, and text where asked for")
    func chosen() throws {
        let read = try Self.events("id,at,caller,n\n1,0,a,5\n", .csv) {
            try Self.calls(&$0)
            $0.data = [.init(name: "count", column: "n"), .init(name: "code", column: "id")]
            $0.text = ["id"]
        }
        #expect(
            read.lines == [
                #"{"id":"1","source":"cns","type":"call","subject":"a","#
                    + #""time":"1970-01-01T00:00:00Z","data":{"count":5,"code":"1"}}"#
            ]
        )
    }

    @Test(
        "a row that cannot be mapped is sent as what it is, and told",
        arguments: [
            ("1,x,a", "the time cannot be read"), ("1,,a", "the time is empty"),
            (",0,a", "the id is empty"), ("1,0,", "the subject is empty"),
            ("1,0", "2 fields where 3 columns are named"),
            ("1,0,a,b", "4 fields where 3 columns are named"),
            ("\"1\"2,0,a", "text after a closing quote"),
        ]
    )
    func unmapped(row: String, reason: String) throws {
        let read = try Self.events("id,at,caller\n\(row)\n2,0,a\n", .csv, Self.calls)
        #expect(read.faults == ["1: \(reason)"])
        #expect(read.lines.count == 2)
        #expect(read.lines[0].contains(#""unmapped":"\#(reason)""#))
        #expect(read.lines[0].contains(#""data":{"row":["#))
        #expect(!read.lines[0].contains(#""subject""#))
    }

    @Test("columns may be named on the call, and by number where names are equal")
    func columns() throws {
        let named = try Self.events("1,0,a\n", .csv) {
            try Self.calls(&$0)
            $0.columns = ["id", "at", "caller"]
        }
        #expect(named.lines.count == 1)
        let numbered = try Self.events("v,v,\n1,2,3\n", .tsv) {
            $0.delimiter = 0x2C
            $0.type = .text("t")
            $0.subject = .column("#1")
        }
        #expect(numbered.lines[0].hasSuffix(#""subject":"1","data":{"v_2":2,"column_3":3}}"#))
        #expect(throws: IntakeFault.self) {
            try Self.events("v,v\n1,2\n", .csv) {
                $0.type = .text("t")
                $0.subject = .column("v")
            }
        }
    }

    @Test("events pass as they are, but for what they lack")
    func passing() throws {
        let text = """
            {"id":"a","source":"s","type":"t","subject":"x","data":{"id":1}}
             { "subject" : "y", "data" : {} }
            not json
            {}

            """
        let read = try Self.events(text, .ndjson) { $0.type = .text("t\"q") }
        #expect(
            read.lines[0] == #"{"id":"a","source":"s","type":"t","subject":"x","data":{"id":1}}"#
        )
        #expect(read.lines[1].hasPrefix(#"{"id":"2-"#))
        #expect(read.lines[1].hasSuffix(#"","type":"t\"q","subject" : "y", "data" : {} }"#))
        #expect(read.lines[2...] == ["not json", "{}"])
    }

    @Test("JSON records are mapped by their members, and stay whole in data")
    func records() throws {
        let text =
            #"{"ts":1446249499322,"host":"a\"b","n":{"x":1}}"# + "\n" + #"{"ts":"x"}"# + "\n3"
        let read = try Self.events(text, .ndjson) {
            $0.type = .text("status")
            $0.subject = .column("host")
            $0.time = "ts"
            $0.timeFormat = .unix(digits: 3)
        }
        #expect(
            read.lines[0].hasSuffix(
                #""source":"odometer-ingest","type":"status","subject":"a\"b","#
                    + #""time":"2015-10-30T23:58:19.322Z","#
                    + #""data":{"ts":1446249499322,"host":"a\"b","n":{"x":1}}}"#
            )
        )
        #expect(read.faults == ["2: no host to be the subject", "3: not a JSON object"])
        let chosen = try Self.events(text, .json) {
            $0.type = .text("status")
            $0.subject = .text("all")
            $0.data = [.init(name: "deep", column: "n"), .init(name: "at", column: "ts")]
            $0.text = ["ts"]
        }
        #expect(chosen.lines[0].hasSuffix(#""data":{"deep":{"x":1},"at":"1446249499322"}}"#))
    }

    @Test("an access log needs no more than a type")
    func accessLog() throws {
        let line = #"1.2.3.4 - - [17/May/2015:10:05:03 +0200] "GET / HTTP/1.1" 200 12 "-" "x""#
        let read = try Self.events(line, .accessLog) { $0.type = .text("http.request") }
        #expect(
            read.lines[0].hasSuffix(
                #""type":"http.request","subject":"1.2.3.4","time":"2015-05-17T08:05:03Z","data":"#
                    + #"{"request":"GET / HTTP/1.1","status":200,"bytes":12,"agent":"x","#
                    + #""method":"GET","path":"/","protocol":"HTTP/1.1"}}"#
            )
        )
    }

    @Test("a byte order mark is no part of the first name")
    func byteOrderMark() throws {
        for piece in 1...4 {
            let text = "\u{FEFF}id,at,caller\n1,0,a\n"
            #expect(try Self.events(text, .csv, piece: piece, Self.calls).lines.count == 1)
        }
    }

    @Test("a batch ends where no bytes are there yet, and goes on after")
    func pause() throws {
        var reader = try RowReader(format: .ndjson, mapping: RowMapping())
        var pieces: [[UInt8]?] = [[], Array("{}\n{".utf8), [], Array("}\n".utf8), nil]
        var told: [Bool] = []
        func next() throws -> RowBatch? {
            try reader.next(rowsMax: 10, bytesMax: 1_000) { hasRows in
                told.append(hasRows)
                return pieces.removeFirst()
            }
        }
        let (first, second) = (try next(), try next())
        #expect(first?.lines == Array("{}\n".utf8))
        #expect(second?.lines == Array("{}\n".utf8))
        #expect(second?.firstRow == 2)
        #expect(told == [false, false, true, false, true])
    }

    @Test(
        "what is missing is told before the file is read",
        arguments: [FileFormat.csv, .tsv, .ndjson]
    )
    func missing(format: FileFormat) {
        func reader(_ change: (inout RowMapping) -> Void) throws -> RowReader {
            var mapping = RowMapping()
            (mapping.type, mapping.subject) = (.text("t"), .column("s"))
            change(&mapping)
            return try RowReader(format: format, mapping: mapping)
        }
        #expect(throws: Never.self) { try reader { _ in } }
        #expect(throws: IntakeFault.self) { try reader { $0.type = nil } }
        #expect(throws: IntakeFault.self) {
            try reader { ($0.subject, $0.isRecords, $0.time) = (nil, true, "t") }
        }
        #expect(throws: IntakeFault.self) { try reader { $0.id = "i" } }
        #expect(throws: IntakeFault.self) { try reader { $0.timeFormat = .rfc3339 } }
    }

    @Test("a header without the column asked for names those it has")
    func wrongHeader() {
        #expect(throws: IntakeFault(#"no column "caller"; the columns are a, b"#)) {
            try Self.events("a,b\n1,2\n", .csv, Self.calls)
        }
    }

    @Test("a row without an end is refused before it fills the memory")
    func tooLong() throws {
        var reader = try RowReader(format: .ndjson, mapping: RowMapping())
        let piece = [UInt8](repeating: 0x20, count: 1 << 20)
        var pieces = 0
        #expect(throws: IntakeFault.self) {
            try reader.next(rowsMax: 1, bytesMax: 1) { _ in
                pieces += 1
                return piece
            }
        }
        #expect(pieces <= 18)
    }

    @Test("the rows before a fault come first, and the fault stays")
    func faultAfterRows() throws {
        struct Cut: Error {}
        var reader = try RowReader(format: .ndjson, mapping: RowMapping())
        var pieces = [Array("{}\n{}\n{".utf8)]
        func next() throws -> RowBatch? {
            try reader.next(rowsMax: 10, bytesMax: 1_000) { _ in
                guard let piece = pieces.popLast() else { throw Cut() }
                return piece
            }
        }
        let batch = try next()
        #expect(batch?.count == 2)
        #expect(throws: Cut.self) { try next() }
        #expect(throws: Cut.self) { try next() }
    }

    @Test("a batch is cut in halves with its faults")
    func halves() throws {
        var mapping = RowMapping()
        (mapping.type, mapping.subject) = (.text("t"), .column("s"))
        var reader = try RowReader(format: .csv, mapping: mapping)
        var text: [UInt8]? = Array("s\na\n\"\"\nb\n\"\"\nc\n".utf8)
        let batch = try #require(
            try reader.next(rowsMax: 10, bytesMax: 10_000) { _ in
                defer { text = nil }
                return text
            }
        )
        let (first, second) = try #require(batch.halves())
        #expect(first.lines + second.lines == batch.lines)
        #expect((first.count, second.count, second.firstRow) == (3, 2, 4))
        #expect(first.ends.last == first.lines.count && second.ends.last == second.lines.count)
        #expect(first.faults.map(\.row) == [2] && second.faults.map(\.row) == [4])
        #expect(second.halves()?.second.halves() == nil)
    }
}
