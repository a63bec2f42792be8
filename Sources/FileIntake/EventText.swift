/// Spells parts of an event. Bytes that are no UTF-8 pass as they are: the server refuses them, and
/// keeps what it was sent.
enum EventText {
    /// Appends a JSON string.
    static func append(string text: some Collection<UInt8>, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                bytes += byte < 0x10 ? "\\u000".utf8 : "\\u001".utf8
                bytes.append(hex[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static let hex = Array("0123456789abcdef".utf8)

    /// Whether a text is a JSON number that the server takes: its digits are then kept as they are.
    ///
    /// `007`, `+1`, `.5` and `1,000` are not: they stay texts.
    static func isNumber(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count <= 128 else { return false }
        var cursor = TextCursor(text: text)
        _ = cursor.skip(UInt8(ascii: "-"))
        let whole = cursor.takeDigits()
        guard !whole.isEmpty else { return false }
        if text[whole.lowerBound] == UInt8(ascii: "0"), whole.count > 1 { return false }
        if cursor.skip(UInt8(ascii: ".")), cursor.takeDigits().isEmpty { return false }
        if cursor.skip(UInt8(ascii: "e")) || cursor.skip(UInt8(ascii: "E")) {
            if !cursor.skip(UInt8(ascii: "-")) { _ = cursor.skip(UInt8(ascii: "+")) }
            let exponent = cursor.takeDigits()
            guard 1...3 ~= exponent.count else { return false }
        }
        return cursor.rest.isEmpty
    }

    /// Appends an event that says why its row is none: it lacks a subject, so the server refuses it
    /// and keeps it in quarantine with everything that the row held.
    static func append(
        unmapped row: Row,
        because reason: String,
        to bytes: inout [UInt8],
        head: (inout [UInt8]) -> Void
    ) {
        bytes.append(UInt8(ascii: "{"))
        head(&bytes)
        bytes += ",\"unmapped\":".utf8
        append(string: reason.utf8, to: &bytes)
        bytes += ",\"data\":{\"row\":[".utf8
        for field in 0..<row.count {
            if field > 0 { bytes.append(UInt8(ascii: ",")) }
            append(string: row[field], to: &bytes)
        }
        bytes += "]}}".utf8
    }
}
