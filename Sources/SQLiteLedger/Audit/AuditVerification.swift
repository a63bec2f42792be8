internal import Foundation
internal import GRDB
public import MeteringEngine
public import UsageModel

/// Reads the audit trail of a ledger and says where its chain is broken. Changes nothing, and a
/// server may run on the directory: what it commits meanwhile is not looked at.
///
/// - Complexity: About 20 µs an entry; one is in memory at a time.
public struct AuditVerification {
    private let directory: String
    private let remembered: AuditHead?

    /// - Parameter head: An end of the trail that was noted before, elsewhere; nil where none was.
    public init(directory: String, remembered head: AuditHead? = nil) {
        (self.directory, remembered) = (directory, head)
    }

    /// - Throws: ``LedgerError``: `notFound` where there is no ledger; what reading it throws.
    public func run() throws(LedgerError) -> AuditCheck.Report {
        let path = directory + "/" + Truth.fileName
        guard FileManager.default.fileExists(atPath: path) else {
            throw LedgerError(.notFound, "there is no ledger in \(directory)")
        }
        do {
            var configuration = Configuration()
            configuration.readonly = true
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            defer { try? queue.close() }
            return try queue.read { try Self.check($0, remembered) }
        } catch {
            throw LedgerCore.ledgerError(error, during: "reading the audit trail of \(directory)")
        }
    }

    /// Texts are read as bytes: what was damaged need not be UTF-8 any more.
    private static let columns = AuditChain.Field.allCases.dropFirst(2).map {
        "CAST(\($0.rawValue) AS BLOB) AS \($0.rawValue)"
    }.joined(separator: ", ")

    static func check(
        _ database: Database,
        _ remembered: AuditHead? = nil
    ) throws -> AuditCheck.Report {
        var check = AuditCheck(remembered: remembered)
        // A store that no program of this version has opened yet has no trail.
        guard try database.tableExists("audit") else { return check.finish() }
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT number, at, \(columns), marks, previous, hash FROM audit ORDER BY number"
        )
        while let row = try rows.next() {
            let texts = AuditChain.Field.allCases.dropFirst(2).map { field in
                (row[field.rawValue] as Data?).map(Array.init)
            }
            check.take(
                AuditChain(number: row["number"], at: row["at"], texts: texts),
                previous: Array(row["previous"] as Data),
                hash: Array(row["hash"] as Data),
                marks: Array(row["marks"] as Data)
            )
        }
        return check.finish()
    }
}
