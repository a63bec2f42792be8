import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// Usage records: what each meter used in each of its closed periods.
extension FrontDesk {
    /// `GET /v1/usage-records`: in the order in which they were made.
    func listRecords(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var question = RecordQuery(limit: query.limit())
        question.meterTypes = query.meterTypes()
        question.subjects = query.texts("subject")
        question.customers = query.customers()
        question.kinds = query.words("kind")
        (question.from, question.to) = (query.instant("from"), query.instant("to"))
        question.after = query.sequence("after")
        if var cursor = try query.cursor(.records) { question.after = try cursor.readSigned() }
        try query.finish()
        let answer = try await recordStore.records(question)
        let items = answer.records.map { JSONValue.object(UsageRecordDocument.write($0)) }
        var document: JSONObject = ["items": .array(items)]
        if answer.hasMore, let last = answer.records.last {
            var cursor = Cursor(.records, fingerprint: query.fingerprint)
            cursor.append(last.sequence)
            document["next"] = .string(cursor.text)
        }
        return .json(document, isPretty: call.isPretty)
    }

    /// `GET /v1/usage-records/{id}`.
    func readRecord(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let name = try call.name(at: 2)
        guard let id = UsageRecordID(name), let record = try await recordStore.record(id) else {
            throw Refusal.notFound("there is no usage record \"\(name)\"")
        }
        return .json(UsageRecordDocument.write(record), isPretty: call.isPretty)
    }

    /// `GET /v1/usage-records/schema`.
    func readRecordSchema(_ call: Call) throws -> Answer {
        var query = try call.query()
        try query.finish()
        return Answer(
            headers: [.contentType: "application/schema+json"],
            body: APIDescription.usageRecordSchema.serialized(pretty: call.isPretty)
        )
    }
}
