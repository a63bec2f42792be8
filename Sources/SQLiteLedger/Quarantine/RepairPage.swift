internal import GRDB
internal import MeteringEngine
internal import UsageModel

/// How far the repair rules get with one page, to be written in the page's own commit.
struct RepairPage: Sendable {
    /// An item that a rule could not mend: it is marked, and left as it is.
    struct Failure: Sendable {
        var number: Int64
        var rule: RepairRule
        var detail: String
    }

    /// What the page adds to the sums of a rule.
    private struct Tally: Sendable {
        var repaired: Int64 = 0
        var failed: Int64 = 0
    }

    private(set) var failures: [Failure] = []
    private let after: Int64
    /// The versions that were asked; where one stands no more, nothing of the page is done.
    private var versions: [RepairRuleKey: Int64] = [:]
    private var tallies: [RepairRuleKey: Tally] = [:]

    init(_ work: RepairWork) {
        after = work.after
        for one in work.items {
            versions[one.rule.key] = one.rule.version
            guard case .failed(let detail) = one.attempt else { continue }
            tallies[one.rule.key, default: Tally()].failed += 1
            failures.append(Failure(number: one.item.number, rule: one.rule, detail: detail))
        }
    }

    /// Adds what became of released items.
    mutating func count(_ marks: [ReleaseMark]) {
        for mark in marks {
            guard let rule = mark.item.rule else { continue }
            let isReleased = mark.verdict == .accepted || mark.verdict == .duplicate
            tallies[rule.key, default: Tally()].repaired += isReleased ? 1 : 0
            tallies[rule.key, default: Tally()].failed += isReleased ? 0 : 1
        }
    }

    func stands(_ database: Database) throws -> Bool {
        for (key, version) in versions {
            let stands = try Bool.fetchOne(
                database,
                sql: "SELECT version = ? AND deleted_at IS NULL FROM repair_rule WHERE key = ?",
                arguments: [version, key.text]
            )
            guard stands == true else { return false }
        }
        return true
    }

    func write(_ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                UPDATE quarantine SET repair_rule = ?, repair_version = ?, repair_outcome = ?,
                    repair_detail = ?
                WHERE number = ? AND version = 1 AND state = 'open'
                """
        )
        for failure in failures {
            try statement.execute(arguments: [
                failure.rule.key.text, failure.rule.version, RepairMark.Outcome.failed.rawValue,
                failure.detail, failure.number,
            ])
        }
        for (key, tally) in tallies {
            try database.execute(
                sql: """
                    UPDATE repair_rule SET repaired = repaired + ?, failed = failed + ?
                    WHERE key = ?
                    """,
                arguments: [tally.repaired, tally.failed, key.text]
            )
        }
        try database.execute(
            sql: "UPDATE repair_progress SET looked_to = max(looked_to, ?)",
            arguments: [after]
        )
    }
}
