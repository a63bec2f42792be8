import Crypto

/// Where ids come from for rows that bring none.
///
/// The id of row n is `n-H`: its number from 1, and the first 128 bits, in hex, of SHA-256 over a
/// seed and all rows of the file from the first to this one. So it follows from what the file says
/// and not from its name, its time, its compression or its line ends: sending a file again gives
/// the same ids, and so does a file that has grown since, for the rows it had. Equal rows at
/// different places are different events. The seed holds what the flags say of every row (source,
/// type, subject) and the names of the columns, so that one file metered in two ways is two sets
/// of events.
struct RowKey: Sendable {
    private var hasher = SHA256()
    /// How many rows are in.
    private(set) var rows = 0

    /// - Parameter seed: Every text that tells one use of a file from another, in a fixed order.
    init(seed: [String]) {
        add(bytes: Array("odometer row id 1".utf8)[...])
        for text in seed { add(bytes: Array(text.utf8)[...]) }
    }

    /// Adds the names of the columns, which are no row.
    mutating func add(header: [String]) {
        add(count: header.count)
        for name in header { add(bytes: Array(name.utf8)[...]) }
    }

    mutating func add(_ row: Row) {
        rows += 1
        add(count: row.count)
        for field in 0..<row.count { add(bytes: row[field]) }
    }

    /// Appends the id of the row added last.
    func appendID(to bytes: inout [UInt8]) {
        bytes += "\(rows)-".utf8
        for byte in digest.prefix(16) {
            bytes.append(Self.hex[Int(byte >> 4)])
            bytes.append(Self.hex[Int(byte & 15)])
        }
    }

    /// The hash of everything added; 32 bytes.
    var digest: [UInt8] { Array(hasher.finalize()) }

    private static let hex = Array("0123456789abcdef".utf8)

    /// Lengths go first, so that no two lists of fields look the same when joined.
    private mutating func add(bytes: ArraySlice<UInt8>) {
        add(count: bytes.count)
        unsafe bytes.withUnsafeBytes { unsafe hasher.update(bufferPointer: $0) }
    }

    private mutating func add(count: Int) {
        unsafe withUnsafeBytes(of: UInt64(count).littleEndian) {
            unsafe hasher.update(bufferPointer: $0)
        }
    }
}
