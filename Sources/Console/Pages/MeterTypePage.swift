import UsageModel
import WireFormat

/// `/console/meter-types/new` and `/console/meter-types/{key}`: to make and to change what is
/// counted.
enum MeterTypePage {
    // MARK: A fresh one

    static func showNew(_ visit: Visit) async throws -> Reply {
        try await showNew(visit, history: nil)
    }

    private static func showNew(_ visit: Visit, history: Values?) async throws -> Reply {
        let draft = MeterTypeDraft(visit)
        var values = try await MeterTypeForm(draft).values()
        values["history"] = history
        try await add(previewOf: draft, to: &values)
        return .page("meter-type-new", title: "New meter type", values)
    }

    static func make(_ visit: Visit) async throws -> Reply {
        let draft = MeterTypeDraft(visit)
        let definition = try draft.definition()
        if visit.form?.text("do") == "history" {
            return try await showNew(visit, history: try await history(visit, definition))
        }
        let made = try await visit.api.post("/v1/meter-types", definition)
        let key = made.text("key") ?? ""
        return .redirect(
            Address.path(Console.root + "/meter-types", key),
            saying: "\(made.text("name") ?? key) counts from now on, and what came before too."
        )
    }

    /// The preview as a piece of a page, for scripts.
    static func preview(_ visit: Visit) async throws -> Reply {
        let draft = MeterTypeDraft(visit)
        var values: Values = [:]
        try await add(previewOf: draft, to: &values)
        return .fragment("preview-part", values)
    }

    /// A preview of the newest events, and the definition as YAML and as a call.
    private static func add(previewOf draft: MeterTypeDraft, to values: inout Values) async throws {
        let visit = draft.visit
        do {
            let definition = try draft.definition()
            values["preview"] = try await MeterTypePreview(visit, definition).overNewest()
            values["yaml"] = YAMLText.text(kind: "meter-type", definition)
            values["call"] = Curl(visit).send("POST", "/v1/meter-types", definition)
        } catch let problem as Problem {
            guard problem.status < 500 else { throw problem }
            values["preview"] =
                [
                    "fault": problem.title,
                    "faults": problem.errors.map { fault -> Values in
                        ["reason": fault.reason, "remedy": fault.remedy]
                    },
                ] as Values
        }
    }

    private static func history(_ visit: Visit, _ definition: JSONValue) async throws -> Values {
        func instant(_ name: String) throws -> Instant {
            let text = visit.form?.text(name) ?? ""
            // A day is enough; then it begins at midnight in UTC.
            let whole = text.utf8.count == 10 ? text + "T00:00:00Z" : text
            guard let instant = Instant(rfc3339: whole) else {
                throw Problem.field(
                    name,
                    "it is not a time",
                    remedy: "write a day, 2026-11-01, or a time, 2026-11-01T00:00:00Z"
                )
            }
            return instant
        }
        let (from, to) = (try instant("historyFrom"), try instant("historyTo"))
        var values = try await MeterTypePreview(visit, definition).over(from, to)
        values["what"] = "over history"
        return values
    }

    // MARK: One that stands

    static func show(_ visit: Visit) async throws -> Reply { try await show(visit, history: nil) }

    private static func show(_ visit: Visit, history: Values?) async throws -> Reply {
        let path = Address.path("/v1/meter-types", visit["key"])
        let type = try await visit.api.get(path)
        let versions = try await visit.api.get(path + "/versions")
        let isChanging = visit.query.text("tab") == "change"
        let isCounting = ["waiting", "running"].contains(type.text("backfill", "state") ?? "")
        let key = type.text("key") ?? ""
        var values: Values = [
            "key": key, "name": type.text("name") ?? key, "version": type.text("version"),
            "isRetired": type["retiredAt"] != nil, "isChanging": isChanging,
            "facts": facts(type),
            "versions": (versions["items"]?.arrayValue ?? []).reversed().map(version),
            "isCounting": isCounting,
            "done": Shown.percent(
                type.text("backfill", "eventsDone"),
                of: type.text("backfill", "eventsTotal")
            ) ?? 0,
            "eventsDone": Shown.count(type.text("backfill", "eventsDone")),
            "eventsTotal": Shown.count(type.text("backfill", "eventsTotal")),
            "meters": Address.link(Console.root + "/meters", ["type": key]),
            "readHref": visit.link(["tab": nil]), "changeHref": visit.link(["tab": "change"]),
            "effective": visit.typed("effective", "now"),
            "effectiveFrom": visit.typed("effectiveFrom"), "restates": visit.ticked("restate"),
        ]
        let draft = MeterTypeDraft(visit, standing: type)
        if isChanging {
            values = values.with(try await MeterTypeForm(draft).values())
            values["history"] = history
            values["effectives"] = [
                ("now", "From now on"), ("ever", "For all time"), ("at", "From a time on"),
            ].map { choice -> Values in
                [
                    "value": choice.0, "label": choice.1,
                    "selected": choice.0 == visit.typed("effective", "now"),
                ]
            }
            // Where both sides are shown, to save again is to decide between them.
            let isRead = visit.problem?.isOutdated == true
            let read = isRead ? nil : visit.form?.text("readVersion")
            values["readVersion"] = read ?? type.text("version")
            values["conflict"] = conflict(visit, draft, type)
            try await add(previewOf: draft, to: &values)
        } else {
            let definition = MeterTypeDraft.definition(of: type)
            values["yaml"] = YAMLText.text(kind: "meter-type", definition)
            values["call"] = Curl(visit).get(path)
        }
        return .page(
            "meter-type",
            title: type.text("name") ?? key,
            values,
            refreshSeconds: isCounting && !isChanging ? 3 : nil
        )
    }

    /// The fields in which both sides differ, where the definition was changed while the form was
    /// open: for the partial `conflict`.
    private static func conflict(
        _ visit: Visit,
        _ draft: MeterTypeDraft,
        _ type: JSONValue
    ) -> Values? {
        guard visit.problem?.isOutdated == true, let typed = try? draft.definition().objectValue
        else { return nil }
        let standing = MeterTypeDraft.definition(of: type).objectValue ?? [:]
        func text(_ value: JSONValue?) -> String {
            value.map { $0.stringValue ?? String(decoding: $0.serialized(), as: UTF8.self) } ?? ""
        }
        let names = standing.names + typed.names.filter { standing[$0] == nil }
        let rows = names.filter { standing[$0] != typed[$0] }.map { name -> Values in
            ["name": name, "standing": text(standing[name]), "typed": text(typed[name])]
        }
        return ["rows": rows, "isSame": rows.isEmpty]
    }

    private static func facts(_ type: JSONValue) -> [Values] {
        let definition = MeterTypeDraft.definition(of: type)
        return (definition.objectValue?.members ?? []).map { member in
            ["name": words(member.name), "text": text(of: member.value)]
        }
    }

    /// `resetSchedule` as `Reset schedule`.
    private static func words(_ name: String) -> String {
        var text = ""
        for letter in name {
            if letter.isUppercase { text += " " }
            text += letter.lowercased()
        }
        return text.prefix(1).uppercased() + text.dropFirst()
    }

    /// A list with commas, an object as its names and what they are; what is deeper as JSON.
    private static func text(of value: JSONValue) -> String {
        if let plain = value.stringValue ?? value.numberValue { return plain }
        if let values = value.arrayValue { return values.map(text).joined(separator: ", ") }
        guard let members = value.objectValue?.members,
            members.allSatisfy({ $0.value.objectValue == nil })
        else { return String(decoding: value.serialized(), as: UTF8.self) }
        return members.map { "\($0.name): \(text(of: $0.value))" }.joined(separator: ", ")
    }

    private static func version(_ version: JSONValue) -> Values {
        let state = version.text("state") ?? ""
        return [
            "number": version.text("version"), "state": state,
            "tag": state == "in-force"
                ? "tag--ok" : state == "pending" ? "tag--info" : "tag--quiet",
            "from": version.time("effectiveFrom"), "to": version.time("effectiveTo"),
            "createdAt": version.time("createdAt"), "filter": version.text("filter"),
            "path": MeterPage.path(of: version), "reset": ResetWords(version["resetSchedule"]).text,
        ]
    }

    static func change(_ visit: Visit) async throws -> Reply {
        let path = Address.path("/v1/meter-types", visit["key"])
        switch visit.form?.text("do") {
        case "retire":
            _ = try await visit.api.delete(path)
            return .redirect(visit.path, saying: "It is retired: what it counted stays readable.")
        case "cancel":
            _ = try await visit.api.delete(path + "/backfill")
            return .redirect(visit.path, saying: "Its history is not counted any further.")
        case "history":
            let draft = MeterTypeDraft(visit, standing: try await visit.api.get(path))
            let found = try await history(visit, try draft.definition())
            return try await show(visit, history: found)
        default: return try await revise(visit, path)
        }
    }

    private static func revise(_ visit: Visit, _ path: String) async throws -> Reply {
        let type = try await visit.api.get(path)
        var changes = try MeterTypeDraft(visit, standing: type).changes()
        guard !changes.isEmpty else {
            return .redirect(visit.path, saying: "Nothing was changed.")
        }
        switch visit.form?.text("effective") {
        case "ever": changes["effectiveFrom"] = .null
        case "at": changes["effectiveFrom"] = .string(visit.form?.text("effectiveFrom") ?? "")
        default: break
        }
        if visit.form?.text("restate") != nil { changes["restate"] = true }
        let read = API.Condition.stands(visit.form?.text("readVersion"))
        let made = try await visit.api.patch(path, .object(changes), read)
        return .redirect(
            visit.path,
            saying: "Version \(made.text("version") ?? "") is made; its history is being counted."
        )
    }
}
