extension Schema {
    /// What rules did to items stands beside them, and so does when their bytes were dropped.
    ///
    /// A rule that is deleted keeps its row: its versions go on where the key is used again, so a
    /// mark on an item means one version for ever.
    static let repairs = """
        ALTER TABLE quarantine ADD COLUMN repair_rule TEXT CHECK (repair_rule <> '');
        ALTER TABLE quarantine ADD COLUMN repair_version INTEGER
            CHECK ((repair_version IS NULL) = (repair_rule IS NULL));
        ALTER TABLE quarantine ADD COLUMN repair_outcome TEXT
            CHECK ((repair_outcome IS NULL) = (repair_rule IS NULL));
        ALTER TABLE quarantine ADD COLUMN repair_detail TEXT NOT NULL DEFAULT '';
        ALTER TABLE quarantine ADD COLUMN dropped_at INTEGER
            CHECK (dropped_at IS NULL OR state <> 'open');

        CREATE INDEX quarantine_repaired ON quarantine (released_position)
            WHERE repair_outcome = 'accepted';
        CREATE INDEX quarantine_settled ON quarantine (changed_at)
            WHERE state <> 'open' AND dropped_at IS NULL;

        CREATE TABLE repair_rule (
            key TEXT PRIMARY KEY CHECK (key <> ''),
            version INTEGER NOT NULL CHECK (version > 0),
            definition TEXT NOT NULL CHECK (definition <> ''),
            author TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            changed_at INTEGER NOT NULL,
            deleted_at INTEGER,
            after_item INTEGER NOT NULL CHECK (after_item >= 0),
            repaired INTEGER NOT NULL CHECK (repaired >= 0),
            failed INTEGER NOT NULL CHECK (failed >= 0)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE repair_progress (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            looked_to INTEGER NOT NULL CHECK (looked_to >= 0)
        ) STRICT;

        INSERT INTO repair_progress (id, looked_to) VALUES (1, 0);

        CREATE TABLE manifest (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            source TEXT NOT NULL CHECK (source <> ''),
            claim TEXT NOT NULL CHECK (claim <> ''),
            at INTEGER NOT NULL,
            author TEXT NOT NULL,
            token TEXT UNIQUE CHECK (token <> '')
        ) STRICT;

        CREATE INDEX manifest_source ON manifest (source, number);
        """
}
