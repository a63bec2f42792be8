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
                "count": rows.count, "goesOn": found.next.map { visit.link(["cursor": $0]) },
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
