internal import GRDB

/// The truth: everything that cannot be derived again, in one SQLite database.
///
/// Migrations are append-only; `docs/internals/storage-format.md` explains each table. All times
/// are microseconds since 1970-01-01T00:00:00Z.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 events, quarantine, meter types") { database in
            try database.execute(sql: first)
        }
        migrator.registerMigration("2 versions of meter types") { database in
            try database.execute(sql: versions)
        }
        migrator.registerMigration("3 changes of meters and customers") { database in
            try database.execute(sql: third)
        }
        migrator.registerMigration("4 usage records") { database in
            try database.execute(sql: fourth)
        }
        migrator.registerMigration("5 destinations and deliveries") { database in
            try database.execute(sql: fifth)
        }
        migrator.registerMigration("6 quarantine") { database in
            try database.execute(sql: sixth)
        }
        registerAudit(&migrator)
        migrator.registerMigration("8 corrections") { database in
            try database.execute(sql: corrections)
        }
        registerValidation(&migrator)
        migrator.registerMigration("10 repairs and manifests") { database in
            try database.execute(sql: repairs)
        }
        registerBackfillSets(&migrator)
        migrator.registerMigration("12 entries of versions") { database in
            try database.execute(sql: versionEntries)
        }
        migrator.registerMigration("13 openings of backfill sets") { database in
            try database.execute(sql: openings)
        }
        registerDeliveryAttempts(&migrator)
        return migrator
    }

    /// Interim records count by themselves, beside the final one and its adjustments.
    private static let fifth = """
        CREATE TABLE all_usage_record (
            sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
            id TEXT NOT NULL UNIQUE CHECK (id <> ''),
            meter_type TEXT NOT NULL CHECK (meter_type <> ''),
            subject TEXT NOT NULL CHECK (subject <> ''),
            period_start INTEGER NOT NULL,
            period_end INTEGER NOT NULL CHECK (period_end > period_start),
            kind TEXT NOT NULL CHECK (kind <> ''),
            revision INTEGER NOT NULL CHECK (revision >= 0),
            customer TEXT,
            document TEXT NOT NULL
        ) STRICT;

        INSERT INTO all_usage_record SELECT * FROM usage_record;

        DROP TABLE usage_record;

        ALTER TABLE all_usage_record RENAME TO usage_record;

        CREATE UNIQUE INDEX usage_record_period
            ON usage_record (meter_type, subject, period_end, revision) WHERE kind <> 'interim';
        CREATE UNIQUE INDEX usage_record_interim
            ON usage_record (meter_type, subject, period_start, revision) WHERE kind = 'interim';
        CREATE INDEX usage_record_customer ON usage_record (customer, sequence)
            WHERE customer IS NOT NULL;

        ALTER TABLE meter_closing ADD COLUMN unsettled_from INTEGER;

        CREATE TABLE destination (
            number INTEGER PRIMARY KEY CHECK (number > 0),
            key TEXT NOT NULL UNIQUE CHECK (key <> ''),
            revision INTEGER NOT NULL CHECK (revision > 0),
            definition TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            changed_at INTEGER NOT NULL,
            retired_at INTEGER,
            looked_to INTEGER NOT NULL CHECK (looked_to >= 0),
            last_number INTEGER NOT NULL CHECK (last_number >= 0)
        ) STRICT;

        CREATE TABLE delivery (
            destination INTEGER NOT NULL REFERENCES destination (number),
            number INTEGER NOT NULL CHECK (number > 0),
            batch INTEGER NOT NULL CHECK (batch > 0),
            record INTEGER NOT NULL REFERENCES usage_record (sequence),
            meter TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
            attempts INTEGER NOT NULL CHECK (attempts >= 0),
            next_attempt_at INTEGER,
            last_attempt_at INTEGER,
            delivered_at INTEGER,
            status INTEGER,
            answer TEXT NOT NULL,
            PRIMARY KEY (destination, number),
            CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL)),
            CHECK ((state = 'delivered') = (delivered_at IS NOT NULL))
        ) STRICT, WITHOUT ROWID;

        CREATE UNIQUE INDEX delivery_record ON delivery (record, destination);
        CREATE INDEX delivery_due ON delivery (destination, next_attempt_at, number)
            WHERE state = 'pending';
        CREATE INDEX delivery_meter ON delivery (destination, meter, number)
            WHERE state = 'pending';
        CREATE INDEX delivery_pending ON delivery (destination, number) WHERE state = 'pending';
        CREATE INDEX delivery_failed ON delivery (destination, number) WHERE state = 'failed';
        """

    private static let fourth = """
        CREATE TABLE usage_record (
            sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
            id TEXT NOT NULL UNIQUE CHECK (id <> ''),
            meter_type TEXT NOT NULL CHECK (meter_type <> ''),
            subject TEXT NOT NULL CHECK (subject <> ''),
            period_start INTEGER NOT NULL,
            period_end INTEGER NOT NULL CHECK (period_end > period_start),
            kind TEXT NOT NULL CHECK (kind <> ''),
            revision INTEGER NOT NULL CHECK (revision >= 0),
            customer TEXT,
            document TEXT NOT NULL,
            UNIQUE (meter_type, subject, period_end, revision)
        ) STRICT;

        CREATE TABLE meter_closing (
            meter_type TEXT NOT NULL CHECK (meter_type <> ''),
            subject TEXT NOT NULL CHECK (subject <> ''),
            closed_until INTEGER NOT NULL,
            PRIMARY KEY (meter_type, subject)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE record_mark (
            meter_type TEXT PRIMARY KEY CHECK (meter_type <> ''),
            position INTEGER NOT NULL CHECK (position >= 0),
            change INTEGER NOT NULL CHECK (change >= 0),
            version INTEGER NOT NULL CHECK (version > 0)
        ) STRICT, WITHOUT ROWID;
        """

    private static let third = """
        CREATE TABLE meter_change (
            number INTEGER PRIMARY KEY CHECK (number > 0),
            position INTEGER NOT NULL CHECK (position >= 0),
            at INTEGER NOT NULL,
            meter_type TEXT NOT NULL CHECK (meter_type <> ''),
            subject TEXT NOT NULL CHECK (subject <> ''),
            kind TEXT NOT NULL
                CHECK (kind IN ('enrolled', 'altered', 'active', 'suspended', 'closed')),
            from_time INTEGER,
            to_time INTEGER CHECK (to_time > from_time),
            reason TEXT NOT NULL,
            category TEXT NOT NULL,
            external_ref TEXT NOT NULL,
            metadata TEXT
        ) STRICT;

        CREATE INDEX meter_change_meter ON meter_change (meter_type, subject, number);

        CREATE TABLE customer_change (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            position INTEGER NOT NULL CHECK (position >= 0),
            at INTEGER NOT NULL,
            key TEXT NOT NULL CHECK (key <> ''),
            definition TEXT NOT NULL,
            retired_at INTEGER
        ) STRICT;
        """

    private static let first = """
        CREATE TABLE ledger (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            store_id BLOB NOT NULL CHECK (length(store_id) = 16),
            hash_key BLOB NOT NULL CHECK (length(hash_key) = 16),
            created_at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE intake_commit (
            number INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            last_position INTEGER NOT NULL CHECK (last_position >= 0),
            received INTEGER NOT NULL CHECK (received > 0),
            books TEXT NOT NULL
        ) STRICT;

        CREATE TABLE event_block (
            first_position INTEGER PRIMARY KEY CHECK (first_position > 0),
            count INTEGER NOT NULL CHECK (count > 0),
            commit_number INTEGER NOT NULL REFERENCES intake_commit (number),
            at INTEGER NOT NULL,
            time_min INTEGER NOT NULL,
            time_max INTEGER NOT NULL CHECK (time_max >= time_min),
            raw_bytes INTEGER NOT NULL CHECK (raw_bytes > 0),
            checksum INTEGER NOT NULL,
            summary BLOB NOT NULL,
            arrivals BLOB,
            payload BLOB NOT NULL CHECK (length(payload) > 0)
        ) STRICT;

        CREATE INDEX event_block_time ON event_block (time_max, time_min);

        CREATE TABLE quarantine (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 16),
            reason TEXT NOT NULL CHECK (reason <> ''),
            pointer TEXT NOT NULL,
            detail TEXT NOT NULL,
            source TEXT NOT NULL,
            event_id TEXT NOT NULL,
            type TEXT NOT NULL,
            first_seen_at INTEGER NOT NULL,
            last_seen_at INTEGER NOT NULL,
            seen INTEGER NOT NULL CHECK (seen > 0),
            original BLOB NOT NULL
        ) STRICT;

        CREATE TABLE unreadable (
            position INTEGER NOT NULL CHECK (position > 0),
            meter INTEGER NOT NULL REFERENCES meter_type (number),
            reason INTEGER NOT NULL,
            PRIMARY KEY (position, meter)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE meter_type (
            number INTEGER PRIMARY KEY CHECK (number > 0),
            key TEXT NOT NULL UNIQUE,
            definition TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            created_position INTEGER NOT NULL CHECK (created_position >= 0),
            retired_at INTEGER,
            retired_position INTEGER,
            CHECK ((retired_at IS NULL) = (retired_position IS NULL))
        ) STRICT;
        """

    /// A row a version. Those of before were counted as they stood: in force since ever.
    private static let versions = """
        CREATE TABLE meter_type_version (
            number INTEGER PRIMARY KEY CHECK (number > 0),
            key TEXT NOT NULL,
            version INTEGER NOT NULL CHECK (version > 0),
            definition TEXT NOT NULL,
            effective_from INTEGER,
            created_at INTEGER NOT NULL,
            created_position INTEGER NOT NULL CHECK (created_position >= 0),
            counts_after INTEGER CHECK (counts_after >= created_position),
            in_force_since INTEGER,
            cancelled_at INTEGER,
            retired_at INTEGER,
            retired_position INTEGER,
            UNIQUE (key, version),
            CHECK ((retired_at IS NULL) = (retired_position IS NULL)),
            CHECK (in_force_since IS NULL OR counts_after IS NOT NULL),
            CHECK (in_force_since IS NULL OR cancelled_at IS NULL)
        ) STRICT;

        INSERT INTO meter_type_version
        SELECT number, key, 1, definition, NULL, created_at, created_position,
            created_position, 0, NULL, retired_at, retired_position
        FROM meter_type;

        DROP TABLE meter_type;

        ALTER TABLE meter_type_version RENAME TO meter_type;
        """

    /// Since now, a version that comes into force after another one has an event of its own in the
    /// log.
    private static let versionEntries = """
        ALTER TABLE meter_type ADD COLUMN has_entry INTEGER NOT NULL DEFAULT 0
            CHECK (has_entry IN (0, 1));
        """

    /// Where the log ended when a set was opened. Those of before are known since ever.
    private static let openings = """
        ALTER TABLE backfill_set ADD COLUMN opened_position INTEGER NOT NULL DEFAULT 0
            CHECK (opened_position >= 0);
        """
}
