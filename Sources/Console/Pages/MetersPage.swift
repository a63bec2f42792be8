import UsageModel
import WireFormat

/// `/console/meters`: who used how much, with a search that follows the typing.
enum MetersPage {
    private static let rowsMax = 25

    static func show(_ visit: Visit) async throws -> Reply {
        let api = visit.api
        let types = try await MeterTypesPage.all(api)
        let (typed, type) = (visit.query.text("q"), visit.query.text("type"))
        let (customer, state) = (visit.query.text("customer"), visit.query.text("state"))
        let found = try await api.find(
            "/v1/meters",
            [
                "q": typed, "meterType": type, "customer": customer, "state": state,
                "limit": String(rowsMax), "cursor": visit.query["cursor"],
            ]
        )
        let rows = try await MeterRows(found.items, types, visit).values()
        return .page(
            "meters",
            title: "Meters",
            [
                "q": typed, "customer": customer,
                "types": [["value": "", "label": "all", "selected": type == nil]]
                    + types.map { choice(of: $0, chosen: type) },
                "states": ["", "active", "suspended", "closed"].map { word -> Values in
                    [
                        "value": word, "label": word.isEmpty ? "any" : word,
                        "selected": word == (state ?? ""),
                    ]
                },
                "rows": rows,
                "also": try await also(typed, types, visit),
                "isFiltered": [typed, type, customer, state].contains { $0 != nil },
                "count": rows.count,
                "pager": [
                    "words": "\(rows.count) shown",
                    "first": visit.query["cursor"].map { _ in visit.link([:]) },
                    "next": found.next.map { visit.link(["cursor": $0]) },
                ] as Values,
                "call": Curl(visit).get(
                    "/v1/meters",
                    ["q": typed, "meterType": type, "customer": customer, "state": state]
                ),
            ],
            problem: found.problem
        )
    }

    private static func choice(of type: JSONValue, chosen: String?) -> Values {
        let key = type.text("key") ?? ""
        return ["value": key, "label": type.text("name") ?? key, "selected": key == chosen]
    }

    /// Customers and meter types that fit what was typed: the API searches meters by subject.
    private static func also(
        _ typed: String?,
        _ types: [JSONValue],
        _ visit: Visit
    ) async throws -> [Values] {
        guard let typed, visit.query["cursor"] == nil else { return [] }
        let customers = try await Finding(visit).customers(typed, most: 3).map {
            customer -> Values in
            let key = customer.text("key") ?? ""
            return [
                "label": "customer " + (customer.text("name") ?? key),
                "href": visit.link(["customer": key, "q": nil]),
            ]
        }
        let fitting = Finding.types(typed, in: types).prefix(3).map { type -> Values in
            let key = type.text("key") ?? ""
            return [
                "label": "meter type " + (type.text("name") ?? key),
                "href": visit.link(["type": key, "q": nil]),
            ]
        }
        return customers + fitting
    }
}

/// Rows of meters with what they count: one question for each period that runs, and one for the
/// days, however many meters and meter types there are.
struct MeterRows {
    private let meters: [JSONValue]
    private let types: [String: JSONValue]
    private let visit: Visit

    init(_ meters: [JSONValue], _ types: [JSONValue], _ visit: Visit) {
        (self.meters, self.visit) = (meters, visit)
        let named = types.compactMap { type in type.text("key").map { ($0, type) } }
        self.types = Dictionary(named) { $1 }
    }

    /// A stretch of time that is asked about; nil is for ever.
    private struct Stretch: Hashable {
        var from: String?
        var to: String?
        var window: String?
    }

    func values() async throws -> [Values] {
        let running = await running()
        var keys: [Stretch: [String]] = [:]
        for (key, period) in running {
            keys[Stretch(from: period.start, to: period.end), default: []].append(key)
        }
        var used: [String: String] = [:]
        for (stretch, keys) in keys {
            for reading in try await readings(of: keys, stretch) {
                used[Self.id(reading)] = reading.text("value")
            }
        }
        let days = try await days(Array(running.keys))
        return meters.compactMap { meter in
            let id = meter.text("id") ?? ""
            guard let key = meter.text("meterType"), let type = types[key],
                let period = running[key]
            else { return nil }
            return row(meter, type, period, used[id], days[id] ?? [])
        }
    }

    /// The running period of each meter type; types with the same calendar are asked about once.
    private func running() async -> [String: RunningPeriod] {
        var known: [String: RunningPeriod] = [:]
        var found: [String: RunningPeriod] = [:]
        for key in Set(meters.compactMap { $0.text("meterType") }) {
            guard let type = types[key] else { continue }
            let schedule = (type["resetSchedule"] ?? .null).serialized()
            let name = String(decoding: schedule, as: UTF8.self) + (type.text("timezone") ?? "")
            let period: RunningPeriod
            if let one = known[name] {
                period = one
            } else {
                period = await RunningPeriod(of: type, visit)
            }
            (known[name], found[key]) = (period, period)
        }
        return found
    }

    private static func id(_ reading: JSONValue) -> String {
        (reading.text("meterType") ?? "") + "~" + (reading.text("subject") ?? "")
    }

    /// What the subjects of these meters used.
    private func readings(of keys: [String], _ stretch: Stretch) async throws -> [JSONValue] {
        let subjects = meters.filter { keys.contains($0.text("meterType") ?? "") }
            .compactMap { $0.text("subject") }
        var parameters = [("groupBy", "subject"), ("limit", "1000")]
        parameters += keys.sorted().map { ("meterType", $0) }
        parameters += Set(subjects).sorted().map { ("subject", $0) }
        if let from = stretch.from { parameters.append(("from", from)) }
        if let to = stretch.to { parameters.append(("to", to)) }
        if let window = stretch.window { parameters.append(("window", window)) }
        let found = try await visit.api.find(address: Address.link("/v1/usage", parameters))
        return found.json["readings"]?.arrayValue ?? []
    }

    /// What each meter used in each of the last 14 days.
    private func days(_ keys: [String]) async throws -> [String: [String?]] {
        guard !keys.isEmpty else { return [:] }
        let day: Int64 = 86_400 * 1_000_000
        let today = visit.now.microseconds / day
        let stretch = Stretch(
            from: Instant(microseconds: (today - 13) * day).rfc3339,
            to: Instant(microseconds: (today + 1) * day).rfc3339,
            window: "day"
        )
        var days: [String: [String?]] = [:]
        for reading in try await readings(of: keys, stretch) {
            guard let start = reading.text("from").flatMap({ Instant(rfc3339: $0) }) else {
                continue
            }
            let place = Int(start.microseconds / day - (today - 13))
            guard (0..<14).contains(place) else { continue }
            let empty = [String?](repeating: "0", count: 14)
            days[Self.id(reading), default: empty][place] = reading.text("value")
        }
        return days
    }

    private func row(
        _ meter: JSONValue,
        _ type: JSONValue,
        _ running: RunningPeriod,
        _ value: String?,
        _ days: [String?]
    ) -> Values {
        let id = meter.text("id") ?? ""
        let state = meter.text("state") ?? ""
        let percent = Shown.percent(value, of: type.text("capacity"))
        return [
            "href": Address.path(Console.root + "/meters", id),
            "subject": meter.text("subject"), "customer": meter.text("customer"),
            "type": type.text("name"), "reset": ResetWords(type["resetSchedule"]).sentence,
            "end": Shown.time(running.end, zone: running.zone),
            "value": Shown.quantity(value), "unit": meter.text("unit"),
            "capacity": Shown.quantity(type.text("capacity")), "percent": percent,
            "bar": percent.map { min($0, 100) },
            "spark": Sparkline(days).values,
            "state": state, "tag": Self.tag(state),
        ]
    }

    static func tag(_ state: String) -> String {
        switch state {
        case "active": "tag--ok"
        case "suspended": "tag--warn"
        default: "tag--quiet"
        }
    }
}
