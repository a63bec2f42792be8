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

/// Rows of meters with what they count: two questions for each meter type among them, however many
/// meters there are.
struct MeterRows {
    private let meters: [JSONValue]
    private let types: [String: JSONValue]
    private let visit: Visit

    init(_ meters: [JSONValue], _ types: [JSONValue], _ visit: Visit) {
        (self.meters, self.visit) = (meters, visit)
        let named = types.compactMap { type in type.text("key").map { ($0, type) } }
        self.types = Dictionary(named) { $1 }
    }

    func values() async throws -> [Values] {
        var rows: [String: Values] = [:]
        for (key, group) in Dictionary(grouping: meters, by: { $0.text("meterType") ?? "" }) {
            guard let type = types[key] else { continue }
            let subjects = group.compactMap { $0.text("subject") }
            let running = await RunningPeriod(of: type, visit)
            let used = try await used(key, subjects, running)
            let days = try await days(key, subjects)
            for meter in group {
                let subject = meter.text("subject") ?? ""
                let row = row(meter, type, running, used[subject], days[subject] ?? [])
                rows[meter.text("id") ?? ""] = row
            }
        }
        return meters.compactMap { rows[$0.text("id") ?? ""] }
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
            "type": type.text("name"), "reset": ResetWords(type["resetSchedule"]).text,
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

    /// What each subject used in the running period.
    private func used(
        _ key: String,
        _ subjects: [String],
        _ running: RunningPeriod
    ) async throws -> [String: String] {
        var parameters = [("meterType", key), ("groupBy", "subject"), ("limit", "1000")]
        parameters += subjects.map { ("subject", $0) }
        if let start = running.start { parameters.append(("from", start)) }
        if let end = running.end { parameters.append(("to", end)) }
        let found = try await visit.api.find(address: Address.link("/v1/usage", parameters))
        var used: [String: String] = [:]
        for reading in found.json["readings"]?.arrayValue ?? [] {
            guard let subject = reading.text("subject") else { continue }
            used[subject] = reading.text("value")
        }
        return used
    }

    /// What each subject used in each of the last 14 days.
    private func days(_ key: String, _ subjects: [String]) async throws -> [String: [String?]] {
        let day: Int64 = 86_400 * 1_000_000
        let today = visit.now.microseconds / day
        let from = Instant(microseconds: (today - 13) * day).rfc3339
        let to = Instant(microseconds: (today + 1) * day).rfc3339
        var parameters = [
            ("meterType", key), ("groupBy", "subject"), ("window", "day"), ("from", from),
            ("to", to), ("limit", "1000"),
        ]
        parameters += subjects.map { ("subject", $0) }
        let found = try await visit.api.find(address: Address.link("/v1/usage", parameters))
        var days: [String: [String?]] = [:]
        for reading in found.json["readings"]?.arrayValue ?? [] {
            guard let subject = reading.text("subject"),
                let start = reading.text("from").flatMap({ Instant(rfc3339: $0) })
            else { continue }
            let place = Int(start.microseconds / day - (today - 13))
            guard (0..<14).contains(place) else { continue }
            days[subject, default: Array(repeating: "0", count: 14)][place] = reading.text("value")
        }
        return days
    }
}
