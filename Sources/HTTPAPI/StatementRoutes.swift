import HTTPTypes
import MeteringEngine
import UsageModel
import WireFormat

/// Statements: a customer's usage records of a stretch of time, to print or to keep.
extension FrontDesk {
    /// `GET /v1/customers/{key}/statement`.
    func readStatement(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let stretch = query.stretch()
        let asOf = query.knowledge("asOf")
        try query.finish()
        let known = try await position(of: asOf)
        let key = try Self.customerKey(call)
        guard let customer = try await ledger.customer(key, asOf: known) else {
            throw Refusal.notFound("there is no customer \(key)")
        }
        let records = try await closedRecords(of: key, endingIn: stretch, asOf: known)
        // Asked for last, so that no record knows more.
        let now = try await ledger.status().position
        let statement = Statement(
            of: customer.definition,
            stretch: stretch,
            records: records,
            position: known ?? now,
            madeAt: clock()
        )
        return Answer(
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'",
                .xContentTypeOptions: "nosniff",
            ],
            body: StatementPage.html(statement)
        )
    }

    /// Final and adjustment records of periods that end after the start of a stretch, and not
    /// after its end.
    ///
    /// - Throws: `limit-exceeded` where more are read for it than ``Limits/statementRecordsMax``.
    private func closedRecords(
        of key: CustomerKey,
        endingIn stretch: Range<Instant>,
        asOf position: Position?
    ) async throws -> [UsageRecord] {
        let store = try recordStore
        var question = RecordQuery(limit: Query.limitMax)
        (question.customers, question.kinds) = ([key], [.final, .adjustment])
        (question.from, question.to) = (stretch.lowerBound, stretch.upperBound)
        question.asOf = position
        var found: [UsageRecord] = []
        // Records of periods that reach past the end are work too, and count.
        var readCount = 0
        while true {
            let answer = try await store.records(question)
            readCount += answer.records.count
            guard readCount <= Limits.statementRecordsMax else {
                let most = "\(Limits.statementRecordsMax) usage records (statementRecordsMax)"
                throw Refusal(.limitExceeded, "a statement reads at most \(most)")
            }
            found += answer.records.filter { $0.period.upperBound <= stretch.upperBound }
            guard answer.hasMore, let last = answer.records.last else { return found }
            question.after = last.sequence
        }
    }
}

extension Query {
    /// `from` and `to`, both of which must be said.
    fileprivate mutating func stretch() -> Range<Instant> {
        for name in ["from", "to"] where texts(name).isEmpty {
            fault(name, "it is missing", "give RFC 3339 with an offset: 2026-11-01T00:00:00Z")
        }
        let (from, to) = (instant("from"), instant("to"))
        guard let from, let to else { return .allTime }
        guard from < to else {
            fault("to", "it does not lie after from", "give a range from < to")
            return .allTime
        }
        return from..<to
    }
}
