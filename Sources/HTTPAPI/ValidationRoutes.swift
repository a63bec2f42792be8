public import MeteringEngine
import HTTPTypes
import HummingbirdCore
import UsageModel
import WireFormat

/// What validation rules are kept with, and what says which events there are.
public typealias ValidationDesk = EventCatalogue & ValidationRuleStore

/// Validation rules: what is asked of events before they count.
extension FrontDesk {
    private var validationDesk: any ValidationDesk {
        get throws(Refusal) {
            guard let validation else { throw .notFound("this server keeps no validation rules") }
            return validation
        }
    }

    func answerOnValidation(_ call: Call) async throws -> Answer {
        switch call.route {
        case .validationRules:
            return call.isRead ? try await listRules(call) : try await createRule(call)
        case .ruleVersions: return try await listRuleVersions(call)
        case .ruleTrial: return try await tryRule(call)
        case .eventTypes: return try await listEventTypes(call)
        case .eventType: return try await readEventType(call)
        default: break
        }
        if call.isRead { return try await readRule(call) }
        if call.request.method == .put { return try await reviseRule(call) }
        return try await retireRule(call)
    }

    private static func ruleKey(_ call: Call) throws(Refusal) -> ValidationRuleKey {
        let name = try call.name(at: 2)
        guard let key = ValidationRuleKey(name) else {
            throw .notFound("\"\(name)\" is no key of a validation rule")
        }
        return key
    }

    /// `GET /v1/validation-rules`, in the order of the keys.
    private func listRules(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let limit = query.limit()
        var after: String?
        if var cursor = try query.cursor(.validationRules) { after = try cursor.readText() }
        try query.finish()

        let all = try await validationDesk.validationRules()
        let last = after.flatMap(ValidationRuleKey.init)
        let rest = last.map { last in all.filter { $0.key > last } } ?? all
        let items = rest.prefix(limit).map { JSONValue.object(Self.document($0)) }
        var document: JSONObject = ["items": .array(items)]
        if rest.count > limit {
            var cursor = Cursor(.validationRules, fingerprint: query.fingerprint)
            cursor.append(rest[limit - 1].key.text)
            document["next"] = .string(cursor.text)
        }
        return .json(document, isPretty: call.isPretty)
    }

    /// `POST /v1/validation-rules`: 201, or 200 where the same rule stands already.
    private func createRule(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let value = try await readDocument(call)
        let change = try Self.read { () throws(MeterTypeDocument.Faults) in
            try ValidationRuleDocument.readCreation(value)
        }
        let definition = change.definition
        guard definition.key.text != Route.trialSegment else {
            throw Refusal.fields([
                FieldFault(
                    pointer: "/key",
                    reason: "the address of trials has the name",
                    remedy: "choose another key"
                )
            ])
        }
        try check(definition)
        if change.isDryRun { return try await trial(RuleTrial(definition), call) }
        let desk = try validationDesk
        let known = try await desk.validationRules().contains { $0.key == definition.key }
        let rule = try await desk.create(definition)
        var answer = Answer.json(
            Self.document(rule),
            isPretty: call.isPretty,
            status: known ? .ok : .created
        )
        answer.headers[.location] = "/v1/validation-rules/" + PercentCoding.encode(rule.key.text)
        return answer
    }

    /// `PUT /v1/validation-rules/{key}`: a new version of the one that was read.
    private func reviseRule(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let key = try Self.ruleKey(call)
        let value = try await readDocument(call)
        let change = try Self.read { () throws(MeterTypeDocument.Faults) in
            try ValidationRuleDocument.readRevision(value, key: key)
        }
        try check(change.definition)
        if change.isDryRun { return try await trial(RuleTrial(change.definition), call) }
        let revision = try await validationDesk.revise(
            change.definition,
            after: change.version ?? 0
        )
        switch revision {
        case .changed(let rule): return .json(Self.document(rule), isPretty: call.isPretty)
        case .outdated(let rule):
            let refusal = Refusal(.ruleChanged, "\(key) is at version \(rule.version)")
            return refusal.answer(instance: call.path, isPretty: call.isPretty) { json in
                json.name("current")
                json.value(.object(Self.document(rule)))
                json.name("sent")
                json.value(value)
            }
        }
    }

    /// `GET /v1/validation-rules/{key}`: the newest version, and what the rule warned of.
    private func readRule(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let asked = query.version()
        try query.finish()
        let key = try Self.ruleKey(call)
        let versions = try await validationDesk.versions(of: key)
        let version = asked.map { asked in versions.first { $0.version == asked } }
        guard let rule = version ?? versions.last else {
            throw Refusal.notFound("\(key) has no version \(asked ?? 1)")
        }
        var document = Self.document(rule)
        if let warnings = try await validationDesk.warnings(of: key) {
            document["warnings"] = [
                "events": .string(String(warnings.count)),
                "firstSeenAt": .string(warnings.firstSeenAt.rfc3339),
                "lastSeenAt": .string(warnings.lastSeenAt.rfc3339),
                "sample": .string(warnings.sample.description),
            ]
        }
        return .json(document, isPretty: call.isPretty)
    }

    /// `GET /v1/validation-rules/{key}/versions`, the first one first.
    private func listRuleVersions(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let versions = try await validationDesk.versions(of: try Self.ruleKey(call))
        let items = versions.map { JSONValue.object(Self.document($0)) }
        return .json(["items": .array(items)], isPretty: call.isPretty)
    }

    /// `DELETE /v1/validation-rules/{key}`: it looks at nothing further.
    private func retireRule(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let rule = try await validationDesk.retire(rule: try Self.ruleKey(call))
        return .json(Self.document(rule), isPretty: call.isPretty)
    }

    /// `POST /v1/validation-rules/try`: what a rule would have said of stored events.
    private func tryRule(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let value = try await readDocument(call)
        let trial = try Self.read { () throws(MeterTypeDocument.Faults) in
            try ValidationRuleDocument.readTrial(value)
        }
        try check(trial.definition, at: "/rule")
        var question = RuleTrial(trial.definition)
        question.events = trial.events ?? question.events
        question.samples = trial.samples ?? question.samples
        return try await self.trial(question, call)
    }

    private func trial(_ question: RuleTrial, _ call: Call) async throws -> Answer {
        let trial = try await validationDesk.tryOut(question)
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.field("events", trial.looked)
            json.field("failed", trial.failed)
            if let oldest = trial.oldest { json.field("oldest", oldest) }
            json.array("samples") { json in
                for sample in trial.samples {
                    json.object { json in
                        json.field("source", sample.source)
                        json.field("id", sample.id)
                        json.field("subject", sample.subject)
                        json.field("position", sample.position)
                        json.field("pointer", sample.pointer)
                        json.field("detail", sample.detail)
                    }
                }
            }
        }
        return .json(json)
    }

    // MARK: Documents

    private static func read<Value>(
        _ body: () throws(MeterTypeDocument.Faults) -> Value
    ) throws(Refusal) -> Value {
        do throws(MeterTypeDocument.Faults) { return try body() } catch { throw Refusal(error) }
    }

    /// Refuses what cannot be compiled.
    private func check(
        _ definition: ValidationRuleDefinition,
        at place: String = ""
    ) throws(Refusal) {
        let faults = definition.faults(zones: zones)
        guard !faults.isEmpty else { return }
        throw .fields(
            faults.map { fault in
                var fault = fault
                fault.pointer = place + fault.pointer
                return fault
            }
        )
    }

    private static func document(_ rule: ValidationRule) -> JSONObject {
        var document = ValidationRuleDocument.write(rule.definition)
        document["version"] = .number(String(rule.version))
        document["createdAt"] = .string(rule.createdAt.rfc3339)
        document["retiredAt"] = rule.retiredAt.map { .string($0.rfc3339) }
        return document
    }
}

/// The catalogue of event types.
extension FrontDesk {
    /// `GET /v1/event-types`, in the order of their names.
    private func listEventTypes(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let limit = query.limit()
        var after: String?
        if var cursor = try query.cursor(.eventTypes) { after = try cursor.readText() }
        try query.finish()

        let all = try await validationDesk.eventTypes()
        let rest = after.map { after in
            all.filter { after.utf8.lexicographicallyPrecedes($0.type.utf8) }
        }
        let lines = rest ?? all
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.array("items") { json in
                for line in lines.prefix(limit) { json.object { Self.write(line, &$0) } }
            }
            if lines.count > limit {
                var cursor = Cursor(.eventTypes, fingerprint: query.fingerprint)
                cursor.append(lines[limit - 1].type)
                json.field("next", cursor.text)
            }
        }
        return .json(json)
    }

    /// `GET /v1/event-types/{type}`: with the fields of its newest events.
    private func readEventType(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let events = query.number(
            "events",
            in: 1...Limits.catalogueEventsMax,
            default: EventTypeSample.eventsDefault
        )
        try query.finish()
        let type = try call.name(at: 2)
        guard let found = try await validationDesk.eventType(type, events: events) else {
            throw Refusal.notFound("no event of type \"\(type)\" ever came")
        }
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            Self.write(found.line, &json)
            json.object("sampled") { json in
                json.field("events", found.sample.events)
                if let positions = found.sample.positions {
                    json.field("oldest", positions.lowerBound)
                    json.field("newest", positions.upperBound)
                }
            }
            json.array("fields") { json in
                for field in found.sample.fields {
                    json.object { Self.write(field, of: found.sample.events, &$0) }
                }
            }
            if found.sample.hasMoreFields { json.field("moreFields", true) }
        }
        return .json(json)
    }

    private static func write(_ line: EventTypeLine, _ json: inout JSONWriter) {
        json.field("type", line.type)
        json.field("received", String(line.received))
        json.field("accepted", String(line.accepted))
        json.field("quarantined", String(line.quarantined))
        json.field("firstSeenHour", line.firstSeenHour)
        json.field("lastSeenHour", line.lastSeenHour)
    }

    private static func write(
        _ field: EventTypeSample.Field,
        of events: Int,
        _ json: inout JSONWriter
    ) {
        json.field("path", field.path)
        json.array("kinds") { json in
            for kind in field.kinds.sorted() { json.string(kind) }
        }
        if !field.example.isEmpty { json.field("example", raw: field.example) }
        json.field("events", field.events)
        json.field("share", share(field.events, of: events))
        json.field("firstSeenAt", field.firstSeenAt)
        json.field("lastSeenAt", field.lastSeenAt)
    }

    /// A share with four places, cut and not rounded: only what is in all events is `1.0000`.
    static func share(_ part: Int, of whole: Int) -> String {
        let units = whole == 0 ? 0 : part * 10_000 / whole
        let digits = String(units % 10_000)
        return "\(units / 10_000)." + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
