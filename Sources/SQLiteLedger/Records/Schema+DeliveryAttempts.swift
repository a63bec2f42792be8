internal import GRDB

extension Schema {
    static func registerDeliveryAttempts(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("14 delivery attempts") { database in
            try database.execute(sql: deliveryAttempts)
        }
    }

    /// Of a batch, not of each delivery in it: what is sent together went the same way.
    private static let deliveryAttempts = """
        CREATE TABLE delivery_attempt (
            destination INTEGER NOT NULL REFERENCES destination (number),
            batch INTEGER NOT NULL CHECK (batch > 0),
            attempt INTEGER NOT NULL CHECK (attempt > 0),
            at INTEGER NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
            status INTEGER,
            answer TEXT NOT NULL,
            PRIMARY KEY (destination, batch, attempt)
        ) STRICT, WITHOUT ROWID;
        """
}
