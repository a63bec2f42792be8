internal import GRDB

// The audit trail. The triggers are the schema's own guard: a program that writes to the database
// by mistake is refused. Who takes the triggers away first is found out by the chain.
extension Schema {
    static func registerAudit(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("7 audit") { database in
            try database.execute(sql: audit)
        }
    }

    /// `marks` are four bytes of each field's hash: they say which field it was that changed.
    private static let audit = """
        CREATE TABLE audit (
            number INTEGER PRIMARY KEY CHECK (number > 0),
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            address TEXT NOT NULL,
            client TEXT NOT NULL,
            action TEXT NOT NULL CHECK (action <> ''),
            kind TEXT NOT NULL CHECK (kind <> ''),
            key TEXT NOT NULL,
            before TEXT,
            after TEXT,
            reason TEXT NOT NULL,
            marks BLOB NOT NULL CHECK (length(marks) = 44),
            previous BLOB NOT NULL CHECK (length(previous) = 32),
            hash BLOB NOT NULL CHECK (length(hash) = 32)
        ) STRICT;

        CREATE INDEX audit_thing ON audit (kind, key, number);

        CREATE TRIGGER audit_is_dense BEFORE INSERT ON audit
        WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM audit)
        BEGIN SELECT RAISE(ABORT, 'audit entries are numbered without gaps'); END;

        CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END;

        CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit entries are never deleted'); END;
        """
}
