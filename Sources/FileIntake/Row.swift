/// One row of a file: its fields, unquoted, in one stretch of bytes.
struct Row {
    private(set) var bytes: [UInt8] = []
    private(set) var ends: [Int] = []
    /// Why the row is not what its format promises; nil where it is.
    var fault: String?

    var count: Int { ends.count }

    subscript(field: Int) -> ArraySlice<UInt8> {
        bytes[(field == 0 ? 0 : ends[field - 1])..<ends[field]]
    }

    mutating func clear() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        fault = nil
    }

    mutating func append(_ byte: UInt8) { bytes.append(byte) }
    mutating func append(_ more: ArraySlice<UInt8>) { bytes += more }
    mutating func endField() { ends.append(bytes.count) }

    mutating func add(field: ArraySlice<UInt8>) {
        bytes += field
        endField()
    }
}

/// What was found at the front of the bytes that are there.
enum Split: Hashable {
    /// A row, and how many bytes it and what ends it take.
    case row(used: Int)
    /// Bytes between rows.
    case gap(used: Int)
    /// No end of a row yet.
    case needsMore
}

/// Finds rows in bytes that come piece by piece.
protocol RowSplitter: Sendable {
    /// Looks for the next row at the front.
    ///
    /// - Parameters:
    ///   - input: What was not used so far; not empty.
    ///   - isLast: Whether nothing follows. Then the answer is never `needsMore`.
    ///   - row: Takes the row; empty when given.
    mutating func split(_ input: ArraySlice<UInt8>, isLast: Bool, into row: inout Row) -> Split
}

/// Rows that are lines; blank ones are gaps.
struct LineSplitter: RowSplitter {
    mutating func split(_ input: ArraySlice<UInt8>, isLast: Bool, into row: inout Row) -> Split {
        guard let (line, used) = Self.line(input, isLast: isLast) else { return .needsMore }
        guard line.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return .gap(used: used) }
        row.add(field: line)
        return .row(used: used)
    }

    /// The first line without its end, and how many bytes it takes with it.
    static func line(
        _ input: ArraySlice<UInt8>,
        isLast: Bool
    ) -> (line: ArraySlice<UInt8>, used: Int)? {
        guard let end = input.firstIndex(of: UInt8(ascii: "\n")) else {
            guard isLast else { return nil }
            return (input.last == UInt8(ascii: "\r") ? input.dropLast() : input, input.count)
        }
        let line = input[..<end]
        let text = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        return (text, end + 1 - input.startIndex)
    }
}
