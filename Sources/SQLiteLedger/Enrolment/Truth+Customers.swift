internal import GRDB
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

// The table of customers: each change adds a row with the customer as it is from then on.
extension Truth {
    func add(_ customer: Customer, audited: AuditedChange, position: UInt64) throws {
        let document = JSONValue.object(CustomerDocument.write(customer.definition))
        try pool.write { database in
            try database.execute(
                sql: """
                    INSERT INTO customer_change (position, at, key, definition, retired_at)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    Int64(position), customer.changedAt.microseconds, customer.key.text,
                    String(decoding: document.serialized(), as: UTF8.self),
                    customer.retiredAt?.microseconds,
                ]
            )
            try Self.audit([audited], at: customer.changedAt, database)
        }
    }

    func customerRegistry() throws -> CustomerRegistry {
        try pool.read { database in
            var registry = CustomerRegistry()
            let rows = try Row.fetchCursor(
                database,
                sql: "SELECT * FROM customer_change ORDER BY number"
            )
            while let row = try rows.next() {
                let text: String = row["definition"]
                guard let key = CustomerKey(row["key"]),
                    let value = try? JSONValue.parse(Array(text.utf8)),
                    let definition = try? CustomerDocument.read(value, key: key)
                else {
                    throw LedgerError(.corrupt, "the customer \(row["key"] as String)")
                }
                let at = Instant(microseconds: row["at"])
                registry.put(
                    Customer(
                        definition: definition,
                        createdAt: registry.customer(key)?.createdAt ?? at,
                        changedAt: at,
                        retiredAt: (row["retired_at"] as Int64?).map(Instant.init(microseconds:))
                    ),
                    position: UInt64(row["position"] as Int64)
                )
            }
            return registry
        }
    }
}
