import MeteringTestKit
import Testing
import WireFormat

@Suite("CSV") struct CSVTests {
    private func rows(
        _ text: [UInt8],
        delimiter: UInt8 = UInt8(ascii: ","),
        chunk: Int = .max
    ) throws -> [CSVRow] {
        var reader = CSVReader(delimiter: delimiter)
        var rows: [CSVRow] = []
        var at = 0
        while at < text.count {
            let end = at + min(chunk, text.count - at)
            reader.feed(Array(text[at..<end]))
            at = end
            while let row = try reader.next() { rows.append(row) }
        }
        reader.finish()
        while let row = try reader.next() { rows.append(row) }
        return rows
    }

    @Test(
        "rows are read as RFC 4180 has them, whatever the chunks",
        arguments: [
            ("a,b\r\nc,d\r\n", [["a", "b"], ["c", "d"]]),
            ("a,b\nc,d", [["a", "b"], ["c", "d"]]),
            ("a\rb\r", [["a"], ["b"]]),
            ("\"a,b\",\"c\"\"d\"\n", [["a,b", "c\"d"]]),
            ("\"two\r\nlines\",x\n", [["two\r\nlines", "x"]]),
            (",,\n", [["", "", ""]]),
            ("\"\"\n\n\r\n\"\",\"\"", [[""], ["", ""]]),
            ("a,\n", [["a", ""]]),
            ("a,", [["a", ""]]),
            ("5\" pipe,x\n", [["5\" pipe", "x"]]),
            (" \"a\" ,b\n", [[" \"a\" ", "b"]]),
            ("\u{feff}a,b\n", [["a", "b"]]),
            ("é,€\n", [["é", "€"]]),
            ("", []),
            ("\n\n", []),
            ("x", [["x"]]),
        ]
    )
    func reads(text: String, expected: [[String]]) throws {
        for chunk in [1, 2, 3, 5, 1_000] {
            #expect(try rows(Array(text.utf8), chunk: chunk).map(\.fields) == expected)
        }
    }

    @Test("a row knows its line and its byte, whatever the chunks")
    func places() throws {
        let text = Array("a\r\n\"b\n\n\"\r\n\nc\rd".utf8)
        for chunk in [1, 2, 100] {
            let rows = try rows(text, chunk: chunk)
            #expect(rows.map(\.line) == [1, 2, 6, 7])
            #expect(rows.map(\.offset) == [0, 3, 11, 13])
        }
    }

    @Test(
        "what would shift fields is refused with its place",
        arguments: [
            ("a\n\"b\" c\n", 2, 5), ("a,\"b", 1, 4), ("\"a\"\"", 1, 4), ("x\n\"a\"b", 2, 5),
        ]
    )
    func faults(text: String, line: Int, offset: Int) {
        for chunk in [1, 3, 100] {
            let fault = #expect(throws: CSVFault.self) { try rows(Array(text.utf8), chunk: chunk) }
            #expect(fault?.line == line)
            #expect(fault?.offset == offset)
        }
    }

    @Test("a quote that never ends does not take the memory")
    func endless() throws {
        var reader = CSVReader(rowBytesMax: 1_000)
        reader.feed(Array("\"".utf8))
        #expect(try reader.next() == nil)
        #expect(throws: CSVFault.self) {
            for _ in 0..<20 {
                reader.feed(Array(repeating: UInt8(ascii: "x"), count: 100))
                _ = try reader.next()
            }
        }
    }

    @Test("what is written is read back", arguments: UInt64(1)...20)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let pieces = ["a", "\"", ",", ";", "\n", "\r", "\r\n", " ", "é", "\t"]
        let delimiter = seed % 2 == 0 ? UInt8(ascii: ",") : UInt8(ascii: ";")
        let rows = (0..<Int.random(in: 1...20, using: &generator)).map { _ in
            (0..<Int.random(in: 1...5, using: &generator)).map { _ in
                (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                    pieces[Int.random(in: 0..<pieces.count, using: &generator)]
                }.joined()
            }
        }
        var writer = CSVWriter(delimiter: delimiter)
        for row in rows { writer.row(row) }
        let chunk = Int.random(in: 1...50, using: &generator)
        let read = try self.rows(writer.bytes, delimiter: delimiter, chunk: chunk)
        #expect(read.map(\.fields) == rows, "seed \(seed)")
    }
}
