import UsageModel
import WireFormat

/// What a draft would count: partial `preview`.
struct MeterTypePreview {
    /// The newest events that are looked at.
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

    /// Over the newest events of its types, whenever they took place.
    func overNewest() async throws -> Values {
        guard !(definition["eventTypes"]?.arrayValue ?? []).isEmpty else {
            return ["hint": "Name an event type."]
        }
        var values = try await values(of: ["newest": .number(String(Self.newestMax))])
        if let count = values["newest"] as? String {
            guard count != "0" else {
                return [
                    "hint": "No event of this type has come yet: there is nothing to try it on."
                ]
            }
            values["what"] = "over the last \(count) events of its types"
        }
        return values
    }

    /// Over a stretch of history, with what differs from the live version.
    func over(_ from: Instant, _ to: Instant) async throws -> Values {
        try await values(of: ["from": .string(from.rfc3339), "to": .string(to.rfc3339)])
    }

    /// Whether the draft is that of a meter type that stands.
    private var isChange: Bool {
        get async throws {
            guard let key = definition.text("key") else { return false }
            return try await visit.api.read(Address.path("/v1/meter-types", key)) != nil
        }
    }

    private func values(of stretch: JSONObject) async throws -> Values {
        do {
            return try await asked(stretch)
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

    private func asked(_ stretch: JSONObject) async throws -> Values {
        var question = stretch
        question["meterType"] = definition
        let whole = try await visit.api.post("/v1/meter-types/preview", .object(question))
        let dimension = definition["dimensions"]?.objectValue?.names.first
        question["groupBy"] = [.string(dimension ?? "subject")]
        question["limit"] = .number(String(Self.rowsMax))
        let grouped = try await visit.api.post("/v1/meter-types/preview", .object(question))
        let ends = whole["newest"] ?? .object(stretch)
        let total = whole["readings"]?.arrayValue?.first
        let differences = whole["differences"]?.arrayValue ?? []
        let more =
            max(differences.count - Self.rowsMax, 0)
            + (whole.text("moreDifferences").flatMap(Int.init) ?? 0)
        return [
            "newest": whole.text("newest", "events"),
            "from": Shown.time(ends.text("from")), "to": Shown.time(ends.text("to")),
            "total": total?.quantity("value"),
            "events": Spelled.some(total?.text("events") ?? "0", "event"),
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
            // A draft of a new meter type differs from nothing.
            "hasDifferences": try await isChange && !differences.isEmpty,
            "differences": differences.prefix(Self.rowsMax).map { one -> Values in
                [
                    "subject": one.text("subject"), "live": one.quantity("live"),
                    "draft": one.quantity("draft"), "difference": one.quantity("difference"),
                    "isMinus": one.text("difference")?.hasPrefix("-") ?? false,
                ]
            },
            "moreDifferences": more > 0 ? more : nil,
            "position": whole.count("position"),
        ]
    }
}
