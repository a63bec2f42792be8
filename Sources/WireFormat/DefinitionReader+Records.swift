import UsageModel

// What becomes of periods that are over.
extension DefinitionReader {
    mutating func readRecordRules() -> RecordRules {
        var rules = RecordRules.standard
        if let grace = length("gracePeriod") {
            let most = Int64(Limits.graceDaysMax) * TimeUnit.day.microseconds
            if grace.microseconds > most {
                let days = Limits.graceDaysMax
                fault("/gracePeriod", "it is longer than \(days) days", "give at most \(days)d")
            }
            rules.gracePeriod = grace
        }
        switch fields["zeroUsageRecords"] {
        case .bool(let makes): rules.makesZeroUsage = makes
        case nil: break
        default: fault("/zeroUsageRecords", "it is neither true nor false", "give true or false")
        }
        return rules
    }

    /// A length of time.
    mutating func length(_ name: String) -> TimeLength? {
        guard let text = string(name, "/" + name) else { return nil }
        if let length = TimeLength(text) { return length }
        fault("/" + name, "it is no length of time", "give a number of s, m, h or d: \"15m\"")
        return nil
    }
}
