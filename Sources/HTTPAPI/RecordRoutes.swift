import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// Usage records: what each meter used in each of its closed periods.
extension FrontDesk {
    private var store: any UsageRecordStore {
        get throws(Refusal) {
            guard let records else { throw Refusal.notFound("this server keeps no usage records") }
            return records
        }
    }

    /// `GET /v1/usage-records`: in the order in which they were made.
    func listRecords(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var question = RecordQuery(limit: query.limit())
        for text in query.list("meterType") {
            guard let key = query.meterType(text) else { continue }
            if !question.meterTypes.contains(key) { question.meterTypes.append(key) }
        }
        question.subjects = query.texts("subject")
        question.customers = query.customers()
        question.kinds = query.words("kind")
        (question.from, question.to) = (query.instant("from"), query.instant("to"))
        question.after = Int64(query.number("after", in: 0...Int(Int32.max), default: 0))
        if var cursor = try query.cursor(.records) { question.after = try cursor.readSigned() }
        try query.finish()
        let answer = try await store.records(question)
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
        guard let id = UsageRecordID(name), let record = try await store.record(id) else {
            throw Refusal.notFound("there is no usage record \"\(name)\"")
        }
        return .json(UsageRecordDocument.write(record), isPretty: call.isPretty)
    }
}
