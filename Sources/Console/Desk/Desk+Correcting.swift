import WireFormat

/// A correction in the making: what it would do is shown before it is made.
extension Desk {
    private static let kinds = [
        ("void", "Void"), ("replace", "Replace"), ("restore", "Let count again"),
    ]
    private static let selectionFields = [
        ("subject", "Subject"), ("source", "Source"), ("type", "Type"), ("from", "From"),
        ("to", "To"), ("expression", "Expression"),
    ]

    private func typed(_ name: String) -> String {
        form.has(name) ? form[name] : query[name]
    }

    private var kind: String {
        let typed = typed("kind")
        return Self.kinds.contains { $0.0 == typed } ? typed : "void"
    }

    /// How the events are told: by their keys, by a filter, or by an earlier correction.
    private var by: String {
        let typed = typed("by")
        if kind == "replace" { return "replacements" }
        return typed.isEmpty ? "keys" : typed
    }

    /// `/console/corrections/new`
    func draftCorrection() async -> Answer { .sheet(await correctionSheet(problem: nil)) }

    /// A POST to the same address: only looks, or makes it.
    func makeCorrection() async -> Answer {
        guard form["do"] == "make" else { return .sheet(await correctionSheet(problem: nil)) }
        guard case .success(var body)? = await targets() else {
            return .sheet(await correctionSheet(problem: nil))
        }
        body["reason"] = .string(form["reason"].trimmed)
        body["author"] = .string(named)
        body["expected"] = expected
        let reply = await send(.post, "/v1/corrections", .object(body))
        if let problem = reply.problem {
            return .sheet(await correctionSheet(problem: problem))
        }
        guard let id = reply.json["correction"]?.text("id") else {
            var sheet = await correctionSheet(problem: nil)
            let text = "The events are as you want them already, so no correction was made."
            sheet.notices.insert(Notice(.info, "Nothing was to change", text), at: 0)
            return .sheet(sheet)
        }
        let position = reply.json.text("correction", "position") ?? ""
        return .redirect(
            Way.correction(id),
            saying: "The correction was made: readings from position \(position) on know it."
        )
    }

    /// How many events the preview told, for the API to hold its own count against; nil where the
    /// form does not say.
    var expected: JSONValue? { Int64(form["expected"]).map { .number(String($0)) } }

    // MARK: Which events

    /// The body as far as it says what becomes of which events; nil where nothing was typed yet.
    private func targets() async -> Result<JSONObject, Problem>? {
        var body: JSONObject = ["kind": .string(kind)]
        switch by {
        case "filter":
            let pairs = Self.selectionFields.map { name, _ in
                (
                    name,
                    name == "from" || name == "to"
                        ? Filters.instant(typed(name)) : typed(name).trimmed
                )
            }
            let filter = JSONObject(texts: pairs)
            if filter.isEmpty { return nil }
            body["filter"] = .object(filter)
        case "correction":
            let id = typed("correction").trimmed
            if id.isEmpty { return nil }
            body["correction"] = .string(id)
        case "replacements":
            if !typed("replacements").trimmed.isEmpty {
                do {
                    let value = try JSONValue.parse(Array(typed("replacements").utf8))
                    let list = value.arrayValue ?? [value]
                    body["replacements"] = .array(list)
                } catch {
                    return .failure(.noJSON("replacements", "\(error)"))
                }
            } else {
                return nil
            }
        default:
            let keys = keys()
            if keys.isEmpty { return nil }
            body["events"] = .array(
                keys.map { ["source": .string($0.source), "id": .string($0.id)] }
            )
        }
        return .success(body)
    }

    /// A line each: the source, and behind the last blank or the tab the id.
    private func keys() -> [(source: String, id: String)] {
        if !form.has("keys"), !query["id"].isEmpty { return [(query["source"], query["id"])] }
        return typed("keys").split(whereSeparator: \.isNewline).compactMap { line in
            let line = String(line).trimmed
            guard let cut = line.firstIndex(of: "\t") ?? line.lastIndex(of: " ") else {
                return line.isEmpty ? nil : ("", line)
            }
            return (String(line[..<cut]).trimmed, String(line[line.index(after: cut)...]).trimmed)
        }
    }

    // MARK: The page

    private func correctionSheet(problem: Problem?) async -> Sheet {
        let words = ["void": "Void events", "replace": "Replace events"]
        var sheet = Sheet(
            words[kind] ?? "Let events count again",
            lede: "First you see what it would do; nothing is changed before you say so.",
            trail: Self.correctionsTrail
        )
        var fault = problem
        var preview: JSONValue?
        var body: JSONObject?
        switch await targets() {
        case .failure(let unreadable): fault = fault ?? unreadable
        case .success(let targets):
            body = targets
            let reply = await look(targets)
            preview = reply.json["preview"]
            fault = fault ?? reply.problem
        case nil: break
        }
        sheet.tell(fault)
        sheet.pieces = [kindTabs()]
        if kind != "replace" { sheet.pieces.append(waysToSay()) }
        sheet.pieces.append(
            .card("Which events", id: "which", [.form(await whichForm(fault))])
        )
        if let preview {
            sheet.pieces += previewPieces(of: preview, heading: "What it would do")
            sheet.pieces.append(earnest(preview, fault))
        }
        if var body {
            body["reason"] = "…"
            sheet.pieces.append(asCall("POST", "/v1/corrections", .object(body)))
        }
        return sheet
    }

    /// A dry run; the API wants to know who and why even then.
    private func look(_ targets: JSONObject) async -> APIReply {
        var body = targets
        body["dryRun"] = true
        body["reason"] = "only to look"
        body["author"] = .string(named.isEmpty ? "console" : named)
        return await send(.post, "/v1/corrections", .object(body))
    }

    private func kindTabs() -> Piece {
        var kept = [("source", query["source"]), ("id", query["id"])]
        if by == "filter" {
            kept = [("by", by)] + Self.selectionFields.map { ($0.0, typed($0.0)) }
        }
        return .tabs(
            "What becomes of the events",
            Self.kinds.map { value, label in
                Link(
                    label,
                    Way.link("/console/corrections/new", [("kind", value)] + kept),
                    isCurrent: value == kind
                )
            }
        )
    }

    private func waysToSay() -> Piece {
        var ways = [("keys", "By their keys"), ("filter", "By a filter")]
        if kind == "restore" { ways.append(("correction", "By a correction")) }
        return .segments(
            "How the events are named",
            ways.map { value, label in
                Link(
                    label,
                    Way.link("/console/corrections/new", [("kind", kind), ("by", value)]),
                    isCurrent: value == by
                )
            }
        )
    }

    private func whichFields() async -> [Field] {
        switch by {
        case "filter":
            return Self.selectionFields.map { name, label in
                Field(
                    name,
                    label,
                    typed(name),
                    hint: name == "expression" ? "What must hold of the event." : nil,
                    example: ["expression": "$.data.tokens < 0", "type": "llm.*"][name],
                    isCode: name == "expression",
                    pointers: ["/filter/" + name]
                )
            }
        case "correction":
            return [
                Field(
                    "correction",
                    "Correction",
                    typed("correction"),
                    hint: "Of its events those that nobody corrected since count again.",
                    example: "c-12",
                    isCode: true
                )
            ]
        case "replacements":
            return [
                Field(
                    "replacements",
                    "The events as they should be",
                    await replacement(),
                    .area(rows: 14),
                    hint: "One event or a list, each with the source and id of the one that it "
                        + "stands for, and with a time.",
                    isRequired: true,
                    isCode: true
                )
            ]
        default:
            let lines = keys().map { "\($0.source)\t\($0.id)" }.joined(separator: "\n")
            let raw = form.has("keys") ? form["keys"] : lines
            return [
                Field(
                    "keys",
                    "Keys",
                    raw,
                    .area(rows: 4),
                    hint: "A line each: the source, a tab or a blank, the id.",
                    example: "gateway-eu req-1",
                    isRequired: true,
                    isCode: true,
                    pointers: ["/events"]
                )
            ]
        }
    }

    private func whichForm(_ problem: Problem?) async -> Form {
        var form = Form(
            id: "which-form",
            method: by == "filter" || by == "correction" ? .get : .post,
            action: "/console/corrections/new",
            fields: await whichFields(),
            hidden: [("kind", kind), ("by", by), ("do", "look")],
            buttons: [Form.Button(label: "Show what it would do", look: "")]
        )
        form.mark(problem)
        return form
    }

    /// What was typed, or the event that a link led here from.
    private func replacement() async -> String {
        let typed = typed("replacements")
        guard typed.isEmpty, !query["id"].isEmpty else { return typed }
        let path = Way.path("v1", "events", query["source"], query["id"])
        let event = await get(path).json["event"]?.objectValue
        guard var event else { return typed }
        event["receivedAt"] = nil
        return JSONValue.object(event).pretty
    }

    private func earnest(_ preview: JSONValue, _ problem: Problem?) -> Piece {
        let count = preview.text("events") ?? "0"
        guard count != "0" else {
            return .notice(
                Notice(.info, "Nothing would change", "No event fits, or they are so already.")
            )
        }
        let verbs = ["void": "Void", "replace": "Replace", "restore": "Let count again:"]
        var fields = signature(
            needsReason: true,
            needsAuthor: true,
            reasonHint: "It stays with the events for ever."
        )
        if !form.has("reason") { fields[0].value = "" }
        let names: [String]
        switch by {
        case "filter": names = Self.selectionFields.map(\.0)
        case "correction": names = ["correction"]
        case "replacements": names = ["replacements"]
        default: names = []
        }
        // What was shown is what is done, or nothing is.
        var hidden = [("kind", kind), ("by", by), ("do", "make"), ("expected", count)]
        hidden += names.map { ($0, typed($0)) }.filter { !$0.1.isEmpty }
        if by == "keys" {
            let lines = keys().map { "\($0.source)\t\($0.id)" }
            hidden.append(("keys", lines.joined(separator: "\n")))
        }
        var form = Form(
            id: "earnest",
            action: "/console/corrections/new",
            fields: fields,
            hidden: hidden.map { (name: $0.0, value: $0.1) },
            buttons: [
                Form.Button(
                    label: "\(verbs[kind] ?? kind) \(Spelled.some(count, "event"))",
                    look: kind == "restore" ? "primary" : "danger"
                )
            ]
        )
        form.mark(problem)
        return .card("In earnest", id: "in-earnest", [.form(form)])
    }
}
