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
        let subjects = customer["subjects"]?.arrayValue ?? []
        let months = Months(zone: zone, visit)
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
                "subjects": subjects.prefix(subjectsMax).map { subject(of: $0) },
                "moreSubjects": subjects.count > subjectsMax ? subjects.count - subjectsMax : nil,
                "meters": try await MeterRows(meters.items, types, visit).values(),
                "allMeters": Address.link(Console.root + "/meters", ["customer": key]),
                "hasMoreMeters": meters.next != nil,
                "records": records.items.map { RecordRow($0).values },
                "allRecords": Address.link(Console.root + "/records", ["customer": key]),
                "months": months.newest(4).map { month -> Values in
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

    private static func subject(of ownership: JSONValue) -> Values {
        let name = ownership.stringValue ?? ownership.text("subject") ?? ""
        return [
            "name": name, "from": ownership.time("from"), "to": ownership.time("to"),
            "events": Address.link(Console.root + "/events", ["subject": name]),
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

    /// `/console/customers/{key}/statement`: the document of the API, to print.
    static func statement(_ visit: Visit) async throws -> Reply {
        /// A day is enough; then it begins at midnight in UTC.
        func whole(_ text: String?) -> String? {
            text.map { $0.utf8.count == 10 ? $0 + "T00:00:00Z" : $0 }
        }
        let path = Address.path("/v1/customers", visit["key"]) + "/statement"
        let link = Address.link(
            path,
            ["from": whole(visit.query.text("from")), "to": whole(visit.query.text("to"))]
        )
        let (head, body) = try await visit.api.answer(.get, link)
        guard head.status == .ok else {
            throw Problem(JSONValue.read(trusted: body), status: head.status.code)
        }
        return .document(head, body)
    }
}

/// Calendar months of a zone.
struct Months {
    struct Month {
        /// Such as `2026-11`.
        var label: String
        var from: String
        var to: String
    }

    private let zone: String
    private let visit: Visit

    init(zone: String, _ visit: Visit) { (self.zone, self.visit) = (zone, visit) }

    /// The month that runs and those before it, the newest first.
    func newest(_ count: Int) -> [Month] {
        let local = visit.surroundings.localTime(visit.now, zone) ?? visit.now.rfc3339
        let parts = local.prefix(7).split(separator: "-").compactMap { Int($0) }
        guard parts.count == 2 else { return [] }
        let running = parts[0] * 12 + parts[1] - 1
        return (0..<count).compactMap { back in
            let month = running - back
            guard let from = start(of: month), let to = start(of: month + 1) else { return nil }
            return Month(label: Self.label(month), from: from, to: to)
        }
    }

    private static func label(_ month: Int) -> String {
        let number = month % 12 + 1
        return "\(month / 12)-\(number < 10 ? "0" : "")\(number)"
    }

    /// The first instant of a month, in UTC: what the clocks show at that time in UTC tells how far
    /// they are off.
    private func start(of month: Int) -> String? {
        guard let plain = Instant(rfc3339: Self.label(month) + "-01T00:00:00Z"),
            let shown = visit.surroundings.localTime(plain, zone),
            let local = Instant(rfc3339: String(shown.prefix(19)) + "Z")
        else { return nil }
        let off = local.microseconds - plain.microseconds
        return Instant(microseconds: plain.microseconds - off).rfc3339
    }
}
