internal import GRDB
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

// The table of repair rules: each as it stands. What it was before is in the audit trail.
extension Truth {
    private struct RepairRuleRow {
        var rule: RepairRule
        var isDeleted: Bool
    }

    func repairRules() throws -> [RepairRule] { try pool.read { try Self.repairRules($0) } }

    func repairRule(_ key: RepairRuleKey) throws -> RepairRule? {
        let row = try pool.read { try Self.repairRule(key, $0) }
        return row.flatMap { $0.isDeleted ? nil : $0.rule }
    }

    private static func repairRules(_ database: Database) throws -> [RepairRule] {
        try Row.fetchAll(
            database,
            sql: "SELECT * FROM repair_rule WHERE deleted_at IS NULL ORDER BY key"
        ).map { try repairRule($0).rule }
    }

    private static func repairRule(
        _ key: RepairRuleKey,
        _ database: Database
    ) throws -> RepairRuleRow? {
        try Row.fetchOne(
            database,
            sql: "SELECT * FROM repair_rule WHERE key = ?",
            arguments: [key.text]
        ).map(repairRule)
    }

    private static func repairRule(_ row: Row) throws -> RepairRuleRow {
        let (name, text): (String, String) = (row["key"], row["definition"])
        guard let value = try? JSONValue.parse(Array(text.utf8)),
            let definition = try? RepairRuleDocument.read(value, key: nil).definition
        else { throw LedgerError(.corrupt, "the repair rule \(name) makes no sense") }
        let rule = RepairRule(
            definition: definition,
            version: row["version"],
            author: row["author"],
            createdAt: Instant(microseconds: row["created_at"]),
            changedAt: Instant(microseconds: row["changed_at"]),
            afterItem: row["after_item"],
            repaired: row["repaired"],
            failed: row["failed"]
        )
        return RepairRuleRow(rule: rule, isDeleted: (row["deleted_at"] as Int64?) != nil)
    }

    /// - Throws: `notFound` where there is none of that key.
    private static func known(_ key: RepairRuleKey, _ database: Database) throws -> RepairRule {
        guard let row = try repairRule(key, database), !row.isDeleted else {
            throw LedgerError(.notFound, "there is no repair rule \"\(key)\"")
        }
        return row.rule
    }

    private static func text(_ definition: RepairRuleDefinition) -> String {
        let document = JSONValue.object(RepairRuleDocument.write(definition))
        return String(decoding: document.serialized(pretty: false), as: UTF8.self)
    }

    func add(
        _ definition: RepairRuleDefinition,
        appliesToOpen: Bool,
        at: Instant
    ) throws -> RepairRuleOutcome {
        let author = Author.current
        return try pool.write { database in
            let row = try Self.repairRule(definition.key, database)
            if let row, !row.isDeleted {
                guard row.rule.definition == definition else {
                    let what = "the repair rule \"\(definition.key)\" does something else"
                    throw LedgerError(.alreadyExists, what)
                }
                return .unchanged(row.rule)
            }
            let most = Limits.repairRulesMax
            guard try Self.repairRules(database).count < most else {
                throw LedgerError(.limitExceeded, "there are \(most) repair rules")
            }
            try database.execute(
                sql: """
                    INSERT INTO repair_rule (key, version, definition, author, created_at,
                        changed_at, after_item, repaired, failed)
                    VALUES (?, 1, ?, ?, ?, ?,
                        coalesce((SELECT max(number) FROM quarantine), 0), 0, 0)
                    ON CONFLICT (key) DO UPDATE SET version = version + 1,
                        definition = excluded.definition, author = excluded.author,
                        created_at = excluded.created_at, changed_at = excluded.changed_at,
                        deleted_at = NULL, after_item = excluded.after_item
                    """,
                arguments: [
                    definition.key.text, Self.text(definition), author.name, at.microseconds,
                    at.microseconds,
                ]
            )
            let rule = try Self.known(definition.key, database)
            try Self.audit([.of(rule, .create, before: nil, by: author)], at: at, database)
            let action = try appliesToOpen ? Self.start(rule, by: author, at: at, database) : nil
            return .changed(rule, action)
        }
    }

    func revise(
        _ definition: RepairRuleDefinition,
        version: Int64,
        appliesToOpen: Bool,
        at: Instant
    ) throws -> RepairRuleOutcome {
        let author = Author.current
        return try pool.write { database in
            let before = try Self.known(definition.key, database)
            guard before.version == version else { return .outdated(before) }
            var rule = before
            if before.definition != definition {
                // One that was off has not looked at what came meanwhile, and does not do so now.
                try database.execute(
                    sql: """
                        UPDATE repair_rule SET version = version + 1, definition = ?, author = ?,
                            changed_at = ?, after_item = iif(?, after_item,
                                coalesce((SELECT max(number) FROM quarantine), 0))
                        WHERE key = ?
                        """,
                    arguments: [
                        Self.text(definition), author.name, at.microseconds,
                        before.definition.isEnabled, definition.key.text,
                    ]
                )
                rule = try Self.known(definition.key, database)
                try Self.audit([.of(rule, .change, before: before, by: author)], at: at, database)
            } else if !appliesToOpen {
                return .unchanged(before)
            }
            let action = try appliesToOpen ? Self.start(rule, by: author, at: at, database) : nil
            return .changed(rule, action)
        }
    }

    func delete(_ key: RepairRuleKey, version: Int64?, at: Instant) throws -> RepairRuleOutcome {
        let author = Author.current
        return try pool.write { database in
            let rule = try Self.known(key, database)
            if let version, version != rule.version { return .outdated(rule) }
            try database.execute(
                sql: "UPDATE repair_rule SET deleted_at = ?, changed_at = ? WHERE key = ?",
                arguments: [at.microseconds, at.microseconds, key.text]
            )
            try Self.audit([.of(rule, .retire, before: rule, by: author)], at: at, database)
            return .changed(rule, nil)
        }
    }

    /// What a rule does, asked for the items that are open now.
    private static func start(
        _ rule: RepairRule,
        by author: Author,
        at: Instant,
        _ database: Database
    ) throws -> QuarantineAction {
        let reason = "repair rule \(rule.key), version \(rule.version)"
        let request = QuarantineActionRequest(
            kind: .repairAndRelease,
            filter: rule.definition.match,
            repair: rule.definition.repair,
            note: QuarantineNote(author: author.name, reason: reason)
        )
        return try start(request, by: author, at: at, database)
    }

    // MARK: What they are to mend

    func repairsDue() throws -> RepairsDue? {
        try pool.read { database in
            let rules = try Self.repairRules(database).filter(\.definition.isEnabled)
            guard let first = rules.map(\.afterItem).min() else { return nil }
            let lookedTo = try Int64.fetchOne(
                database,
                sql: "SELECT looked_to FROM repair_progress"
            )
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT * FROM quarantine WHERE number > ? AND state = 'open'
                    ORDER BY number LIMIT ?
                    """,
                arguments: [max(first, lookedTo ?? 0), Limits.quarantinePageItemsMax]
            )
            var (items, bytes) = ([QuarantinedEvent](), 0)
            while bytes <= Limits.quarantinePageBytesMax, let row = try rows.next() {
                let item = Self.item(row)
                bytes += item.original.count + (item.edited?.count ?? 0)
                items.append(item)
            }
            return items.isEmpty ? nil : RepairsDue(rules: rules, items: items)
        }
    }

    /// Marks a page of which nothing is released.
    func write(_ page: RepairPage) throws {
        try pool.write { database in
            guard try page.stands(database) else { return }
            try page.write(database)
        }
    }

    /// The events of a stretch of the log that rules mended and released, by position.
    func repaired(in positions: ClosedRange<UInt64>) throws -> [UInt64: StoredEvent.Repaired] {
        let rows = try pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT released_position, number, repair_rule, repair_version FROM quarantine
                    WHERE repair_outcome = 'accepted' AND released_position BETWEEN ? AND ?
                    """,
                arguments: [Int64(positions.lowerBound), Int64(positions.upperBound)]
            )
        }
        let pairs = rows.map { row in
            let repaired = StoredEvent.Repaired(
                item: row["number"],
                rule: row["repair_rule"],
                version: row["repair_version"]
            )
            return (UInt64(row["released_position"] as Int64), repaired)
        }
        return Dictionary(pairs) { first, _ in first }
    }
}
