internal import GRDB

extension Schema {
    static func registerDeliveryAttempts(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("14 delivery attempts") { database in
            try database.execute(sql: deliveryAttempts)
        }
        migrator.registerMigration("15 what tries sent") { database in
            try database.execute(sql: whatTriesSent)
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

    /// `is_plain` is the first try of what was taken at once: most are, and only the newest are
    /// kept.
    private static let whatTriesSent = """
        ALTER TABLE delivery_attempt ADD COLUMN requests TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE delivery_attempt ADD COLUMN request_count INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE delivery_attempt ADD COLUMN is_plain INTEGER NOT NULL DEFAULT 0
            CHECK (is_plain IN (0, 1));
        CREATE INDEX delivery_attempt_plain ON delivery_attempt (destination, batch)
            WHERE is_plain = 1;
        """
}
