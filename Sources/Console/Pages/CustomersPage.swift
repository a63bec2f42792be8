import WireFormat

/// `/console/customers`: who pays.
enum CustomersPage {
    static func show(_ visit: Visit) async throws -> Reply {
        let typed = visit.query.text("q")
        let found = try await visit.api.find(
            "/v1/customers",
            ["q": typed, "limit": "50", "cursor": visit.query["cursor"]]
        )
        let isEmpty = found.items.isEmpty && typed == nil && visit.query["cursor"] == nil
        return .page(
            "customers",
            title: "Customers",
            ([
                "q": typed, "isEmpty": isEmpty,
                "rows": found.items.map(row), "count": found.items.count,
                "pager": [
                    "words": "\(found.items.count) shown",
                    "first": visit.query["cursor"].map { _ in visit.link([:]) },
                    "next": found.next.map { visit.link(["cursor": $0]) },
                ] as Values,
                "isOpen": visit.form != nil,
            ] as Values)
            .with(CustomerForm(visit).values),
            problem: found.problem
        )
    }

    private static func row(_ customer: JSONValue) -> Values {
        let key = customer.text("key") ?? ""
        let subjects = customer["subjects"]?.arrayValue ?? []
        return [
            "href": Address.path(Console.root + "/customers", key), "key": key,
            "name": customer.text("name") ?? key, "category": customer.text("category"),
            "zone": customer.text("timezone"), "externalRef": customer.text("externalRef"),
            "subjects": Shown.grouped(String(subjects.count)),
            "isRetired": customer["retiredAt"] != nil,
        ]
    }

    static func make(_ visit: Visit) async throws -> Reply {
        let key = visit.form?.text("key") ?? ""
        guard !key.isEmpty else {
            throw Problem.field("key", "it is missing", remedy: "letters, digits, dots and dashes")
        }
        if let known = try await visit.api.read(Address.path("/v1/customers", key)) {
            throw Problem.field(
                "key",
                "\(known.text("name") ?? key) has it",
                remedy: "take another one, or change the customer on its page"
            )
        }
        let definition = try CustomerForm(visit).definition()
        _ = try await visit.api.put(Address.path("/v1/customers", key), definition)
        let path = Address.path(Console.root + "/customers", key)
        return .redirect(path, saying: "\(definition.text("name") ?? key) is a customer now.")
    }
}

/// The form of a customer: partial `customer-form`.
struct CustomerForm {
    private let visit: Visit
    private let standing: JSONValue?

    init(_ visit: Visit, standing: JSONValue? = nil) {
        (self.visit, self.standing) = (visit, standing)
    }

    var values: Values {
        [
            "keyText": visit.form?.text("key"),
            "nameText": typed("name"), "zoneText": typed("timezone") ?? "UTC",
            "categoryText": typed("category"), "referenceText": typed("externalRef"),
            "subjectsText": visit.form?.text("subjects") ?? Self.lines(standing),
            "isKeyOpen": standing == nil,
        ]
    }

    private func typed(_ name: String) -> String? {
        visit.form.map { $0.text(name) } ?? standing?.text(name)
    }

    /// One subject a line, with the times between which it is owned, where there are any.
    private static func lines(_ customer: JSONValue?) -> String? {
        let subjects = customer?["subjects"]?.arrayValue ?? []
        return subjects.map { subject in
            if let name = subject.stringValue { return name }
            let parts = [subject.text("subject") ?? "", subject.text("from") ?? "-"]
            return (parts + [subject.text("to")].compactMap(\.self)).joined(separator: " | ")
        }
        .joined(separator: "\n")
    }

    /// - Throws: ``Problem`` for a line that cannot be read.
    func definition() throws -> JSONValue {
        var definition: JSONObject = [:]
        for name in ["name", "timezone", "category", "externalRef"] {
            definition[name] = visit.form?.text(name).map { .string($0) }
        }
        definition["metadata"] = standing?["metadata"]
        let lines = (visit.form?.text("subjects") ?? "").split(separator: "\n")
        definition["subjects"] = .array(
            lines.map(MeterTypeDraft.trimmed).filter { !$0.isEmpty }.map(Self.subject)
        )
        return .object(definition)
    }

    private static func subject(_ line: String) -> JSONValue {
        var parts = line.split(separator: " | ").map(MeterTypeDraft.trimmed)
        guard parts.count > 1 else { return .string(line) }
        var owned: JSONObject = ["subject": .string(parts.removeFirst())]
        for (name, text) in zip(["from", "to"], parts) where text != "-" && !text.isEmpty {
            owned[name] = .string(text)
        }
        return .object(owned)
    }
}
