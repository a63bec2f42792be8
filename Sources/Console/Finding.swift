import WireFormat

/// Looks for things by what somebody typed: for the palette, the page of results, the list of
/// meters. Subjects by how they begin, meter types and customers by any part of what they are
/// called, customers by their subjects too.
struct Finding {
    struct Item {
        var kind: String
        var title: String
        var detail: String
        var href: String
    }

    private let visit: Visit

    init(_ visit: Visit) { self.visit = visit }

    func items(_ typed: String, most: Int) async throws -> [Item] {
        let types = try await MeterTypesPage.all(visit.api)
        var items = Self.types(typed, in: types).prefix(most).map { type in
            let key = type.text("key") ?? ""
            return Item(
                kind: "Meter type",
                title: type.text("name") ?? key,
                detail: key,
                href: Address.path(Console.root + "/meter-types", key)
            )
        }
        items += try await customers(typed, most: most).map { customer in
            let key = customer.text("key") ?? ""
            return Item(
                kind: "Customer",
                title: customer.text("name") ?? key,
                detail: key,
                href: Address.path(Console.root + "/customers", key)
            )
        }
        let meters = try await visit.api.find("/v1/meters", ["q": typed, "limit": String(most)])
        items += meters.items.map { meter in
            Item(
                kind: "Meter",
                title: meter.text("subject") ?? "",
                detail: meter.text("meterType") ?? "",
                href: Address.path(Console.root + "/meters", meter.text("id") ?? "")
            )
        }
        return items + (try await named(typed))
    }

    /// Customers whose key, name, reference or a subject holds it; the one of that key first.
    func customers(_ typed: String, most: Int) async throws -> [JSONValue] {
        let found = try await visit.api.find(
            "/v1/customers",
            ["q": typed, "limit": String(most)]
        )
        guard let named = try await find("/v1/customers", typed) else { return found.items }
        return Array(([named] + found.items.filter { $0["key"] != named["key"] }).prefix(most))
    }

    static func types(_ typed: String, in types: [JSONValue]) -> [JSONValue] {
        let wanted = typed.lowercased()
        return types.filter { type in
            [type.text("key"), type.text("name")].contains {
                $0?.lowercased().contains(wanted) == true
            }
        }
    }

    /// What is named by an id or key of its own: records, corrections, destinations, items, sets,
    /// and an event as `source/id` or `source id`.
    private func named(_ typed: String) async throws -> [Item] {
        var items: [Item] = []
        func add(_ kind: String, _ detail: String, _ path: String) {
            items.append(Item(kind: kind, title: typed, detail: detail, href: path))
        }
        let root = Console.root
        if typed.hasPrefix("ur_"), let record = try await find("/v1/usage-records", typed) {
            let path = Address.path(root + "/records", typed)
            add("Usage record", record.text("meter") ?? "", path)
        }
        if typed.hasPrefix("c-"), let correction = try await find("/v1/corrections", typed) {
            let path = Address.path(root + "/corrections", typed)
            add("Correction", correction.text("reason") ?? "", path)
        }
        if typed.hasPrefix("bs-"), let set = try await find("/v1/backfill-sets", typed) {
            add(
                "Backfill set",
                set.text("name") ?? "",
                Address.path(root + "/backfill-sets", typed)
            )
        }
        if let one = try await find("/v1/destinations", typed) {
            let path = Address.path(root + "/destinations", typed)
            add("Destination", one.text("name") ?? "", path)
        }
        let separator: Character = typed.contains(" ") ? " " : "/"
        if let place = typed.lastIndex(of: separator) {
            let (source, id) = (typed[..<place], typed[typed.index(after: place)...])
            let path = Address.path("/v1/events", String(source), String(id))
            if !source.isEmpty, !id.isEmpty, let event = try await visit.api.read(path) {
                let page = Address.path(root + "/events", String(source), String(id))
                add("Event", event.text("event", "type") ?? "", page)
            }
        }
        return items
    }

    /// nil where there is none, or the name is none that it could have.
    private func find(_ path: String, _ name: String) async throws -> JSONValue? {
        let found = try await visit.api.find(Address.path(path, name))
        return found.problem == nil ? found.json : nil
    }
}
