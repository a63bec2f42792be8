import WireFormat

/// `/console/search` for the palette, `/console/search-page` for who has no scripts.
enum SearchPage {
    static func answer(_ visit: Visit) async throws -> Reply {
        guard let typed = visit.query.text("q") else { return .json(["items": []]) }
        let items = try await Finding(visit).items(typed, most: 8).map { item -> JSONValue in
            [
                "kind": .string(item.kind), "title": .string(item.title),
                "detail": .string(item.detail), "href": .string(item.href),
            ]
        }
        return .json(["items": .array(items)])
    }

    static func show(_ visit: Visit) async throws -> Reply {
        let typed = visit.query.text("q")
        var items: [Finding.Item] = []
        if let typed { items = try await Finding(visit).items(typed, most: 25) }
        return .page(
            "search",
            title: "Search",
            [
                "q": typed,
                "rows": items.map { item -> Values in
                    [
                        "kind": item.kind, "title": item.title, "detail": item.detail,
                        "href": item.href,
                    ]
                },
            ]
        )
    }
}
