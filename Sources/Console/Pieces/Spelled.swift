import UsageModel
import WireFormat

/// How values are spelled for people; the exact ones stand beside them.
enum Spelled {
    /// `2026-11-01T12:00:00.25Z` as `2026-11-01 12:00:00 UTC`.
    static func time(_ text: String) -> [String: Any] {
        ["iso": text, "words": timeWords(text)]
    }

    static func timeWords(_ text: String) -> String { Shown.shortTime(text) }

    /// From one time to another; to the minute, or to the day where both are midnights.
    static func span(_ start: String?, _ end: String?) -> String {
        let ends = [start, end].map { text in
            text.map { String($0.prefix(16)).replacing("T", with: " ") } ?? "…"
        }
        let areDays = ends.allSatisfy { $0.hasSuffix(" 00:00") || $0 == "…" }
        return ends.map { areDays ? String($0.prefix(10)) : $0 }.joined(separator: " to ")
    }

    static func quantity(_ text: String) -> [String: Any] {
        ["full": text, "short": Shown.rounded(text)]
    }

    /// A whole number with its thousands apart.
    static func count(_ text: String?) -> String { Shown.grouped(text ?? "0") }

    /// `1 event`, `2 events`.
    static func some(_ count: String, _ one: String, _ many: String? = nil) -> String {
        "\(Self.count(count)) \(count == "1" ? one : many ?? one + "s")"
    }

    /// Letters, digits and dashes of a name: fit for an id of the page.
    static func word(_ name: String) -> String {
        let bytes = name.utf8.map { byte -> UInt8 in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: byte
            default: UInt8(ascii: "-")
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The start of a text, on one line.
    static func excerpt(_ text: String, _ count: Int = 90) -> String {
        let line = text.map { $0.isNewline || $0 == "\t" ? " " : $0 }
        return line.count > count ? String(line.prefix(count)) + "…" : String(line)
    }

    /// What two quantities differ by; nil where one is none.
    static func difference(_ before: String?, _ after: String?) -> String? {
        guard let before = try? Quantity(before ?? "0"),
            let after = try? Quantity(after ?? "0"),
            let difference = try? after.subtracting(before)
        else { return nil }
        return difference.description
    }
}

extension JSONValue {
    var items: [JSONValue] { self["items"]?.arrayValue ?? [] }
    var next: String? { self["next"]?.stringValue }

    /// Indented, as people read it.
    var pretty: String { String(decoding: serialized(pretty: true), as: UTF8.self) }
    /// On one line.
    var plain: String { String(decoding: serialized(), as: UTF8.self) }

    static func of(_ text: String) -> JSONValue? { try? parse(Array(text.utf8)) }
}

extension JSONObject {
    /// With the members whose text is not empty.
    init(texts: [(String, String)]) {
        self.init()
        for (name, text) in texts where !text.isEmpty { self[name] = .string(text) }
    }
}
