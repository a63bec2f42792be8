import HTTPTypes
import MeteringEngine
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

@Suite("Stored events") struct StoredEventTests {
    @Test("one event is found by source and id, slashes and all, as it was received")
    func one() async throws {
        let edge = Edge()
        try await edge.send("a/b %c", source: "//gateway/eu?x")

        let reply = try await edge.get("/v1/events/%2F%2Fgateway%2Feu%3Fx/a%2Fb%20%25c")

        #expect(reply.status == 200)
        #expect(
            reply.text.hasPrefix(
                "{\"event\":\(Edge.event("a/b %c", source: "//gateway/eu?x")),\"position\":\"1\","
                    + "\"receivedAt\":\"2026-11-01T00:00:00Z\",\"time\":\"2026-11-01T12:00:00Z\","
                    + "\"status\":\"unmatched\",\"explanation\":["
            )
        )
    }

    @Test(
        "what is not there is not found",
        arguments: [
            "/v1/events/gateway/b", "/v1/events/gateway/", "/v1/events/gateway",
            "/v1/events/gate%ZZway/a", "/v1/events/gateway/%FF", "/v1/events/gateway/a/b",
        ]
    )
    func missing(path: String) async throws {
        let edge = Edge()
        try await edge.send("a")

        let reply = try await edge.get(path)

        #expect(reply.status == 404)
        #expect(reply.problem == "not-found")
    }

    @Test("an explanation says what was counted, and why not")
    func explanation() async throws {
        let edge = Edge()
        let tokens = try #require(MeterTypeKey("tokens"))
        let value = try Quantity("812")
        edge.ledger.told { script in
            script.events = EventAnswer(
                position: Position(9),
                events: [
                    StoredEvent(
                        json: Array(Edge.event("a").utf8),
                        position: Position(7),
                        receivedAt: Edge.now,
                        time: Edge.now,
                        source: "s",
                        id: "a",
                        type: "t",
                        subject: "acme",
                        explanation: [
                            .init(
                                meterType: tokens,
                                version: 1,
                                isCounted: true,
                                value: value,
                                dimensions: [.init(name: "model", value: "large")]
                            ),
                            .init(
                                meterType: tokens,
                                version: 1,
                                isCounted: false,
                                because: "value-missing"
                            ),
                        ]
                    )
                ],
                hasMore: true
            )
        }

        let reply = try await edge.get("/v1/events?limit=1")

        #expect(reply.items.first?["event"] == .of(Edge.event("a")))
        #expect(reply.items.first?["status"] == "counted")
        #expect(
            reply.items.first?["explanation"]
                == [
                    [
                        "meterType": "tokens", "version": 1, "matched": true,
                        "meter": "tokens~acme", "value": "812",
                        "dimensions": ["model": "large"],
                    ],
                    [
                        "meterType": "tokens", "version": 1, "matched": false,
                        "because": "value-missing",
                    ],
                ]
        )
        let next = try #require(reply.json["next"]?.stringValue)
        _ = try await edge.get("/v1/events?limit=1&cursor=\(next)")
        #expect(edge.ledger.asked.askedEvents?.after == Position(7))
    }

    @Test("an explanation names the meter, and the period that the event's time lies in")
    func explanationPeriod() async throws {
        let edge = Edge()
        let keys = try ["monthly", "never", "daily"].map { try #require(MeterTypeKey($0)) }
        for key in keys.prefix(2) {
            let body = """
                {"key":"\(key)","eventTypes":["*"],"aggregation":"count",\
                "timezone":"Europe/Berlin","resetSchedule":"\(key)"}
                """
            #expect(try await edge.post("/v1/meter-types", body).status == 201)
        }
        edge.ledger.told { script in
            let event = StoredEvent(
                json: Array(Edge.event("a").utf8),
                position: Position(7),
                receivedAt: Edge.now,
                time: Edge.now,
                source: "s",
                id: "a",
                type: "t",
                subject: "floor 3",
                explanation: keys.map { .init(meterType: $0, version: 1, isCounted: true) }
            )
            script.events = EventAnswer(position: Position(9), events: [event], hasMore: false)
        }

        let lines = try await edge.get("/v1/events").items.first?["explanation"]?.arrayValue ?? []

        let ids: [JSONValue?] = ["monthly~floor~203", "never~floor~203", "daily~floor~203"]
        #expect(lines.map { $0["meter"] } == ids)
        let month: JSONValue = [
            "start": "2026-10-31T23:00:00Z", "end": "2026-11-30T23:00:00Z",
            "timezone": "Europe/Berlin",
        ]
        #expect(lines.map { $0["period"] } == [month, ["timezone": "Europe/Berlin"], nil])
    }

    @Test("the filters are understood, those behind a reading too")
    func filters() async throws {
        let edge = Edge()
        edge.ledger.told {
            $0.end = Position(12)
            $0.events = EventAnswer(position: Position(12), events: [], hasMore: false)
        }

        let reply = try await edge.get(
            "/v1/events?subject=acme&source=gateway%2Feu&type=llm.*&order=desc&meterType=tokens"
                + "&dimension.model=large&dimension.region=&dimension.zone"
                + "&from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z&asOf=12&limit=3"
        )

        #expect(reply.status == 200)
        let asked = try #require(edge.ledger.asked.askedEvents)
        #expect(asked.subjects == ["acme"])
        #expect(asked.source == "gateway/eu")
        #expect(asked.type?.text == "llm.*")
        #expect(asked.isDescending)
        #expect(asked.meterType?.text == "tokens")
        #expect(asked.dimensions.map(\.name) == ["model", "region", "zone"])
        #expect(asked.dimensions.map(\.value) == ["large", "", nil])
        #expect(asked.asOf == Position(12))
        #expect(asked.limit == 3)
        #expect(asked.range.lowerBound.rfc3339 == "2026-11-01T00:00:00Z")
        #expect(asked.range.upperBound.rfc3339 == "2026-12-01T00:00:00Z")
    }

    @Test(
        "what follows a position is looked for in a bounded piece, whose end is told",
        arguments: [
            (after: "0", start: 0, end: 10_000), (after: "24999", start: 24_999, end: 25_000),
            (after: "25000", start: 25_000, end: 25_000),
            (after: "90000", start: 25_000, end: 25_000),
        ] as [(after: String, start: UInt64, end: UInt64)]
    )
    func following(after: String, start: UInt64, end: UInt64) async throws {
        let edge = Edge()
        edge.ledger.told {
            $0.end = Position(25_000)
            $0.events = EventAnswer(position: Position(25_000), events: [], hasMore: false)
        }

        let reply = try await edge.get("/v1/events?after=\(after)")

        #expect(reply.status == 200)
        let asked = try #require(edge.ledger.asked.askedEvents)
        #expect(asked.after == Position(start))
        #expect(asked.through == Position(end))
        #expect(reply.json["lookedUpTo"]?.stringValue == String(end))
        #expect(reply.json["next"] == nil)
    }

    @Test(
        "faults are told by parameter",
        arguments: [
            ("order=up", "order"), ("type=*a", "type"), ("meterType=T", "meterType"),
            ("dimension.model=large", "meterType"), ("limit=none", "limit"),
            ("after=-1", "after"), ("after=x", "after"), ("after=1&order=desc", "order"),
        ]
    )
    func faults(query: String, name: String) async throws {
        let reply = try await Edge().get("/v1/events?" + query)

        #expect(reply.status == 422)
        #expect(reply.pointers == [name])
    }

    @Test("what could not be read is listed by meter type")
    func unreadable() async throws {
        let edge = Edge()
        let tokens = try #require(MeterTypeKey("tokens"))
        edge.ledger.told { script in
            script.unreadable = UnreadableAnswer(
                events: [
                    UnreadableEvent(
                        meterType: tokens,
                        reason: .valueNotNumber,
                        source: "gateway",
                        id: "a",
                        orderKey: .init(position: Position(5), meter: 3)
                    )
                ],
                hasMore: true
            )
        }

        let reply = try await edge.get("/v1/unreadable?meterType=tokens&limit=1")

        #expect(
            reply.items == [
                [
                    "meterType": "tokens", "reason": "value-not-number", "source": "gateway",
                    "id": "a", "position": "5",
                ]
            ]
        )
        let next = try #require(reply.json["next"]?.stringValue)
        _ = try await edge.get("/v1/unreadable?meterType=tokens&cursor=\(next)")
        #expect(edge.ledger.asked.askedUnreadable?.meterType == tokens)
        #expect(
            edge.ledger.asked.askedUnreadable?.after == .init(position: Position(5), meter: 3)
        )
    }

    @Test(
        "a cursor whose position was tampered with is refused",
        arguments: [0, UInt64.max, 1 << 63]
    )
    func tampered(position: UInt64) async throws {
        let edge = Edge()
        try await edge.send("a", "b")
        let next = try await edge.get("/v1/events?limit=1").json["next"]?.stringValue
        var bytes = try #require(next.flatMap { Base64.decodeURL($0) })
        let forged = (0..<8).map { UInt8(truncatingIfNeeded: position >> UInt64(56 - 8 * $0)) }
        bytes.replaceSubrange(9..<17, with: forged)

        let cursor = Base64.encode(bytes, .url)
        let reply = try await edge.get("/v1/events?limit=1&cursor=\(cursor)")

        #expect((reply.status, reply.problem) == (400, "invalid-cursor"))
    }
}
