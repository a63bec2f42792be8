import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// Usage records: what each meter used in each of its closed periods.
extension FrontDesk {
    /// `GET /v1/usage-records`: in the order in which they were made, or the newest first.
    func listRecords(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var question = RecordQuery(limit: query.limit())
        question.meterTypes = query.meterTypes()
        question.subjects = query.texts("subject")
        question.customers = query.customers()
        question.kinds = query.words("kind")
        (question.from, question.to) = (query.instant("from"), query.instant("to"))
        question.after = query.sequence("after")
        question.isDescending = query.isDescending()
        if var cursor = try query.cursor(.records) {
            let place = try cursor.readSigned()
            if question.isDescending { question.before = place } else { question.after = place }
        }
        let asOf = query.knowledge("asOf")
        try query.finish()
        question.asOf = try await position(of: asOf)
        let answer = try await recordStore.records(question)
        var next: String?
        if answer.hasMore, let last = answer.records.last {
            var cursor = Cursor(.records, fingerprint: query.fingerprint)
            cursor.append(last.sequence)
            next = cursor.text
        }
        if call.wantsCSV { return Self.csv(answer.records, next: next, call) }
        let items = answer.records.map { JSONValue.object(UsageRecordDocument.write($0)) }
        var document: JSONObject = ["items": .array(items)]
        document["next"] = next.map { .string($0) }
        return .json(document, isPretty: call.isPretty)
    }

    private static func csv(_ records: [UsageRecord], next: String?, _ call: Call) -> Answer {
        var csv = CSVWriter()
        csv.row(UsageRecordTable.header)
        for record in records { UsageRecordTable.write(record, to: &csv) }
        var answer = Answer(
            headers: [.contentType: "text/csv; charset=utf-8"],
            body: csv.bytes
        )
        if let next { answer.headers[.link] = call.link(next: next) }
        return answer
    }

    /// `GET /v1/usage-records/{id}/events`: those behind it, as known when it was made.
    func listRecordEvents(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let limit = query.limit()
        var after: Position?
        if var cursor = try query.cursor(.events) { after = try cursor.readPosition() }
        try query.finish()
        let record = try await knownRecord(call)
        var question = EventQuery(range: record.period, limit: limit)
        question.subjects = [record.meter.subject]
        (question.meterType, question.asOf) = (record.meter.meterType, record.position)
        question.after = after
        return try await page(of: question, query.fingerprint, call)
    }

    /// `POST /v1/usage-records`: closes running periods now, or tells where they stand.
    func makeRecords(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let value = try await readDocument(call)
        let request: RecordRequestDocument
        do throws(RecordRequestDocument.Faults) {
            request = try RecordRequestDocument(value)
        } catch {
            throw Refusal(error)
        }
        var records: [UsageRecord] = []
        for id in try await meters(of: request.whose) {
            switch request.kind {
            case .interim:
                if let record = try await keeper.tell(id) { records.append(record) }
            default: records += try await keeper.closeNow(id)
            }
        }
        let items = records.map { JSONValue.object(UsageRecordDocument.write($0)) }
        return .json(
            ["items": .array(items)],
            isPretty: call.isPretty,
            status: items.isEmpty ? .ok : .created
        )
    }

    /// The meters that a request is about; those of a customer's subjects as it owns them now.
    private func meters(of whose: RecordRequestDocument.Whose) async throws -> [MeterID] {
        switch whose {
        case .meter(let id): return [id]
        case .customer(let key):
            var question = MeterQuery(
                customers: [key],
                at: clock(),
                limit: Limits.closedTogetherMax + 1
            )
            question.standings = [.active, .suspended]
            var ids: [MeterID] = []
            repeat {
                let answer = try await ledger.meters(question)
                ids += answer.meters.map(\.id)
                question.after = answer.next
            } while question.after != nil && ids.count <= Limits.closedTogetherMax
            guard ids.count <= Limits.closedTogetherMax else {
                let most = Limits.closedTogetherMax
                throw Refusal(.limitExceeded, "\(key) has more than \(most) meters: name them")
            }
            return ids
        }
    }

    private func knownRecord(_ call: Call) async throws -> UsageRecord {
        let name = try call.name(at: 2)
        guard let id = UsageRecordID(name), let record = try await recordStore.record(id) else {
            throw Refusal.notFound("there is no usage record \"\(name)\"")
        }
        return record
    }

    /// `GET /v1/usage-records/{id}`.
    func readRecord(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let record = try await knownRecord(call)
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
