/// Lines of a web server's access log in the "common" or "combined" format.
///
/// Fields are separated by blanks; `[…]` and `"…"` are one field, a backslash inside quotes keeps
/// what follows from ending it. A `-` alone is an empty field. The request line is given whole and
/// in its three parts.
struct AccessLogSplitter: RowSplitter {
    /// What the fields are called, in their order.
    static let columns = [
        "client", "ident", "user", "time", "request", "status", "bytes", "referrer", "agent",
        "method", "path", "protocol",
    ]
    /// How the time is written.
    static let timeFormat = "%d/%b/%Y:%H:%M:%S %z"

    mutating func split(_ input: ArraySlice<UInt8>, isLast: Bool, into row: inout Row) -> Split {
        guard let (line, used) = LineSplitter.line(input, isLast: isLast) else { return .needsMore }
        var rest = line.drop(while: { $0 == 0x20 })
        guard !rest.isEmpty else { return .gap(used: used) }
        var request = rest.prefix(0)
        while !rest.isEmpty {
            let field = Self.takeField(&rest)
            if row.count == 4 { request = field }
            row.add(field: field == [UInt8(ascii: "-")] ? [] : field)
        }
        guard row.count == 7 || row.count == 9 else {
            row.fault = "\(row.count) fields where an access log has 7 or 9"
            return .row(used: used)
        }
        if row.count == 7 { for _ in 0..<2 { row.add(field: []) } }
        let parts = request.split(separator: 0x20, omittingEmptySubsequences: true)
        for index in 0..<3 { row.add(field: parts.count == 3 ? parts[index] : []) }
        return .row(used: used)
    }

    private static func takeField(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let close: UInt8
        switch rest.first {
        case UInt8(ascii: "["): close = UInt8(ascii: "]")
        case UInt8(ascii: "\""): close = UInt8(ascii: "\"")
        default:
            let field = rest.prefix { $0 != 0x20 }
            rest = rest[field.endIndex...].drop { $0 == 0x20 }
            return field
        }
        var at = rest.startIndex + 1
        while at < rest.endIndex, rest[at] != close {
            at += rest[at] == UInt8(ascii: "\\") && close == UInt8(ascii: "\"") ? 2 : 1
        }
        at = min(at, rest.endIndex)
        let field = rest[(rest.startIndex + 1)..<at]
        rest = rest[at...].dropFirst().drop { $0 == 0x20 }
        return field
    }
}
