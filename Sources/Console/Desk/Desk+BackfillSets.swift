import WireFormat

/// Backfill sets: events that come to count together, or not at all.
extension Desk {
    static let setsTrail = [
        Link("Corrections", "/console/corrections"),
        Link("Backfill sets", "/console/backfill-sets"),
    ]

    private static let replaceFields = [
        ("subject", "Subject"), ("source", "Source"), ("type", "Type"), ("from", "From"),
        ("to", "To"), ("expression", "Expression"),
    ]

    /// `/console/backfill-sets`
    func backfillSets() async -> Answer { .sheet(await setsSheet(problem: nil)) }

    /// A POST to the same address opens one.
    func openSet() async -> Answer {
        var body = JSONObject(
            texts: [
                ("name", form["name"].trimmed), ("reason", form["reason"].trimmed),
                ("author", named),
            ]
        )
        let pairs = Self.replaceFields.map { name, _ in
            let text = form["replace." + name].trimmed
            return (name, name == "from" || name == "to" ? Filters.instant(text) : text)
        }
        let replaced = JSONObject(texts: pairs)
        if !replaced.isEmpty { body["replaceExisting"] = .object(replaced) }
        let reply = await send(.post, "/v1/backfill-sets", .object(body))
        if let problem = reply.problem { return .sheet(await setsSheet(problem: problem)) }
        return .redirect(Way.set(reply.json.text("id") ?? ""))
    }

    private func setsSheet(problem: Problem?) async -> Sheet {
        var filters = Filters(query)
        filters.choice(
            "state",
            "State",
            [
                .init("", "All"), .init("open", "Open"), .init("closed", "Closed"),
                .init("reverted", "Reverted"),
            ]
        )
        let reply = await get(
            "/v1/backfill-sets",
            filters.asked + [("limit", Self.listMax), ("cursor", query["cursor"])]
        )
        var sheet = Sheet(
            "Backfill sets",
            lede: "Events that were missed, sent in again as a set: none counts until the set is "
                + "closed, then all do, at once; and a set can be reverted whole.",
            trail: Self.correctionsTrail
        )
        sheet.tell(problem ?? reply.problem)
        sheet.pieces = [filters.toolbar("/console/backfill-sets", problem: reply.problem)]
        if reply.problem == nil {
            if reply.items.isEmpty {
                sheet.pieces.append(
                    .empty(
                        title: "No set here",
                        text: "Open one below, send events to it, look at what they would change, "
                            + "and close it.",
                        code: nil,
                        ways: []
                    )
                )
            } else {
                sheet.pieces.append(.table(setTable(reply.items)))
            }
            let pager = filters.pager(
                "/console/backfill-sets",
                next: reply.json.next,
                isFirst: query["cursor"].isEmpty
            )
            sheet.pieces.append(pager)
        }
        sheet.pieces.append(.card("Open a set", id: "open", [.form(openForm(problem))]))
        sheet.pieces.append(asCall("/v1/backfill-sets", filters.asked))
        return sheet
    }

    private static func stateOfSet(_ state: String?) -> Cell {
        let moods: [String: Cell.Mood] = ["open": .info, "closed": .ok, "reverted": .warn]
        return .tag(moods[state ?? ""] ?? .quiet, state ?? "")
    }

    private func setTable(_ items: [JSONValue]) -> Table {
        Table(
            label: "Backfill sets",
            columns: [
                .words("Set"), .words("State"), .number("Events"), .words("Who"), .words("Opened"),
            ],
            rows: items.map { item in
                let id = item.text("id") ?? ""
                return Table.Row(
                    Way.set(id),
                    [
                        .text(item.text("name") ?? "", id), Self.stateOfSet(item.text("state")),
                        .text(Spelled.count(item.text("events"))), .text(item.text("author") ?? ""),
                        .time(item.text("at")),
                    ]
                )
            }
        )
    }

    private func openForm(_ problem: Problem?) -> Form {
        var fields = [
            Field(
                "name",
                "What it is for",
                form["name"],
                example: "outage of 3 November",
                isRequired: true
            )
        ]
        fields += signature(
            needsReason: true,
            needsAuthor: true,
            reasonHint: "Why the events come now."
        )
        for (name, label) in Self.replaceFields {
            let isFirst = name == "subject"
            fields.append(
                Field(
                    "replace." + name,
                    "Makes room: \(label.lowercased())",
                    form["replace." + name],
                    hint: isFirst
                        ? "Events that fit all of these count no more once the set is closed, but "
                            + "for those that the set has again. Leave all empty to add only."
                        : nil,
                    isCode: name == "expression",
                    pointers: ["/replaceExisting/" + name]
                )
            )
        }
        var form = Form(
            id: "open-form",
            action: "/console/backfill-sets",
            fields: fields,
            buttons: [Form.Button(label: "Open the set")]
        )
        form.mark(problem)
        return form
    }

    // MARK: One set

    /// `/console/backfill-sets/{id}`: with and without it.
    func backfillSet() async -> Answer { .sheet(await setSheet(problem: nil)) }

    /// A POST to the same address closes or reverts it.
    func changeSet() async -> Answer {
        let change = form["do"] == "revert" ? "revert" : "close"
        let path = Way.path("v1", "backfill-sets", names[0], change)
        var body = JSONObject(texts: [("reason", form["reason"].trimmed), ("author", named)])
        body["expected"] = expected
        let reply = await send(.post, path, .object(body))
        if let problem = reply.problem { return .sheet(await setSheet(problem: problem)) }
        let isMade = reply.json["correction"]?.isNull == false
        let words =
            change == "close"
            ? "Closed: all its events count now."
            : "Reverted: none of its events counts any more."
        return .redirect(Way.set(names[0]), saying: isMade ? words : "Nothing was to change.")
    }

    private func setSheet(problem: Problem?) async -> Sheet {
        let path = Way.path("v1", "backfill-sets", names[0])
        let reply = await get(path)
        var sheet = Sheet(names[0], trail: Self.setsTrail)
        guard reply.problem == nil else {
            sheet.tell(reply.problem)
            return sheet
        }
        let set = reply.json
        let state = set.text("state") ?? ""
        sheet.title = set.text("name") ?? names[0]
        sheet.lede = "Backfill set \(names[0])"
        sheet.tell(problem)
        sheet.pieces = [.card("What it is", id: "facts", [.facts(setFacts(set))])]
        if state == "open" {
            sheet.pieces.append(.card("Send events to it", id: "send", [sending()]))
        }
        let changes =
            state == "open"
            ? ["close", "revert"]
            : state == "closed"
                ? ["revert"]
                : ["close"]
        for change in changes { sheet.pieces += await changePieces(change, problem) }
        sheet.pieces.append(asCall(path))
        return sheet
    }

    private func setFacts(_ set: JSONValue) -> [Fact] {
        var facts = [
            Fact("State", Self.stateOfSet(set.text("state"))),
            Fact("Events", .text(Spelled.count(set.text("events")))),
            Fact("Opened", .time(set.text("at")), .text("by \(set.text("author") ?? "")")),
        ]
        for member in set["replaceExisting"]?.objectValue?.members ?? [] {
            facts.append(
                Fact("Makes room: \(member.name)", .code(member.value.stringValue ?? ""))
            )
        }
        if let id = set.text("correction") {
            facts.append(Fact("Last correction", .code(id, to: Way.correction(id))))
        }
        let audit = Way.link("/console/audit", [("kind", "backfill-set"), ("key", names[0])])
        facts.append(Fact("Audit", .text("its entries in the trail", to: audit)))
        return facts
    }

    private func sending() -> Piece {
        let path = Way.path("v1", "backfill-sets", names[0], "events")
        let line =
            "curl " + CallLine.quoted(address + path)
            + " \\\n  -H 'Content-Type: application/x-ndjson' --data-binary @events.ndjson"
        return .code(label: "A call that sends a file of events", line)
    }

    /// What closing or reverting would do, and the form that does it.
    private func changePieces(_ change: String, _ problem: Problem?) async -> [Piece] {
        let body: JSONValue = [
            "dryRun": true, "reason": "only to look",
            "author": .string(named.isEmpty ? "console" : named),
        ]
        let path = Way.path("v1", "backfill-sets", names[0], change)
        let reply = await send(.post, path, body)
        let isClose = change == "close"
        let heading = isClose ? "With and without it" : "Without it again"
        var pieces: [Piece] = []
        if let fault = reply.problem {
            pieces = [.card(heading, id: change, [.notice(Notice(fault))])]
        } else if let preview = reply.json["preview"], preview.text("events") != "0" {
            let shown = previewPieces(
                of: preview,
                heading: heading,
                sides: isClose ? ("Without it", "With it") : ("With it", "Without it")
            )
            if case .card(_, _, let inner)? = shown.first {
                pieces = [.card(heading, id: change + "-preview", inner)]
            }
        }
        var form = Form(
            id: change + "-form",
            action: Way.set(names[0]),
            fields: signature(
                needsReason: true,
                needsAuthor: true,
                reasonHint: isClose ? "How it was checked." : "Why they shall not count."
            ),
            hidden: [("do", change), ("expected", reply.json.text("preview", "events") ?? "")],
            buttons: [
                Form.Button(
                    label: isClose ? "Close: all count from now on" : "Revert: none counts",
                    look: isClose ? "primary" : "danger"
                )
            ]
        )
        if self.form["do"] == change { form.mark(problem) }
        let title = isClose ? "Close it" : "Revert it"
        pieces.append(.card(title, id: change + "-card", [.form(form)]))
        return pieces
    }
}
