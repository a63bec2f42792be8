import WireFormat

/// A definition of a meter type, on its way between a form and the API.
struct MeterTypeDraft {
    /// What the server says of a meter type beside its definition.
    private static let told: Set = [
        "version", "createdAt", "retiredAt", "effectiveFrom", "effectiveTo", "backfill", "state",
        "usedBy", "period", "nextResets",
    ]

    /// What has a field of its own in the form; all else is in `more`, as JSON.
    static let plain = [
        "key", "name", "description", "unit", "category", "filter", "percentile", "method",
        "timeUnit", "carryMax", "timezone", "capacity", "gracePeriod", "latePolicy", "enrolment",
    ]
    private static let special: Set = [
        "eventTypes", "aggregation", "value", "dimensions", "resetSchedule",
    ]

    /// What the server tells though nobody said it; it is shown where it was said otherwise.
    private static let defaults: [String: JSONValue] = ["excessDigits": "round"]

    /// What is the same in all versions.
    static let fixed: Set = [
        "key", "aggregation", "percentile", "method", "timeUnit", "unit",
    ]

    /// What belongs to some aggregations only; the form may hold it from another choice before.
    private static let owned = [
        "percentile": "percentile", "method": "percentile", "timeUnit": "time-weighted",
        "carryMax": "time-weighted",
    ]

    let visit: Visit
    /// The definition that is changed; nil for one that is made.
    let standing: JSONValue?

    init(_ visit: Visit, standing: JSONValue? = nil) {
        self.visit = visit
        self.standing = standing.map(Self.definition)
    }

    /// A meter type as the API answers it, as a definition that the API takes.
    static func definition(of type: JSONValue) -> JSONValue {
        var definition: JSONObject = [:]
        for member in type.objectValue?.members ?? [] where !told.contains(member.name) {
            definition[member.name] = member.value
        }
        return .object(definition)
    }

    // MARK: What the fields show

    func text(_ name: String) -> String? { visit.typed(name, standing?.text(name)) }

    var aggregation: String { text("aggregation") ?? "sum" }

    var eventTypes: String? {
        let known = standing?["eventTypes"]?.arrayValue?.compactMap(\.stringValue)
        return visit.typed("eventTypes", known?.joined(separator: "\n"))
    }

    var value: String? {
        let known =
            standing?.text("value")
            ?? standing?["value"]?.arrayValue?.compactMap(\.stringValue).joined(separator: "\n")
        return visit.typed("value", known)
    }

    var dimensions: String? {
        let known = standing?["dimensions"]?.objectValue?.members.map { member in
            "\(member.name): \(member.value.stringValue ?? "")"
        }
        return visit.typed("dimensions", known?.joined(separator: "\n"))
    }

    /// A word, or `custom`.
    var reset: String {
        let known = standing?["resetSchedule"]
        return visit.typed("reset", known.map { $0.stringValue ?? "custom" }) ?? "monthly"
    }

    var customReset: String? {
        let known = standing?["resetSchedule"].flatMap { $0.objectValue == nil ? nil : $0 }
        return visit.typed(
            "customReset",
            known.map { String(decoding: $0.serialized(), as: UTF8.self) }
        )
    }

    /// What has no field of its own, as JSON.
    var more: String? {
        var rest: JSONObject = [:]
        for member in standing?.objectValue?.members ?? []
        where !Self.plain.contains(member.name) && !Self.special.contains(member.name)
            && Self.defaults[member.name] != member.value
        {
            rest[member.name] = member.value
        }
        let known =
            rest.isEmpty
            ? nil : String(decoding: JSONValue.object(rest).serialized(pretty: true), as: UTF8.self)
        return visit.typed("more", known)
    }

    // MARK: What the form says

    /// The definition that the form says.
    ///
    /// - Throws: ``Problem`` for what is no JSON; all else is the API's to judge.
    func definition() throws -> JSONValue {
        var definition: JSONObject = [:]
        for name in Self.plain {
            if let owner = Self.owned[name], owner != aggregation { continue }
            definition[name] = text(name).map { .string($0) }
        }
        let types = (eventTypes ?? "").split { $0 == "\n" || $0 == "," }.map(Self.trimmed)
        definition["eventTypes"] = .array(types.filter { !$0.isEmpty }.map { .string($0) })
        definition["aggregation"] = .string(aggregation)
        if aggregation != "count", let value {
            let lines = value.split(separator: "\n").map(Self.trimmed)
            definition["value"] =
                aggregation == "unique-pairs"
                ? .array(lines.map { .string($0) }) : .string(lines.joined(separator: " "))
        }
        definition["dimensions"] = try dimensionMembers()
        definition["resetSchedule"] =
            reset == "custom"
            ? try json("customReset", customReset) ?? "never" : .string(reset)
        if let rest = try json("more", more)?.objectValue {
            for member in rest.members { definition[member.name] = member.value }
        }
        return .object(definition)
    }

    private func dimensionMembers() throws -> JSONValue? {
        var members: JSONObject = [:]
        for line in (dimensions ?? "").split(separator: "\n") {
            let line = Self.trimmed(line)
            guard !line.isEmpty else { continue }
            guard let colon = line.firstIndex(of: ":") else {
                throw Problem.field(
                    "dimensions",
                    "\"\(line)\" has no colon",
                    remedy: "write a name, a colon and a path: model: $.data.model"
                )
            }
            let name = Self.trimmed(line[..<colon])
            members[name] = .string(Self.trimmed(line[line.index(after: colon)...]))
        }
        return members.isEmpty ? nil : .object(members)
    }

    private func json(_ name: String, _ text: String?) throws -> JSONValue? {
        guard let text else { return nil }
        guard let value = try? JSONValue.parse(Array(text.utf8)), value.objectValue != nil else {
            throw Problem.field(
                name,
                "it is no JSON object",
                remedy: "write {\"cron\":\"0 0 1 * *\"}"
            )
        }
        return value
    }

    /// What changes of the standing definition: fields that are taken away are null.
    func changes() throws -> JSONObject {
        let wanted = try definition()
        var changes: JSONObject = [:]
        for member in wanted.objectValue?.members ?? [] where !Self.fixed.contains(member.name) {
            if !Self.areEqual(standing?[member.name], member.value) {
                changes[member.name] = member.value
            }
        }
        for member in standing?.objectValue?.members ?? []
        where wanted[member.name] == nil && !Self.fixed.contains(member.name)
            && Self.defaults[member.name] != member.value
        {
            changes[member.name] = .null
        }
        return changes
    }

    /// Equal where they are spelled alike, or one is the text of the other's number.
    private static func areEqual(_ one: JSONValue?, _ other: JSONValue) -> Bool {
        guard let one else { return false }
        if one == other { return true }
        guard let text = one.stringValue ?? one.numberValue else { return false }
        return text == (other.stringValue ?? other.numberValue)
    }

    static func trimmed(_ text: some StringProtocol) -> String {
        var text = Substring(text)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
