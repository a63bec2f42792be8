import UsageModel
import WireFormat

/// `/console`: whether all is well, at a look.
enum OverviewPage {
    static func show(_ visit: Visit) async throws -> Reply {
        let api = visit.api
        let pulse = try await Pulse(api, now: visit.now)
        guard pulse.position != "0" || pulse.quarantined != "0" else { return empty(visit) }
        let books = try await api.get("/v1/reconciliation", ["groupBy": "source"])
        let types = try await MeterTypesPage.standing(api)
        let lines = (books["lines"]?.arrayValue ?? []).sorted { one, other in
            (one.text("received").flatMap(Int.init) ?? 0)
                > (other.text("received").flatMap(Int.init) ?? 0)
        }
        return .page(
            "overview",
            title: "Overview",
            [
                "pulse": pulse.values,
                "books": BookLine(books["total"] ?? .null).values,
                "sources": lines.prefix(8).map { BookLine($0).values },
                "moreSources": lines.count > 8 ? lines.count - 8 : nil,
                "hasSources": lines.count > 1,
                "deliveries": try await deliveries(api),
                "typesHref": types.isEmpty ? Console.root + "/meter-types/new" : nil,
                "closing": try await ClosingPeriods(visit).values(of: types),
                "capacity": try await CapacityWatch(visit).values(of: types),
            ]
        )
    }

    /// A line of the books as a page shows it.
    private struct BookLine {
        private let line: JSONValue

        init(_ line: JSONValue) { self.line = line }

        var values: Values {
            [
                "source": line.text("source").flatMap { $0.isEmpty ? nil : $0 },
                "href": line.text("source").flatMap {
                    $0.isEmpty ? nil : Address.link(Console.root + "/events", ["source": $0])
                },
                "received": line.count("received"), "counted": line.count("counted"),
                "unmatched": line.count("unmatched"), "duplicate": line.count("duplicate"),
                "conflict": line.count("conflict"), "quarantined": line.count("quarantined"),
                "balances": line["balances"]?.boolValue ?? false,
            ]
        }
    }

    /// A store without an event: how to send the first one.
    private static func empty(_ visit: Visit) -> Reply {
        let event: JSONValue = [
            "source": "gateway-eu", "id": "req-1", "type": "llm.request", "subject": "acme",
            "data": ["model": "large", "tokens": ["input": 812, "output": 104]],
        ]
        let type: JSONValue = [
            "key": "tokens-in", "name": "Input tokens", "eventTypes": ["llm.request"],
            "aggregation": "sum", "value": "$.data.tokens.input",
            "dimensions": ["model": "$.data.model"], "unit": "token", "resetSchedule": "monthly",
        ]
        return .page(
            "overview-empty",
            title: "Overview",
            [
                "event": Curl(visit).send("POST", "/v1/events", event),
                "type": Curl(visit).send("POST", "/v1/meter-types", type),
            ],
            refreshSeconds: 10
        )
    }

    private static func deliveries(_ api: API) async throws -> [Values] {
        let found = try await api.find("/v1/destinations")
        var shown: [Values] = []
        for destination in found.items where destination["retiredAt"] == nil {
            guard shown.count < 20, let key = destination.text("key") else { break }
            let whole = try await api.get(Address.path("/v1/destinations", key))
            let failed = whole.text("standing", "failed") ?? "0"
            let pending = whole.text("standing", "pending") ?? "0"
            let name = destination.text("name") ?? ""
            let isPaused = destination["paused"]?.boolValue == true
            shown.append([
                "key": key, "name": name.isEmpty ? key : name,
                "href": Address.path(Console.root + "/destinations", key),
                "isFailing": failed != "0", "isPaused": isPaused,
                "isFine": failed == "0" && !isPaused,
                "failed": failed == "0" ? nil : Shown.grouped(failed),
                "pending": pending == "0" ? nil : Shown.grouped(pending),
            ])
        }
        return shown
    }

    // MARK: Who sits there

    static func showYou(_ visit: Visit) async throws -> Reply {
        .page("you", title: "Who are you?")
    }

    static func keepYou(_ visit: Visit) async throws -> Reply {
        let author = visit.author
        guard !author.isEmpty, author.utf8.count <= Limits.authorBytesMax else {
            throw Problem.field(
                "author",
                "it is empty, or longer than \(Limits.authorBytesMax) bytes",
                remedy: "say your name"
            )
        }
        return .redirect(Console.root, saying: "You are \(author) in this browser from now on.")
    }
}

/// How the log moves: what the overview shows and `/console/live` tells every other second.
struct Pulse {
    let position: String
    let eventsPerMinute: String
    let quarantined: String
    let lastEvent: JSONValue?

    /// Asks four cheap questions.
    init(_ api: API, now: Instant) async throws {
        let minuteAgo = Instant(microseconds: now.microseconds - 60_000_000).rfc3339
        let newest = try await api.get("/v1/events", ["order": "desc", "limit": "1"])
        position = newest.text("position") ?? "0"
        lastEvent = newest["items"]?.arrayValue?.first
        let before = try await api.get(
            "/v1/events",
            ["order": "desc", "limit": "1", "asOf": minuteAgo]
        )
        let count = (Int64(position) ?? 0) - (before.text("position").flatMap(Int64.init) ?? 0)
        eventsPerMinute = String(max(count, 0))
        let books = try await api.get("/v1/reconciliation")
        quarantined = books.text("quarantine", "total", "open") ?? "0"
    }

    /// When the last event came.
    var lastEventAt: String? { lastEvent?.text("receivedAt") }

    var values: Values {
        let source = lastEvent?.text("event", "source")
        let id = lastEvent?.text("event", "id")
        return [
            "position": Shown.grouped(position),
            "eventsPerMinute": Shown.grouped(eventsPerMinute),
            "quarantined": Shown.grouped(quarantined),
            "isClean": quarantined == "0",
            "lastAt": Shown.time(lastEventAt),
            "lastId": id,
            "lastHref": source.flatMap { source in
                id.map { Address.path(Console.root + "/events", source, $0) }
            },
        ]
    }

    var live: JSONValue {
        var object: JSONObject = [
            "eventsPerMinute": .string(eventsPerMinute), "quarantineOpen": .string(quarantined),
            "position": .string(position),
        ]
        object["lastEventAt"] = lastEventAt.map { .string($0) }
        return .object(object)
    }
}
