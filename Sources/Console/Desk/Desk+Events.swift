import WireFormat

/// Events: the list, and one with what became of it.
extension Desk {
    static let listMax = "50"

    /// `/console/events`, newest first.
    func events() async -> Answer {
        var filters = Filters(query)
        filters.text("source", "Source")
        filters.text("type", "Type", example: "llm.request or llm.*")
        filters.text("subject", "Subject")
        filters.time("from", "From")
        filters.time("to", "To")
        filters.choice(
            "status",
            "Status",
            [
                .init("", "All"), .init("counted", "Counted"), .init("unmatched", "Unmatched"),
            ]
        )
        if query.has("meterType") { filters.text("meterType", "Counted by", isCode: true) }
        if query.has("asOf") { filters.text("asOf", "As of") }
        let dimensions = filters.dimensions()
        filters.pass { $0 == "order" }
        let oldest = query["order"] == "asc"
        let order = query.has("order") ? [] : [("order", "desc")]
        let asked = filters.asked + order + [("limit", Self.listMax)]
        let reply = await get(
            "/v1/events",
            asked + [("cursor", query["cursor"])],
            bare: filters.bare
        )

        var sheet = Sheet("Events", lede: "Everything that was accepted, the newest first.")
        sheet.actions = [
            Link("Correct events", Way.link("/console/corrections/new", selection(filters.typed)))
        ]
        sheet.tell(reply.problem)
        let isFirst = query["cursor"].isEmpty
        let isNewest = isFirst && !oldest && query["to"].isEmpty && query["asOf"].isEmpty
        var tail: String?
        if reply.problem == nil, isNewest, filters.bare.isEmpty {
            // After what the list shows, so that nothing is lost until the stream is open.
            let start = [("tail", "1"), ("after", reply.json.text("position") ?? "0")]
            tail = Way.link("/console/live", start + filters.asked.filter { $0.0 != "order" })
        }
        sheet.pieces = [
            filters.toolbar("/console/events", problem: reply.problem, isLive: tail != nil)
        ]
        if !dimensions.isEmpty {
            let words = dimensions.joined(separator: ", ")
            sheet.pieces.append(.text("Only events with these dimensions: \(words)."))
        }
        if reply.problem == nil {
            sheet.pieces += eventList(reply, tail, isFiltered: !filters.isEmpty)
            sheet.pieces.append(
                filters.pager("/console/events", next: reply.json.next, isFirst: isFirst)
            )
        }
        sheet.pieces.append(asCall("/v1/events", asked, bare: filters.bare))
        return .sheet(sheet)
    }

    /// Filters of events that a correction has, too.
    private func selection(_ typed: [(String, String)]) -> [(String, String)] {
        let known = ["source", "type", "subject", "from", "to"]
        let kept = typed.filter { known.contains($0.0) }
        return kept.isEmpty ? [] : [("by", "filter")] + kept
    }

    private func eventList(_ reply: APIReply, _ tail: String?, isFiltered: Bool) -> [Piece] {
        if !reply.items.isEmpty {
            var table = Self.eventTable(reply.items)
            table.tail = tail
            return [.table(table)]
        }
        // An empty table beside the words, for what comes while the page is open.
        var waiting = Self.eventTable([])
        waiting.tail = tail
        let rows: [Piece] = tail == nil ? [] : [.table(waiting)]
        if isFiltered {
            return rows + [
                .empty(
                    title: "No event fits",
                    text: "Widen the time, or leave a filter out. What was rejected is not here: "
                        + "it waits in quarantine.",
                    code: nil,
                    ways: [
                        Link("All events", "/console/events"),
                        Link("Quarantine", "/console/quarantine"),
                    ]
                )
            ]
        }
        let example: JSONValue = [
            "source": "gateway-eu", "id": "req-1", "type": "llm.request", "subject": "acme",
            "data": ["tokens": 812],
        ]
        return rows + [
            .empty(
                title: "No event has come yet",
                text: "Send the first one: who used something, what, and when.",
                code: CallLine.send("POST", address, "/v1/events", example.plain),
                ways: [Link("Define what to count", "/console/meter-types/new")]
            )
        ]
    }

    static func eventTable(_ items: [JSONValue], label: String = "Events") -> Table {
        Table(
            label: label,
            columns: [
                .words("Time", "time"), .words("Type", "type"), .words("Subject", "subject"),
                .words("Id", "id"), .words("Source", "source"), .words("Status", "status"),
            ],
            rows: items.map { item in
                let event = item["event"] ?? .null
                let (source, id) = (event.text("source") ?? "", event.text("id") ?? "")
                let way = Way.event(source, id)
                return Table.Row(
                    way,
                    [
                        .time(item.text("time")), .text(event.text("type") ?? ""),
                        .text(event.text("subject") ?? ""), .code(id, to: way), .text(source),
                        status(item.text("status")),
                    ]
                )
            }
        )
    }

    static func status(_ text: String?) -> Cell {
        switch text {
        case "counted": .tag(.ok, "counted")
        case "void": .tag(.bad, "void")
        case "unmatched": .tag(.quiet, "unmatched")
        default: .text(text ?? "")
        }
    }

    // MARK: One event

    /// `/console/events/{source}/{id}`
    func event() async -> Answer {
        let (source, id) = (names[0], names[1])
        let path = Way.path("v1", "events", source, id)
        let reply = await get(path)
        var sheet = Sheet(id, trail: [Link("Events", "/console/events")])
        guard reply.problem == nil else {
            sheet.tell(reply.problem)
            let way = Way.link(
                "/console/quarantine/items",
                [("source", source), ("eventId", id)]
            )
            sheet.pieces = [
                .empty(
                    title: "No such event was accepted",
                    text: "If it was rejected, or is in conflict with another one, it waits in "
                        + "quarantine.",
                    code: nil,
                    ways: [Link("Look in quarantine", way), Link("Events", "/console/events")]
                )
            ]
            return .sheet(sheet)
        }
        let item = reply.json
        let event = item["event"] ?? .null
        sheet.lede = "\(event.text("type") ?? "") of \(event.text("subject") ?? "")"
        sheet.actions = eventActions(source, id, item)
        sheet.tag = Self.status(item.text("status"))
        var pieces: [Piece] = [
            .card("Who counted it", id: "explanation", explanation(item))
        ]
        let corrections = item["corrections"]?.arrayValue ?? []
        if !corrections.isEmpty {
            let table = Piece.table(correctionsOfEvent(corrections))
            pieces.append(.card("Corrections of it", id: "corrections", [table]))
        }
        let json = Piece.json(label: "The event", event.pretty)
        pieces.append(.card("As it was received", id: "json", [json]))
        let facts = Piece.facts(eventFacts(item, event))
        sheet.pieces = [.columns(pieces, [.card("What it is", id: "facts", [facts])])]
        sheet.pieces.append(asCall(path))
        return .sheet(sheet)
    }

    private func eventActions(_ source: String, _ id: String, _ item: JSONValue) -> [Link] {
        let isVoid = item.text("status") == "void"
        if isVoid, item["corrections"] == nil, let set = item.text("backfillSet") {
            return [Link("Its backfill set", Way.set(set))]
        }
        func way(_ kind: String) -> String {
            Way.link(
                "/console/corrections/new",
                [("kind", kind), ("source", source), ("id", id)]
            )
        }
        if isVoid { return [Link("Let it count again", way("restore"), look: "primary")] }
        return [
            Link("Replace this event", way("replace")),
            Link("Void this event", way("void"), look: "danger"),
        ]
    }

    private func eventFacts(_ item: JSONValue, _ event: JSONValue) -> [Fact] {
        let subject = event.text("subject") ?? ""
        let type = event.text("type") ?? ""
        var facts = [
            Fact("Source", .code(event.text("source") ?? "")),
            Fact("Id", .code(event.text("id") ?? "")),
            Fact("Type", .text(type, to: Way.link("/console/events", [("type", type)]))),
            Fact(
                "Subject",
                .text(subject, to: Way.link("/console/events", [("subject", subject)]))
            ),
            Fact("Time", .time(item.text("time"))),
            Fact("Received", .time(item.text("receivedAt"))),
            Fact("Position", .text(item.text("position") ?? "")),
        ]
        if let set = item.text("backfillSet") {
            facts.append(Fact("Backfill set", .code(set, to: Way.set(set))))
        }
        if let repaired = item["repairedBy"] {
            let rule = repaired.text("rule") ?? ""
            let version = repaired.text("version") ?? ""
            let origin = repaired.text("item") ?? ""
            facts.append(
                Fact(
                    "Mended by",
                    .text("rule \(rule), version \(version)"),
                    .code(origin, to: Way.item(origin))
                )
            )
        }
        return facts
    }

    private func explanation(_ item: JSONValue) -> [Piece] {
        let entries = item["explanation"]?.arrayValue ?? []
        guard !entries.isEmpty else {
            return [
                .empty(
                    title: "There is no meter type",
                    text: "Events are kept, and are counted as soon as a meter type wants them.",
                    code: nil,
                    ways: [Link("Define one", "/console/meter-types/new")]
                )
            ]
        }
        let counted = entries.filter { $0["matched"] == true }
        let others = entries.filter { $0["matched"] != true }
        var pieces: [Piece] = []
        if counted.isEmpty { pieces.append(.text("No meter type counts it.")) }
        if !counted.isEmpty { pieces.append(.table(countedTable(counted))) }
        if !others.isEmpty { pieces.append(.table(uncountedTable(others))) }
        return pieces
    }

    private func countedTable(_ entries: [JSONValue]) -> Table {
        Table(
            label: "Meters that counted it",
            columns: [
                .words("Meter"), .number("Added"), .words("Dimensions"), .words("Period"),
            ],
            rows: entries.map { entry in
                let meter = entry.text("meter") ?? ""
                let dimensions = (entry["dimensions"]?.objectValue?.members ?? []).map {
                    "\($0.name) = \($0.value.stringValue ?? "–")"
                }
                return Table.Row(
                    Way.meter(meter),
                    [
                        .text(
                            entry.text("meterType") ?? "",
                            "version \(entry.text("version") ?? "")"
                        ),
                        .quantity(entry.text("value")),
                        .text(dimensions.isEmpty ? "–" : dimensions.joined(separator: ", ")),
                        span(of: entry["period"]),
                    ]
                )
            }
        )
    }

    private func uncountedTable(_ entries: [JSONValue]) -> Table {
        Table(
            label: "Meter types that did not count it",
            columns: [.words("Meter type"), .words("Why it does not count")],
            rows: entries.map { entry in
                let key = entry.text("meterType") ?? ""
                return Table.Row(
                    Way.meterType(key),
                    [
                        .text(key, "version \(entry.text("version") ?? "")"),
                        .text(entry.text("because") ?? ""),
                    ]
                )
            }
        )
    }

    private func correctionsOfEvent(_ corrections: [JSONValue]) -> Table {
        Table(
            label: "Corrections of this event",
            columns: [
                .words("Correction"), .words("When"), .words("Who"), .words("Why"),
                .words("Since then"),
            ],
            rows: corrections.map { said in
                let id = said.text("id") ?? ""
                let counts =
                    said["replacement"] == nil
                    ? (said["counts"] == true ? "it counts" : "it does not count")
                    : "another event stands for it, at position \(said.text("replacement") ?? "")"
                return Table.Row(
                    Way.correction(id),
                    [
                        .code(id, said.text("kind")), .time(said.text("at")),
                        .text(said.text("author") ?? ""), .text(said.text("reason") ?? ""),
                        .text(counts),
                    ]
                )
            }
        )
    }
}
