import UsageModel
import WireFormat

/// The form of a meter type: partial `meter-type-form`.
struct MeterTypeForm {
    private static let aggregations: [(word: String, label: String, hint: String)] = [
        ("sum", "Sum", "adds a value of each event"),
        ("count", "Count", "counts the events"),
        ("unique", "Unique", "counts different values"),
        ("max", "Maximum", "the largest value"),
        ("min", "Minimum", "the smallest value"),
        ("average", "Average", "sum by count, divided once"),
        ("latest", "Latest", "the value that was told last"),
        ("first", "First", "the value that was told first"),
        ("percentile", "Percentile", "such as the 95th, exact"),
        ("time-weighted", "Time-weighted", "a level times how long it held"),
        ("counter", "Counter", "differences of a running count"),
        ("peak-concurrency", "Peak", "the most at one time"),
        ("unique-pairs", "Unique pairs", "counts different pairs of values"),
    ]

    private static let typesMax = 50
    private static let fieldsMax = 60

    private let draft: MeterTypeDraft
    private let visit: Visit

    init(_ draft: MeterTypeDraft) { (self.draft, visit) = (draft, draft.visit) }

    func values() async throws -> Values {
        let isChange = draft.standing != nil
        let known = try await visit.api.find("/v1/event-types", ["limit": "200"])
        let aggregation = draft.aggregation
        let fixed = Self.aggregations.filter { !isChange || $0.word == aggregation }
        var values: Values = [
            "isChange": isChange, "isNew": !isChange,
            "eventTypes": draft.eventTypes,
            "known": known.items.prefix(Self.typesMax).map { type -> Values in
                ["type": type.text("type"), "count": type.count("received")]
            },
            "aggregations": fixed.map { one -> Values in
                [
                    "word": one.word, "label": one.label, "hint": one.hint,
                    "checked": one.word == aggregation,
                ]
            },
            "valueText": draft.value, "dimensionsText": draft.dimensions,
            "resets": choices(
                ResetWords.choices.map { ($0.word, $0.label) }
                    + [("custom", "Something else, as JSON")],
                draft.reset
            ),
            "customReset": draft.customReset, "more": draft.more,
            "hasMore": draft.more != nil, "isCustom": draft.reset == "custom",
            "methods": choices(
                [("", "nearest rank"), ("linear", "linear")],
                draft.text("method") ?? ""
            ),
            "timeUnits": choices(
                ["second", "minute", "hour", "day"].map { ($0, $0) },
                draft.text("timeUnit") ?? "hour"
            ),
            "latePolicies": choices(
                [
                    ("", "adjust: tell the difference"),
                    ("next-period", "next-period: tell it with the next record"),
                    ("quarantine", "quarantine: refuse it"),
                ],
                draft.text("latePolicy") ?? ""
            ),
            "enrolments": choices(
                [("auto", "auto: whoever uses it"), ("explicit", "explicit: who is enrolled")],
                draft.text("enrolment") ?? "auto"
            ),
        ]
        for name in MeterTypeDraft.plain { values["\(name)Text"] = draft.text(name) }
        values["timezoneText"] = draft.text("timezone") ?? "UTC"
        return values.with(try await catalogue()).with(await resets())
    }

    private func choices(_ all: [(String, String)], _ chosen: String) -> [Values] {
        all.map { ["value": $0.0, "label": $0.1, "selected": $0.0 == chosen] }
    }

    /// The fields that were seen in events of the first type that is named.
    private func catalogue() async throws -> Values {
        let first = (draft.eventTypes ?? "").split { $0 == "\n" || $0 == "," }.first
        guard let first, !first.hasSuffix("*") else { return [:] }
        let type = MeterTypeDraft.trimmed(first)
        guard let page = try await visit.api.read(Address.path("/v1/event-types", type)) else {
            return ["isUnseen": true, "firstType": type]
        }
        let fields = (page["fields"]?.arrayValue ?? []).filter { field in
            let kinds = (field["kinds"]?.arrayValue ?? []).compactMap(\.stringValue)
            return !kinds.allSatisfy { $0 == "object" || $0 == "null" }
        }
        let shown = fields.prefix(Self.fieldsMax).map { field -> Values in
            let path = field.text("path") ?? ""
            let example = field["example"].map { String(decoding: $0.serialized(), as: UTF8.self) }
            let kinds = (field["kinds"]?.arrayValue ?? []).compactMap(\.stringValue)
            let leaf = path.split(separator: ".").last.map(String.init) ?? path
            return [
                "path": path, "example": example.map { String($0.prefix(24)) },
                "kinds": kinds.joined(separator: ", "),
                "line": "\(Self.dimensionName(leaf)): \(path)", "leaf": leaf,
                "isNumber": kinds.contains("number"),
            ]
        }
        return ["fields": Array(shown), "hasFields": !shown.isEmpty, "firstType": type]
    }

    private static func dimensionName(_ leaf: String) -> String {
        let name = leaf.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        return name.isEmpty ? "field" : name
    }

    /// The schedule in words, with the next resets as its zone's clocks show them.
    private func resets() async -> Values {
        guard let definition = try? draft.definition() else { return [:] }
        // Only the calendar is asked about: the rest need not be sound yet.
        var probe: JSONObject = ["key": "draft", "eventTypes": ["*"], "aggregation": "count"]
        probe["resetSchedule"] = definition["resetSchedule"]
        probe["timezone"] = definition["timezone"]
        let running = await RunningPeriod(of: .object(probe), visit)
        let times = running.nextResets.map { text -> String in
            let instant = Instant(rfc3339: text)
            let local = instant.flatMap { visit.surroundings.localTime($0, running.zone) } ?? text
            return String(local.prefix(16)).replacing("T", with: " ")
        }
        return [
            "resetWords": ResetWords(definition["resetSchedule"]).text,
            "nextResets": times.joined(separator: ", "), "resetZone": running.zone,
            "hasResets": !times.isEmpty,
            "isCustomersZone": definition.text("timezone") == "customer",
        ]
    }
}
