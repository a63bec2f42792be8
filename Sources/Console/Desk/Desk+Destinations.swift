import WireFormat

/// Destinations: where usage records go, and how each stands.
extension Desk {
    static let destinationsTrail = [Link("Destinations", "/console/destinations")]
    static let outlets = ["webhook", "http", "files", "stripe", "cloudEvents", "stdout"]

    /// `/console/destinations`
    func destinations() async -> Answer {
        let reply = await get("/v1/destinations")
        var sheet = Sheet(
            "Destinations",
            lede: "Where usage records are sent: each record once, under a key that makes a "
                + "repetition harmless."
        )
        sheet.tell(reply.problem)
        sheet.actions = [
            Link("Deliveries that fail", "/console/deliveries"),
            Link("Make a destination", "/console/destinations/new", look: "primary"),
        ]
        if reply.problem == nil {
            if reply.items.isEmpty {
                sheet.pieces = [noDestination()]
            } else {
                var rows: [Table.Row] = []
                for item in reply.items { rows.append(await destinationRow(item)) }
                sheet.pieces = [
                    .table(
                        Table(
                            label: "Destinations",
                            columns: [
                                .words("Destination"), .words("Kind"), .words("State"),
                                .number("Pending"), .number("Delivered"), .number("Failed"),
                                .words("Oldest that waits"),
                            ],
                            rows: rows
                        )
                    )
                ]
            }
        }
        sheet.pieces.append(asCall("/v1/destinations"))
        return .sheet(sheet)
    }

    /// Its name, or the key of one that has none.
    private static func title(of item: JSONValue) -> String {
        let name = item.text("name") ?? ""
        return name.isEmpty ? item.text("key") ?? "" : name
    }

    static func kindOfDestination(_ item: JSONValue) -> String {
        outlets.first { item[$0] != nil } ?? ""
    }

    /// Where it leads to, in a few words.
    static func target(_ item: JSONValue) -> String? {
        let outlet = item[kindOfDestination(item)]
        return outlet?.text("url") ?? outlet?.text("directory")
            ?? outlet?.text("bucket", "name")
    }

    static func stateOfDestination(_ item: JSONValue) -> Cell {
        if item["retiredAt"] != nil { return .tag(.quiet, "retired") }
        return item["paused"] == true ? .tag(.warn, "paused") : .tag(.ok, "active")
    }

    private func destinationRow(_ item: JSONValue) async -> Table.Row {
        let key = item.text("key") ?? ""
        let whole = await get(Way.path("v1", "destinations", key)).json
        let standing = whole["standing"] ?? .null
        let failed = standing.text("failed") ?? "0"
        return Table.Row(
            Way.destination(key),
            [
                .text(Self.title(of: item), Self.title(of: item) == key ? nil : key),
                .text(Self.kindOfDestination(item), Self.target(item)),
                Self.stateOfDestination(item), .text(Spelled.count(standing.text("pending"))),
                .text(Spelled.count(standing.text("delivered"))),
                failed == "0" ? .text("0") : .tag(.bad, Spelled.count(failed)),
                .time(standing.text("oldestPendingAt")),
            ]
        )
    }

    // MARK: One destination

    /// `/console/destinations/{key}`
    func destination() async -> Answer {
        .sheet(await destinationSheet(problem: nil, outcome: nil))
    }

    /// A POST to the same address: pause, resume, a test, another definition, the end.
    func changeDestination() async -> Answer {
        let path = Way.path("v1", "destinations", names[0])
        let page = Way.destination(names[0])
        let (reply, words): (APIReply, String)
        switch form["do"] {
        case "pause":
            (reply, words) = (await send(.post, path + "/pause"), "Paused: what is due waits.")
        case "resume":
            (reply, words) = (await send(.post, path + "/resume"), "Resumed: what waited is sent.")
        case "retire":
            (reply, words) = (await send(.delete, path), "Retired: nothing is sent any more.")
        case "test":
            let reply = await send(.post, path + "/test")
            let outcome = reply.problem == nil ? reply.json : nil
            return .sheet(await destinationSheet(problem: reply.problem, outcome: outcome))
        default:
            if let problem = await redefine(path) {
                return .sheet(await destinationSheet(problem: problem, outcome: nil))
            }
            return .redirect(page, saying: "Saved.")
        }
        guard let problem = reply.problem else { return .redirect(page, saying: words) }
        return .sheet(await destinationSheet(problem: problem, outcome: nil))
    }

    /// Puts another definition, unless somebody else did since the form was shown.
    private func redefine(_ path: String) async -> Problem? {
        let definition: JSONValue
        do {
            definition = try JSONValue.parse(Array(form["definition"].utf8))
        } catch {
            return .noJSON("definition", "\(error)")
        }
        return await send(.put, path, definition, .stands(form["revision"])).problem
    }

    /// What a definition has of an answer about a destination.
    static func definition(_ item: JSONValue) -> JSONValue {
        let told = ["revision", "createdAt", "changedAt", "retiredAt", "standing"]
        guard var object = item.objectValue else { return item }
        for name in told { object[name] = nil }
        return .object(object)
    }

    private func destinationSheet(problem: Problem?, outcome: JSONValue?) async -> Sheet {
        let path = Way.path("v1", "destinations", names[0])
        let reply = await get(path)
        var sheet = Sheet(names[0], trail: Self.destinationsTrail)
        guard reply.problem == nil else {
            sheet.tell(reply.problem)
            return sheet
        }
        let item = reply.json
        let standing = item["standing"] ?? .null
        sheet.title = Self.title(of: item)
        sheet.tag = Self.stateOfDestination(item)
        sheet.lede = [Self.kindOfDestination(item), Self.target(item)].compactMap(\.self)
            .joined(separator: " to ")
        if let outcome { sheet.notices = [Self.told(outcome)] }
        sheet.tell(problem)
        sheet.actions = [
            Link("Its deliveries", Way.link("/console/deliveries", [("destination", names[0])]))
        ]
        let failed = standing.text("failed") ?? "0"
        func way(_ state: String) -> String {
            Way.link("/console/deliveries", [("destination", names[0]), ("state", state)])
        }
        sheet.pieces = [
            .stats([
                Fact(
                    "Pending",
                    .text(Spelled.count(standing.text("pending")), to: way("pending"))
                ),
                Fact(
                    "Delivered",
                    .text(Spelled.count(standing.text("delivered")), to: way("delivered"))
                ), Fact("Failed", .text(Spelled.count(failed), to: way("failed"))),
                Fact("Records not looked at yet", .text(Spelled.count(standing.text("waiting")))),
            ])
        ]
        if problem?.isOutdated == true, form.has("definition") {
            sheet.pieces.append(bothDefinitions(item))
        }
        let settings = Piece.card("Settings", id: "facts", [.facts(destinationFacts(item))])
        if item["retiredAt"] == nil {
            let change = Piece.card("Change it", id: "change", [.form(changeForm(item, problem))])
            let deeds = Piece.card("What to do", id: "do", doForms(item))
            sheet.pieces.append(.columns([change], [deeds, settings]))
        } else {
            sheet.pieces.append(settings)
        }
        sheet.pieces.append(.card("Both sides, by period", id: "books", await books(path)))
        if item["retiredAt"] == nil { sheet.pieces.append(retirement()) }
        sheet.pieces.append(asCall(path))
        return sheet
    }

    private static func told(_ outcome: JSONValue) -> Notice {
        let status = outcome.text("status").map { "Status \($0). " } ?? ""
        let answer = status + (outcome.text("answer") ?? "")
        switch outcome.text("outcome") {
        case "delivered": return Notice(.ok, "The test was taken", answer)
        case "retry": return Notice(.warn, "The test would be tried again", answer)
        default: return Notice(.bad, "The test was refused", answer)
        }
    }

    private func doForms(_ item: JSONValue) -> [Piece] {
        let isPaused = item["paused"] == true
        return [
            .form(
                Form(
                    id: "do-form",
                    action: Way.destination(names[0]),
                    fields: signature(
                        needsReason: false,
                        reasonHint: "For the audit trail, if there is more to say."
                    ),
                    buttons: [
                        Form.Button(label: "Send a test", look: "", name: "do", value: "test"),
                        isPaused
                            ? Form.Button(
                                label: "Resume",
                                look: "primary",
                                name: "do",
                                value: "resume"
                            )
                            : Form.Button(label: "Pause", look: "", name: "do", value: "pause"),
                    ]
                )
            )
        ]
    }

    /// What cannot be taken back stands by itself, and has to be opened first.
    private func retirement() -> Piece {
        .drawer(
            "Retire it",
            [
                .text(
                    "Nothing more is sent to it, what waits included; what was sent stays to be "
                        + "read. Its key is taken for ever."
                ),
                .form(
                    Form(
                        id: "retire-form",
                        action: Way.destination(names[0]),
                        fields: signature(needsReason: false, reasonHint: "For the audit trail."),
                        buttons: [
                            Form.Button(
                                label: "Retire for ever",
                                look: "danger",
                                name: "do",
                                value: "retire"
                            )
                        ]
                    )
                ),
            ]
        )
    }

    private func destinationFacts(_ item: JSONValue) -> [Fact] {
        var facts = [
            Fact("Key", .code(names[0])), Fact("Kind", .text(Self.kindOfDestination(item))),
        ]
        let filter = item["filter"]
        for (name, term) in [
            ("meterTypes", "Meter types"), ("categories", "Categories"),
            ("customers", "Customers"), ("kinds", "Kinds"),
        ] {
            let words = (filter?[name]?.arrayValue ?? []).compactMap(\.stringValue)
            let others = name == "kinds" ? "final, adjustment" : "all"
            facts.append(Fact(term, .text(words.isEmpty ? others : words.joined(separator: ", "))))
        }
        for (name, term) in [
            ("batchSize", "Batch"), ("attemptsMax", "Tries"),
            ("retryDelay", "Retry after"), ("retryDelayMax", "And at most"),
            ("timeout", "Timeout"), ("ratePerSecond", "A second"),
            ("start", "Begins with"),
        ] {
            if let text = item.text(name) { facts.append(Fact(term, .text(text))) }
        }
        facts += [
            Fact("Revision", .text(item.text("revision") ?? "")),
            Fact("Made", .time(item.text("createdAt"))),
            Fact("Changed", .time(item.text("changedAt"))),
        ]
        let audit = Way.link("/console/audit", [("kind", "destination"), ("key", names[0])])
        facts.append(Fact("Audit", .text("its entries in the trail", to: audit)))
        return facts
    }

    private func books(_ path: String) async -> [Piece] {
        let reply = await get(path + "/reconciliation")
        if let problem = reply.problem { return [.notice(Notice(problem))] }
        let lines = reply.items.suffix(24).reversed()
        func side(_ line: JSONValue, _ name: String) -> Cell {
            .quantity(line.text(name, "amount"), line.text(name, "records").map { "\($0) records" })
        }
        let table = Table(
            label: "What was made, sent and taken",
            columns: [
                .words("Meter type"), .words("Period"), .number("Made"), .number("Sent"),
                .number("Taken"), .number("Failed"), .number("Pending"),
            ],
            rows: lines.map { line in
                return Table.Row(
                    nil,
                    [
                        .code(line.text("meterType") ?? ""),
                        .span(line.text("start"), line.text("end"), "UTC"),
                        side(line, "made"),
                        side(line, "sent"), side(line, "acknowledged"), side(line, "failed"),
                        side(line, "pending"),
                    ]
                )
            }
        )
        return [.table(table)]
    }

    private func changeForm(_ item: JSONValue, _ problem: Problem?) -> Form {
        let isTyped = form.has("definition")
        // What stands is shown beside what was sent: to save again is to decide between them.
        let isRead = !isTyped || problem?.isOutdated == true
        let revision = isRead ? item.text("revision") ?? "" : form["revision"]
        var form = Form(
            id: "change-form",
            action: Way.destination(names[0]),
            fields: [
                Field(
                    "definition",
                    "Definition",
                    isTyped ? form["definition"] : Self.definition(item).pretty,
                    .area(rows: 12),
                    hint: "All of it: what is left out is as by default. A secret that says "
                        + "(hidden) stays as it is.",
                    isRequired: true,
                    isCode: true
                )
            ] + signature(needsReason: false, reasonHint: "Why it changes."),
            hidden: [("do", "define"), ("revision", revision)],
            buttons: [Form.Button(label: "Save")]
        )
        if isTyped { form.mark(problem) }
        return form
    }

    private func bothDefinitions(_ item: JSONValue) -> Piece {
        let typed = JSONValue.of(form["definition"]) ?? .null
        let (before, after) = MarkedJSON.sides(Self.definition(item), typed)
        return .card(
            "Somebody else saved first",
            id: "both",
            [.sides("As it stands", before, "What you sent", after)]
        )
    }
}
