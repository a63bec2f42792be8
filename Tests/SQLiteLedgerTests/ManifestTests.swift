import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel
import WireFormat

@Suite("Manifests of sources") struct ManifestTests {
    private static func line(
        _ id: String,
        source: String = "s",
        type: String = "llm.x",
        time: String = "2026-11-01T12:00:00Z",
        amount: String = "1"
    ) -> String {
        #"{"id":"\#(id)","source":"\#(source)","type":"\#(type)","subject":"c","#
            + #""time":"\#(time)","data":{"amount":\#(amount)}}"#
    }

    private static func claim(
        rows: Int64,
        sum: String? = nil,
        type: String? = nil,
        source: String = "s"
    ) throws -> SourceManifest.Claim {
        let from = try #require(Instant(rfc3339: "2026-11-01T00:00:00Z"))
        let to = try #require(Instant(rfc3339: "2026-11-02T00:00:00Z"))
        return SourceManifest.Claim(
            source: source,
            type: type.flatMap { EventTypePattern($0) },
            range: from..<to,
            rows: rows,
            sum: try sum.map {
                SourceManifest.Sum(path: try EventPath("$.data.amount"), value: try Quantity($0))
            }
        )
    }

    /// What one row of the table says: lines that are recorded one by one, a claim, what is found.
    struct Row: Sendable {
        var lines: [String]
        var rows: Int64
        var sum: String?
        var type: String?
        var status: ManifestStanding.Status
        var received: Int64
        var found: String?
        var quarantined: Int64 = 0
        var unreadable: Int64 = 0
    }

    static let table: [Row] = [
        Row(lines: [], rows: 0, status: .balanced, received: 0),
        Row(lines: [], rows: 0, sum: "0", status: .balanced, received: 0, found: "0"),
        Row(lines: [], rows: 2, sum: "3", status: .short, received: 0, found: "0"),
        Row(
            lines: [
                line("a", amount: "0.1"), line("b", amount: #""0.2""#),
                line("c", amount: "1e-18"),
            ],
            rows: 3,
            sum: "0.300000000000000001",
            status: .balanced,
            received: 3,
            found: "0.300000000000000001"
        ),
        // Sent twice is one row; other content under the key is in quarantine.
        Row(
            lines: [line("a"), line("a"), line("a", amount: "2")],
            rows: 1,
            sum: "1",
            status: .balanced,
            received: 1,
            found: "1",
            quarantined: 1
        ),
        Row(
            lines: [line("a"), line("b")],
            rows: 1,
            sum: "2",
            status: .over,
            received: 2,
            found: "2"
        ),
        Row(
            lines: [line("a"), line("b", amount: "{}")],
            rows: 2,
            sum: "2",
            status: .differs,
            received: 2,
            found: "1",
            unreadable: 1
        ),
        // Other sources, types and times are not its; the end of the time is not in it.
        Row(
            lines: [
                line("a", source: "t"), line("b", type: "tape"),
                line("c", time: "2026-11-02T00:00:00Z"),
                line("d", time: "2026-10-31T23:59:59.999999Z"),
                line("e", time: "2026-11-01T00:00:00Z"),
                line("f", time: "2026-11-02T00:59:59+01:00"),
            ],
            rows: 2,
            sum: "2",
            type: "llm.*",
            status: .balanced,
            received: 2,
            found: "2"
        ),
        // Open items: of the time, of a time that cannot be read, and of another one.
        Row(
            lines: [
                line("a").replacing("\"c\"", with: "\"\""),
                line("b", time: "2026-11-01T12:00:00"),
                line("c", time: "2026-12-01T12:00:00Z").replacing("\"c\"", with: "\"\""),
                line("d", source: "t", time: "noon"),
            ],
            rows: 2,
            status: .short,
            received: 0,
            quarantined: 2
        ),
    ]

    @Test("a claim is held against the log and the quarantine, exactly", arguments: table.indices)
    func compared(place: Int) async throws {
        let row = Self.table[place]
        let fixture = LedgerFixture()
        var ledger = try fixture.open()
        for line in row.lines { try await ledger.record(lines: [line]) }
        let claim = try Self.claim(rows: row.rows, sum: row.sum, type: row.type)
        let standing = try await ledger.standing(of: claim)
        #expect(standing.status == row.status)
        #expect(standing.received == row.received)
        #expect(standing.rowsDifference == row.received - row.rows)
        #expect(standing.sum?.description == row.found)
        #expect((standing.quarantined, standing.unreadable) == (row.quarantined, row.unreadable))
        #expect(standing.voided == 0)
        try ledger.close()
        ledger = try fixture.open()
        #expect(try await ledger.standing(of: claim) == standing)
        try ledger.close()
    }

    @Test("what is void leaves the sum and not the rows, and a replacement stands for its event")
    func corrected() async throws {
        let fixture = LedgerFixture()
        let ledger = try fixture.open()
        try await ledger.record(lines: [Self.line("a"), Self.line("b", amount: "10")])
        try await ledger.record(lines: [Self.line("c", amount: "100")])
        let claim = try Self.claim(rows: 3, sum: "111")
        #expect(try await ledger.standing(of: claim).status == .balanced)

        let void = CorrectionRequest(
            .void(.keys([EventKey(source: "s", id: "b")])),
            author: "kim",
            reason: "a test"
        )
        _ = try await ledger.correct(void)
        let bytes = Array(Self.line("c", amount: "200").utf8)
        let decoded = try decodeEvents(bytes, framing: .plain)
        let replace = CorrectionRequest(
            .replace(ledger.preparer.prepare(decoded, arrival: .earliest)),
            author: "kim",
            reason: "twice as much"
        )
        _ = try await ledger.correct(replace)
        let standing = try await ledger.standing(of: claim)
        #expect((standing.received, standing.voided) == (3, 2))
        #expect(standing.sum == (try Quantity("201")))
        #expect(try standing.sumDifference() == (try Quantity("90")))
        #expect(standing.status == .differs)
        // A correction is no event of a source.
        let own = try Self.claim(rows: 0, source: "odometer")
        #expect(try await ledger.standing(of: own).received == 0)
        try ledger.close()
    }

    private func register(
        _ request: ManifestRequest,
        by author: Author,
        _ ledger: SQLiteLedger
    ) async throws -> ManifestOutcome {
        try await Author.$current.withValue(author) { try await ledger.register(request) }
    }

    @Test("the same token is one manifest, another claim under it is refused, and all is audited")
    func tokens() async throws {
        let fixture = LedgerFixture()
        var ledger = try fixture.open()
        let claim = try Self.claim(rows: 3, sum: "1.50", type: "llm.*")
        let request = ManifestRequest(claim: claim, token: "day-1")
        let first = try await register(request, by: Author(name: "kim"), ledger)
        let second = try await ledger.register(request)
        #expect((first.isKnown, second.isKnown) == (false, true))
        #expect(second.manifest == first.manifest)
        let other = ManifestRequest(claim: try Self.claim(rows: 4), token: "day-1")
        do throws(LedgerError) {
            _ = try await ledger.register(other)
            Issue.record("another claim under the same token")
        } catch {
            #expect(error.code == .alreadyExists)
        }
        _ = try await ledger.register(ManifestRequest(claim: claim))
        try ledger.close()
        ledger = try fixture.open()

        let page = try await ledger.manifests(ManifestQuery(source: "s", limit: 1))
        #expect((page.manifests.map(\.id), page.hasMore) == (["m-2"], true))
        let rest = try await ledger.manifests(ManifestQuery(limit: 9, before: 2))
        #expect((rest.manifests, rest.hasMore) == ([first.manifest], false))
        #expect(try await ledger.manifests(ManifestQuery(source: "t", limit: 9)).manifests == [])
        #expect(try await ledger.manifest(1) == first.manifest)
        #expect(try await ledger.manifest(3) == nil)
        var query = AuditQuery(limit: 9)
        query.kinds = [.manifest]
        query.isOldestFirst = true
        let entries = try await ledger.audit(query).entries
        #expect(entries.map(\.key) == ["m-1", "m-2"])
        #expect(entries.map(\.actor) == ["kim", ""])
        try ledger.close()
        #expect(try fixture.verified().findings.isEmpty)
    }
}
