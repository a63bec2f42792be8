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
}
