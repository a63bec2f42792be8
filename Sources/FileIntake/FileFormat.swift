/// How a file spells its rows.
public enum FileFormat: String, CaseIterable, Hashable, Sendable {
    /// One JSON value a line.
    case ndjson
    /// JSON values one after another, or arrays of them, over any number of lines.
    case json
    case csv
    case tsv
    /// A web server's access log, common or combined.
    case accessLog = "access-log"

    /// The format a file's name tells, `.gz` left aside; nil where it tells none.
    public init?(fileName: String) {
        var name = Substring(fileName.lowercased())
        if name.hasSuffix(".gz") { name = name.dropLast(3) }
        guard let dot = name.lastIndex(of: ".") else { return nil }
        switch name[name.index(after: dot)...] {
        case "ndjson", "jsonl": self = .ndjson
        case "json": self = .json
        case "csv": self = .csv
        case "tsv", "tab": self = .tsv
        default: return nil
        }
    }

    /// The format that the first bytes of a nameless stream tell; nil where they tell none.
    public init?(beginning bytes: some Sequence<UInt8>) {
        switch bytes.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) {
        case UInt8(ascii: "["): self = .json
        case UInt8(ascii: "{"): self = .ndjson
        default: return nil
        }
    }

    var isJSON: Bool { self == .ndjson || self == .json }
}
