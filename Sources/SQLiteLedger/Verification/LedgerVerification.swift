internal import Compression
internal import Foundation
internal import GRDB
internal import Logging
internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel
internal import WireFormat

/// Reads all that a ledger stores and says what contradicts itself. Changes nothing: what it
/// derives anew it writes to a scratch directory, and removes.
///
/// - Complexity: about 5 µs an event, memory bounded as in a server.
public struct LedgerVerification {
    /// One contradiction.
    public struct Finding: Sendable, Hashable, CustomStringConvertible {
        /// `truth` is damage that only a backup mends; `derived` is rebuilt at the next start.
        public enum Severity: String, Sendable { case truth, derived }

        public var severity: Severity
        public var text: String

        public var description: String { "\(severity.rawValue): \(text)" }
    }

    public struct Report: Sendable {
        public var findings: [Finding] = []
        public var events: UInt64 = 0
        public var blocks = 0
        public var keys: UInt64 = 0
        public var cells: UInt64 = 0
        /// What the chain of the audit trail says; its findings are among ``findings``.
        public var audit = AuditCheck.Report()

        public var isClean: Bool { findings.isEmpty }
    }

    /// The most findings that are listed; damage past it is damage all the same.
    public static let findingsMax = 1_000

    private let directory: String
    private let progress: (String) -> Void
    private var report = Report()

    public init(directory: String, progress: @escaping (String) -> Void = { _ in }) {
        (self.directory, self.progress) = (directory, progress)
    }

    /// Verifies the ledger.
    ///
    /// - Throws: ``LedgerError`` where it cannot be opened at all.
    public mutating func run() throws -> Report {
        do {
            guard FileManager.default.fileExists(atPath: directory + "/" + Truth.fileName) else {
                throw LedgerError(.notFound, "there is no ledger in \(directory)")
            }
            let lock = try DirectoryLock(directory)
            defer { lock.unlock() }
            let truth = try Truth.open(
                directory: directory,
                entropy: [UInt8](repeating: 0, count: 32),
                now: Instant(microseconds: 0)
            )
            progress("reading the log")
            try checkDatabase(truth)
            try checkBlocks(truth)
            try checkAudit(truth)
            progress("reading the derived files")
            let isSound = checkDerivedFiles(truth)
            if isSound, report.isClean {
                progress("deriving everything again")
                try compareDerived(truth)
            }
            try truth.pool.close()
        } catch {
            throw LedgerCore.ledgerError(error, during: "verifying \(directory)")
        }
        return report
    }

    private mutating func find(_ severity: Finding.Severity, _ text: String) {
        if report.findings.count < Self.findingsMax {
            report.findings.append(Finding(severity: severity, text: text))
        }
    }

    // MARK: The truth

    private mutating func checkDatabase(_ truth: Truth) throws {
        let faults = try truth.pool.read { database in
            try String.fetchAll(database, sql: "PRAGMA quick_check(20)")
        }
        for fault in faults where fault != "ok" { find(.truth, "ledger.sqlite: \(fault)") }
    }

    private mutating func checkBlocks(_ truth: Truth) throws {
        let decompressor = ZstdDecompressor()
        var next: UInt64 = 1
        while let stored = try truth.block(from: next) {
            if stored.firstPosition != next {
                find(.truth, "no event block holds the positions from \(next)")
            }
            do throws(LedgerError) {
                _ = try stored.events(using: decompressor)
            } catch {
                find(.truth, error.message)
            }
            next = stored.positions.upperBound
            report.blocks += 1
        }
        report.events = next - 1
        try checkCommits(truth)
    }

    private mutating func checkCommits(_ truth: Truth) throws {
        let head = try truth.head()
        if head.position != report.events {
            find(
                .truth,
                "the last commit names position \(head.position), "
                    + "the last block ends at \(report.events)"
            )
        }
        let faults = try truth.pool.read { database in
            var faults: [String] = []
            var expected: Int64 = 1
            var accepted: Int64 = 0
            let rows = try Row.fetchCursor(
                database,
                sql: "SELECT number, last_position, received, books FROM intake_commit "
                    + "ORDER BY number"
            )
            while let row = try rows.next() {
                let number: Int64 = row["number"]
                if number != expected { faults.append("commit \(expected) is missing") }
                expected = number + 1
                guard let books = CommitBooks(json: row["books"]) else {
                    faults.append("the books of commit \(number) cannot be read")
                    continue
                }
                accepted += books.lines.values.reduce(0) { $0 + $1.accepted }
                if books.received != row["received"] as Int64 || !books.balance {
                    faults.append("the books of commit \(number) do not balance")
                }
                if accepted != row["last_position"] as Int64 {
                    faults.append("commit \(number) accepted other events than it stored")
                }
            }
            return faults
        }
        for fault in faults { find(.truth, fault) }
    }

    private mutating func checkAudit(_ truth: Truth) throws {
        report.audit = try truth.pool.read { try AuditVerification.check($0) }
        for finding in report.audit.findings { find(.truth, "\(finding)") }
    }

    // MARK: The derived files

    /// - Returns: whether all files can be believed.
    private mutating func checkDerivedFiles(_ truth: Truth) -> Bool {
        let files = directory + "/derived"
        let before = report.findings.count
        do {
            guard let manifest = try DerivedFiles(files).manifest() else { return true }
            let store = checksum64(manifest.store)
            for file in manifest.keyFiles {
                try KeyRun.open(files + "/" + file, store: store).verify()
            }
            for file in manifest.cellFiles {
                try CellRun.open(files + "/" + file, store: store).verify()
            }
            let derived = DerivedState(hashKey: truth.hashKey)
            _ = try DerivedFiles(files).load(truth, truth.head(), into: derived)
        } catch {
            find(.derived, "\(error)")
        }
        return report.findings.count == before
    }

    /// Compares the key index and the rollups with what the log says they must be.
    private mutating func compareDerived(_ truth: Truth) throws {
        let scratch = directory + "/verify-scratch"
        try? FileManager.default.removeItem(atPath: scratch)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let stored = try derive(truth, scratch + "/stored", loading: directory + "/derived")
        let anew = try derive(truth, scratch + "/anew", loading: nil)
        try compareKeys(truth, stored)
        let versions = try truth.meterTypes()
        // What was counted for a version that was given up is read by nobody, and not derived anew.
        let void = Set(versions.filter { $0.cancelledAt != nil }.map(\.number))
        let one = try CellFingerprints(stored.derived, stored.directory, but: void)
        let two = try CellFingerprints(anew.derived, anew.directory, but: void)
        report.cells = one.cells
        for difference in one.differences(from: two).prefix(20) {
            find(.derived, "rollups of \(difference) are not what the log says")
        }
        let inForce = Set(versions.filter { $0.inForceSince != nil }.map(\.number))
        for line in try BooksReader.lines(of: stored.derived, inForce) where !line.balances {
            find(.derived, "the books of source \"\(line.source ?? "")\" do not balance")
        }
    }

    private struct Derivation {
        var directory: String
        var derived: DerivedState
    }

    private func derive(_ truth: Truth, _ scratch: String, loading files: String?) throws
        -> Derivation
    {
        try FileManager.default.createDirectory(
            atPath: scratch,
            withIntermediateDirectories: true
        )
        let derived = DerivedState(hashKey: truth.hashKey)
        var meterTypes = try truth.meterTypes()
        var manifest: Manifest?
        if let files {
            manifest = try DerivedFiles(files).load(truth, truth.head(), into: derived)
        }
        // A backfill that has not ended leaves cells out: derived anew, it is left at the same
        // mark.
        let marks = try DerivedFiles(directory + "/derived").manifest()
        for place in meterTypes.indices {
            let created = meterTypes[place].countsAfter ?? .zero
            let mark = marks?.backfilled[meterTypes[place].number]
            let unknown = marks == nil ? created.value : 0
            meterTypes[place].backfilled = Position(mark ?? unknown)
        }
        derived.install(meterTypes)
        // So does a recount.
        let registry = try truth.meterRegistry()
        let recount = marks?.recount ?? Recount(knowing: registry)
        derived.tables.withLock { $0.recount = recount }
        var own = Manifest(store: truth.storeID)
        own.names = manifest?.names ?? 0
        // Names go to a file of their own; what is loaded is not written again.
        own.namesBytes = 0
        let checkpoints = Checkpoints(
            directory: scratch,
            derived: derived,
            manifest: own,
            logger: Logger(label: "odometer.verify", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        try Replay(
            truth: truth,
            derived: derived,
            checkpoints: checkpoints,
            meterTypes: meterTypes,
            meterRegistry: registry,
            corrections: try truth.correctionRegistry()
        ).run()
        try checkpoints.close()
        return Derivation(directory: scratch, derived: derived)
    }

    private mutating func compareKeys(_ truth: Truth, _ stored: Derivation) throws {
        let empty = MeterCatalog(generation: 0, meterTypes: [])
        let preparer = EventPreparer(hashKey: truth.hashKey, catalog: empty)
        let corrections = try truth.correctionRegistry()
        let decompressor = ZstdDecompressor()
        var next: UInt64 = 1
        while let row = try truth.block(from: next) {
            let block = try row.events(using: decompressor)
            let keys = block.prepared(by: preparer).events.map(\.key)
            let positions = try stored.derived.positions(of: keys)
            for (place, position) in positions.enumerated()
            where position != block.firstPosition + UInt64(place) {
                let at = block.firstPosition + UInt64(place)
                if corrections.isEntry(at) {
                    let type = block.decoded.bytes[block.decoded.events[place].type.range]
                    let isOne = type.elementsEqual(VersionEntry.type.utf8)
                    if corrections.isVersion(at), !isOne {
                        find(.derived, "the event at \(at) is no entry of a version")
                    }
                    continue
                }
                find(.derived, "the key index has position \(position) for the event at \(at)")
            }
            next = block.positions.upperBound
        }
        report.keys = stored.derived.tables.withLock { tables in
            UInt64(tables.keys.count) + tables.keyRuns.reduce(0) { $0 + UInt64($1.count) }
        }
        if report.keys + corrections.entryCount != report.events {
            find(.derived, "the key index has \(report.keys) keys for \(report.events) events")
        }
    }
}

extension CommitBooks {
    var balance: Bool {
        lines.values.allSatisfy { line in
            line.received == line.accepted + line.duplicate + line.conflict + line.quarantined
        }
    }
}

/// The content of a derived state's cells, whatever numbers its names have: one sum per subject.
private struct CellFingerprints {
    private(set) var cells: UInt64 = 0
    private var sums: [String: UInt64] = [:]

    init(_ derived: DerivedState, _ scratch: String, but void: Set<UInt32>) throws {
        let (runs, aggregations, store) = derived.tables.withLock { tables in
            (tables.cellRuns, tables.aggregations, UInt64(0))
        }
        guard let first = runs.first else { return }
        let merged = try CellRun.merge(
            runs,
            to: scratch + "/fingerprint.run",
            store: store == 0 ? first.store : store,
            aggregation: { aggregations.of(meter: $0) },
            pace: {}
        )
        var names: [UInt32: String] = [0: ""]
        func name(_ number: UInt32) -> String {
            if let known = names[number] { return known }
            let text = derived.tables.withLock { tables in
                String(decoding: tables.names.bytes(of: number), as: UTF8.self)
            }
            names[number] = text
            return text
        }
        var tags: [UInt32: UInt64] = [:]
        func nameTag(_ number: UInt32) -> UInt64 {
            if let known = tags[number] { return known }
            let tag = checksum64(Array(name(number).utf8))
            tags[number] = tag
            return tag
        }
        let all = Int32.min..<Int32.max
        for kind in [CellKind.usage, CellKind.books, CellKind.element, CellKind.sample] {
            var (last, owner) = (UInt32.max, "")
            try merged.visit(kind, nil, all) { key, meter, state in
                // What was counted and taken back is nothing.
                if kind == CellKind.books, state.count == 0 { return }
                cells += 1
                let version = kind == CellKind.books ? BooksChange.reading(meter)?.version : meter
                if let version, void.contains(version) { return }
                // Changes of the books that made up for one another.
                if state.count == 0 { return }
                if key.subject != last {
                    // Cells come in the order of their subjects.
                    last = key.subject
                    owner =
                        kind == CellKind.books
                        ? "source \"\(name(key.subject))\" in the books"
                        : last == 0 ? "all subjects" : "subject \"\(name(key.subject))\""
                }
                let words: [UInt64] = [
                    UInt64(bitPattern: Int64(key.bucket)), nameTag(key.dimensions), UInt64(meter),
                    key.element.high, key.element.low, UInt64(bitPattern: state.count),
                    state.valueLow, state.valueHigh, UInt64(bitPattern: state.valueTop),
                    UInt64(bitPattern: state.time), state.position,
                ]
                sums[owner, default: 0] &+= Self.checksum(words)
            }
        }
    }

    private static func checksum(_ words: [UInt64]) -> UInt64 {
        unsafe words.withUnsafeBytes { unsafe Checksum64.of($0, seed: 0) }
    }

    func differences(from other: CellFingerprints) -> [String] {
        let owners = Set(sums.keys).union(other.sums.keys)
        return owners.filter { sums[$0] != other.sums[$0] }.sorted()
    }
}
