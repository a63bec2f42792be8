internal import Foundation
internal import GRDB
public import MeteringEngine

/// Copies a ledger while it is in use: the truth at one moment, whole.
///
/// Derived state is not copied; the first start on the copy rebuilds it from the log (about 2 µs an
/// event). The copy is one ordinary SQLite file that needs nothing beside it.
public struct LedgerBackup {
    /// What a copy holds.
    public struct Summary: Sendable {
        /// The last event in it; everything up to there is in it, and nothing after.
        public var position: UInt64
        public var bytes: Int64
    }

    private let source: String
    private let target: String

    /// - Parameters:
    ///   - source: The directory of a ledger; a server may run on it.
    ///   - target: A directory that holds no ledger; made where it is missing.
    public init(from source: String, to target: String) {
        (self.source, self.target) = (source, target)
    }

    /// Copies. Intake goes on meanwhile, but its write-ahead file grows until the copy is done.
    ///
    /// - Throws: ``LedgerError``: `notFound` where the source holds no ledger, `unavailable` where
    ///   the target holds one, `full` or `device`. What was begun is removed then.
    /// - Complexity: reads and writes every byte of the log once.
    public func run() throws(LedgerError) -> Summary {
        let (from, to) = (source + "/" + Truth.fileName, target + "/" + Truth.fileName)
        guard FileManager.default.fileExists(atPath: from) else {
            throw LedgerError(.notFound, "\(source) holds no ledger")
        }
        let lock = try DirectoryLock(target)
        defer { lock.unlock() }
        guard !FileManager.default.fileExists(atPath: to) else {
            throw LedgerError(.unavailable, "\(target) holds a ledger already")
        }
        // Under another name until it is whole: nobody takes half a copy for a ledger.
        let part = to + ".part"
        do {
            try? FileManager.default.removeItem(atPath: part)
            let summary = try copy(from, to: part)
            try FileManager.default.moveItem(atPath: part, toPath: to)
            try DerivedFileWriter.synchronizeDirectory(of: to)
            return summary
        } catch {
            for end in ["", "-wal", "-shm", "-journal"] {
                try? FileManager.default.removeItem(atPath: part + end)
            }
            throw LedgerCore.ledgerError(error, during: "copying \(source) to \(target)")
        }
    }

    private func copy(_ from: String, to part: String) throws -> Summary {
        var configuration = Configuration()
        configuration.readonly = true
        let source = try DatabaseQueue(path: from, configuration: configuration)
        defer { try? source.close() }
        let copy = try DatabaseQueue(path: part)
        try source.backup(to: copy)
        let summary = try copy.writeWithoutTransaction { database in
            // A file that stands alone, synced by SQLite: no write-ahead file to be forgotten
            // beside it.
            try database.execute(sql: "PRAGMA journal_mode = DELETE")
            let position = try Int64.fetchOne(
                database,
                sql: "SELECT last_position FROM intake_commit ORDER BY number DESC LIMIT 1"
            )
            return Summary(position: UInt64(position ?? 0), bytes: fileBytes(part))
        }
        try copy.close()
        return summary
    }
}
