import WireFormat

/// Many records of the quarantine at once: repaired, released or discarded, with every change shown
/// before.
extension Desk {
    private static let kinds: [Field.Choice] = [
        .init("repair-and-release", "Repair and release"), .init("repair", "Repair only"),
        .init("release", "Release"), .init("discard", "Discard"),
    ]
    private static let repairRows = 1...3
    private static let filterNames = [
        "reason", "source", "type", "eventId", "rule", "text", "seenFrom", "seenTo",
        Filters.without,
    ]

    private var kind: String {
        let typed = form.has("action") ? form["action"] : query["action"]
        return typed.isEmpty ? "repair-and-release" : typed
    }

    private func typed(_ name: String) -> String {
        form.has(name) ? form[name] : query[name]
    }

    /// `/console/quarantine/actions/new`: what it would do, in the address.
    func draftAction() async -> Answer {
        .sheet(await draftSheet(problem: nil))
    }

    /// A POST to the same address: in earnest.
    func startAction() async -> Answer {
        var body = actionBody()
        for (name, text) in [("reason", form["why"].trimmed), ("author", named)]
        where !text.isEmpty {
            body[name] = .string(text)
        }
        // What was shown is what is done, or nothing is.
        if form.has("expected") { body["expected"] = .string(form["expected"]) }
        let reply = await send(.post, "/v1/quarantine/actions", .object(body))
        if let problem = reply.problem { return .sheet(await draftSheet(problem: problem)) }
        let id = reply.json.text("id") ?? ""
        return .redirect(Way.path("console", "quarantine", "actions", id))
    }

    private var repairs: Bool { kind.hasPrefix("repair") }

    private func actionBody() -> JSONObject {
        var filter = JSONObject()
        for name in Self.filterNames {
            let text = typed("filter." + name)
            guard !text.isEmpty, name != Filters.without else { continue }
            filter[name] = .string(name.hasPrefix("seen") ? Filters.instant(text) : text)
        }
        for name in Filters.names(of: typed("filter." + Filters.without))
        where filter[name] == nil {
            filter[name] = ""
        }
        var body: JSONObject = ["action": .string(kind), "filter": .object(filter)]
        guard repairs else { return body }
        var set = JSONObject()
        for row in Self.repairRows {
            let (place, value) = (typed("place\(row)").trimmed, typed("value\(row)").trimmed)
            if !place.isEmpty || !value.isEmpty { set[place] = .string(value) }
        }
        let remove = typed("remove").split { $0.isWhitespace }.map { JSONValue.string(String($0)) }
        body["repair"] = ["set": .object(set), "remove": .array(remove)]
        return body
    }

    private var saysWhat: Bool {
        guard repairs else { return true }
        return Self.repairRows.contains { !typed("place\($0)").isEmpty }
            || !typed("remove").isEmpty
    }

    /// The parameters that hold all of a draft.
    private func draftQuery() -> [(String, String)] {
        var pairs = [("action", kind)]
        pairs += Self.filterNames.map { ("filter." + $0, typed("filter." + $0)) }
        guard repairs else { return pairs }
        for row in Self.repairRows {
            pairs += [("place\(row)", typed("place\(row)")), ("value\(row)", typed("value\(row)"))]
        }
        return pairs + [("remove", typed("remove"))]
    }

    private func draftSheet(problem: Problem?) async -> Sheet {
        var sheet = Sheet(
            "Change many records",
            lede: "First every change is shown; nothing happens before you say so.",
            trail: Self.quarantineTrail
        )
        sheet.tell(problem)
        var preview: APIReply?
        if saysWhat {
            var body = actionBody()
            body["dryRun"] = true
            let path = Way.link(
                "/v1/quarantine/actions",
                [("limit", Self.listMax), ("cursor", query["cursor"])]
            )
            preview = await send(.post, path, .object(body))
        }
        if problem == nil { sheet.tell(preview?.problem) }
        sheet.pieces = [draftForm(problem ?? preview?.problem)]
        if let preview, preview.problem == nil {
            sheet.pieces += previewPieces(preview, problem)
        }
        var body = actionBody()
        body["dryRun"] = true
        sheet.pieces.append(asCall("POST", "/v1/quarantine/actions", .object(body)))
        return sheet
    }

    private func draftForm(_ problem: Problem?) -> Piece {
        var fields = [Field("action", "What to do", kind, .choice(Self.kinds))]
        let labels = [
            "Reason", "Source", "Type", "Event id", "Rule", "Text in it", "Seen from",
            "Seen before", "Without",
        ]
        for (name, label) in zip(Self.filterNames, labels) {
            fields.append(
                Field(
                    "filter." + name,
                    label,
                    typed("filter." + name),
                    hint: name == Filters.without ? Self.withoutHint : nil,
                    pointers: ["/filter/" + name]
                )
            )
        }
        if repairs { fields += repairFields() }
        var form = Form(
            id: "draft",
            method: .get,
            action: "/console/quarantine/actions/new",
            fields: fields,
            buttons: [Form.Button(label: "Show what it would do")]
        )
        form.mark(problem)
        return .card("Which records, and what to do", id: "what", [.form(form)])
    }

    /// What becomes of places of the events.
    private func repairFields() -> [Field] {
        var fields: [Field] = []
        for row in Self.repairRows {
            let place = typed("place\(row)")
            let pointer = "/repair/set/" + MarkedJSON.escaped(place)
            fields.append(
                Field(
                    "place\(row)",
                    "Place \(row)",
                    place,
                    hint: row == 1 ? "A JSON pointer of the event." : nil,
                    example: "/time",
                    isCode: true
                ).onNewLine()
            )
            fields.append(
                Field(
                    "value\(row)",
                    "becomes",
                    typed("value\(row)"),
                    hint: row == 1 ? "An expression over the event as it stands." : nil,
                    example: "concat($.time, \"Z\")",
                    isCode: true,
                    pointers: [pointer]
                )
            )
        }
        fields.append(
            Field(
                "remove",
                "Take out",
                typed("remove"),
                hint: "JSON pointers, with spaces between them.",
                example: "/data/x",
                isCode: true,
                pointers: ["/repair/remove", "/repair"]
            ).onNewLine()
        )
        return fields
    }

    private func previewPieces(_ preview: APIReply, _ problem: Problem?) -> [Piece] {
        let total = preview.json.text("total") ?? "0"
        guard total != "0" else {
            return [
                .empty(
                    title: "No open record fits",
                    text: "Leave a filter out, or look at what waits.",
                    code: nil,
                    ways: [Link("Quarantine", "/console/quarantine")]
                )
            ]
        }
        let path = "/console/quarantine/actions/new"
        let pager = Piece.pager(
            first: query["cursor"].isEmpty ? nil : Way.link(path, draftQuery()),
            next: preview.json.next.map { Way.link(path, draftQuery() + [("cursor", $0)]) }
        )
        let verb = Self.kinds.first { $0.value == kind }?.label ?? kind
        var fields = signature(
            needsReason: kind == "discard",
            reasonHint: kind == "discard" ? "Why they shall not count." : "If there is more to say."
        )
        (fields[0].name, fields[0].pointers) = ("why", ["/reason"])
        fields[0].value = form["why"]
        var earnest = Form(
            id: "earnest",
            action: path,
            fields: fields,
            hidden: (draftQuery() + [("expected", total)]).filter { !$0.1.isEmpty }
                .map { (name: $0.0, value: $0.1) },
            buttons: [
                Form.Button(
                    label: "\(verb): \(Spelled.some(total, "record"))",
                    look: kind == "discard" ? "danger" : "primary"
                )
            ]
        )
        earnest.mark(problem)
        return [
            .card(
                "What it would do to \(Spelled.some(total, "record"))",
                id: "preview",
                [.table(previewTable(preview.items))]
            ),
            pager, .card("In earnest", id: "in-earnest", [.form(earnest)]),
        ]
    }

    /// A row for every change of every record.
    private func previewTable(_ items: [JSONValue]) -> Table {
        var rows: [Table.Row] = []
        for item in items {
            let id = item.text("id") ?? ""
            let before = item.text("before").flatMap(JSONValue.of)
            let after = item.text("after").flatMap(JSONValue.of)
            var changes: [(place: Cell, before: Cell, after: Cell)] = []
            if let before, let after {
                changes = MarkedJSON.changes(before, after).map {
                    (.code($0.pointer), Self.value($0.before), Self.value($0.after))
                }
            }
            if changes.isEmpty {
                let text = Spelled.excerpt(item.text("before") ?? item.text("beforeBase64") ?? "")
                changes = [(.none, .code(text), .text("as it is"))]
            }
            for (index, change) in changes.enumerated() {
                let isFirst = index == 0
                rows.append(
                    Table.Row(
                        isFirst ? Way.item(id) : nil,
                        [
                            isFirst ? .code(id) : .text(""), change.place, change.before,
                            change.after, isFirst ? verdict(item) : .text(""),
                        ]
                    )
                )
            }
        }
        return Table(
            label: "What would be changed",
            columns: [
                .words("Record"), .words("Place"), .words("Before"), .words("After"),
                .words("Then"),
            ],
            rows: rows
        )
    }

    private static func value(_ value: JSONValue?) -> Cell {
        value.map { .code(Spelled.excerpt($0.plain)) } ?? .text("nothing")
    }

    private func verdict(_ item: JSONValue) -> Cell {
        if let failure = item.text("failure") { return .tag(.bad, "stays as it is", failure) }
        if kind == "discard" { return .tag(.quiet, "will not count") }
        if item["isSound"] == true { return .tag(.ok, "sound") }
        return .tag(.warn, item.text("fault") ?? "still at fault", item.text("pointer"))
    }

    // MARK: One action

    /// `/console/quarantine/actions/{id}`: how far it is.
    func quarantineAction() async -> Answer {
        .sheet(actionSheet(await get(Way.path("v1", "quarantine", "actions", names[0]))))
    }

    /// A POST to the same address cancels it.
    func cancelAction() async -> Answer {
        let path = Way.path("v1", "quarantine", "actions", names[0])
        let reply = await send(.post, path + "/cancel")
        guard let problem = reply.problem else {
            return .redirect(Way.path("console", "quarantine", "actions", names[0]))
        }
        var sheet = actionSheet(await get(path))
        sheet.tell(problem)
        return .sheet(sheet)
    }

    private func actionSheet(_ reply: APIReply) -> Sheet {
        var sheet = Sheet(names[0], trail: Self.quarantineTrail)
        guard reply.problem == nil else {
            sheet.tell(reply.problem)
            return sheet
        }
        let action = reply.json
        let state = action.text("state") ?? ""
        let kind = action.text("action") ?? ""
        sheet.title = Self.kinds.first { $0.value == kind }?.label ?? kind
        sheet.lede = "\(names[0]), asked for by \(action.text("author") ?? "somebody")"
        let isRunning = state == "running"
        if isRunning { sheet.refreshSeconds = 2 }
        let pieces = progressPieces(action)
        sheet.pieces = [
            isRunning
                ? .watched("How far it is", id: "progress-card", pieces)
                : .card("How far it is", id: "progress-card", pieces),
            .card(
                "What was asked for",
                id: "asked",
                [
                    .json(
                        label: "Filter and repair",
                        JSONValue.object([
                            "filter": action["filter"] ?? [:], "repair": action["repair"] ?? .null,
                        ]).pretty
                    )
                ]
            ),
            asCall(Way.path("v1", "quarantine", "actions", names[0])),
        ]
        sheet.actions = [
            Link("What is still open", Self.openWay(action["filter"] ?? [:]))
        ]
        return sheet
    }

    private func progressPieces(_ action: JSONValue) -> [Piece] {
        let state = action.text("state") ?? ""
        let (items, total) = (action.text("items") ?? "0", action.text("total") ?? "0")
        let mood: Cell.Mood = state == "running" ? .info : state == "done" ? .ok : .warn
        var pieces: [Piece] = [
            .progress(
                label: "\(Spelled.count(items)) of \(Spelled.some(total, "record"))",
                value: items,
                max: total == "0" ? "1" : total
            ),
            .facts(
                [
                    Fact("State", .tag(mood, state)),
                    Fact("Repaired", .text(Spelled.count(action.text("repaired")))),
                    Fact("Accepted", .text(Spelled.count(action.text("accepted")))),
                    Fact("Known already", .text(Spelled.count(action.text("duplicate")))),
                    Fact("Discarded", .text(Spelled.count(action.text("discarded")))),
                    Fact("Left open", .text(Spelled.count(action.text("failed")))),
                    Fact("Asked for", .time(action.text("createdAt"))),
                    Fact("Last step", .time(action.text("changedAt"))),
                    Fact("Why", .text(action.text("reason") ?? "–")),
                ]
            ),
        ]
        guard state == "running" else { return pieces }
        let page = Way.path("console", "quarantine", "actions", names[0])
        let form = Form(
            id: "cancel",
            action: page,
            buttons: [Form.Button(label: "Cancel it here", look: "danger")],
            way: Link("Look again", page)
        )
        pieces.append(.form(form))
        return pieces
    }

    private static func openWay(_ filter: JSONValue) -> String {
        let pairs = (filter.objectValue?.members ?? []).map {
            ($0.name, $0.value.stringValue ?? "")
        }
        let lacking = pairs.filter { $0.1.isEmpty }.map { $0.0 }.joined(separator: ",")
        return Way.link(
            "/console/quarantine/items",
            [("state", "open")] + pairs + [(Filters.without, lacking)]
        )
    }
}
