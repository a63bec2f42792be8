/// One row of a CSV text.
public struct CSVRow: Hashable, Sendable {
    /// The line its first byte is on, counted from 1; a quoted field may span lines.
    public var line: Int
    /// Its first byte, counted from the start of the text.
    public var offset: Int

    fileprivate var bytes: [UInt8] = []
    fileprivate var ends: [Int] = []

    /// How many fields.
    public var count: Int { ends.count }

    /// The text of a field, without quotes. Bytes that are not UTF-8 become U+FFFD.
    public subscript(field: Int) -> String {
        String(decoding: self.bytes(of: field), as: UTF8.self)
    }

    /// The bytes of a field, without quotes.
    public func bytes(of field: Int) -> ArraySlice<UInt8> {
        bytes[(field == 0 ? 0 : ends[field - 1])..<ends[field]]
    }

    public var fields: [String] { (0..<count).map { self[$0] } }
}

/// Why a text is no CSV.
public struct CSVFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// Counted from 1.
    public var line: Int
    /// The byte at fault, counted from the start of the text.
    public var offset: Int
    public var reason: String

    public var description: String { "line \(line), byte \(offset): \(reason)" }
}

/// Reads CSV (RFC 4180) out of chunks of any size: feed a chunk, take rows until there is none,
/// feed the next, at the end say `finish`.
///
/// More forgiving than the RFC where files in the field are: rows may end in LF, CRLF or CR, the
/// last one in nothing; empty lines are no rows; a quote inside an unquoted field is itself; a
/// UTF-8 byte order mark is skipped. Not forgiving where guessing would shift fields: a quoted
/// field must end, and be followed by a delimiter or the end of the row.
///
/// Memory: one chunk and one row of at most `rowBytesMax`.
public struct CSVReader: Sendable {
    private enum State {
        case rowStart, fieldStart, plain, quoted, quoteInQuoted
    }

    private let delimiter: UInt8
    private let rowBytesMax: Int
    private var state = State.rowStart
    private var chunk: [UInt8] = []
    private var at = 0
    /// The bytes before this chunk.
    private var before = 0
    private var line = 1
    private var isFinished = false
    /// The last row ended in CR: an LF right after belongs to it.
    private var followsReturn = false
    private var row = CSVRow(line: 1, offset: 0)

    /// - Parameters:
    ///   - delimiter: Between fields; an ASCII byte that is no quote and ends no line.
    ///   - rowBytesMax: The longest row, in bytes of its fields.
    public init(delimiter: UInt8 = UInt8(ascii: ","), rowBytesMax: Int = 1 << 20) {
        (self.delimiter, self.rowBytesMax) = (delimiter, rowBytesMax)
    }

    /// Adds the next chunk. Rows that were not taken yet stay.
    public mutating func feed(_ next: [UInt8]) {
        before += at
        chunk = at == chunk.count ? next : Array(chunk[at...]) + next
        at = 0
    }

    /// Says that no chunk follows; the row that is open, if any, ends here.
    public mutating func finish() { isFinished = true }

    /// The next row; nil where the chunk is used up (or, after ``finish()``, the text).
    ///
    /// - Throws: ``CSVFault``; nothing can be read after that.
    /// - Complexity: O(bytes of the row).
    public mutating func next() throws(CSVFault) -> CSVRow? {
        if before == 0, at == 0 {
            let mark: [UInt8] = [0xef, 0xbb, 0xbf]
            if chunk.starts(with: mark) { at = 3 }
            if chunk.count < 3, !isFinished, mark.starts(with: chunk) { return nil }
        }
        while at < chunk.count {
            if let row = try step(chunk[at]) { return row }
        }
        guard isFinished, state != .rowStart else { return nil }
        if state == .quoted { throw fault("a quoted field does not end") }
        return takeRow()
    }

    /// Takes one byte, or a run of them; returns the row that ends with it.
    private mutating func step(_ byte: UInt8) throws(CSVFault) -> CSVRow? {
        switch state {
        case .rowStart:
            let endsReturn = followsReturn && byte == Ascii.newline
            followsReturn = false
            if byte == Ascii.newline || byte == Ascii.carriageReturn {
                passLineEnd(byte, endsReturn: endsReturn)
                return nil
            }
            row = CSVRow(line: line, offset: before + at)
            state = .fieldStart
        case .fieldStart:
            if byte == Ascii.quote {
                state = .quoted
                at += 1
            } else {
                state = .plain
            }
        case .plain: return try plain(byte)
        case .quoted: try quoted(byte)
        case .quoteInQuoted:
            if byte == Ascii.quote {
                row.bytes.append(byte)
                state = .quoted
                at += 1
            } else if byte == delimiter || byte == Ascii.newline || byte == Ascii.carriageReturn {
                state = .plain
            } else {
                throw fault("after a closing quote comes a delimiter or the end of the row")
            }
        }
        return nil
    }

    private mutating func passLineEnd(_ byte: UInt8, endsReturn: Bool) {
        if !endsReturn { line += 1 }
        followsReturn = byte == Ascii.carriageReturn
        at += 1
    }

    private mutating func plain(_ byte: UInt8) throws(CSVFault) -> CSVRow? {
        if byte == delimiter {
            row.ends.append(row.bytes.count)
            state = .fieldStart
            at += 1
            return nil
        }
        if byte == Ascii.newline || byte == Ascii.carriageReturn {
            passLineEnd(byte, endsReturn: false)
            return takeRow()
        }
        let start = at
        while at < chunk.count, chunk[at] != delimiter, chunk[at] != Ascii.newline,
            chunk[at] != Ascii.carriageReturn
        {
            at += 1
        }
        try append(start..<at)
        return nil
    }

    private mutating func quoted(_ byte: UInt8) throws(CSVFault) {
        if byte == Ascii.quote {
            state = .quoteInQuoted
            at += 1
            return
        }
        let start = at
        while at < chunk.count, chunk[at] != Ascii.quote {
            if chunk[at] == Ascii.newline { line += 1 }
            at += 1
        }
        try append(start..<at)
    }

    private mutating func append(_ range: Range<Int>) throws(CSVFault) {
        if row.bytes.count + range.count > rowBytesMax {
            throw fault("a row has at most \(rowBytesMax) bytes; is a quote missing?")
        }
        row.bytes.append(contentsOf: chunk[range])
    }

    private mutating func takeRow() -> CSVRow {
        row.ends.append(row.bytes.count)
        state = .rowStart
        return row
    }

    private func fault(_ reason: String) -> CSVFault {
        CSVFault(line: line, offset: before + at, reason: reason)
    }
}
