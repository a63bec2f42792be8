import WireFormat

/// A destination in the making: by fields for what is common, as JSON for everything.
extension Desk {
    private static let makings = [
        ("webhook", "Webhook"), ("files", "Files"), ("stdout", "Standard output"),
        ("json", "Any, as JSON"),
    ]

    private var making: String {
        let typed = form.has("kind") ? form["kind"] : query["kind"]
        return Self.makings.contains { $0.0 == typed } ? typed : "webhook"
    }

    /// `/console/destinations/new`
    func draftDestination() async -> Answer { .sheet(draftDestinationSheet(problem: nil)) }

    /// A POST to the same address makes it.
    func makeDestination() async -> Answer {
        let body: JSONValue
        switch drafted() {
        case .failure(let problem): return .sheet(draftDestinationSheet(problem: problem))
        case .success(let value): body = value
        }
        let key = form["key"].trimmed
        guard !key.isEmpty else {
            let problem = Problem.field("key", "it is missing", remedy: "give it a short name")
            return .sheet(draftDestinationSheet(problem: problem))
        }
        let path = Way.path("v1", "destinations", key)
        // To make one over another would be to replace it unseen.
        let reply = await send(.put, path, body, .isAbsent)
        if reply.problem?.isOutdated == true || reply.problem?.status == 404 {
            let problem = Problem.field(
                "key",
                "there is a destination of this key, or it is none",
                remedy: "take another: small letters, digits, dots and dashes"
            )
            return .sheet(draftDestinationSheet(problem: problem))
        }
        if let problem = reply.problem {
            return .sheet(draftDestinationSheet(problem: problem))
        }
        return .redirect(
            Way.destination(key),
            saying: "The destination is there. Send a test, to see whether it answers."
        )
    }

    // MARK: The body

    private func drafted() -> Result<JSONValue, Problem> {
        if making == "json" {
            do {
                return .success(try JSONValue.parse(Array(form["definition"].utf8)))
            } catch {
                return .failure(.noJSON("definition", "\(error)"))
            }
        }
        var body = JSONObject(
            texts: [
                ("name", form["name"].trimmed), ("start", form["start"]),
                ("batchDelay", form["batchDelay"].trimmed),
            ]
        )
        for name in ["batchSize", "attemptsMax"] where !form[name].trimmed.isEmpty {
            let text = form[name].trimmed
            body[name] = Int64(text).map { .number(String($0)) } ?? .string(text)
        }
        var filter = JSONObject()
        for name in ["meterTypes", "customers", "kinds"] {
            let words = form[name].split { $0 == "," || $0.isWhitespace }.map(String.init)
            if !words.isEmpty { filter[name] = .array(words.map { .string($0) }) }
        }
        if !filter.isEmpty { body["filter"] = .object(filter) }
        body[making] = outlet()
        return .success(.object(body))
    }

    private func outlet() -> JSONValue {
        switch making {
        case "webhook":
            var webhook: JSONObject = [
                "url": .string(form["url"].trimmed), "secrets": [.string(form["secret"].trimmed)],
            ]
            var headers = JSONObject()
            for line in form["headers"].split(whereSeparator: \.isNewline) {
                let halves = line.split(separator: ":", maxSplits: 1)
                guard let name = halves.first.map({ String($0).trimmed }), !name.isEmpty else {
                    continue
                }
                headers[name] = .string(halves.count > 1 ? String(halves[1]).trimmed : "")
            }
            if !headers.isEmpty { webhook["headers"] = .object(headers) }
            return .object(webhook)
        case "files":
            let texts = [
                ("directory", form["directory"].trimmed), ("format", form["format"]),
                ("name", form["file"].trimmed),
            ]
            var files = JSONObject(texts: texts)
            files["gzip"] = .bool(form["gzip"] == "true")
            return .object(files)
        default: return [:]
        }
    }

    // MARK: The page

    private func draftDestinationSheet(problem: Problem?) -> Sheet {
        var sheet = Sheet(
            "Make a destination",
            lede: "Records that are made from now on are sent to it, or all that there are.",
            trail: Self.destinationsTrail
        )
        sheet.tell(problem)
        sheet.pieces = [
            .tabs(
                "Kinds of destination",
                Self.makings.map { value, label in
                    Link(
                        label,
                        Way.link("/console/destinations/new", [("kind", value)]),
                        isCurrent: value == making
                    )
                }
            )
        ]
        var fields = [
            Field(
                "key",
                "Key",
                form["key"],
                hint: "Small letters, digits, dots and dashes. It can't be changed later.",
                example: "billing",
                isRequired: true,
                isCode: true
            )
        ]
        fields += making == "json" ? jsonFields() : plainFields()
        fields += signature(needsReason: false, reasonHint: "For the audit trail.")
        fields[fields.count - 2].startsGroup = true
        var form = Form(
            id: "destination",
            action: "/console/destinations/new",
            fields: fields,
            hidden: [("kind", making)],
            buttons: [Form.Button(label: "Make it")],
            way: Link("Cancel", "/console/destinations")
        )
        form.mark(problem)
        sheet.pieces.append(.card("What it is", id: "what", [.form(form)]))
        return sheet
    }

    private func jsonFields() -> [Field] {
        let example = """
            {
              "http": {
                "url": "https://billing.example.com/usage",
                "authorization": {"value": "Bearer …"}
              }
            }
            """
        return [
            Field(
                "definition",
                "Definition",
                form.has("definition") ? form["definition"] : example,
                .area(rows: 14),
                hint: "Exactly one of webhook, http, files, stripe, cloudEvents and stdout.",
                isRequired: true,
                isCode: true
            )
        ]
    }

    private func plainFields() -> [Field] {
        var fields = [Field("name", "Name", form["name"], hint: "For people.")]
        switch making {
        case "webhook":
            let secret = form.has("secret") ? form["secret"] : freshSecret()
            fields += [
                Field(
                    "url",
                    "Address",
                    form["url"],
                    example: "https://example.com/usage",
                    isRequired: true,
                    isCode: true,
                    pointers: ["/webhook/url"]
                ).onNewLine(),
                Field(
                    "secret",
                    "Secret",
                    secret,
                    hint: "It signs each request. Note it now: it is not shown again.",
                    isRequired: true,
                    isCode: true,
                    pointers: ["/webhook/secrets", "/webhook/secrets/0"]
                ).onNewLine(),
                Field(
                    "headers",
                    "Further headers",
                    form["headers"],
                    .area(rows: 2),
                    hint: "A line each: Name: value.",
                    isCode: true,
                    pointers: ["/webhook/headers"]
                ),
            ]
        case "files": fields += fileFields()
        default: break
        }
        return fields + commonFields()
    }

    private func fileFields() -> [Field] {
        [
            Field(
                "directory",
                "Directory of the server",
                form["directory"],
                example: "/var/spool/usage",
                isRequired: true,
                isCode: true,
                pointers: ["/files/directory"]
            ).onNewLine(),
            Field(
                "file",
                "Names of files",
                form["file"],
                example: "${destination}-${first}-${last}",
                isCode: true,
                pointers: ["/files/name"]
            ),
            Field(
                "format",
                "Format",
                form["format"],
                .choice([
                    .init("csv", "CSV"), .init("ndjson", "NDJSON"), .init("json", "JSON"),
                ]),
                pointers: ["/files/format"]
            ),
            Field(
                "gzip",
                "Packed",
                form["gzip"],
                .choice([.init("false", "No"), .init("true", "With gzip")]),
                pointers: ["/files/gzip"]
            ),
        ]
    }

    private func commonFields() -> [Field] {
        [
            Field(
                "start",
                "Begins with",
                form["start"],
                .choice([
                    .init("now", "Records made from now on"),
                    .init("first", "All records that there are"),
                ])
            ).onNewLine(),
            Field(
                "meterTypes",
                "Only meter types",
                form["meterTypes"],
                hint: "Keys, with commas.",
                pointers: ["/filter/meterTypes"]
            ),
            Field(
                "customers",
                "Only customers",
                form["customers"],
                hint: "Keys, with commas.",
                pointers: ["/filter/customers"]
            ),
            Field(
                "kinds",
                "Kinds of record",
                form["kinds"],
                hint: "final, adjustment, interim; the first two where left empty.",
                pointers: ["/filter/kinds"]
            ),
            Field("batchSize", "Sent together", form["batchSize"], example: "1"),
            Field("batchDelay", "Waits for more", form["batchDelay"], example: "0s"),
            Field("attemptsMax", "Attempts, at most", form["attemptsMax"], example: "20"),
        ]
    }

    /// A secret of a webhook: 32 bytes that nobody can guess.
    private func freshSecret() -> String { "whsec_" + Base64.encode(entropy(32), .standard) }
}
