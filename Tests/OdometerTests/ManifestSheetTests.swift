import Testing
import UsageModel

@testable import odometer

@Suite("What rows of files come to") struct ManifestSheetTests {
    private static func line(
        _ id: String,
        source: String = "a",
        time: String? = "2026-11-01T12:00:00Z",
        amount: String = "0.1"
    ) -> String {
        let told = time.map { #","time":"\#($0)""# } ?? ""
        return #"{"id":"\#(id)","source":"\#(source)","type":"t","subject":"s"\#(told),"#
            + #""data":{"amount":\#(amount)}}"#
    }

    private static func sheet(
        _ lines: [String],
        range: Range<Instant>? = nil
    ) throws -> ManifestSheet {
        var sheet = ManifestSheet(path: try EventPath("$.data.amount"), range: range)
        for line in lines { try sheet.add(Array(line.utf8)) }
        return sheet
    }

    @Test("each source claims its rows, from its first time past its last, and an exact sum")
    func claims() throws {
        let sheet = try Self.sheet([
            Self.line("1", time: "2026-11-01T13:00:00+01:00"), Self.line("2", amount: #""0.2""#),
            Self.line("3", time: "2026-11-01T12:30:00Z", amount: "{}"),
            Self.line("4", source: "b", amount: "1e-18"),
        ])
        let (claims, failures) = sheet.claims()
        #expect(failures.isEmpty)
        #expect(claims.map(\.source) == ["a", "b"])
        #expect(claims.map(\.rows) == [3, 1])
        #expect(claims.map { $0.sum?.value.description } == ["0.3", "0.000000000000000001"])
        #expect(claims[0].range.lowerBound.rfc3339 == "2026-11-01T12:00:00Z")
        #expect(claims[0].range.upperBound.rfc3339 == "2026-11-01T12:30:00.000001Z")
    }

    @Test("a row without a time that can be read leaves its source without times, unless told")
    func untimed() throws {
        let lines = [
            Self.line("1"), Self.line("2", time: nil), Self.line("3", source: "b"),
            Self.line("4", source: "c", time: "2026-11-01T12:00:00"),
            #"{"id":"5"}"#,
        ]
        let told = try Self.sheet(lines)
        #expect(told.claims().claims.map(\.source) == ["b"])
        #expect(told.claims().failures.map(\.source) == ["a", "c"])
        #expect(told.nameless == 1)
        let from = try #require(Instant(rfc3339: "2026-11-01T00:00:00Z"))
        let to = try #require(Instant(rfc3339: "2026-11-02T00:00:00Z"))
        let (claims, failures) = try Self.sheet(lines, range: from..<to).claims()
        #expect(failures.isEmpty)
        #expect(claims.map(\.rows) == [2, 1, 1])
        #expect(claims.map(\.range) == [from..<to, from..<to, from..<to])
    }
}
