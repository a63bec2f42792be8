import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// The audit trail: who changed what.
extension FrontDesk {
    /// How the trail is told.
    enum AuditForm: String, CaseIterable, Sendable { case json, ndjson }

    /// `GET /v1/audit`: newest first; as NDJSON, oldest first.
    func listAudit(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var question = AuditQuery(limit: query.limit())
        question.kinds = query.words("kind")
        question.keys = query.texts("key")
        question.actors = query.texts("actor")
        question.actions = query.words("action")
        (question.from, question.to) = (query.instant("from"), query.instant("to"))
        question.after = query.sequence("after")
        let form: AuditForm =
            query.word("format") ?? (call.wants("application/x-ndjson") ? .ndjson : .json)
        question.isOldestFirst = form == .ndjson
        if var cursor = try query.cursor(.audit) {
            // Of the other form it would go the other way.
            let last = try cursor.readSigned()
            guard (last > 0) == question.isOldestFirst else { throw Cursor.refusal }
            if last > 0 { question.after = last } else { question.before = -last }
        }
        try query.finish()
        let answer = try await auditStore.audit(question)
        var next: String?
        if answer.hasMore, let last = answer.entries.last {
            var cursor = Cursor(.audit, fingerprint: query.fingerprint)
            cursor.append(question.isOldestFirst ? last.number : -last.number)
            next = cursor.text
        }
        if form == .ndjson { return Self.lines(answer, next: next, call) }
        let items = answer.entries.map { JSONValue.object(AuditDocument.write($0)) }
        var document: JSONObject = [
            "items": .array(items), "head": .string(answer.head.description),
        ]
        document["next"] = next.map { .string($0) }
        return .json(document, isPretty: call.isPretty)
    }

    private static func lines(_ answer: AuditAnswer, next: String?, _ call: Call) -> Answer {
        var lines = Answer(headers: [.contentType: "application/x-ndjson"])
        for entry in answer.entries {
            lines.body += JSONValue.object(AuditDocument.write(entry)).serialized()
            lines.body.append(UInt8(ascii: "\n"))
        }
        lines.headers[.odometerAuditHead] = answer.head.description
        if let next { lines.headers[.link] = call.link(next: next) }
        return lines
    }
}

extension HTTPField.Name {
    /// Where the whole trail ends, also where there is no place for it in the body.
    static let odometerAuditHead = HTTPField.Name("Odometer-Audit-Head")!
}
