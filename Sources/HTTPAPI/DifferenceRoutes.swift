import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// `GET /v1/usage/diff`: why a reading is another one than it was.
extension FrontDesk {
    func explainDifference(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let keys = query.meterTypes()
        if keys.count != 1 {
            query.fault("meterType", "it is not one meter type", "name exactly one")
        }
        var usage = UsageQuery(meterTypes: keys, range: query.range(), limit: 1)
        usage.subjects = [query.text("subject")].compactMap(\.self)
        usage.customers = query.customers()
        usage.version = query.version()
        usage.carriedUntil = clock()
        let before = query.knowledge("asOf")
        if before == nil, query.text("asOf") == nil {
            query.fault("asOf", "it is missing", "give the earlier position or time")
        }
        let after = query.knowledge("until")
        try query.finish()
        let from = try await position(of: before) ?? .zero
        let now = try await ledger.position(knownAt: .latest)
        let to = try await position(of: after) ?? max(from, now)
        guard from <= to else {
            throw Refusal.fields([
                FieldFault(
                    pointer: "until",
                    reason: "position \(to) lies before \(from)",
                    remedy: "give the later state of knowledge, or leave it out"
                )
            ])
        }
        let difference = try await ledger.difference(
            UsageDifferenceQuery(usage: usage, from: from, to: to)
        )
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.field("meterType", keys[0].text)
            json.object("before") { Self.write(difference.before, &$0) }
            json.object("after") { Self.write(difference.after, &$0) }
            json.field("amount", difference.amount)
            json.array("steps") { json in
                for step in difference.steps { json.object { Self.write(step, &$0) } }
            }
        }
        return .json(json)
    }

    private static func write(_ state: UsageDifference.State, _ json: inout JSONWriter) {
        json.field("position", state.position)
        json.field("value", state.value)
        json.field("events", String(state.events))
    }

    private static func write(_ step: UsageDifference.Step, _ json: inout JSONWriter) {
        switch step.cause {
        case .events: json.field("cause", "events")
        case .version(let version):
            json.field("cause", "version")
            json.field("version", version)
        case .correction(let correction):
            json.field("cause", "correction")
            json.field("correction", correction.id)
            json.field("kind", correction.kind.rawValue)
            json.field("author", correction.author)
            json.field("reason", correction.reason)
            json.field("at", correction.at)
        }
        json.field("after", step.before.position)
        json.field("upTo", step.after.position)
        json.field("amount", step.amount)
        json.field("value", step.after.value)
        json.field("events", String(step.after.events - step.before.events))
    }
}
