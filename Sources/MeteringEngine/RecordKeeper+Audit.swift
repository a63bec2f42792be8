internal import UsageModel
internal import WireFormat

// What is closed by hand is in the audit trail; what closes by itself is told by its records.
extension RecordKeeper {
    /// - Parameters:
    ///   - before: How far the meter was closed; nil where it never was.
    ///   - commit: What closes it further.
    static func closed(
        _ id: MeterID,
        _ before: MeterClosing?,
        _ commit: RecordCommit
    ) -> AuditedChange {
        var after = JSONObject()
        after["closedUntil"] = commit.closings[id].map { .string($0.rfc3339) }
        after["records"] = .array(commit.records.map { .string($0.id.text) })
        return AuditedChange(
            .closePeriod,
            .meter,
            id.text,
            before: before.map { ["closedUntil": .string($0.until.rfc3339)] },
            after: .object(after)
        )
    }
}
