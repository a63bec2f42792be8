import WireFormat

/// One record in quarantine: what is wrong with it, and the forms that mend it.
extension Desk {
    /// `/console/quarantine/items/{id}`
    func quarantineItem() async -> Answer {
        let reply = await get(Way.path("v1", "quarantine", names[0]))
        return .sheet(itemSheet(reply, problem: nil))
    }

    /// A POST to the same address: an edit, a release, a discard, or the item opened again.
    func changeItem() async -> Answer {
        let path = Way.path("v1", "quarantine", names[0])
        switch form["do"] {
        case "release": return await released(path, change())
        case "discard":
            let reply = await send(.post, path + "/discard", change())
            return await changed(reply, path, "Discarded. It does not count, and can be reopened.")
        case "reopen":
            let reply = await send(.post, path + "/reopen", change())
            return await changed(reply, path, "The record is open again.")
        default: return await edited(path)
        }
    }

    private func edited(_ path: String) async -> Answer {
        let known = await get(path)
        guard known.problem == nil else { return .sheet(itemSheet(known, problem: nil)) }
        switch edit(known.json) {
        case .failure(let problem): return .sheet(itemSheet(known, problem: problem))
        case .success(let body):
            let reply = await send(.patch, path, body)
            if reply.problem == nil, form["then"] == "release" {
                return await released(path, change(reply.json["version"]))
            }
            return await changed(reply, path, "Saved. Release it, and it is judged again.")
        }
    }

    private func changed(_ reply: APIReply, _ path: String, _ words: String) async -> Answer {
        guard let problem = reply.problem else {
            return .redirect(Way.item(names[0]), saying: words)
        }
        return .sheet(itemSheet(await get(path), problem: problem))
    }

    private func released(_ path: String, _ body: JSONValue) async -> Answer {
        let reply = await send(.post, path + "/release", body)
        let words =
            switch reply.json.text("verdict") {
            case "accepted": "Released. Its event counts now, under its own time."
            case "duplicate": "Released. Its event was known already, and counts once."
            default:
                "It was judged again, and stays open: "
                    + (reply.json.text("item", "detail") ?? reply.json.text("verdict") ?? "")
            }
        return await changed(reply, path, words)
    }

    /// Of which version, and why.
    private func change(_ version: JSONValue? = nil) -> JSONValue {
        var body = JSONObject(texts: [("reason", form["reason"].trimmed), ("author", named)])
        body["version"] = version ?? whole(form["version"])
        return .object(body)
    }

    private func whole(_ text: String) -> JSONValue? {
        Int64(text).map { .number(String($0)) }
    }

    // MARK: The page

    private func itemSheet(_ reply: APIReply, problem: Problem?) -> Sheet {
        var sheet = Sheet(names[0], trail: Self.quarantineTrail)
        guard reply.problem == nil else {
            sheet.tell(reply.problem)
            return sheet
        }
        let item = reply.json
        sheet.lede = item.text("detail") ?? ""
        sheet.tell(problem)
        if problem?.slug == "item-changed" { sheet.pieces.append(bothSides(item)) }
        let isKept = item.text("droppedAt") == nil
        var left = isKept ? [Piece.card("The record", id: "record", recordPieces(item))] : []
        left += isKept ? mending(item, problem) : []
        var right = [Piece.card("What it is", id: "facts", [.facts(itemFacts(item))])]
        right += isKept ? settling(item, problem) : []
        sheet.pieces.append(.columns(left, right))
        sheet.pieces.append(asCall(Way.path("v1", "quarantine", names[0])))
        return sheet
    }

    /// What another one saved meanwhile, beside what was typed here.
    private func bothSides(_ item: JSONValue) -> Piece {
        let current = JSONValue.of(Self.text(of: item)) ?? .null
        let version = item.text("version") ?? ""
        var typed = JSONValue.of(form["event"]) ?? .null
        if form["do"] == "fields" { typed = current.merged(with: patch(of: current)) }
        let (before, after) = MarkedJSON.sides(current, typed)
        return .card(
            "Somebody else saved first",
            id: "both",
            [
                .text(
                    "Nothing of yours was saved. Compare the two, change your form below, and "
                        + "save again: it then stands on version \(version)."
                ),
                .sides("As it stands, version \(version)", before, "What you sent", after),
            ]
        )
    }

    private func itemFacts(_ item: JSONValue) -> [Fact] {
        let state = item.text("state") ?? ""
        let moods: [String: Cell.Mood] = ["open": .warn, "released": .ok, "discarded": .quiet]
        var facts = [
            Fact("State", .tag(moods[state] ?? .quiet, state)),
            Fact("Reason", .code(item.text("reason") ?? "")),
        ]
        if let pointer = item.text("pointer"), !pointer.isEmpty {
            facts.append(Fact("Field at fault", .code(pointer)))
        }
        if let rule = item.text("rule") { facts.append(Fact("Validation rule", .code(rule))) }
        for (name, term) in [("source", "Source"), ("eventId", "Event id"), ("type", "Type")] {
            if let text = item.text(name) { facts.append(Fact(term, .code(text))) }
        }
        if let set = item.text("backfillSet") {
            facts.append(Fact("On its way to", .code(set, to: Way.set(set))))
        }
        facts.append(Fact("Version", .text(item.text("version") ?? "")))
        facts.append(
            Fact("Sent", .text(Spelled.some(item.text("seen") ?? "0", "time")))
        )
        facts.append(Fact("First seen", .time(item.text("firstSeenAt"))))
        facts.append(Fact("Last seen", .time(item.text("lastSeenAt"))))
        if let at = item.text("changedAt") {
            let who = item.text("author") ?? "somebody"
            let why = item.text("changeReason")
            facts.append(Fact("Last change", .time(at), .text("by \(who)", why)))
        }
        if let tried = item["repairTried"] {
            let rule = tried.text("rule") ?? ""
            facts.append(
                Fact("Repair rule", .text("\(rule) tried it", tried.text("detail")))
            )
        }
        if let at = item.text("droppedAt") { facts.append(Fact("Bytes dropped", .time(at))) }
        if state == "released", let event = JSONValue.of(Self.text(of: item)),
            let source = event.text("source"), let id = event.text("id")
        {
            facts.append(Fact("Its event", .code(id, to: Way.event(source, id))))
        }
        return facts
    }

    private func recordPieces(_ item: JSONValue) -> [Piece] {
        var pieces = [Self.marked(item, "The record as it stands")]
        if item.text("edited") != nil, let original = item.text("original") {
            let text = JSONValue.of(original)?.pretty ?? original
            pieces.append(
                .drawer("As it was received", [.code(label: "As it was received", text)])
            )
        }
        return pieces
    }

    private static func marked(_ item: JSONValue, _ label: String) -> Piece {
        let text = text(of: item)
        let note = item.text("detail") ?? item.text("reason") ?? ""
        let isOpen = item.text("state") == "open"
        guard let value = JSONValue.of(text) else {
            return .lines(label: label, MarkedJSON.lines(ofText: text, note: note))
        }
        let notes = isOpen ? [item.text("pointer") ?? "": note] : [:]
        return .lines(label: label, MarkedJSON(value, notes: notes).lines)
    }
}
