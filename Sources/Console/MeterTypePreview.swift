import UsageModel
import WireFormat

/// What a draft would count: partial `preview`.
struct MeterTypePreview {
    /// The newest events whose times are looked at.
    private static let newestMax = 200
    private static let rowsMax = 12

    private let visit: Visit
    private let definition: JSONValue

    init(_ visit: Visit, _ definition: JSONValue) {
        // The key is often what is thought of last.
        var whole = definition.objectValue ?? [:]
        if whole["key"] == nil { whole["key"] = "draft" }
        (self.visit, self.definition) = (visit, .object(whole))
    }

    /// Over the time of the newest events of its first type.
    func overNewest() async throws -> Values {
        let types = (definition["eventTypes"]?.arrayValue ?? []).compactMap(\.stringValue)
        guard let type = types.first else { return ["hint": "Name an event type."] }
        let found = try await visit.api.find(
            "/v1/events",
            [
                "type": types.contains("*") ? nil : type, "order": "desc",
                "limit": String(Self.newestMax),
            ]
        )
        let times = found.items.compactMap { $0.text("time").flatMap { Instant(rfc3339: $0) } }
        guard let first = times.min(), let last = times.max() else {
            return ["hint": "No event of this type has come yet: there is nothing to try it on."]
        }
        let behind = Instant(microseconds: last.microseconds + 1)
        var values = try await over(first, behind)
        values["what"] = "over the time of the last \(times.count) events"
        return values
    }

    /// Over a stretch of history, with what differs from the live version.
    func over(_ from: Instant, _ to: Instant) async throws -> Values {
        do {
            return try await asked(from, to)
        } catch let problem as Problem {
            guard problem.status < 500 else { throw problem }
            return [
                "fault": problem.title, "faultDetail": problem.detail,
                "faults": problem.errors.map { fault -> Values in
                    let pointer = fault.pointer.replacing("/meterType/", with: "")
                    return [
                        "pointer": pointer, "reason": fault.reason, "remedy": fault.remedy,
                    ]
                },
            ]
        }
    }

    private func asked(_ from: Instant, _ to: Instant) async throws -> Values {
        var question: JSONObject = [
            "meterType": definition, "from": .string(from.rfc3339), "to": .string(to.rfc3339),
        ]
        let whole = try await visit.api.post("/v1/meter-types/preview", .object(question))
        let dimension = definition["dimensions"]?.objectValue?.names.first
        question["groupBy"] = [.string(dimension ?? "subject")]
        question["limit"] = .number(String(Self.rowsMax))
        let grouped = try await visit.api.post("/v1/meter-types/preview", .object(question))
        let total = whole["readings"]?.arrayValue?.first
        let differences = whole["differences"]?.arrayValue ?? []
        return [
            "from": Shown.time(from), "to": Shown.time(to),
            "total": total?.quantity("value"), "events": total?.count("events") ?? "0",
            "unit": definition.text("unit"), "group": dimension ?? "subject",
            "rows": (grouped["readings"]?.arrayValue ?? []).map { reading -> Values in
                let name =
                    dimension.map { reading.text("dimensions", $0) } ?? reading.text("subject")
                return [
                    "name": name ?? "none", "value": reading.quantity("value"),
                    "events": reading.count("events"),
                ]
            },
            "moreRows": grouped["moreReadings"]?.boolValue ?? false,
            "hasDifferences": !differences.isEmpty,
            "differences": differences.prefix(Self.rowsMax).map { one -> Values in
                [
                    "subject": one.text("subject"), "live": one.quantity("live"),
                    "draft": one.quantity("draft"), "difference": one.quantity("difference"),
                    "isMinus": one.text("difference")?.hasPrefix("-") ?? false,
                ]
            },
            "moreDifferences": max(differences.count - Self.rowsMax, 0)
                + (whole.text("moreDifferences").flatMap(Int.init) ?? 0),
            "position": whole.count("position"),
        ]
    }
}
