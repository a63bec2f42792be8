/// JSON values one after another, or the elements of arrays: each value is a row of one field.
///
/// It finds where values end and no more; whether they are right is the server's to say. A line end
/// between the parts of a value becomes a blank, so that a row is one line. Inside a string, where
/// JSON allows none, it becomes a tab, which JSON does not allow either: the value stays as wrong
/// as it was.
struct JSONSplitter: RowSplitter {
    private var isInArray = false

    mutating func split(_ input: ArraySlice<UInt8>, isLast: Bool, into row: inout Row) -> Split {
        guard let first = input.first else { return .needsMore }
        switch first {
        case 0x20, 0x09, 0x0A, 0x0D: return .gap(used: input.prefix(while: Self.isBlank).count)
        case UInt8(ascii: "[") where !isInArray:
            isInArray = true
            return .gap(used: 1)
        case UInt8(ascii: "]") where isInArray:
            isInArray = false
            return .gap(used: 1)
        case UInt8(ascii: ",") where isInArray: return .gap(used: 1)
        default: break
        }
        guard let end = Self.end(of: input, isLast: isLast) else { return .needsMore }
        Self.append(input[..<end], to: &row)
        return .row(used: end - input.startIndex)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    /// Where the value at the front ends; nil where that is not to be seen yet.
    private static func end(of input: ArraySlice<UInt8>, isLast: Bool) -> Int? {
        var (depth, at) = (0, input.startIndex)
        while at < input.endIndex {
            switch input[at] {
            case UInt8(ascii: "\""):
                at += 1
                while at < input.endIndex, input[at] != UInt8(ascii: "\"") {
                    at += input[at] == UInt8(ascii: "\\") ? 2 : 1
                }
                at += 1
                if depth == 0, at <= input.endIndex { return at }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth < 0, at > input.startIndex { return at }
                at += 1
                if depth <= 0 { return at }
            case UInt8(ascii: ",") where depth == 0 && at > input.startIndex: return at
            case let byte where depth == 0 && isBlank(byte): return at
            default: at += 1
            }
        }
        return isLast ? input.endIndex : nil
    }

    private static func append(_ value: ArraySlice<UInt8>, to row: inout Row) {
        defer { row.endField() }
        guard value.contains(where: { $0 == 0x0A || $0 == 0x0D }) else { return row.append(value) }
        var (isInString, isEscaped) = (false, false)
        for byte in value {
            if byte == UInt8(ascii: "\""), !isEscaped { isInString.toggle() }
            isEscaped = isInString && !isEscaped && byte == UInt8(ascii: "\\")
            let isLineEnd = byte == 0x0A || byte == 0x0D
            row.append(isLineEnd ? (isInString ? 0x09 : 0x20) : byte)
        }
    }
}
