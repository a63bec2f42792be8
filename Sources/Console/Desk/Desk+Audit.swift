import WireFormat

/// The audit trail: who changed what, when, from where and why.
extension Desk {
    private static let kinds = [
        "meter-type", "meter", "customer", "destination", "correction", "quarantine-item",
        "quarantine-action", "backfill-set", "validation-rule", "repair-rule", "quarantine",
        "manifest",
    ]
    private static let actions = [
        "create", "change", "revise", "retire", "cancel-backfill", "enrol", "alter", "suspend",
        "resume", "close", "close-period", "pause", "test", "resend", "void", "replace", "restore",
        "edit", "release", "discard", "reopen", "start", "cancel", "revert", "drop",
    ]

    private static func choices(_ words: [String]) -> [Field.Choice] {
        [.init("", "All")] + words.map { .init($0, $0) }
    }

    /// `/console/audit`, newest first.
    func audit() async -> Answer {
        var filters = Filters(query)
        filters.choice("kind", "What sort", Self.choices(Self.kinds))
        filters.text("key", "Which one", isCode: true)
        filters.choice("action", "What was done", Self.choices(Self.actions))
        filters.text("actor", "Who")
        filters.time("from", "From")
        filters.time("to", "Before")
        filters.pass { $0 == "after" }
        let asked = filters.asked + [("limit", Self.listMax)]
        let reply = await get("/v1/audit", asked + [("cursor", query["cursor"])])
        var sheet = Sheet(
            "Audit",
            lede: "Who changed what, when, from where and why. Each entry holds the hash of the "
                + "one before, so that none can be changed or taken out unseen."
        )
        sheet.tell(reply.problem)
        sheet.pieces = [filters.toolbar("/console/audit", problem: reply.problem)]
        if reply.problem == nil {
            sheet.pieces.append(chainPiece(reply))
            sheet.pieces += entryPieces(reply.items, isFiltered: !filters.isEmpty)
            let pager = filters.pager(
                "/console/audit",
                next: reply.json.next,
                isFirst: query["cursor"].isEmpty
            )
            sheet.pieces.append(pager)
        }
        sheet.pieces.append(asCall("/v1/audit", asked))
        return .sheet(sheet)
    }

    /// Whether the entries of this page hold on to each other, and where the whole trail ends.
    private func chainPiece(_ reply: APIReply) -> Piece {
        let items = reply.items
        var (links, breaks): (Int, [String]) = (0, [])
        for (newer, older) in zip(items, items.dropFirst()) {
            guard let next = Int64(newer.text("number") ?? ""),
                let number = Int64(older.text("number") ?? ""), next == number + 1
            else { continue }
            links += 1
            if newer.text("previous") != older.text("hash") { breaks.append(String(next)) }
        }
        let head = reply.json.text("head") ?? ""
        let parts = head.split(separator: ":", maxSplits: 1).map(String.init)
        let words =
            breaks.isEmpty
            ? Cell.tag(.ok, links == 0 ? "whole" : "links checked, all hold: \(links)")
            : .tag(.bad, "broken at \(breaks.joined(separator: ", "))")
        return .drawer(
            "The chain: \(Spelled.some(parts.first ?? "0", "entry", "entries"))",
            [
                .facts([
                    Fact("On this page", words),
                    Fact("Head", .code(head)),
                    Fact("Check all of it", .code("odometer verify --data …")),
                ]),
                .text("Who notes the head elsewhere can tell later whether entries are missing."),
            ]
        )
    }

    private func entryPieces(_ items: [JSONValue], isFiltered: Bool) -> [Piece] {
        guard !items.isEmpty else {
            return [
                .empty(
                    title: isFiltered ? "No entry fits" : "Nothing was changed yet",
                    text: "Every change of a definition, a customer, a destination, a correction "
                        + "or a record in quarantine is told here.",
                    code: nil,
                    ways: isFiltered ? [Link("The whole trail", "/console/audit")] : []
                )
            ]
        }
        let table = Table(
            label: "Entries of the audit trail",
            columns: [
                .words("When"), .words("Who"), .words("What"), .words("Which"), .words("Why"),
                .number("Entry"),
            ],
            rows: items.map(row)
        )
        return [.table(table)]
    }

    private func row(_ entry: JSONValue) -> Table.Row {
        let (kind, key) = (entry.text("kind") ?? "", entry.text("key") ?? "")
        let number = entry.text("number") ?? ""
        // Of what a client says of itself, the first word; the entry's own page has it all.
        let client = entry.text("client").map { text in
            let word = text.split(separator: " ").first ?? ""
            return word.hasPrefix("Mozilla/") ? "a browser" : Spelled.excerpt(String(word), 32)
        }
        let from = [entry.text("address"), client]
        return Table.Row(
            Way.path("console", "audit", number),
            [
                .time(entry.text("at")),
                .text(
                    entry.text("actor") ?? "nobody said",
                    from.compactMap(\.self).joined(separator: ", ")
                ), Self.deed(entry.text("action") ?? ""),
                .text(key, kind, to: Self.way(kind, key)), .text(entry.text("reason") ?? "–"),
                .text(number),
            ]
        )
    }

    private static func deed(_ action: String) -> Cell {
        switch action {
        case "create", "enrol", "release", "restore", "resume", "reopen": .tag(.ok, action)
        case "void", "discard", "retire", "revert", "drop", "cancel": .tag(.bad, action)
        default: .tag(.quiet, action)
        }
    }

    /// The page of the thing that an entry is about; nil where there is none.
    static func way(_ kind: String, _ key: String) -> String? {
        switch kind {
        case "meter-type": Way.meterType(key)
        case "meter": Way.meter(key)
        case "customer": Way.customer(key)
        case "destination": Way.destination(key)
        case "correction": Way.correction(key)
        case "quarantine-item": Way.item(key)
        case "quarantine-action": Way.path("console", "quarantine", "actions", key)
        case "backfill-set": Way.set(key)
        default: nil
        }
    }

    // MARK: One entry

    /// `/console/audit/{number}`: one entry, the thing before and after.
    func auditEntry() async -> Answer {
        let number = Int64(names[0]) ?? 0
        let asked = [("after", String(max(number - 1, 0))), ("format", "ndjson"), ("limit", "1")]
        let reply = await get("/v1/audit", asked)
        var sheet = Sheet("Entry \(names[0])", trail: [Link("Audit", "/console/audit")])
        guard reply.problem == nil, let entry = reply.lines.first,
            entry.text("number") == String(number)
        else {
            sheet.tell(reply.problem)
            sheet.status = reply.problem?.status ?? 404
            sheet.pieces = [
                .empty(
                    title: "There is no such entry",
                    text: "Entries are numbered from 1, without a gap.",
                    code: nil,
                    ways: [Link("The trail", "/console/audit")]
                )
            ]
            return .sheet(sheet)
        }
        let (kind, key) = (entry.text("kind") ?? "", entry.text("key") ?? "")
        sheet.tag = Self.deed(entry.text("action") ?? "")
        sheet.lede = "\(kind) \(key)"
        sheet.pieces = [
            .card(
                "What was done",
                id: "facts",
                [
                    .facts([
                        Fact("When", .time(entry.text("at"))),
                        Fact("Who", .text(entry.text("actor") ?? "nobody said")),
                        Fact(
                            "From",
                            .code(entry.text("address") ?? "–"),
                            .text(entry.text("client") ?? "")
                        ),
                        Fact("Which", .code(key, kind, to: Self.way(kind, key))),
                        Fact("Why", .text(entry.text("reason") ?? "–")),
                    ])
                ]
            ), .card("Before and after", id: "change", Self.change(entry)),
            .card(
                "Its place in the chain",
                id: "chain",
                [
                    .facts([
                        Fact("Hash of the entry before", .code(entry.text("previous") ?? "")),
                        Fact("Hash of this entry", .code(entry.text("hash") ?? "")),
                    ])
                ]
            ), asCall("/v1/audit", asked),
        ]
        return .sheet(sheet)
    }

    private static func change(_ entry: JSONValue) -> [Piece] {
        switch (entry["before"], entry["after"]) {
        case (let before?, let after?):
            let (left, right) = MarkedJSON.sides(before, after)
            return [.sides("Before", left, "After", right)]
        case (nil, let after?): return [.json(label: "After", after.pretty)]
        case (let before?, nil): return [.json(label: "Before", before.pretty)]
        case (nil, nil): return [.text("The entry has no document: what was done says it all.")]
        }
    }
}
