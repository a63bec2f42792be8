internal import GRDB

extension Schema {
    static func registerValidation(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("9 validation") { database in
            try database.execute(sql: validation)
        }
    }

    /// A row a version of a rule; rows are only added, but for the word that a rule is retired.
    ///
    /// Items of the quarantine know the rule that rejected them, and groups tell rules apart. The
    /// index of groups takes it in, so that groups and books still read nothing but an index.
    private static let validation = """
        CREATE TABLE validation_rule (
            key TEXT NOT NULL CHECK (key <> ''),
            version INTEGER NOT NULL CHECK (version > 0),
            definition TEXT NOT NULL CHECK (definition <> ''),
            created_at INTEGER NOT NULL,
            retired_at INTEGER,
            PRIMARY KEY (key, version)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE rule_warning (
            rule TEXT PRIMARY KEY CHECK (rule <> ''),
            events INTEGER NOT NULL CHECK (events > 0),
            first_seen_at INTEGER NOT NULL,
            last_seen_at INTEGER NOT NULL CHECK (last_seen_at >= first_seen_at),
            sample_position INTEGER NOT NULL CHECK (sample_position > 0)
        ) STRICT, WITHOUT ROWID;

        ALTER TABLE quarantine ADD COLUMN rule TEXT NOT NULL DEFAULT ''
            CHECK (rule = '' OR reason = 'rule-failed');

        DROP INDEX quarantine_group;
        CREATE INDEX quarantine_group ON quarantine
            (reason, source, type, rule, state, seen, first_seen_at, last_seen_at);
        CREATE INDEX quarantine_rule ON quarantine (rule) WHERE rule <> '';
        """
}
