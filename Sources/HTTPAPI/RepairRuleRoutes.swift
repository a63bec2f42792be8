import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// Repair rules: what is mended by itself when it comes into quarantine.
extension FrontDesk {
    func answerOnRepairRules(_ call: Call) async throws -> Answer {
        if call.route == .repairRules {
            return call.isRead ? try await listRepairRules(call) : try await makeRepairRule(call)
        }
        switch call.request.method {
        case .put: return try await putRepairRule(call)
        case .delete: return try await deleteRepairRule(call)
        default: return try await readRepairRule(call)
        }
    }

    private static func repairRuleKey(_ call: Call) throws(Refusal) -> RepairRuleKey {
        let name = try call.name(at: 2)
        guard let key = RepairRuleKey(name) else {
            throw .notFound("\"\(name)\" is no key of a repair rule")
        }
        return key
    }

    /// `GET /v1/repair-rules`, in the order of their keys.
    private func listRepairRules(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let rules = try await quarantineDesk.repairRules()
        let items = rules.map { JSONValue.object(Self.document($0)) }
        return .json(["items": .array(items)], isPretty: call.isPretty)
    }

    /// `GET /v1/repair-rules/{key}`
    private func readRepairRule(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let key = try Self.repairRuleKey(call)
        guard let rule = try await quarantineDesk.repairRule(key) else {
            throw Refusal.notFound("there is no repair rule \"\(key)\"")
        }
        return .json(Self.document(rule), isPretty: call.isPretty)
    }

    /// `POST /v1/repair-rules`: 201, or 200 where the same rule stands already.
    private func makeRepairRule(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let value = try await readDocument(call)
        let request = try readRepairRule(value, key: nil)
        let outcome = try await quarantineDesk.add(
            request.definition,
            appliesToOpen: request.appliesToOpen
        )
        var answer = Self.answer(outcome, call, sent: value)
        if case .changed = outcome { answer.status = .created }
        let key = PercentCoding.encode(request.definition.key.text)
        answer.headers[.location] = "/v1/repair-rules/" + key
        return answer
    }

    /// `PUT /v1/repair-rules/{key}`: another version.
    private func putRepairRule(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let key = try Self.repairRuleKey(call)
        let value = try await readDocument(call)
        let request = try readRepairRule(value, key: key)
        let outcome = try await quarantineDesk.revise(
            request.definition,
            version: request.version ?? 0,
            appliesToOpen: request.appliesToOpen
        )
        return Self.answer(outcome, call, sent: value)
    }

    /// `DELETE /v1/repair-rules/{key}`
    private func deleteRepairRule(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let version = query.version()
        try query.finish()
        let outcome = try await quarantineDesk.delete(
            try Self.repairRuleKey(call),
            version: version.map(Int64.init)
        )
        return Self.answer(outcome, call, sent: nil)
    }

    private func readRepairRule(
        _ value: JSONValue,
        key: RepairRuleKey?
    ) throws(Refusal) -> RepairRuleDocument.Request {
        let request: RepairRuleDocument.Request
        do throws(RepairRuleDocument.Faults) {
            request = try RepairRuleDocument.read(value, key: key)
        } catch {
            throw Refusal(error)
        }
        _ = try repair(request.definition.repair)
        return request
    }

    // MARK: Answers

    private static func answer(
        _ outcome: RepairRuleOutcome,
        _ call: Call,
        sent: JSONValue?
    ) -> Answer {
        switch outcome {
        case .changed(let rule, let action):
            var document = document(rule)
            document["action"] = action.map { .string($0.id) }
            return .json(document, isPretty: call.isPretty)
        case .unchanged(let rule): return .json(document(rule), isPretty: call.isPretty)
        case .outdated(let rule):
            let detail = "\(rule.key) is at version \(rule.version)"
            let refusal = Refusal(.repairRuleChanged, detail)
            return refusal.answer(instance: call.path, isPretty: call.isPretty) { json in
                json.name("current")
                json.value(.object(document(rule)))
                guard let sent else { return }
                json.name("sent")
                json.value(sent)
            }
        }
    }

    private static func document(_ rule: RepairRule) -> JSONObject {
        var document = RepairRuleDocument.write(rule.definition)
        document["version"] = .number(String(rule.version))
        if !rule.author.isEmpty { document["author"] = .string(rule.author) }
        document["createdAt"] = .string(rule.createdAt.rfc3339)
        document["changedAt"] = .string(rule.changedAt.rfc3339)
        document["repaired"] = .string(String(rule.repaired))
        document["failed"] = .string(String(rule.failed))
        return document
    }
}
