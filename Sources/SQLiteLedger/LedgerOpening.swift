internal import Foundation
internal import GRDB
internal import Logging
internal import Metering
internal import MeteringEngine
internal import Synchronization
internal import UsageModel
internal import WireFormat

/// Opens a ledger: the truth first, then the derived files as far as they can be believed, then the
/// log from there.
struct LedgerOpening {
    private let opening: SQLiteLedger.Opening

    init(_ opening: SQLiteLedger.Opening) { self.opening = opening }

    private var derivedDirectory: String { opening.directory + "/derived" }

    func open() throws -> LedgerCore {
        let truth = try Truth.open(
            directory: opening.directory,
            entropy: opening.entropy,
            now: opening.clock()
        )
        try FileManager.default.createDirectory(
            atPath: derivedDirectory,
            withIntermediateDirectories: true
        )
        var meterTypes = try truth.meterTypes()
        let derived = DerivedState(hashKey: truth.hashKey)
        var manifest = Manifest(store: truth.storeID)
        let head = try truth.head()
        if let known = loaded(truth, head, into: derived) { manifest = known }
        DerivedFiles(derivedDirectory).removeAll(but: manifest)
        let isNew = manifest.commit == 0
        for place in meterTypes.indices {
            let meterType = meterTypes[place]
            // Nothing is counted yet: all of history is replayed for all types at once.
            let counted = isNew ? meterType.countsAfter?.value ?? 0 : 0
            let known = manifest.backfilled[meterType.number] ?? counted
            meterTypes[place].backfilled = Position(known)
        }
        derived.install(meterTypes)
        let meterRegistry = try truth.meterRegistry()
        let corrections = try truth.correctionRegistry()
        if isNew { derived.tables.withLock { $0.recount = Recount(knowing: meterRegistry) } }
        let checkpoints = Checkpoints(
            directory: derivedDirectory,
            derived: derived,
            manifest: manifest,
            logger: opening.logger
        )
        try Replay(
            truth: truth,
            derived: derived,
            checkpoints: checkpoints,
            meterTypes: meterTypes,
            meterRegistry: meterRegistry,
            corrections: corrections
        ).run()
        derived.intern(meterRegistry)
        let customerRegistry = try truth.customerRegistry()
        derived.intern(customerRegistry)
        return LedgerCore(
            directory: opening.directory,
            truth: truth,
            derived: derived,
            checkpoints: checkpoints,
            meterTypes: meterTypes,
            validationRules: try truth.validationRules(),
            meterRegistry: meterRegistry,
            customerRegistry: customerRegistry,
            corrections: corrections,
            logger: opening.logger,
            clock: opening.clock
        )
    }

    /// The manifest of the derived files, which are in the state then; nil where there are none
    /// that can be believed.
    private func loaded(
        _ truth: Truth,
        _ head: (position: UInt64, commit: Int64),
        into derived: DerivedState
    ) -> Manifest? {
        do {
            if let known = try DerivedFiles(derivedDirectory).load(truth, head, into: derived) {
                return known
            }
            if head.position > 0 {
                opening.logger.notice(
                    "derived state is missing and will be rebuilt from the log",
                    metadata: ["events": "\(head.position)"]
                )
            }
        } catch {
            opening.logger.error(
                "derived state is damaged and will be rebuilt from the log",
                metadata: ["error": "\(error)", "events": "\(head.position)"]
            )
            derived.tables.withLock { $0 = DerivedState.Tables() }
        }
        return nil
    }
}

extension DerivedState {
    /// Makes the tables know the meter types: how each aggregates, how far it is counted.
    func install(_ meterTypes: [MeterType]) {
        tables.withLock { tables in
            for meterType in meterTypes {
                let number = Int(meterType.number)
                while tables.aggregations.count <= number { tables.aggregations.append(.count) }
                tables.aggregations[number] = meterType.definition.aggregation
                tables.backfilled[meterType.number] = meterType.backfilled.value
            }
        }
    }
}

extension LedgerCore {
    /// Derives everything again from the log. Only on the committer's thread.
    func rebuildDerived() throws {
        let changed = meterTypes.withLock { meterTypes in
            for place in meterTypes.indices {
                meterTypes[place].backfilled = meterTypes[place].countsAfter ?? .zero
            }
            return meterTypes
        }
        let registry = meterRegistry.withLock { $0 }
        checkpoints.reset()
        derived.tables.withLock { tables in
            let rebuilds = tables.rebuilds | 1
            tables = DerivedState.Tables()
            tables.rebuilds = rebuilds
            tables.recount = Recount(knowing: registry)
        }
        derived.install(changed)
        try Replay(
            truth: truth,
            derived: derived,
            checkpoints: checkpoints,
            meterTypes: changed,
            meterRegistry: registry,
            corrections: corrections.withLock { $0 }
        ).run()
        derived.intern(registry)
        derived.intern(customerRegistry.withLock { $0 })
        derived.tables.withLock { $0.rebuilds += 1 }
        checkpoints.skipCheck()
    }
}

/// The files of `derived/`.
struct DerivedFiles {
    private let directory: String

    init(_ directory: String) { self.directory = directory }

    /// The manifest as it stands; nil where there is none.
    ///
    /// - Throws: ``DerivedFileError`` where it was changed.
    func manifest() throws -> Manifest? {
        let path = directory + "/" + Manifest.fileName
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        guard let manifest = Manifest(String(decoding: data, as: UTF8.self)) else {
            throw DerivedFileError(.corrupt, path, "the checksum is wrong")
        }
        return manifest
    }

    /// Loads what the manifest names.
    ///
    /// - Returns: nil where there is no manifest, or it speaks of another log.
    /// - Throws: ``DerivedFileError`` where a file is missing or contradicts its checksums.
    func load(
        _ truth: Truth,
        _ head: (position: UInt64, commit: Int64),
        into derived: DerivedState
    ) throws -> Manifest? {
        guard let manifest = try manifest() else { return nil }
        guard manifest.store == truth.storeID, manifest.commit <= head.commit,
            manifest.position <= head.position
        else {
            throw DerivedFileError(
                .unreadable,
                directory + "/" + Manifest.fileName,
                "it speaks of another log"
            )
        }
        let store = checksum64(manifest.store)
        let keyRuns = try manifest.keyFiles.map { file throws in
            try KeyRun.open(directory + "/" + file, store: store)
        }
        let cellRuns = try manifest.cellFiles.map { file throws in
            try CellRun.open(directory + "/" + file, store: store)
        }
        let names = try NameTable.load(
            directory + "/" + Manifest.namesFileName,
            bytes: manifest.namesBytes,
            hash: { derived.hash(of: $0) }
        )
        guard names.count == manifest.names else {
            throw DerivedFileError(
                .corrupt,
                directory + "/" + Manifest.namesFileName,
                "names are missing"
            )
        }
        derived.tables.withLock { tables in
            (tables.keyRuns, tables.cellRuns) = (keyRuns, cellRuns)
            tables.names = names
            (tables.position, tables.commit) = (manifest.position, manifest.commit)
            tables.rolledUp = manifest.position
            (tables.checkpoint, tables.backfilled) = (manifest.position, manifest.backfilled)
            tables.recount = manifest.recount
        }
        return manifest
    }

    /// Removes the files that no manifest names: what a crash left half-written, or half-removed.
    func removeAll(but manifest: Manifest) {
        let kept = Set(
            manifest.keyFiles + manifest.cellFiles + [Manifest.fileName, Manifest.namesFileName]
        )
        let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for file in files where !kept.contains(file) || manifest.commit == 0 {
            unsafe unlink(directory + "/" + file)
        }
    }

    var bytes: Int64 {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return files.reduce(0) { $0 + fileBytes(directory + "/" + $1) }
    }
}

/// The size of a file; 0 where there is none.
func fileBytes(_ path: String) -> Int64 {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.size] as? NSNumber)?.int64Value ?? 0
}
