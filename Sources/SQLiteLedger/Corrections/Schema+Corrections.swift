extension Schema {
    /// `targets` is what a correction says of each event it is about, packed: see
    /// ``StoredCorrection``. One row, so that a correction of a million events is one write.
    static let corrections = """
        CREATE TABLE correction (
            number INTEGER PRIMARY KEY CHECK (number > 0),
            position INTEGER NOT NULL UNIQUE CHECK (position > 0),
            entries INTEGER NOT NULL CHECK (entries > 0),
            kind TEXT NOT NULL CHECK (kind IN ('void', 'replace', 'restore')),
            at INTEGER NOT NULL,
            author TEXT NOT NULL CHECK (author <> ''),
            reason TEXT NOT NULL CHECK (reason <> ''),
            token TEXT UNIQUE CHECK (token <> ''),
            fingerprint INTEGER NOT NULL,
            events INTEGER NOT NULL CHECK (events > 0),
            books TEXT NOT NULL,
            checksum INTEGER NOT NULL,
            targets BLOB NOT NULL
        ) STRICT;
        """
}
