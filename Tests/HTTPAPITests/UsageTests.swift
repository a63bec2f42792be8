import HTTPTypes
import MeteringEngine
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

@Suite("Readings") struct UsageTests {
    private static func instant(_ text: String) throws -> Instant {
        try #require(Instant(rfc3339: text))
    }

    private static func answer(_ edge: Edge, hasMore: Bool = false) throws {
        let key = try #require(MeterTypeKey("tokens"))
        let from = try instant("2026-10-31T23:00:00Z")
        let to = try instant("2026-11-01T23:00:00Z")
        let value = try Quantity("1204.5")
        edge.ledger.told { script in
            script.usage = UsageAnswer(
                position: Position(184_467),
                readings: [
                    UsageReading(
                        meterType: key,
                        subject: "acme, \"inc\"",
                        range: from..<to,
                        dimensions: [.init(name: "model", value: "large")],
                        value: value,
                        events: 88
                    ),
                    UsageReading(
                        meterType: key,
                        subject: "",
                        range: from..<to,
                        dimensions: [.init(name: "model", value: nil)],
                        value: nil,
                        events: 0
                    ),
                ],
                hasMore: hasMore
            )
        }
    }

    private static let question =
        "/v1/usage?meterType=tokens&groupBy=subject,model"
        + "&from=2026-10-31T23:00:00Z&to=2026-11-01T23:00:00Z"

    @Test("a reading is spelled as the API promises; no number is a binary float")
    func json() async throws {
        let edge = Edge()
        try Self.answer(edge)

        let reply = try await edge.get(Self.question)

        #expect(
            reply.text == """
                {"position":"184467","readings":[\
                {"meterType":"tokens","subject":"acme, \\"inc\\"","from":"2026-10-31T23:00:00Z",\
                "to":"2026-11-01T23:00:00Z","dimensions":{"model":"large"},"value":"1204.5",\
                "events":"88"},\
                {"meterType":"tokens","subject":"","from":"2026-10-31T23:00:00Z",\
                "to":"2026-11-01T23:00:00Z","dimensions":{"model":null},"value":null,\
                "events":"0"}]}
                """
        )
    }

    @Test("the same rows as CSV, with position and next page in headers")
    func csv() async throws {
        let edge = Edge()
        try Self.answer(edge, hasMore: true)

        let reply = try await edge.get(Self.question, [.accept: "text/csv, */*;q=0.1"])

        #expect(reply.headers[.contentType] == "text/csv; charset=utf-8")
        #expect(reply.headers[.odometerPosition] == "184467")
        let link = try #require(reply.headers[.link])
        #expect(link.hasPrefix("<\(Self.question)&cursor="))
        #expect(link.hasSuffix(">; rel=\"next\""))
        #expect(
            reply.text == """
                meterType,subject,from,to,model,value,events\r
                tokens,"acme, ""inc""\",2026-10-31T23:00:00Z,2026-11-01T23:00:00Z,large,1204.5,88\r
                tokens,"",2026-10-31T23:00:00Z,2026-11-01T23:00:00Z,,,0\r\n
                """
        )
    }

    @Test("a question is understood to the last parameter")
    func question() async throws {
        let edge = Edge()
        try Self.answer(edge)
        edge.ledger.told { $0.end = Position(17) }

        _ = try await edge.get(
            "/v1/usage?meterType=tokens,calls&meterType=tokens&subject=a%2Cb&subject=c+d"
                + "&from=2026-11-01T00:00:00+01:00&to=2026-12-01T00:00:00Z&window=15m"
                + "&timezone=Europe/Berlin&groupBy=model&groupBy=subject&asOf=17&fill=zero&limit=7"
        )

        let asked = try #require(edge.ledger.asked.askedUsage)
        #expect(asked.meterTypes.map(\.text) == ["tokens", "calls"])
        #expect(asked.subjects == ["a,b", "c d"])
        #expect(asked.range.lowerBound == (try Self.instant("2026-10-31T23:00:00Z")))
        #expect(asked.range.upperBound == (try Self.instant("2026-12-01T00:00:00Z")))
        #expect(asked.window.map { "\($0)" } == "15m")
        #expect(asked.zone == (try SystemTimeZones().rules(named: "Europe/Berlin")))
        #expect(asked.groupBy == [.dimension("model"), .subject])
        #expect(asked.asOf == Position(17))
        #expect(asked.fillsZero)
        #expect(asked.limit == 7)
        #expect(asked.after == nil)
    }

    @Test("without from and to the range is all time")
    func allTime() async throws {
        let edge = Edge()
        try Self.answer(edge)

        _ = try await edge.get("/v1/usage?meterType=tokens")

        let asked = try #require(edge.ledger.asked.askedUsage)
        #expect(asked.range.contains(.earliest))
        #expect(asked.range.contains(.latest))
        #expect(asked.window == nil)
        #expect(!asked.fillsZero)
        #expect(asked.limit == 100)
    }

    @Test(
        "faults are told by parameter",
        arguments: [
            ("", ["meterType"]), ("meterType=A", ["meterType", "meterType"]),
            ("meterType=t&from=2026-11-01", ["from"]), ("meterType=t&to=2026-11-01T00:00", ["to"]),
            ("meterType=t&from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", ["to"]),
            ("meterType=t&window=day", ["window"]),
            ("meterType=t&window=day&from=2026-11-01T00:00:00Z", ["window"]),
            (
                "meterType=t&window=7m&from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z",
                ["window"]
            ),
            ("meterType=t&timezone=Europe/Atlantis", ["timezone"]),
            ("meterType=t&customer=a%20b", ["customer"]), ("meterType=t&groupBy=", ["groupBy"]),
            ("meterType=t,", ["meterType"]), ("meterType=", ["meterType", "meterType"]),
            ("meterType=t&groupBy=a,a", ["groupBy"]), ("meterType=t&asOf=-1", ["asOf"]),
            ("meterType=t&asOf=1.5", ["asOf"]), ("meterType=t&fill=null", ["fill"]),
            ("meterType=t&limit=0", ["limit"]), ("meterType=t&limit=1001", ["limit"]),
            ("meterType=t&limit=5&limit=6", ["limit"]), ("meterType=t&subject=", ["subject"]),
            ("limit=x&asOf=y", ["meterType", "asOf", "limit"]),
        ]
    )
    func faults(query: String, names: [String]) async throws {
        let reply = try await Edge().get("/v1/usage?" + query)

        #expect(reply.status == 422)
        #expect(reply.problem == "invalid-field")
        #expect(reply.pointers.sorted() == names.sorted())
        #expect(reply.errors.allSatisfy { $0["remedy"]?.stringValue?.isEmpty == false })
    }

    @Test("a parameter that nobody knows is refused by name")
    func unknownParameter() async throws {
        let reply = try await Edge().get("/v1/usage?meterType=t&metertype=t&subjects=a")

        #expect(reply.status == 400)
        #expect(reply.problem == "unknown-parameter")
        #expect(reply.pointers == ["metertype", "subjects"])
    }

    @Test("a cursor leads behind the last row, and only in the query it came from")
    func cursor() async throws {
        let edge = Edge()
        try Self.answer(edge, hasMore: true)
        let first = try await edge.get(Self.question)
        let next = try #require(first.json["next"]?.stringValue)

        let second = try await edge.get(Self.question + "&limit=5&cursor=\(next)")
        let after = try #require(edge.ledger.asked.askedUsage?.after)
        let other = try await edge.get(
            Self.question.replacing("tokens", with: "calls") + "&cursor=\(next)"
        )
        let damaged = try await edge.get(Self.question + "&cursor=\(next.dropLast())")

        #expect(second.status == 200)
        #expect(after.start == (try Self.instant("2026-10-31T23:00:00Z")))
        #expect(after.meterType.text == "tokens")
        #expect(after.groups == [nil, "", nil])
        #expect(other.problem == "invalid-cursor")
        #expect(damaged.problem == "invalid-cursor")
        #expect(damaged.status == 400)
    }

    @Test(
        "what the ledger cannot answer has a problem of its own",
        arguments: [
            (LedgerCode.notFound, 404, "not-found"), (.backfillRunning, 409, "backfill-running"),
            (.valueOverflow, 422, "value-overflow"),
            (.positionUnknown, 422, "position-unknown"), (.limitExceeded, 422, "limit-exceeded"),
            (.invalidDates, 422, "invalid-field"),
            (.busy, 503, "busy"),
        ]
    )
    func ledgerRefuses(code: LedgerCode, status: Int, problem: String) async throws {
        let edge = Edge()
        edge.ledger.told { $0.failure = LedgerError(code, "meter type t") }

        let reply = try await edge.get("/v1/usage?meterType=t")

        #expect(reply.status == status)
        #expect(reply.problem == problem)
        #expect(reply.json["instance"] == "/v1/usage")
    }

    @Test("?pretty indents answers and problems")
    func pretty() async throws {
        let edge = Edge()
        try Self.answer(edge)

        let answer = try await edge.get(Self.question + "&pretty")
        let problem = try await edge.get("/v1/usage?pretty")

        #expect(answer.text.hasPrefix("{\n  \"position\": \"184467\",\n"))
        #expect(problem.text.hasPrefix("{\n  \"type\": \"/problems/invalid-field\",\n"))
    }
}
