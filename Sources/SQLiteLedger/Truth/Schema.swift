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
        return migrator
    }

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
}
