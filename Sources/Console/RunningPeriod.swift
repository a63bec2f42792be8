import UsageModel
import WireFormat

/// The period that runs now by the calendar of a definition, in one zone: for who asks about no
/// meter. A meter's own is told with the meter.
struct RunningPeriod {
    /// nil where none comes any more.
    let end: String?
    let zone: String
    let nextResets: [String]

    /// Asks for the preview of no event at all, which tells the calendar. All is nil where the
    /// definition is not sound.
    ///
    /// - Parameter zone: In place of the definition's own, which may be each customer's.
    init(of definition: JSONValue, in zone: String? = nil, _ visit: Visit) async {
        let now = JSONValue.string(visit.now.rfc3339)
        // Under a key of no meter type: beside a live one of its key, a preview looks for
        // differences by subject, which takes as long as there are meters.
        var draft = MeterTypeDraft.definition(of: definition).objectValue ?? [:]
        draft["key"] = "console.calendar"
        if let zone { draft["timezone"] = .string(zone) }
        let question: JSONValue = ["meterType": .object(draft), "from": now, "to": now]
        let found = try? await visit.api.post("/v1/meter-types/preview", question)
        end = found?.text("period", "end")
        self.zone = found?.text("period", "timezone") ?? zone ?? "UTC"
        nextResets = (found?["nextResets"]?.arrayValue ?? []).compactMap(\.stringValue)
    }
}
