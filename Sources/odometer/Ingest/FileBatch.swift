import FileIntake

/// Rows of one file on their way to the server.
struct FileBatch: Sendable {
    /// The file's place on the command line.
    var file: Int
    var name: String
    var rows: RowBatch
}

/// How far one file is acknowledged: rows may be answered in any order, and only what has no
/// unanswered row before it counts.
struct Watermark: Sendable {
    private struct Span {
        var lastRow: Int
        var digest: [UInt8]
        var isDone = false
    }

    private var spans: [Span] = []
    /// The last row of which it and all before it are acknowledged.
    private(set) var row: Int
    /// The hash of the rows up to there.
    private(set) var digest: [UInt8]

    init(row: Int = 0, digest: [UInt8] = []) { (self.row, self.digest) = (row, digest) }

    var isSettled: Bool { spans.isEmpty }

    /// Rows go out; in their order.
    mutating func sent(lastRow: Int, digest: [UInt8]) {
        spans.append(Span(lastRow: lastRow, digest: digest))
    }

    /// Rows are answered for; in any order.
    mutating func acknowledged(lastRow: Int) {
        guard let index = spans.firstIndex(where: { $0.lastRow == lastRow }) else { return }
        spans[index].isDone = true
        while let first = spans.first, first.isDone {
            (row, digest) = (first.lastRow, first.digest)
            spans.removeFirst()
        }
    }
}
