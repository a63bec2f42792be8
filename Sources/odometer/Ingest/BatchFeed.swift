import FileIntake
import Foundation

/// Where an actor may wait for the disk or a pipe, outside the threads that all tasks share.
final class WaitingThread: SerialExecutor {
    private let queue = OperationQueue()

    init(label: String) {
        queue.name = label
        queue.maxConcurrentOperationCount = 1
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.addOperation { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}

/// Reads files one after another into batches, for several senders at once.
///
/// It lives on a thread of its own: reading may wait, and must not hold up the senders.
actor BatchFeed {
    struct Settings: Sendable {
        var paths: [String]
        var format: FileFormat?
        var mapping: RowMapping
        /// The most rows of a batch.
        var rowsMax: Int
        /// A batch ends with the row that reaches this many bytes.
        var bytesMax = 8 * 1_024 * 1_024
    }

    private let thread = WaitingThread(label: "odometer.ingest.read")
    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe thread.asUnownedSerialExecutor()
    }

    private let settings: Settings
    private var resume: ResumeState?
    /// How many of the files have been opened.
    private var opened = 0
    private var file: InputFile?
    private var reader: RowReader?
    private var marks: [Int: Watermark] = [:]
    private var isClosed = false
    /// Of files read to their end, in bytes as stored.
    private var bytesDone: Int64 = 0
    private(set) var rowsSkipped = 0
    /// Why reading ended before its time. What was read until then is sent.
    private(set) var failure: (any Error)?

    init(_ settings: Settings, resume: ResumeState?) {
        (self.settings, self.resume) = (settings, resume)
    }

    /// The next batch; nil at the end of the last file, or where a file cannot be read on.
    func take() -> FileBatch? {
        guard !isClosed else { return nil }
        do {
            return try next()
        } catch {
            (failure, isClosed) = (error, true)
            return nil
        }
    }

    private func next() throws -> FileBatch? {
        while true {
            if file == nil { guard try open() else { return nil } }
            guard let batch = try read(rowsMax: settings.rowsMax) else {
                bytesDone += file?.bytesRead ?? 0
                (file, reader) = (nil, nil)
                continue
            }
            let index = opened - 1
            marks[index, default: Watermark()].sent(lastRow: batch.lastRow, digest: batch.digest)
            return FileBatch(file: index, name: file?.name ?? "", rows: batch)
        }
    }

    /// Says that the server has answered for all rows of a batch.
    func acknowledge(_ batch: FileBatch, position: UInt64) {
        marks[batch.file]?.acknowledged(lastRow: batch.rows.lastRow)
        guard let mark = marks[batch.file] else { return }
        resume?.note(mark, of: settings.paths[batch.file], position: position)
    }

    /// Gives no further batches.
    func close() { isClosed = true }

    func saveResume() throws { try resume?.save() }

    /// Whether every file was read to its end and answered for.
    var isAtEnd: Bool {
        failure == nil && file == nil && opened == settings.paths.count
            && marks.values.allSatisfy(\.isSettled)
    }

    var bytesRead: Int64 { bytesDone + (file?.bytesRead ?? 0) }

    private func open() throws -> Bool {
        guard opened < settings.paths.count else { return false }
        let path = settings.paths[opened]
        opened += 1
        try start(path)
        guard let mark = resume?.mark(of: path), mark.row > 0 else { return true }
        if try skip(to: mark) {
            marks[opened - 1] = mark
            rowsSkipped += mark.row
        } else {
            // Other rows than last time: all of them are sent.
            try start(path)
        }
        return true
    }

    private func start(_ path: String) throws {
        let file = try InputFile(path: path)
        var format = settings.format ?? FileFormat(fileName: path)
        var beginning: [UInt8]?
        if format == nil {
            beginning = try file.read(waits: true)
            format = FileFormat(beginning: beginning ?? [])
        }
        guard let format else {
            throw CommandFailure(
                .usage,
                "\(file.name): neither its name nor its beginning tells how it is written;"
                    + " add --format"
            )
        }
        do throws(IntakeFault) {
            reader = try RowReader(format: format, mapping: settings.mapping)
        } catch {
            throw CommandFailure(.usage, "\(error)")
        }
        self.file = file
        self.beginning = beginning
    }

    /// What was read to learn the format.
    private var beginning: [UInt8]?

    private func read(rowsMax: Int) throws -> RowBatch? {
        guard let file else { return nil }
        do {
            return try reader?.next(rowsMax: rowsMax, bytesMax: settings.bytesMax) { hasRows in
                if let bytes = beginning {
                    beginning = nil
                    return bytes
                }
                return try file.read(waits: !hasRows)
            }
        } catch let fault as IntakeFault {
            throw CommandFailure(.usage, "\(file.name): \(fault)")
        }
    }

    /// Reads past rows that were acknowledged in an earlier run.
    ///
    /// - Returns: Whether they are the same rows.
    private func skip(to mark: Watermark) throws -> Bool {
        var row = 0
        var digest: [UInt8] = []
        while row < mark.row {
            guard let batch = try read(rowsMax: min(10_000, mark.row - row)) else { return false }
            (row, digest) = (batch.lastRow, batch.digest)
        }
        return digest == mark.digest
    }
}
