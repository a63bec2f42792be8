import WireFormat

/// `/console/meter-types`: what is counted.
enum MeterTypesPage {
    /// All meter types that are not retired.
    static func standing(_ api: API) async throws -> [JSONValue] {
        try await all(api).filter { $0["retiredAt"] == nil }
    }

    /// All meter types, in the order of their keys; there are at most some thousand.
    static func all(_ api: API) async throws -> [JSONValue] {
        var types: [JSONValue] = []
        var cursor: String?
        repeat {
            let page = try await api.get("/v1/meter-types", ["limit": "1000", "cursor": cursor])
            types += page["items"]?.arrayValue ?? []
            cursor = page.text("next")
        } while cursor != nil
        return types
    }

    static func show(_ visit: Visit) async throws -> Reply {
        let all = try await all(visit.api)
        let (typed, category) = (visit.query.text("q"), visit.query.text("category"))
        let showsRetired = visit.query.text("retired") != nil
        let categories = Set(all.compactMap { $0.text("category") }).sorted()
        let shown = Finding.types(typed ?? "", in: all).filter { type in
            (category == nil || type.text("category") == category)
                && (showsRetired || type["retiredAt"] == nil)
        }
        return .page(
            "meter-types",
            title: "Meter types",
            [
                "q": typed, "showsRetired": showsRetired,
                "categories": [["value": "", "label": "all", "selected": category == nil]]
                    + categories.map { name -> Values in
                        ["value": name, "label": name, "selected": name == category]
                    },
                "rows": shown.map(row),
                "hasTypes": !all.isEmpty, "count": shown.count,
            ]
        )
    }

    private static func row(_ type: JSONValue) -> Values {
        let key = type.text("key") ?? ""
        let path = Address.path(Console.root + "/meter-types", key)
        let total = type.text("backfill", "eventsTotal")
        return [
            "href": path, "key": key, "name": type.text("name") ?? key,
            "aggregation": type.text("aggregation"), "path": MeterPage.path(of: type),
            "eventTypes": (type["eventTypes"]?.arrayValue ?? []).compactMap(\.stringValue)
                .joined(separator: ", "),
            "filter": type.text("filter"),
            "reset": ResetWords(type["resetSchedule"]).text, "zone": type.text("timezone"),
            "unit": type.text("unit"), "category": type.text("category"),
            "version": type.text("version"), "isRetired": type["retiredAt"] != nil,
            "isCounting": ["waiting", "running"].contains(type.text("backfill", "state") ?? ""),
            "done": Shown.percent(type.text("backfill", "eventsDone"), of: total) ?? 0,
            "meters": Address.link(Console.root + "/meters", ["type": key]),
        ]
    }
}
