import HTTPTypes
import UsageModel
import WireFormat

/// `/console/customers/{key}`: everything of one customer, for whoever has it on the phone.
enum CustomerPage {
    private static let metersMax = 25
    private static let recordsMax = 20
    private static let subjectsMax = 50

    static func show(_ visit: Visit) async throws -> Reply {
        let api = visit.api
        let key = visit["key"]
        let (customer, tag) = try await api.tagged(Address.path("/v1/customers", key))
        let types = try await MeterTypesPage.all(api)
        let meters = try await api.find(
            "/v1/meters",
            ["customer": key, "limit": String(metersMax)]
        )
        let records = try await api.find(
            "/v1/usage-records",
            ["customer": key, "order": "desc", "limit": String(recordsMax)]
        )
        let zone = customer.text("timezone") ?? "UTC"
        let clock = ZoneClock(zone, visit)
        let form = CustomerForm(visit, standing: customer)
        return .page(
            "customer",
            title: customer.text("name") ?? key,
            ([
                "key": key, "name": customer.text("name") ?? key, "zone": zone,
                "category": customer.text("category"),
                "externalRef": customer.text("externalRef"),
                "createdAt": customer.time("createdAt"), "changedAt": customer.time("changedAt"),
                "isRetired": customer["retiredAt"] != nil,
                "metadata": (customer["metadata"]?.objectValue?.members ?? []).map {
                    ["name": $0.name, "text": $0.value.stringValue] as Values
                },
                "owned": subjects(of: customer, visit),
                "meters": try await MeterRows(meters.items, types, visit).values(),
                "allMeters": Address.link(Console.root + "/meters", ["customer": key]),
                "hasMoreMeters": meters.next != nil,
                "records": records.items.map { RecordRow($0).values },
                "allRecords": Address.link(Console.root + "/records", ["customer": key]),
                "months": clock.newestMonths(4, at: visit.now).map { month -> Values in
                    [
                        "label": month.label,
                        "href": Address.link(
                            Address.path(Console.root + "/customers", key) + "/statement",
                            ["from": month.from, "to": month.to]
                        ),
                    ]
                },
                "statement": Address.path(Console.root + "/customers", key) + "/statement",
                "call": Curl(visit).get(Address.path("/v1/customers", key)),
                "isOpen": visit.form?.text("do") == "change",
                // Where both sides are shown, to save again is to decide between them.
                "tag": visit.problem?.isOutdated == true ? tag : visit.form?.text("tag") ?? tag,
                "conflict": form.conflict,
            ] as Values)
            .with(form.values),
            problem: meters.problem ?? records.problem
        )
    }

    /// The subjects with the times between which it owns them, page by page: `subjects=2`, or all
    /// of them at once.
    private static func subjects(of customer: JSONValue, _ visit: Visit) -> Values {
        let all = customer["subjects"]?.arrayValue ?? []
        let asked = visit.query.text("subjects")
        let isAll = asked == "all" || all.count <= subjectsMax
        let pages = max((all.count + subjectsMax - 1) / subjectsMax, 1)
        let page = min(max(asked.flatMap { Int($0) } ?? 1, 1), pages)
        let first = isAll ? 0 : (page - 1) * subjectsMax
        let shown = isAll ? all[...] : all[first..<min(first + subjectsMax, all.count)]
        return [
            "rows": shown.map { subject(of: $0, customer.text("timezone")) },
            "count": Shown.grouped(String(all.count)),
            "isPaged": all.count > subjectsMax,
            "words": isAll
                ? "all \(all.count)" : "\(first + 1) to \(first + shown.count) of \(all.count)",
            "previous": !isAll && page > 1 ? visit.link(["subjects": String(page - 1)]) : nil,
            "next": !isAll && page < pages ? visit.link(["subjects": String(page + 1)]) : nil,
            "all": isAll ? nil : visit.link(["subjects": "all"]),
        ]
    }

    private static func subject(of ownership: JSONValue, _ zone: String?) -> Values {
        let name = ownership.stringValue ?? ownership.text("subject") ?? ""
        return [
            "name": name,
            "from": ownership.time("from", zone: zone), "to": ownership.time("to", zone: zone),
            "events": Address.link(Console.root + "/events", ["subject": name]),
            "meters": Address.link(Console.root + "/meters", ["q": name]),
        ]
    }

    static func change(_ visit: Visit) async throws -> Reply {
        let path = Address.path("/v1/customers", visit["key"])
        if visit.form?.text("do") == "retire" {
            _ = try await visit.api.delete(path)
            return .redirect(visit.path, saying: "It is retired, and owns nothing from now on.")
        }
        let standing = try await visit.api.get(path)
        let definition = try CustomerForm(visit, standing: standing).definition()
        _ = try await visit.api.put(path, definition, .stands(visit.form?.text("tag")))
        return .redirect(visit.path, saying: "It is saved.")
    }

    /// `/console/customers/{key}/statement`: the document of the API, to print. Days are those of
    /// the customer's zone; the last one is not part of it.
    static func statement(_ visit: Visit) async throws -> Reply {
        let path = Address.path("/v1/customers", visit["key"])
        let customer = try await visit.api.get(path)
        let clock = ZoneClock(customer.text("timezone") ?? "UTC", visit)
        let link = Address.link(
            path + "/statement",
            [
                "from": visit.query.text("from").map(clock.instant(typed:)),
                "to": visit.query.text("to").map(clock.instant(typed:)),
            ]
        )
        let (head, body) = try await visit.api.answer(.get, link)
        guard head.status == .ok else {
            throw Problem(JSONValue.read(trusted: body), status: head.status.code)
        }
        return .document(head, body)
    }
}
