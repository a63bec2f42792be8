/// Writes CSV (RFC 4180): rows end in CRLF; fields are quoted where they must be.
public struct CSVWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    private let delimiter: UInt8
    private var isRowStart = true

    public init(delimiter: UInt8 = UInt8(ascii: ",")) { self.delimiter = delimiter }

    /// Adds a field to the row that is open.
    public mutating func field(_ text: String) {
        if !isRowStart { bytes.append(delimiter) }
        isRowStart = false
        let needsQuotes =
            text.isEmpty
            || text.utf8.contains { byte in
                byte == delimiter || byte == Ascii.quote || byte == Ascii.newline
                    || byte == Ascii.carriageReturn
            }
        guard needsQuotes else {
            bytes.append(contentsOf: text.utf8)
            return
        }
        bytes.append(Ascii.quote)
        for byte in text.utf8 {
            if byte == Ascii.quote { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(Ascii.quote)
    }

    /// Adds a field without a value: nothing between the delimiters, unlike an empty text.
    public mutating func absent() {
        if !isRowStart { bytes.append(delimiter) }
        isRowStart = false
    }

    public mutating func endRow() {
        bytes.append(Ascii.carriageReturn)
        bytes.append(Ascii.newline)
        isRowStart = true
    }

    public mutating func row(_ fields: [String]) {
        for text in fields { field(text) }
        endRow()
    }

    /// Hands over what was written so far and begins anew, for writing in pieces.
    public mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }
}
