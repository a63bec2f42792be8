import WireFormat

/// The quarantine: groups of items by what is wrong with them, and the items of a group.
extension Desk {
    static let quarantineTrail = [Link("Quarantine", "/console/quarantine")]

    private static let states: [Field.Choice] = [
        .init("open", "Open"), .init("released", "Released"), .init("discarded", "Discarded"),
        .init(Filters.all, "All"),
    ]

    static let withoutHint = "Source or type, of records that name none."

    private func quarantineFilters() -> Filters {
        var filters = Filters(query)
        filters.choice("state", "State", Self.states, initial: "open")
        filters.text("reason", "Reason", example: "time-missing-offset")
        filters.text("source", "Source")
        filters.text("type", "Type")
        filters.text("text", "Text in it", example: "Any text of the record")
        filters.without("Without", hint: Self.withoutHint)
        return filters
    }

    private static func tabs(isItems: Bool, _ filters: Filters) -> Piece {
        .tabs(
            "Views of the quarantine",
            [
                Link(
                    "By reason",
                    Way.link("/console/quarantine", filters.typed),
                    isCurrent: !isItems
                ),
                Link(
                    "Records",
                    Way.link("/console/quarantine/items", filters.typed),
                    isCurrent: isItems
                ),
            ]
        )
    }

    /// `/console/quarantine`: groups, the largest first.
    func quarantineGroups() async -> Answer {
        let filters = quarantineFilters()
        let reply = await get(
            "/v1/quarantine/groups",
            filters.asked + [("limit", Self.listMax), ("cursor", query["cursor"])],
            bare: filters.bare
        )
        var sheet = Sheet(
            "Quarantine",
            lede: "Records that could not be counted. Nothing is lost: mend and release them, or "
                + "say why they shall not count."
        )
        sheet.tell(reply.problem)
        sheet.pieces = [
            Self.tabs(isItems: false, filters),
            filters.toolbar("/console/quarantine", problem: reply.problem),
        ]
        if reply.problem == nil {
            if reply.items.isEmpty {
                sheet.pieces.append(nothingInQuarantine(filters))
            } else {
                sheet.pieces.append(.table(groupTable(reply.items)))
            }
            let isFirst = query["cursor"].isEmpty
            let pager = filters.pager(
                "/console/quarantine",
                next: reply.json.next,
                isFirst: isFirst
            )
            sheet.pieces.append(pager)
        }
        sheet.pieces.append(asCall("/v1/quarantine/groups", filters.asked, bare: filters.bare))
        return .sheet(sheet)
    }

    private func nothingInQuarantine(_ filters: Filters) -> Piece {
        if filters.isEmpty {
            return .empty(
                title: "Nothing waits",
                text: "Every record that came could be counted, or was dealt with. What breaks a "
                    + "rule from now on is kept here with the reason.",
                code: nil,
                ways: [
                    Link(
                        "Those that were dealt with",
                        Way.link("/console/quarantine/items", [("state", "released")])
                    )
                ]
            )
        }
        return .empty(
            title: "Nothing fits",
            text: "No record in quarantine passes these filters.",
            code: nil,
            ways: [Link("All that are open", "/console/quarantine")]
        )
    }

    private func groupTable(_ groups: [JSONValue]) -> Table {
        Table(
            label: "Groups of records",
            columns: [
                .words("Reason"), .number("Open"), .number("In all"), .words("Source"),
                .words("Type"), .number("Times sent"), .words("Last seen"),
            ],
            rows: groups.map { group in
                let rule = group.text("rule")
                let lacking = ["source", "type"].filter { group.text($0) ?? "" == "" }
                let way = Way.link(
                    "/console/quarantine/items",
                    [
                        ("state", query.has("state") ? query["state"] : "open"),
                        ("reason", group.text("reason") ?? ""),
                        ("source", group.text("source") ?? ""),
                        ("type", group.text("type") ?? ""), ("rule", rule ?? ""),
                        ("text", query["text"]),
                        (Filters.without, lacking.joined(separator: ",")),
                    ]
                )
                return Table.Row(
                    way,
                    [
                        .code(group.text("reason") ?? "", rule.map { "rule \($0)" }),
                        .text(Spelled.count(group.text("open"))),
                        .text(Spelled.count(group.text("items"))),
                        .text(group.text("source") ?? ""), .text(group.text("type") ?? ""),
                        .text(Spelled.count(group.text("seen"))),
                        .time(group.text("lastSeenAt")),
                    ]
                )
            }
        )
    }

    // MARK: Items

    /// `/console/quarantine/items`, the newest first.
    func quarantineItems() async -> Answer {
        var filters = quarantineFilters()
        filters.text("eventId", "Event id")
        filters.text("rule", "Rule")
        filters.time("seenFrom", "Seen from")
        filters.time("seenTo", "Seen before")
        let reply = await get(
            "/v1/quarantine",
            filters.asked + [("limit", Self.listMax), ("cursor", query["cursor"])],
            bare: filters.bare
        )
        var sheet = Sheet(
            "Records in quarantine",
            lede: "The newest first; the field at fault stands beside each.",
            trail: Self.quarantineTrail
        )
        sheet.tell(reply.problem)
        sheet.actions = manyActions(filters)
        sheet.pieces = [
            Self.tabs(isItems: true, filters),
            filters.toolbar("/console/quarantine/items", problem: reply.problem),
        ]
        if reply.problem == nil {
            if reply.items.isEmpty {
                sheet.pieces.append(nothingInQuarantine(filters))
                sheet.actions = []
            } else {
                sheet.pieces.append(.table(Self.itemTable(reply.items)))
            }
            let isFirst = query["cursor"].isEmpty
            let pager = filters.pager(
                "/console/quarantine/items",
                next: reply.json.next,
                isFirst: isFirst
            )
            sheet.pieces.append(pager)
        }
        sheet.pieces.append(asCall("/v1/quarantine", filters.asked, bare: filters.bare))
        return .sheet(sheet)
    }

    /// What can be done with all open ones that the filters find.
    private func manyActions(_ filters: Filters) -> [Link] {
        guard (query.has("state") ? query["state"] : "open") == "open" else { return [] }
        let kept = filters.typed.filter { $0.0 != "state" }.map { ("filter." + $0.0, $0.1) }
        func way(_ kind: String) -> String {
            Way.link("/console/quarantine/actions/new", [("action", kind)] + kept)
        }
        return [
            Link("Discard all of these", way("discard"), look: "quiet"),
            Link("Release all of these", way("release")),
            Link("Repair all of these", way("repair-and-release"), look: "primary"),
        ]
    }

    static func itemTable(_ items: [JSONValue]) -> Table {
        Table(
            label: "Records in quarantine",
            columns: [
                .words("Record"), .words("Reason"), .words("Field at fault"),
                .words("Last seen"), .number("Times sent"),
            ],
            rows: items.map { item in
                let id = item.text("id") ?? ""
                let pointer = item.text("pointer") ?? ""
                let source = item.text("source")
                return Table.Row(
                    Way.item(id),
                    [
                        .code(id, item.text("eventId").map { "\(source ?? "") \($0)" }),
                        .code(item.text("reason") ?? "", stateWord(item)),
                        pointer.isEmpty
                            ? .code(Spelled.excerpt(Self.text(of: item), 140), "all of it")
                            : .code(pointer, value(of: item)),
                        .time(item.text("lastSeenAt")),
                        .text(Spelled.count(item.text("seen"))),
                    ]
                )
            }
        )
    }

    private static func stateWord(_ item: JSONValue) -> String? {
        let state = item.text("state") ?? ""
        return state == "open" ? nil : state
    }

    /// What stands at the place at fault; nil where nothing does.
    private static func value(of item: JSONValue) -> String? {
        guard let event = JSONValue.of(text(of: item)),
            let steps = JSONValue.steps(of: item.text("pointer") ?? "")
        else { return nil }
        var value: JSONValue? = event
        for step in steps {
            if let elements = value?.arrayValue, let index = Int(step) {
                value = elements.indices.contains(index) ? elements[index] : nil
            } else {
                value = value?[step]
            }
        }
        return value.map { Spelled.excerpt($0.plain, 40) } ?? "missing"
    }

    /// The bytes of an item as they stand, as far as they are a text.
    static func text(of item: JSONValue) -> String {
        item.text("edited") ?? item.text("original") ?? item.text("editedBase64")
            ?? item.text("originalBase64") ?? ""
    }
}
