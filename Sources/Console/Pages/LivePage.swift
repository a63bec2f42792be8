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
                    return LiveFeed.Turn(events: [("overview", pulse.live)], seen: "")
                }
            )
        }
        let tail = EventTail(query, api)
        return .stream(
            LiveFeed(seat: seat, pause: .seconds(1), rest: visit.surroundings.rest) { seen in
                try await tail.turn(after: seen)
            }
        )
    }
}

/// The newest events, turn by turn.
struct EventTail: Sendable {
    /// What is told in one turn at most: of more, the newest.
    private static let eventsMax = 200

    private let api: API
    /// What the API is asked to fit; empty where the filters are looked at here.
    private let asked: [(name: String, value: String)]
    private let (source, subject, type): (String?, String?, String?)

    init(_ query: Fields, _ api: API) {
        self.api = api
        (source, subject) = (query.text("source"), query.text("subject"))
        type = query.text("type")
        let others = query.items.filter { item in
            item.name == "meterType" || item.name.hasPrefix("dimension.") || item.name == "status"
                || item.name == "from" || item.name == "to"
        }
        asked = others.filter { !$0.value.isEmpty }.map { ($0.name, $0.value) }
    }

    /// The events after a position, the oldest first; at first none.
    func turn(after seen: String) async throws -> LiveFeed.Turn {
        let head = try await api.get("/v1/events", ["order": "desc", "limit": "1"])
        let position = head.text("position") ?? "0"
        guard !seen.isEmpty, seen != position, let last = Int64(seen) else {
            return LiveFeed.Turn(events: [], seen: position)
        }
        // No more are asked for than are new: a list of old ones that fit may be long in coming.
        let fresh = min(Self.eventsMax, Int((Int64(position) ?? last) - last))
        guard fresh > 0 else { return LiveFeed.Turn(events: [], seen: position) }
        let page = try await api.find(
            address: Address.link(
                "/v1/events",
                [("order", "desc"), ("limit", String(fresh))] + asked
            )
        )
        let events = page.items.filter {
            fits($0) && (Int64($0.text("position") ?? "") ?? 0) > last
        }
        return LiveFeed.Turn(
            events: events.reversed().map { ("event", Self.told($0)) },
            seen: position
        )
    }

    private func fits(_ stored: JSONValue) -> Bool {
        func fits(_ name: String, _ wanted: String?) -> Bool {
            guard let wanted else { return true }
            let text = stored.text("event", name) ?? ""
            return wanted.hasSuffix("*") ? text.hasPrefix(wanted.dropLast()) : text == wanted
        }
        return fits("source", source) && fits("subject", subject) && fits("type", type)
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
