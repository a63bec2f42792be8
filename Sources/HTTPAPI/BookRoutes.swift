import MeteringEngine
import UsageModel
import WireFormat

/// The books.
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
            json.object("quarantine") { json in
                json.object("total") { Self.write(answer.standing, &$0) }
                json.array("lines") { json in
                    for line in answer.standings { json.object { Self.write(line, &$0) } }
                }
            }
        }
        return .json(json)
    }

    private static func write(_ standing: QuarantineStanding, _ json: inout JSONWriter) {
        if let source = standing.source { json.field("source", source) }
        if let type = standing.type { json.field("type", type) }
        json.field("open", String(standing.open))
        json.field("released", String(standing.released))
        json.field("discarded", String(standing.discarded))
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
}
