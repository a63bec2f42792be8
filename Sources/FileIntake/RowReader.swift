/// A stretch of a file's rows, as events in NDJSON.
public struct RowBatch: Sendable {
    /// The number of the first row; rows are numbered from 1.
    public var firstRow: Int
    /// One event a line, each line with its end.
    public var lines: [UInt8] = []
    /// Where each line ends in ``lines``.
    public var ends: [Int] = []
    /// Rows that are no events, and why. They are sent too, so that the server keeps them.
    public var faults: [(row: Int, reason: String)] = []
    /// The hash of all rows of the file up to the last one here; 32 bytes.
    public var digest: [UInt8] = []

    public var count: Int { ends.count }
    public var lastRow: Int { firstRow + count - 1 }

    init(firstRow: Int) { self.firstRow = firstRow }

    /// The same rows in two halves, the first not smaller; nil where there is one row or none.
    public func halves() -> (first: RowBatch, second: RowBatch)? {
        guard count > 1 else { return nil }
        let middle = (count + 1) / 2
        let cut = ends[middle - 1]
        var (first, second) = (self, self)
        first.lines.removeSubrange(cut...)
        first.ends.removeSubrange(middle...)
        second.lines.removeSubrange(..<cut)
        second.ends = ends[middle...].map { $0 - cut }
        second.firstRow = firstRow + middle
        first.faults.removeAll { $0.row >= second.firstRow }
        second.faults.removeAll { $0.row < second.firstRow }
        return (first, second)
    }
}

/// Reads a file's bytes, piece by piece, into batches of events. Pure: who calls brings the bytes.
///
/// Memory is bounded by the piece, the batch and the longest row.
public struct RowReader: Sendable {
    /// The longest row, in bytes.
    public static let rowBytesMax = 16 * 1_024 * 1_024

    private let format: FileFormat
    private let mapping: RowMapping
    private var splitter: any RowSplitter
    /// nil until the line that names the columns is read.
    private var mapper: (any RowMapper)?
    private var key: RowKey
    private var input: [UInt8] = []
    private var used = 0
    private var isLast = false
    private var isBeginning = true
    private var row = Row()
    /// Why nothing follows the batch given last.
    private var failure: (any Error)?

    /// - Throws: ``IntakeFault`` where the mapping is missing something or does not fit the format.
    public init(format: FileFormat, mapping: RowMapping) throws(IntakeFault) {
        self.format = format
        var mapping = mapping
        if format == .accessLog {
            mapping.time = mapping.time ?? "time"
            if mapping.timeFormat == nil {
                mapping.timeFormat = try TimeFormat(AccessLogSplitter.timeFormat)
            }
            mapping.subject = mapping.subject ?? .column("client")
        }
        self.mapping = mapping
        key = RowKey(seed: mapping.seed)
        switch format {
        case .ndjson: splitter = LineSplitter()
        case .json: splitter = JSONSplitter()
        case .csv: splitter = DelimitedSplitter(delimiter: mapping.delimiter ?? 0x2C)
        case .tsv: splitter = DelimitedSplitter(delimiter: mapping.delimiter ?? 0x09)
        case .accessLog: splitter = AccessLogSplitter()
        }
        if format.isJSON {
            if mapping.isRecords || mapping.namesColumns {
                mapper = try RecordMapper(mapping, format: format)
            } else {
                mapper = EventMapper(mapping)
            }
        } else {
            // What is wrong whatever the columns are is told before the file is opened.
            try mapping.check(for: format)
            _ = try mapping.timeReader()
        }
        if format == .accessLog {
            try adopt(header: AccessLogSplitter.columns)
        } else if let columns = mapping.columns {
            try adopt(header: columns)
        }
    }

    /// The next rows, at least one.
    ///
    /// - Parameters:
    ///   - rowsMax: The most rows; at least 1.
    ///   - bytesMax: The batch ends with the row that reaches it.
    ///   - fill: Brings the next bytes; nil at the end. None means that none are there yet: the
    ///     batch ends if it has a row, which `fill` is told.
    /// - Returns: nil when there are no more.
    /// - Throws: ``IntakeFault`` for a header without a column asked for, or a row that is too
    ///   long; whatever `fill` throws. The rows before the fault come first.
    public mutating func next(
        rowsMax: Int,
        bytesMax: Int,
        fill: (_ hasRows: Bool) throws -> [UInt8]?
    ) throws -> RowBatch? {
        if let failure { throw failure }
        var batch = RowBatch(firstRow: key.rows + 1)
        do {
            try read(into: &batch, rowsMax: rowsMax, bytesMax: bytesMax, fill: fill)
        } catch {
            failure = error
            if batch.count == 0 { throw error }
        }
        guard batch.count > 0 else { return nil }
        batch.digest = key.digest
        return batch
    }

    private mutating func read(
        into batch: inout RowBatch,
        rowsMax: Int,
        bytesMax: Int,
        fill: (_ hasRows: Bool) throws -> [UInt8]?
    ) throws {
        rows: while batch.count < rowsMax, batch.lines.count < bytesMax {
            switch try nextRow({ try fill(batch.count > 0) }) {
            case .row: break
            case .pause where batch.count == 0: continue
            case .pause, .end: break rows
            }
            guard mapper != nil else {
                try adopt(header: (0..<row.count).map { String(decoding: row[$0], as: UTF8.self) })
                continue
            }
            key.add(row)
            if let reason = mapper?.append(row, key: key, to: &batch.lines) {
                batch.faults.append((key.rows, reason))
            }
            batch.lines.append(UInt8(ascii: "\n"))
            batch.ends.append(batch.lines.count)
        }
    }

    private mutating func adopt(header: [String]) throws(IntakeFault) {
        mapper = try ColumnMapper(mapping, header: header, format: format)
        key.add(header: header)
    }

    private enum Found { case row, pause, end }

    private mutating func nextRow(_ fill: () throws -> [UInt8]?) throws -> Found {
        while true {
            if used == input.count {
                if isLast { return .end }
                guard try take(fill) else { return .pause }
                continue
            }
            row.clear()
            switch splitter.split(input[used...], isLast: isLast, into: &row) {
            case .row(let bytes):
                used += bytes
                return .row
            case .gap(let bytes): used += bytes
            case .needsMore:
                guard input.count - used <= Self.rowBytesMax else {
                    throw IntakeFault(
                        "row \(key.rows + 1) is longer than \(Self.rowBytesMax) bytes: nothing"
                            + " from it on was read (is a quote not closed?)"
                    )
                }
                guard try take(fill) else { return .pause }
            }
        }
    }

    /// Takes the next bytes in; false where none are there yet.
    private mutating func take(_ fill: () throws -> [UInt8]?) throws -> Bool {
        input.removeSubrange(..<used)
        used = 0
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        repeat {
            guard let piece = try fill() else {
                isLast = true
                break
            }
            if piece.isEmpty { return false }
            input += piece
        } while isBeginning && input.count < mark.count && mark.starts(with: input)
        // A byte order mark is no part of the first name.
        if isBeginning, input.starts(with: mark) { used = mark.count }
        isBeginning = false
        return true
    }
}
