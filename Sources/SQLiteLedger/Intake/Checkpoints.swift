internal import Dispatch
internal import Foundation
internal import Logging
internal import MeteringEngine
internal import Synchronization
internal import UsageModel

/// Writes the memory tables to disk when they are full, and merges the runs; both in the
/// background, each on a queue of its own, for a merge of many runs takes seconds and a flush must
/// not wait.
final class Checkpoints: Sendable {
    private let directory: String
    private let derived: DerivedState
    private let logger: Logger
    private let manifest: Mutex<Manifest>
    private let flushing = DispatchQueue(label: "odometer.flush")
    private let merging = DispatchQueue(label: "odometer.merge")
    /// One table set may be frozen at a time: whoever freezes holds this until it is on disk.
    private let slot = DispatchSemaphore(value: 1)
    private let flushFault = Mutex<(any Error)?>(nil)
    private let mergesUnderWay = Atomic<Int>(0)
    private let isClosed = Atomic<Bool>(false)
    private let hasChecked = Atomic<Bool>(false)

    init(directory: String, derived: DerivedState, manifest: Manifest, logger: Logger) {
        (self.directory, self.derived, self.logger) = (directory, derived, logger)
        self.manifest = Mutex(manifest)
    }

    /// Whether every byte of the files that were there at the start has been checked since.
    var isChecked: Bool { hasChecked.load(ordering: .relaxed) }

    var isMerging: Bool { mergesUnderWay.load(ordering: .relaxed) > 0 }

    /// Makes sure that the tables hold some more keys; freezes them where they are full.
    ///
    /// Called between two groups, never within one: what is frozen is whole commits. Waits for the
    /// flush before, if that has not ended: intake can be no faster than the device.
    ///
    /// - Parameter settle: Waits until every commit is in the tables whole; called before they are
    ///   frozen.
    /// - Throws: The fault of the flush, where it fails: nothing may be accepted that could not be
    ///   held.
    func makeRoom(for keys: Int, settle: () -> Void = {}) throws {
        let isFull = derived.tables.withLock { tables in
            tables.keys.count + keys > DerivedState.keysMax || tables.cells.isFull
        }
        guard isFull else { return }
        settle()
        try freeze()
    }

    /// Begins to write all there is to disk, as ``makeRoom(for:)`` does where the tables are full.
    func write() throws { try freeze() }

    /// Waits for what is being written.
    func finishWriting() {
        slot.wait()
        slot.signal()
    }

    /// Whether all of a version's history is counted on disk.
    func holdsHistory(of version: MeterType) -> Bool {
        let mark = manifest.withLock { $0.backfilled[version.number] ?? 0 }
        return version.countsAfter.map { mark >= $0.value } ?? false
    }

    private func freeze() throws {
        while slot.wait(timeout: .now() + .milliseconds(200)) == .timedOut {
            if let fault = flushFault.withLock({ $0 }) { throw fault }
        }
        freezeHoldingSlot()
        flushing.async {
            IntakePriority.take()
            self.flush()
        }
    }

    private func freezeHoldingSlot() {
        let (keys, cells) = (
            KeyTable(capacity: DerivedState.keysMax), CellTable(bytesMax: DerivedState.cellBytesMax)
        )
        derived.tables.withLock { tables in
            tables.frozen = DerivedState.Frozen(
                keys: tables.keys,
                cells: tables.cells,
                position: tables.position,
                commit: tables.commit,
                names: tables.names.count,
                backfilled: tables.backfilled,
                recount: tables.recount
            )
            tables.keys = keys
            tables.cells = cells
        }
    }

    /// Writes what is frozen; tries again until it is written, for it holds what only a replay of
    /// the log could bring back.
    private func flush() {
        while true {
            do {
                try writeFrozen()
                flushFault.withLock { $0 = nil }
                slot.signal()
                scheduleMerge()
                return
            } catch {
                logger.error("a checkpoint failed", metadata: ["error": "\(error)"])
                flushFault.withLock { $0 = error }
                if isClosed.load(ordering: .relaxed) {
                    slot.signal()
                    return
                }
                // The device is full or broken: look again in a while.
                usleep(500_000)
            }
        }
    }

    /// Puts all there is on disk, so that the next start replays nothing. For the end of the
    /// process.
    func close() throws {
        isClosed.store(true, ordering: .relaxed)
        slot.wait()
        defer { slot.signal() }
        merging.sync {}
        if let fault = flushFault.withLock({ $0 }) { throw fault }
        let isStale =
            derived.tables.withLock { $0.commit } > manifest.withLock { $0.commit }
            || derived.tables.withLock { $0.backfilled } != manifest.withLock { $0.backfilled }
            || derived.tables.withLock { $0.recount } != manifest.withLock { $0.recount }
        guard isStale else { return }
        freezeHoldingSlot()
        try writeFrozen()
    }

    private func writeFrozen() throws {
        guard let frozen = derived.tables.withLock({ $0.frozen }) else { return }
        let (keyFile, cellFile) = manifest.withLock { manifest in
            defer { manifest.nextFile += 2 }
            return ("keys-\(manifest.nextFile).run", "cells-\(manifest.nextFile + 1).run")
        }
        let keyRun =
            frozen.keys.count == 0
            ? nil
            : try KeyRun.write(
                frozen.keys.sortedEntries(),
                to: directory + "/" + keyFile,
                store: storeTag
            )
        let cellRun =
            frozen.cells.count == 0
            ? nil
            : try frozen.cells.writeRun(to: directory + "/" + cellFile, store: storeTag)
        let (written, bytes) = manifest.withLock { ($0.names, $0.namesBytes) }
        let appendix = derived.tables.withLock { tables in
            tables.names.encoded(from: written, upTo: frozen.names)
        }
        let namesBytes = try NameTable.append(
            appendix,
            to: directory + "/" + Manifest.namesFileName,
            at: bytes
        )
        try manifest.withLock { manifest in
            var next = manifest
            (next.position, next.commit) = (frozen.position, frozen.commit)
            (next.names, next.namesBytes) = (frozen.names, namesBytes)
            (next.backfilled, next.recount) = (frozen.backfilled, frozen.recount)
            if keyRun != nil { next.keyFiles.append(keyFile) }
            if cellRun != nil { next.cellFiles.append(cellFile) }
            try next.write(in: directory)
            manifest = next
        }
        derived.tables.withLock { tables in
            if let keyRun { tables.keyRuns.append(keyRun) }
            if let cellRun { tables.cellRuns.append(cellRun) }
            tables.frozen = nil
            tables.checkpoint = frozen.position
        }
    }

    /// Forgets all files, for a rebuild. Waits for what is under way.
    func reset() {
        slot.wait()
        defer { slot.signal() }
        merging.sync {}
        let kept = manifest.withLock { manifest in
            var empty = Manifest(store: manifest.store)
            // Names of files are never used twice: a reader may still hold an old one.
            empty.nextFile = manifest.nextFile
            manifest = empty
            return empty
        }
        DerivedFiles(directory).removeAll(but: kept)
    }

    /// Checks every byte of the files that the start found, in the background, before any merge.
    ///
    /// A page is checked whenever it is read, so damage never reaches an answer; but a page that
    /// nobody reads for a year would hide its damage for a year, from all but `odometer verify`.
    func check(onDamage: @escaping @Sendable (DerivedFileError) -> Void) {
        merging.async {
            IntakePriority.take()
            // Those that stand now: a merge that a replay began may have removed what stood before
            // this was its turn.
            let (keyRuns, cellRuns) = self.derived.tables.withLock { ($0.keyRuns, $0.cellRuns) }
            let isWanted = { !self.isClosed.load(ordering: .relaxed) }
            do throws(DerivedFileError) {
                for run in keyRuns { try run.verify(while: isWanted) }
                for run in cellRuns { try run.verify(while: isWanted) }
                if isWanted() { self.hasChecked.store(true, ordering: .relaxed) }
            } catch {
                onDamage(error)
            }
        }
    }

    /// Nothing of what the start found is left to be checked: all of it was derived anew.
    func skipCheck() { hasChecked.store(true, ordering: .relaxed) }

    var storeTag: UInt64 {
        manifest.withLock { manifest in checksum64(manifest.store) }
    }

    // MARK: Merging

    func scheduleMerge() {
        mergesUnderWay.add(1, ordering: .relaxed)
        merging.async {
            IntakePriority.take()
            defer { self.mergesUnderWay.subtract(1, ordering: .relaxed) }
            do {
                while !self.isClosed.load(ordering: .relaxed), try self.mergeCells() {}
                while !self.isClosed.load(ordering: .relaxed), try self.mergeKeys() {}
            } catch {
                // The runs that were to be merged stand as they were; the next flush tries again.
                self.logger.error("a merge failed", metadata: ["error": "\(error)"])
            }
        }
    }

    private func mergeKeys() throws -> Bool {
        let runs = derived.tables.withLock { $0.keyRuns }
        guard let range = MergePolicy().choose(sizes: runs.map(\.count)) else {
            return false
        }
        let file = nextFile("keys")
        let merged = try KeyRun.merge(
            Array(runs[range]),
            to: directory + "/" + file,
            store: storeTag,
            pace: pause
        )
        try replace(\.keyFiles, range, with: file) { tables in
            tables.keyRuns.replaceSubrange(range, with: [merged])
        }
        return true
    }

    private func mergeCells() throws -> Bool {
        let (runs, aggregations) = derived.tables.withLock { ($0.cellRuns, $0.aggregations) }
        guard let range = MergePolicy().choose(sizes: runs.map(\.fileBytes)) else {
            return false
        }
        let file = nextFile("cells")
        let merged = try CellRun.merge(
            Array(runs[range]),
            to: directory + "/" + file,
            store: storeTag,
            aggregation: { aggregations.of(meter: $0) },
            pace: pause
        )
        try replace(\.cellFiles, range, with: file) { tables in
            tables.cellRuns.replaceSubrange(range, with: [merged])
        }
        return true
    }

    private func nextFile(_ kind: String) -> String {
        manifest.withLock { manifest in
            defer { manifest.nextFile += 1 }
            return "\(kind)-\(manifest.nextFile).run"
        }
    }

    /// Merges give way to intake: they yield the core every some thousand entries.
    private let pause: @Sendable () -> Void = { _ = sched_yield() }

    private func replace(
        _ files: any WritableKeyPath<Manifest, [String]> & Sendable,
        _ range: Range<Int>,
        with file: String,
        _ swap: (inout DerivedState.Tables) -> Void
    ) throws {
        let merged = try manifest.withLock { manifest in
            var next = manifest
            let merged = Array(next[keyPath: files][range])
            next[keyPath: files].replaceSubrange(range, with: [file])
            try next.write(in: directory)
            manifest = next
            return merged
        }
        derived.tables.withLock { swap(&$0) }
        // Readers that still hold a run keep its descriptor.
        for file in merged { unsafe unlink(directory + "/" + file) }
    }
}
