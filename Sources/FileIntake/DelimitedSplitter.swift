/// Comma- or tab-separated rows as RFC 4180 has them.
///
/// A field in double quotes may hold delimiters, line ends and doubled quotes; a quote inside an
/// unquoted field is a character like any other. Lines end with LF or CR LF; blank lines are gaps.
struct DelimitedSplitter: RowSplitter {
    let delimiter: UInt8

    mutating func split(_ input: ArraySlice<UInt8>, isLast: Bool, into row: inout Row) -> Split {
        let newline = UInt8(ascii: "\n")
        var at = input.startIndex
        if input[at] == newline { return .gap(used: 1) }
        if input[at] == UInt8(ascii: "\r") {
            if input.count == 1, !isLast { return .needsMore }
            if input.count == 1 { return .gap(used: 1) }
            if input[at + 1] == newline { return .gap(used: 2) }
        }
        while true {
            if at < input.endIndex, input[at] == UInt8(ascii: "\"") {
                guard let next = quoted(input, from: at + 1, isLast: isLast, into: &row) else {
                    return abandon(&row)
                }
                at = next
            }
            let start = at
            while at < input.endIndex, input[at] != delimiter, input[at] != newline { at += 1 }
            if at == input.endIndex, !isLast { return abandon(&row) }
            let endsRow = at == input.endIndex || input[at] == newline
            var text = input[start..<at]
            if endsRow, text.last == UInt8(ascii: "\r") { text = text.dropLast() }
            if wasQuoted, !text.isEmpty { row.fault = "text after a closing quote" }
            row.append(text)
            row.endField()
            wasQuoted = false
            if endsRow {
                return .row(used: min(at + 1, input.endIndex) - input.startIndex)
            }
            at += 1
        }
    }

    /// Whether the field being read began with a quoted part.
    private var wasQuoted = false

    init(delimiter: UInt8) { self.delimiter = delimiter }

    /// Reads to the closing quote: the place after it; nil where it is not there yet.
    private mutating func quoted(
        _ input: ArraySlice<UInt8>,
        from start: Int,
        isLast: Bool,
        into row: inout Row
    ) -> Int? {
        wasQuoted = true
        var from = start
        while let quote = input[from...].firstIndex(of: UInt8(ascii: "\"")) {
            row.append(input[from..<quote])
            let after = quote + 1
            // A quote at the end of what is there may be half of a doubled one.
            if after == input.endIndex { return isLast ? after : nil }
            guard input[after] == UInt8(ascii: "\"") else { return after }
            row.append(UInt8(ascii: "\""))
            from = after + 1
        }
        guard isLast else { return nil }
        row.append(input[from...])
        row.fault = "a quote that is not closed"
        return input.endIndex
    }

    private mutating func abandon(_ row: inout Row) -> Split {
        row.clear()
        wasQuoted = false
        return .needsMore
    }
}
