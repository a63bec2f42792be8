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
                "goesOn": found.next.map { visit.link(["cursor": $0]) },
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
        let definition = try CustomerForm(visit).definition()
        do {
            _ = try await visit.api.put(Address.path("/v1/customers", key), definition, .isAbsent)
        } catch let problem as Problem where problem.isOutdated {
            throw Problem.field(
                "key",
                "\(problem.extra["current"]?.text("name") ?? key) has it",
                remedy: "take another one, or change the customer on its page"
            )
        }
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

    /// The fields in which what stands and what was typed differ, where somebody else changed the
    /// customer while the form was open: for the partial `conflict`.
    var conflict: Values? {
        guard visit.problem?.isOutdated == true, let standing else { return nil }
        let names = [
            ("name", "Name"), ("timezone", "Time zone"), ("category", "Category"),
            ("externalRef", "External reference"),
        ]
        var rows = names.map { ($0.1, standing.text($0.0) ?? "", typed($0.0) ?? "") }
        // The order of lines says nothing; nor does how a form ends them.
        let lines = (visit.form?.text("subjects") ?? "").split(whereSeparator: \.isNewline)
        let sent = lines.map { MeterTypeDraft.trimmed($0) }.filter { !$0.isEmpty }.sorted()
        let stands = (Self.lines(standing) ?? "").split(separator: "\n").map(String.init).sorted()
        rows.append(
            ("Subjects", stands.joined(separator: "\n"), sent.joined(separator: "\n"))
        )
        let differing = rows.filter { $0.1 != $0.2 }
        return [
            "rows": differing.map { row -> Values in
                ["name": row.0, "standing": row.1, "typed": row.2]
            },
            "isSame": differing.isEmpty,
        ]
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
