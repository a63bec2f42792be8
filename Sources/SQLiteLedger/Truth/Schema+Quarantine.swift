extension Schema {
    /// Items of the quarantine are worked on: edited, released, discarded. What was received stays
    /// as it is, in the columns of before.
    ///
    /// The index of groups answers those and the books without reading the events' bytes; the
    /// others give items in the order of their numbers.
    static let sixth = """
        ALTER TABLE quarantine ADD COLUMN state TEXT NOT NULL DEFAULT 'open'
            CHECK (state IN ('open', 'released', 'discarded'));
        ALTER TABLE quarantine ADD COLUMN version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0);
        ALTER TABLE quarantine ADD COLUMN edited BLOB;
        ALTER TABLE quarantine ADD COLUMN changed_at INTEGER
            CHECK ((changed_at IS NULL) = (version = 1));
        ALTER TABLE quarantine ADD COLUMN author TEXT NOT NULL DEFAULT '';
        ALTER TABLE quarantine ADD COLUMN change_reason TEXT NOT NULL DEFAULT '';
        ALTER TABLE quarantine ADD COLUMN released_position INTEGER
            CHECK ((state = 'released') = (released_position IS NOT NULL));

        CREATE INDEX quarantine_group ON quarantine
            (reason, source, type, state, seen, first_seen_at, last_seen_at);
        CREATE INDEX quarantine_reason ON quarantine (reason);
        CREATE INDEX quarantine_source ON quarantine (source);
        CREATE INDEX quarantine_type ON quarantine (type);
        CREATE INDEX quarantine_event ON quarantine (event_id);
        CREATE INDEX quarantine_open ON quarantine (number) WHERE state = 'open';

        CREATE TABLE quarantine_action (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            request TEXT NOT NULL CHECK (request <> ''),
            state TEXT NOT NULL CHECK (state IN ('running', 'done', 'cancelled')),
            created_at INTEGER NOT NULL,
            changed_at INTEGER NOT NULL,
            last_item INTEGER NOT NULL CHECK (last_item >= 0),
            after_item INTEGER NOT NULL CHECK (after_item >= 0),
            total INTEGER NOT NULL CHECK (total >= 0),
            items INTEGER NOT NULL CHECK (items >= 0),
            repaired INTEGER NOT NULL CHECK (repaired >= 0),
            accepted INTEGER NOT NULL CHECK (accepted >= 0),
            duplicate INTEGER NOT NULL CHECK (duplicate >= 0),
            discarded INTEGER NOT NULL CHECK (discarded >= 0),
            failed INTEGER NOT NULL CHECK (failed >= 0)
        ) STRICT;

        CREATE INDEX quarantine_action_running ON quarantine_action (number)
            WHERE state = 'running';
        """
}
