import WireFormat

/// The forms of a record in quarantine, and what they say to the API.
extension Desk {
    /// What changes the record itself.
    func mending(_ item: JSONValue, _ problem: Problem?) -> [Piece] {
        guard item.text("state") == "open" else { return [] }
        return [.card("Mend it", id: "mend", editPieces(item, problem))]
    }

    /// What changes how it stands.
    func settling(_ item: JSONValue, _ problem: Problem?) -> [Piece] {
        switch item.text("state") {
        case "open":
            [
                .card("Release it", id: "release", [.form(releaseForm(item))]),
                .card("Discard it", id: "discard", [.form(discardForm(item, problem))]),
            ]
        case "discarded": [.card("Open it again", id: "reopen", [.form(reopenForm(item))])]
        default: []
        }
    }

    private func version(_ item: JSONValue, _ what: String) -> [(name: String, value: String)] {
        [("do", what), ("version", item.text("version") ?? "")]
    }

    private func releaseForm(_ item: JSONValue) -> Form {
        Form(
            id: "release-form",
            action: Way.item(names[0]),
            fields: signature(needsReason: false, reasonHint: "If there is more to say."),
            hidden: version(item, "release"),
            buttons: [Form.Button(label: "Release as it stands", look: "")]
        )
    }

    private func discardForm(_ item: JSONValue, _ problem: Problem?) -> Form {
        var form = Form(
            id: "discard-form",
            action: Way.item(names[0]),
            fields: signature(needsReason: true, reasonHint: "Why it shall not count."),
            hidden: version(item, "discard"),
            buttons: [Form.Button(label: "Discard", look: "danger")]
        )
        if self.form["do"] == "discard" { form.mark(problem) }
        return form
    }

    private func reopenForm(_ item: JSONValue) -> Form {
        Form(
            id: "reopen-form",
            action: Way.item(names[0]),
            fields: signature(needsReason: false, reasonHint: "If there is more to say."),
            hidden: version(item, "reopen"),
            buttons: [Form.Button(label: "Open it again")]
        )
    }

    // MARK: Edits

    private static let attributes = ["id", "source", "type", "subject", "time"]
    /// The most fields of `data` that are edited one by one.
    private static let leavesMax = 40
    /// A longer text has more than a line to be typed in.
    private static let lineMax = 60

    private func editPieces(_ item: JSONValue, _ problem: Problem?) -> [Piece] {
        let text = Self.text(of: item)
        let event = JSONValue.of(text)
        let isObject = event?.objectValue != nil
        let asks = form.has("do") ? form["do"] : query["edit"]
        let isWhole = !isObject || asks == "json"
        var pieces: [Piece] = []
        if isObject {
            let path = Way.item(names[0])
            pieces.append(
                .tabs(
                    "Ways to mend it",
                    [
                        Link("Field by field", path + "#mend", isCurrent: !isWhole),
                        Link("The whole record", path + "?edit=json#mend", isCurrent: isWhole),
                    ]
                )
            )
        }
        if isWhole {
            pieces.append(.form(wholeForm(item, event?.pretty ?? text, isObject, problem)))
        } else if let event {
            pieces.append(.form(fieldForm(item, event, problem)))
        }
        return pieces
    }

    private static let saving = [
        Form.Button(label: "Save and release", look: "primary", name: "then", value: "release"),
        Form.Button(label: "Save", look: "", name: "then", value: "stay"),
    ]

    private func wholeForm(
        _ item: JSONValue,
        _ text: String,
        _ isObject: Bool,
        _ problem: Problem?
    ) -> Form {
        let typed = form["do"] == "json" ? form["event"] : text
        let hint =
            isObject
            ? "The event as a release would count it."
            : "It is no JSON object: write the event that it was meant to be, with id, source, "
                + "type, subject and time."
        var form = Form(
            id: "mend-form",
            action: Way.item(names[0]) + "?edit=json",
            fields: [
                Field(
                    "event",
                    "Event as JSON",
                    typed,
                    .area(rows: 14),
                    hint: hint,
                    isRequired: true,
                    isCode: true
                )
            ] + signature(needsReason: false, reasonHint: "What was wrong, for the trail."),
            hidden: version(item, "json"),
            buttons: Self.saving
        )
        if self.form["do"] == "json" { form.mark(problem) }
        return form
    }

    private func fieldForm(_ item: JSONValue, _ event: JSONValue, _ problem: Problem?) -> Form {
        let fault = item.text("pointer") ?? ""
        let isTyped = form["do"] == "fields"
        var fields: [Field] = []
        for place in Self.places(of: event) {
            let name = "f:" + place.pointer
            let value = isTyped && form.has(name) ? form[name] : place.text
            var field = Field(
                name,
                place.label,
                value,
                value.count > Self.lineMax ? .area(rows: 3) : .text,
                hint: place.isText ? nil : "JSON: a number, true, false, null, a list.",
                isCode: !place.isText
            )
            if place.pointer == fault { field.remark = item.text("detail") }
            fields.append(field)
        }
        fields += signature(needsReason: false, reasonHint: "What was wrong, for the trail.")
        return Form(
            id: "mend-form",
            action: Way.item(names[0]),
            fields: fields,
            hidden: version(item, "fields"),
            buttons: Self.saving
        )
    }

    /// A place of an event that has a field of its own.
    struct Place {
        var pointer: String
        var label: String
        var text: String
        /// Whether it is typed as it is; all else is typed as JSON.
        var isText: Bool
    }

    /// The attributes, whether they are there or not, then what is in `data`.
    static func places(of event: JSONValue) -> [Place] {
        var places = attributes.map { name in
            event[name].map { place(of: $0, "/" + name, name) }
                ?? Place(pointer: "/" + name, label: name, text: "", isText: true)
        }
        var leaves: [Place] = []
        if let data = event["data"] { gather(data, "/data", "data", &leaves) }
        places += leaves.prefix(leavesMax)
        return places
    }

    /// A text that a field of a page would change, by its line breaks or other marks that cannot be
    /// typed, is spelled as JSON: what nobody touched comes back as it was.
    private static func place(
        of value: JSONValue,
        _ pointer: String,
        _ label: String
    ) -> Place {
        let text = value.stringValue.flatMap { text in
            text.unicodeScalars.contains { $0.properties.generalCategory == .control } ? nil : text
        }
        return Place(
            pointer: pointer,
            label: label,
            text: text ?? value.plain,
            isText: text != nil
        )
    }

    private static func gather(
        _ value: JSONValue,
        _ pointer: String,
        _ label: String,
        _ leaves: inout [Place]
    ) {
        guard case .object(let object) = value, !object.isEmpty else {
            leaves.append(place(of: value, pointer, label))
            return
        }
        for member in object.members {
            let place = pointer + "/" + MarkedJSON.escaped(member.name)
            gather(member.value, place, label + "." + member.name, &leaves)
        }
    }

    // MARK: What is said to the API

    /// The body of an edit, as it was typed.
    func edit(_ item: JSONValue) -> Result<JSONValue, Problem> {
        var body = JSONObject(texts: [("reason", form["reason"].trimmed), ("author", named)])
        body["version"] = Int64(form["version"]).map { .number(String($0)) }
        if form["do"] == "fields" {
            let event = JSONValue.of(Self.text(of: item)) ?? .null
            body["patch"] = patch(of: event)
            return .success(.object(body))
        }
        do {
            body["event"] = try JSONValue.parse(Array(form["event"].utf8))
            return .success(.object(body))
        } catch {
            return .failure(.noJSON("event", "\(error)"))
        }
    }

    /// The fields that were typed over, as a merge patch of the event.
    func patch(of event: JSONValue) -> JSONValue {
        var patch: JSONValue = [:]
        for place in Self.places(of: event) {
            let name = "f:" + place.pointer
            guard form.has(name), form[name] != place.text else { continue }
            let typed = form[name]
            let value: JSONValue =
                typed.isEmpty
                ? .null : place.isText ? .string(typed) : JSONValue.of(typed) ?? .string(typed)
            let steps = JSONValue.steps(of: place.pointer) ?? []
            patch = patch.replacing(at: steps[...], with: value) ?? patch
        }
        return patch
    }
}
