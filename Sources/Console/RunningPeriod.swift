import UsageModel
import WireFormat

/// The period that runs now, by the calendar of a definition.
struct RunningPeriod {
    /// nil where no reset came before.
    let start: String?
    /// nil where none comes any more.
    let end: String?
    let zone: String
    let nextResets: [String]

    /// Asks for the preview of no event at all, which tells the calendar. All is nil where the
    /// definition is not sound.
    init(of definition: JSONValue, _ visit: Visit) async {
        let now = JSONValue.string(visit.now.rfc3339)
        // Under a key of no meter type: beside a live one of its key, a preview looks for
        // differences by subject, which takes as long as there are meters.
        var draft = MeterTypeDraft.definition(of: definition).objectValue ?? [:]
        draft["key"] = "console.calendar"
        let question: JSONValue = ["meterType": .object(draft), "from": now, "to": now]
        let found = try? await visit.api.post("/v1/meter-types/preview", question)
        start = found?.text("period", "start")
        end = found?.text("period", "end")
        zone = found?.text("period", "timezone") ?? "UTC"
        nextResets = (found?["nextResets"]?.arrayValue ?? []).compactMap(\.stringValue)
    }
}
