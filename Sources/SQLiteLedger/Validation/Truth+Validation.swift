internal import GRDB
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

// The tables of validation rules. Changed on the committer's thread alone.
extension Truth {
    /// All versions of all rules, by key and version.
    func validationRules() throws -> [ValidationRule] {
        try pool.read { database in
            let rows = try Row.fetchAll(
                database,
                sql: "SELECT * FROM validation_rule ORDER BY key, version"
            )
            return try rows.map { row in
                let text: String = row["definition"]
                do {
                    return ValidationRule(
                        definition: try ValidationRuleDocument.read(.parse(Array(text.utf8))),
                        version: row["version"],
                        createdAt: Instant(microseconds: row["created_at"]),
                        retiredAt: (row["retired_at"] as Int64?)
                            .map(Instant.init(microseconds:))
                    )
                } catch {
                    let key: String = row["key"]
                    throw LedgerError(.corrupt, "the definition of rule \(key): \(error)")
                }
            }
        }
    }

    func insert(_ rule: ValidationRule, before: ValidationRule?) throws {
        let document = JSONValue.object(ValidationRuleDocument.write(rule.definition))
        try pool.write { database in
            try database.execute(
                sql: """
                    INSERT INTO validation_rule (key, version, definition, created_at)
                    VALUES (?, ?, ?, ?)
                    """,
                arguments: [
                    rule.key.text, rule.version,
                    String(decoding: document.serialized(), as: UTF8.self),
                    rule.createdAt.microseconds,
                ]
            )
            let action: AuditAction = before == nil ? .create : .revise
            try Self.audit([.of(rule, action, before: before)], at: rule.createdAt, database)
        }
    }

    func retire(_ rule: ValidationRule, before: ValidationRule, at: Instant) throws {
        try pool.write { database in
            try database.execute(
                sql: "UPDATE validation_rule SET retired_at = ? WHERE key = ? AND version = ?",
                arguments: [at.microseconds, rule.key.text, rule.version]
            )
            try Self.audit([.of(rule, .retire, before: before)], at: at, database)
        }
    }

    func warnings(of key: ValidationRuleKey) throws -> RuleWarnings? {
        try pool.read { database in
            try Row.fetchOne(
                database,
                sql: "SELECT * FROM rule_warning WHERE rule = ?",
                arguments: [key.text]
            ).map { row in
                RuleWarnings(
                    count: row["events"],
                    firstSeenAt: Instant(microseconds: row["first_seen_at"]),
                    lastSeenAt: Instant(microseconds: row["last_seen_at"]),
                    sample: Position(UInt64(row["sample_position"] as Int64))
                )
            }
        }
    }

    /// Adds what rules warned of, in the transaction that counts the events.
    static func write(
        _ warned: [ValidationRuleKey: GroupDecision.Warned],
        at: Instant,
        _ database: Database
    ) throws {
        guard !warned.isEmpty else { return }
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO rule_warning (rule, events, first_seen_at, last_seen_at,
                    sample_position)
                VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (rule) DO UPDATE SET events = events + excluded.events,
                    last_seen_at = max(last_seen_at, excluded.last_seen_at),
                    sample_position = excluded.sample_position
                """
        )
        for (rule, seen) in warned {
            try statement.execute(arguments: [
                rule.text, Int64(seen.events), at.microseconds, at.microseconds,
                Int64(seen.position),
            ])
        }
    }
}

extension AuditedChange {
    /// - Parameter before: The version that was the newest; nil where there was none.
    static func of(
        _ rule: ValidationRule,
        _ action: AuditAction,
        before: ValidationRule?
    ) -> AuditedChange {
        AuditedChange(
            action,
            .validationRule,
            rule.key.text,
            before: before.map(document),
            after: document(rule)
        )
    }

    private static func document(_ rule: ValidationRule) -> JSONValue {
        var document = ValidationRuleDocument.write(rule.definition)
        document["version"] = .number(String(rule.version))
        document["retiredAt"] = rule.retiredAt.map { .string($0.rfc3339) }
        return .object(document)
    }
}
