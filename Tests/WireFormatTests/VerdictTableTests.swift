import Foundation
import Testing
import WireFormat

/// The page of verdicts says what the decoder does; every row is run.
@Suite("The table of verdicts") struct VerdictTableTests {
    /// What the decoder says of a body, spelled as in the table.
    private func verdict(_ body: [UInt8], _ framing: EventFraming) -> String {
        do throws(MalformedBody) {
            let batch = try decodeEvents(body, framing: framing)
            let verdicts =
                batch.events.map { ($0.index, "accepted") }
                + batch.rejected.map { ($0.index, $0.reason.rawValue) }
            let spelled = verdicts.sorted { $0.0 < $1.0 }.map(\.1).joined(separator: " ")
            return spelled.isEmpty ? "no events" : spelled
        } catch {
            return "malformed \(error.offset)"
        }
    }

    private static func around(_ input: [UInt8]) -> [UInt8] {
        Array("{\(VerdictTable.members),\"data\":".utf8) + input + Array("}".utf8)
    }

    @Test("as data", arguments: VerdictTable.rows(under: "As `data`"))
    func data(row: VerdictTable.Row) {
        let event = Self.around(row.input)

        let verdict = verdict(event, .plain)
        let expected = row.columns[1]
        #expect(String(verdict.prefix { $0 != " " }) == expected)
        if row.columns[0] == "n" { #expect(verdict != "accepted") }
        #expect(!row.input.isEmpty || expected == "malformed")
        // The same inside an array, with neighbours.
        let sound = Self.around(Array("1".utf8))
        let batch = Array("[".utf8) + sound + Array(",".utf8) + event + Array(",".utf8) + sound
        let inside = self.verdict(batch + Array("]".utf8), .plain)
        #expect(
            expected == "malformed"
                ? inside.hasPrefix("malformed ") : inside == "accepted \(expected) accepted"
        )
        // And as a line.
        guard !row.input.contains(0x0a) else { return }
        let line = expected == "malformed" ? "malformed-json" : expected
        let newline: [UInt8] = [0x0a]
        #expect(
            self.verdict(sound + newline + event + newline + sound, .ndjson)
                == "accepted \(line) accepted"
        )
        #expect(self.verdict(event, .ndjson) == line)
    }

    @Test("as a document", arguments: VerdictTable.rows(under: "As `data`"))
    func document(row: VerdictTable.Row) {
        let parsed = try? JSONValue.parse(row.input)
        switch (row.columns[0], row.columns[1]) {
        // A document is not inside an event, so it may have one level more; and no more than that.
        case ("y", "too-deep"): #expect(parsed != nil)
        // There a byte order mark is at the start.
        case (_, _) where row.what == "byte order mark inside": #expect(parsed != nil)
        default: #expect((parsed != nil) == (row.columns[1] == "accepted"))
        }
    }

    @Test("as a body", arguments: VerdictTable.rows(under: "As a body"))
    func body(row: VerdictTable.Row) {
        #expect(verdict(row.input, .plain) == row.columns[0])
    }

    @Test("as lines", arguments: VerdictTable.rows(under: "As lines"))
    func lines(row: VerdictTable.Row) {
        #expect(verdict(row.input, .ndjson) == row.columns[0])
    }

    @Test("as attributes", arguments: VerdictTable.rows(under: "As attributes"))
    func attributes(row: VerdictTable.Row) {
        let event = Array("{".utf8) + row.input + Array("}".utf8)
        let batch = Array("[".utf8) + event + Array("]".utf8)
        #expect(verdict(event, .plain) == row.columns[0])
        #expect(verdict(event, .ndjson) == row.columns[0])
        #expect(verdict(event, .cloudEvent) == row.columns[1])
        #expect(verdict(batch, .cloudEventBatch) == row.columns[1])
    }

    @Test("the table is as large as it says it must be, and every reason of the decoder is in it")
    func coverage() {
        let rows = ["As `data`", "As a body", "As lines", "As attributes"].flatMap {
            VerdictTable.rows(under: $0)
        }
        let verdicts = Set(rows.flatMap(\.columns).flatMap { $0.split(separator: " ") })
        // Too many members make a row too long to read; the others are not the decoder's.
        let elsewhere: [RejectionReason] = [.tooManyMembers, .conflict, .ruleFailed]
        let missing = RejectionReason.allCases.filter {
            !elsewhere.contains($0) && !verdicts.contains($0.rawValue[...])
        }

        #expect(rows.count >= 120)
        #expect(missing == [])
    }

    @Test("the framing must be what the content type promises")
    func framing() {
        let event = Array("{\"specversion\":\"1.0\",\(VerdictTable.members)}".utf8)
        let batch = Array("[".utf8) + event + Array("]".utf8)
        #expect(verdict(batch, .cloudEvent) == "malformed 0")
        #expect(verdict(event, .cloudEventBatch) == "malformed 0")
        #expect(verdict(event, .cloudEvent) == "accepted")
        #expect(verdict(batch, .cloudEventBatch) == "accepted")
    }
}
