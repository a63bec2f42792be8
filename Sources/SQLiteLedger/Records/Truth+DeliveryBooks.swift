internal import GRDB
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

// Questions about deliveries.
extension Truth {
    func deliveries(_ query: DeliveryQuery) throws -> DeliveryAnswer {
        try pool.read { database in
            let destination = try Self.known(query.destination, database)
            let (conditions, arguments) = Self.conditions(query, destination)
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT delivery.*, sequence, document FROM delivery
                    JOIN usage_record ON sequence = record
                    WHERE \(conditions)
                    ORDER BY number \(query.isDescending ? "DESC" : "ASC") LIMIT ?
                    """,
                arguments: arguments + [query.limit + 1]
            )
            let all = try rows.map { try Self.delivery($0, query.destination) }
            return DeliveryAnswer(
                deliveries: Array(all.prefix(query.limit)),
                hasMore: all.count > query.limit
            )
        }
    }

    /// A step for each delivery.
    func books(of query: DeliveryQuery) throws -> [DeliveryBook] {
        try pool.read { database in
            let destination = try Self.known(query.destination, database)
            let (conditions, arguments) = Self.conditions(query, destination)
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT state, attempts, meter_type, period_start, period_end,
                        json_extract(document, '$.amount') AS amount
                    FROM delivery JOIN usage_record ON sequence = record
                    WHERE \(conditions)
                    """,
                arguments: arguments
            )
            struct Place: Hashable {
                var meterType: String
                var start: Int64
                var end: Int64
            }
            var books: [Place: DeliveryBook] = [:]
            while let row = try rows.next() {
                let place = Place(
                    meterType: row["meter_type"],
                    start: row["period_start"],
                    end: row["period_end"]
                )
                guard let key = MeterTypeKey(place.meterType),
                    let state = Delivery.State(rawValue: row["state"]),
                    let amount = (row["amount"] as String?).flatMap({ try? Quantity($0) })
                else { throw LedgerError(.corrupt, "a delivery makes no sense") }
                let (start, end) = (
                    Instant(microseconds: place.start), Instant(microseconds: place.end)
                )
                books[place, default: DeliveryBook(meterType: key, period: start..<end)]
                    .add(state, attempts: row["attempts"], amount: amount)
                guard books.count <= Limits.deliveryBooksMax else {
                    let most = Limits.deliveryBooksMax
                    throw LedgerError(.limitExceeded, "there are more than \(most) periods")
                }
            }
            return books.values.sorted { one, other in
                let (start, next) = (one.period.lowerBound, other.period.lowerBound)
                if start != next { return start < next }
                if one.meterType != other.meterType { return one.meterType < other.meterType }
                return one.period.upperBound < other.period.upperBound
            }
        }
    }

    private static func conditions(
        _ query: DeliveryQuery,
        _ destination: DestinationRow
    ) -> (String, StatementArguments) {
        var conditions = ["destination = ?", "delivery.number > ?", "delivery.number < ?"]
        var arguments: StatementArguments = [destination.number, query.after, query.before]
        func among(_ column: String, _ texts: [String]) {
            guard !texts.isEmpty else { return }
            let places = texts.map { _ in "?" }.joined(separator: ", ")
            conditions.append("\(column) IN (\(places))")
            arguments += StatementArguments(texts)
        }
        among("state", query.states.map(\.rawValue))
        among("meter_type", query.meterTypes.map(\.text))
        among("subject", query.subjects)
        among("customer", query.customers.map(\.text))
        if let from = query.from {
            conditions.append("period_end > ?")
            arguments += [from.microseconds]
        }
        if let to = query.to {
            conditions.append("period_start < ?")
            arguments += [to.microseconds]
        }
        return (conditions.joined(separator: " AND "), arguments)
    }

    private static func delivery(_ row: Row, _ key: DestinationKey) throws -> Delivery {
        var delivery = Delivery(
            destination: key,
            number: row["number"],
            batch: row["batch"],
            record: try record(row)
        )
        guard let state = Delivery.State(rawValue: row["state"]) else {
            throw LedgerError(.corrupt, "the delivery \(key) \(delivery.number) makes no sense")
        }
        func instant(_ name: String) -> Instant? {
            (row[name] as Int64?).map(Instant.init(microseconds:))
        }
        (delivery.state, delivery.attempts) = (state, row["attempts"])
        (delivery.status, delivery.answer) = (row["status"], row["answer"])
        delivery.nextAttemptAt = instant("next_attempt_at")
        delivery.lastAttemptAt = instant("last_attempt_at")
        delivery.deliveredAt = instant("delivered_at")
        return delivery
    }
}
