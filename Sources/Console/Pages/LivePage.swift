import HTTPTypes
import HummingbirdCore
import UsageModel
import WireFormat

/// `/console/live`: what changes by itself, as server-sent events.
enum LivePage {
    static func show(_ visit: Visit) async throws -> Reply {
        guard let seat = LiveSeat(visit.streams) else {
            throw Problem(
                slug: "busy",
                title: "Too many pages are live",
                status: 503,
                detail: "At most \(Limits.liveStreamsMax) pages show live figures at one time."
            )
        }
        let (api, clock, query) = (visit.api, visit.surroundings.clock, visit.query)
        guard query.text("tail") != nil else {
            return .stream(
                LiveFeed(seat: seat, pause: .seconds(2), rest: visit.surroundings.rest) { _ in
                    let pulse = try await Pulse(api, now: clock())
                    return LiveFeed.Turn(
                        events: [.init(name: "overview", data: pulse.live)],
                        seen: ""
                    )
                }
            )
        }
        let tail = EventTail(query, api)
        return .stream(
            LiveFeed(
                seat: seat,
                start: tail.start(lastID: visit.request.headers[.lastEventID]),
                pause: .seconds(1),
                rest: visit.surroundings.rest
            ) { seen in
                try await tail.turn(after: seen)
            }
        )
    }
}

/// The events after a position, turn by turn, each once.
struct EventTail: Sendable {
    /// What is told in one turn at most; what is more waits for the next.
    private static let eventsMax = 200
    /// So many positions before the end goes on what fell too far behind.
    private static let resumedBefore: Int64 = 1_000

    private let api: API
    /// What the API is asked to fit.
    private let asked: [(name: String, value: String)]
    private let after: String?

    init(_ query: Fields, _ api: API) {
        self.api = api
        let known: Set = ["source", "subject", "type", "meterType", "status", "from", "to"]
        let filters = query.items.filter { item in
            let isFilter = known.contains(item.name) && !item.value.isEmpty
            return isFilter || item.name.hasPrefix("dimension.")
        }
        asked = filters.map { ($0.name, $0.value) }
        after = query.text("after")
    }

    /// Where the stream begins: after what the browser saw last, else after what its page shows,
    /// else at the end of the log (empty).
    func start(lastID: String?) -> String {
        [lastID, after].compactMap(\.self).first { (Int64($0) ?? -1) >= 0 } ?? ""
    }

    func turn(after seen: String) async throws -> LiveFeed.Turn {
        guard !seen.isEmpty else {
            let head = try await api.get("/v1/events", ["order": "desc", "limit": "1"])
            return LiveFeed.Turn(events: [], seen: head.text("position") ?? "0")
        }
        let found = try await api.find(
            address: Address.link(
                "/v1/events",
                [("after", seen), ("limit", String(Self.eventsMax))] + asked
            )
        )
        if let problem = found.problem { throw problem }
        let page = found.json
        var events = found.items.map { stored in
            LiveFeed.Turn.Event(
                name: "event",
                data: Self.told(stored),
                id: stored.text("position")
            )
        }
        var next = page.text("lookedUpTo") ?? seen
        if let end = page.text("position").flatMap({ Int64($0) }), let at = Int64(next),
            end - at > Limits.liveBehindMax
        {
            next = String(end - Self.resumedBefore)
            let passed = String(end - Self.resumedBefore - at)
            events.append(.init(name: "behind", data: ["positions": .string(passed)], id: next))
        }
        return LiveFeed.Turn(events: events, seen: next)
    }

    private static func told(_ stored: JSONValue) -> JSONValue {
        let (source, id) = (stored.text("event", "source") ?? "", stored.text("event", "id") ?? "")
        func text(_ text: String?) -> JSONValue { .string(text ?? "") }
        return [
            "source": .string(source), "id": .string(id),
            "type": text(stored.text("event", "type")),
            "subject": text(stored.text("event", "subject")),
            "time": text(stored.text("time")), "arrival": text(stored.text("receivedAt")),
            "position": text(stored.text("position")), "status": text(stored.text("status")),
            "href": .string(Address.path(Console.root + "/events", source, id)),
        ]
    }
}

extension HTTPField.Name {
    static let lastEventID = HTTPField.Name("Last-Event-ID")!
}
