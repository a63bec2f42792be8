import MeteringEngine
import UsageModel
import WireFormat

/// The books, and what waits in quarantine.
extension FrontDesk {
    /// `GET /v1/reconciliation`: received = counted + unmatched + duplicate + conflict +
    /// quarantined.
    func readBooks(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var question = BooksQuery(groupBy: query.words("groupBy"), range: query.range())
        question.source = query.text("source")
        question.type = query.text("type")
        try query.finish()

        let answer = try await ledger.books(question)
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.field("position", answer.position)
            json.object("total") { Self.write(answer.total, &$0) }
            json.array("lines") { json in
                for line in answer.lines { json.object { Self.write(line, &$0) } }
            }
        }
        return .json(json)
    }

    private static func write(_ line: BooksLine, _ json: inout JSONWriter) {
        if let source = line.source { json.field("source", source) }
        if let type = line.type { json.field("type", type) }
        if let hour = line.hour { json.field("hour", hour) }
        let sums = [
            ("received", line.received), ("counted", line.counted),
            ("unmatched", line.unmatched), ("duplicate", line.duplicate),
            ("conflict", line.conflict), ("quarantined", line.quarantined),
            ("unreadable", line.unreadable), ("voided", line.voided),
        ]
        for (name, sum) in sums { json.field(name, String(sum)) }
        json.field("balances", line.balances)
    }

    /// `GET /v1/quarantine`, newest first.
    func listQuarantine(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var question = QuarantineQuery(
            reason: query.text("reason"),
            source: query.text("source"),
            limit: query.limit()
        )
        if var cursor = try query.cursor(.quarantine) {
            question.before = try cursor.readSigned()
        }
        try query.finish()

        let answer = try await ledger.quarantine(question)
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.array("items") { json in
                for event in answer.events { json.object { Self.write(event, &$0) } }
            }
            if answer.hasMore, let last = answer.events.last {
                var cursor = Cursor(.quarantine, fingerprint: query.fingerprint)
                cursor.append(last.number)
                json.field("next", cursor.text)
            }
        }
        return .json(json)
    }

    private static func write(_ event: QuarantinedEvent, _ json: inout JSONWriter) {
        json.field("id", event.id)
        json.field("reason", event.reason)
        json.field("pointer", event.pointer)
        json.field("detail", event.detail)
        if !event.source.isEmpty { json.field("source", event.source) }
        if !event.eventID.isEmpty { json.field("eventId", event.eventID) }
        if !event.type.isEmpty { json.field("type", event.type) }
        json.field("firstSeenAt", event.firstSeenAt)
        json.field("lastSeenAt", event.lastSeenAt)
        json.field("seen", String(event.seen))
        if let text = String(validating: event.original, as: UTF8.self) {
            json.field("original", text)
        } else {
            json.field("originalBase64", Base64.encode(event.original, .standard))
        }
    }
}
