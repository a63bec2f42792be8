internal import GRDB

extension Schema {
    static func registerBackfillSets(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("11 backfill sets") { database in
            try database.execute(sql: backfillSets)
        }
    }

    /// A correction may close or revert a set by now, and change no event on its own; a table's
    /// rules cannot be changed, so that it is made anew.
    ///
    /// `backfill_part` is what one call sent: where its events lie, packed the quarters of an hour
    /// in which they are counted, the books, and the positions of known events under the same keys.
    private static let backfillSets = """
        CREATE TABLE correction_now (
            number INTEGER PRIMARY KEY CHECK (number > 0),
            position INTEGER NOT NULL UNIQUE CHECK (position > 0),
            entries INTEGER NOT NULL CHECK (entries > 0),
            kind TEXT NOT NULL CHECK (kind IN ('void', 'replace', 'restore', 'close', 'revert')),
            at INTEGER NOT NULL,
            author TEXT NOT NULL CHECK (author <> ''),
            reason TEXT NOT NULL CHECK (reason <> ''),
            token TEXT UNIQUE CHECK (token <> ''),
            fingerprint INTEGER NOT NULL,
            events INTEGER NOT NULL CHECK (events > 0 OR kind IN ('close', 'revert')),
            books TEXT NOT NULL,
            checksum INTEGER NOT NULL,
            targets BLOB NOT NULL,
            backfill_set INTEGER CHECK ((backfill_set IS NULL) = (kind NOT IN ('close', 'revert')))
        ) STRICT;
        INSERT INTO correction_now SELECT *, NULL FROM correction;
        DROP TABLE correction;
        ALTER TABLE correction_now RENAME TO correction;

        CREATE TABLE backfill_set (
            number INTEGER PRIMARY KEY CHECK (number > 0),
            name TEXT NOT NULL CHECK (name <> ''),
            replacing TEXT,
            at INTEGER NOT NULL,
            author TEXT NOT NULL CHECK (author <> ''),
            token TEXT UNIQUE CHECK (token <> ''),
            fingerprint INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE backfill_part (
            number INTEGER PRIMARY KEY CHECK (number > 0),
            backfill_set INTEGER NOT NULL REFERENCES backfill_set (number),
            first_position INTEGER NOT NULL CHECK (first_position > 0),
            count INTEGER NOT NULL CHECK (count >= 0),
            books TEXT NOT NULL,
            checksum INTEGER NOT NULL,
            buckets BLOB NOT NULL,
            kept BLOB NOT NULL
        ) STRICT;
        CREATE INDEX backfill_part_of ON backfill_part (backfill_set, number);

        ALTER TABLE quarantine ADD COLUMN backfill_set INTEGER;
        """
}
