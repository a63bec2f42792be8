import HTTPTypes
import MeteringEngine
import Testing
import UsageModel
import WireFormat

@testable import HTTPAPI

@Suite("Operation") struct OperationTests {
    @Test("the process is alive even where the ledger is not ready")
    func health() async throws {
        let edge = Edge()
        let ready = try await edge.get("/readyz")
        edge.ledger.told { $0.failure = LedgerError(.busy, "rebuilding") }

        let rebuilding = try await edge.get("/readyz")
        let alive = try await edge.get("/healthz")
        edge.ledger.told { $0.failure = LedgerError(.corrupt, "block 7") }
        let corrupt = try await edge.get("/readyz")

        #expect(ready.status == 200)
        #expect(rebuilding.status == 503)
        #expect(rebuilding.problem == "busy")
        #expect(alive.status == 200)
        #expect(corrupt.status == 503)
    }

    @Test("metrics count events, commits and requests")
    func metrics() async throws {
        let edge = Edge()
        edge.ledger.told { script in
            var status = LedgerStatus()
            status.position = Position(42)
            status.counters.accepted = 40
            status.counters.duplicate = 2
            status.counters.committed(events: 12, microseconds: 1_500)
            status.counters.committed(events: 30, microseconds: 2_000_000)
            script.status = status
        }
        _ = try await edge.get("/nowhere")

        // Each request is counted when it is answered, so not yet in its own answer.
        let lines = try await edge.get("/metrics").text.split(separator: "\n")

        for line in [
            "odometer_events_total{verdict=\"accepted\"} 40",
            "odometer_events_total{verdict=\"duplicate\"} 2", "odometer_commits_total 2",
            "odometer_commit_seconds_bucket{le=\"0.001000\"} 0",
            "odometer_commit_seconds_bucket{le=\"0.002500\"} 1",
            "odometer_commit_seconds_bucket{le=\"1.000000\"} 1",
            "odometer_commit_seconds_bucket{le=\"+Inf\"} 2",
            "odometer_commit_seconds_sum 2.001500", "odometer_commit_seconds_count 2",
            "odometer_group_events_bucket{le=\"10\"} 0",
            "odometer_group_events_bucket{le=\"100\"} 2", "odometer_group_events_sum 42",
            "odometer_position 42", "odometer_ledger_up 1",
        ] {
            #expect(lines.contains { $0 == line }, "\(line)")
        }
        #expect(
            lines.filter { $0.hasPrefix("# TYPE ") }.count
                == Set(
                    lines.filter {
                        $0.hasPrefix("# TYPE ")
                    }
                ).count
        )
    }

    @Test("metrics are there when the ledger is not")
    func metricsWithoutLedger() async throws {
        let edge = Edge()
        edge.ledger.told { $0.failure = LedgerError(.unavailable, "closing") }

        let reply = try await edge.get("/metrics")

        #expect(reply.status == 200)
        #expect(reply.text.contains("odometer_ledger_up 0\n"))
    }

    @Test("the state of the ledger is told as JSON")
    func status() async throws {
        let edge = Edge()
        edge.ledger.told { script in
            var status = LedgerStatus()
            status.position = Position(42)
            status.freeBytes = 1 << 40
            status.counters.commits = 3
            script.status = status
        }

        let reply = try await edge.get("/v1/status")

        #expect(reply.json["position"] == "42")
        #expect(reply.json["disk"]?["freeBytes"] == "1099511627776")
        #expect(reply.json["sinceStart"]?["commits"] == "3")
    }

    @Test("the books are told whole, and by line")
    func books() async throws {
        let edge = Edge()
        edge.ledger.told { script in
            var line = BooksLine(source: "gateway", hour: Edge.now)
            (line.received, line.counted, line.unmatched, line.duplicate) = (10, 4, 3, 2)
            line.quarantined = 1
            script.books = BooksAnswer(position: Position(7), total: line, lines: [line])
            script.books?.total.received = 11
        }

        let reply = try await edge.get(
            "/v1/reconciliation?groupBy=source,hour&from=2026-11-01T00:00:00Z&source=gateway"
        )

        let asked = try #require(edge.ledger.asked.askedBooks)
        #expect(asked.groupBy == [.source, .hour])
        #expect(asked.source == "gateway")
        #expect(asked.range.lowerBound == Edge.now)
        #expect(reply.json["position"] == "7")
        #expect(reply.json["total"]?["balances"] == false)
        #expect(
            reply.json["lines"]?.arrayValue?.first
                == [
                    "source": "gateway", "hour": "2026-11-01T00:00:00Z", "received": "10",
                    "counted": "4", "unmatched": "3", "duplicate": "2", "conflict": "0",
                    "quarantined": "1", "unreadable": "0", "voided": "0", "balances": true,
                ]
        )
        let unknown = try await edge.get("/v1/reconciliation?groupBy=subject")
        #expect(unknown.pointers == ["groupBy"])
        let empty = try await edge.get("/v1/reconciliation?groupBy=")
        #expect(empty.pointers == ["groupBy"])
    }

    @Test("quarantine shows original bytes, as text where they are text")
    func quarantine() async throws {
        let edge = Edge()
        edge.ledger.told { script in
            script.quarantine = QuarantineAnswer(
                events: [Array("{\"id\":\"é".utf8), [0x7b, 0xff, 0x00]].enumerated().map {
                    QuarantinedEvent(
                        number: Int64(9 - $0.offset),
                        reason: "invalid-utf8",
                        pointer: "/id",
                        detail: "a string is not valid UTF-8",
                        source: $0.offset == 0 ? "gateway" : "",
                        eventID: "",
                        type: "",
                        firstSeenAt: Edge.now,
                        lastSeenAt: Edge.now,
                        seen: 2,
                        original: $0.element
                    )
                },
                hasMore: true
            )
        }

        let reply = try await edge.get("/v1/quarantine?reason=invalid-utf8&source=gateway")

        #expect(edge.ledger.asked.askedQuarantine?.filter.reason == "invalid-utf8")
        #expect(edge.ledger.asked.askedQuarantine?.filter.source == "gateway")
        #expect(reply.items.map { $0["id"] } == ["q-9", "q-8"])
        #expect(reply.items.map { $0["original"] } == ["{\"id\":\"é", nil])
        #expect(reply.items.map { $0["originalBase64"] } == [nil, "e/8A"])
        #expect(reply.items.map { $0["source"] } == ["gateway", nil])
        #expect(reply.items.first?["seen"] == "2")
        let next = try #require(reply.json["next"]?.stringValue)
        let rest = "reason=invalid-utf8&source=gateway&cursor=\(next)"
        _ = try await edge.get("/v1/quarantine?" + rest)
        #expect(edge.ledger.asked.askedQuarantine?.before == 8)
    }

    @Test(
        "every address answers with its methods",
        arguments: [
            (HTTPRequest.Method.put, "/v1/events", 405), (.delete, "/v1/events/s/i", 405),
            (.post, "/v1/meter-types/x", 405), (.post, "/v1/usage", 405),
            (.post, "/healthz", 405), (.get, "/", 404), (.get, "/v1", 404),
            (.get, "/v1/nothing", 404), (.get, "/v2/events", 404), (.post, "/nothing", 404),
            (.get, "/v1/events/", 404), (.get, "", 404), (.get, "/problems/nothing", 404),
            (.get, "/problems/busy", 200), (.get, "/healthz?x", 200),
        ]
    )
    func addresses(method: HTTPRequest.Method, path: String, status: Int) async throws {
        let reply = try await Edge().ask(method, path)

        #expect(reply.status == status)
        if status == 405 {
            #expect(reply.problem == "method-not-allowed")
            #expect(reply.headers[.allow]?.isEmpty == false)
        }
        if status == 404 { #expect(reply.problem == "not-found") }
    }

    @Test("every problem has a page, and its words")
    func problemPages() async throws {
        let edge = Edge()
        for type in ProblemType.allCases {
            let reply = try await edge.get("/problems/\(type.rawValue)")
            #expect(reply.status == 200)
            #expect(reply.text.contains(type.title))
            #expect(reply.text.contains(type.remedy))
        }
    }

    @Test("HEAD is GET without the body")
    func head() async throws {
        let edge = Edge()

        let get = try await edge.get("/v1/meter-types")
        let head = try await edge.ask(.head, "/v1/meter-types")

        #expect(head.status == 200)
        #expect(head.body.isEmpty)
        #expect(head.headers[.contentLength] == String(get.body.count))
        #expect(head.headers[.contentType] == "application/json")
    }
}
