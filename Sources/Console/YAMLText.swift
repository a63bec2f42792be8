import WireFormat

/// A JSON value as YAML, for files that `odometer apply` takes.
enum YAMLText {
    /// - Parameter kind: What the document is of.
    static func text(kind: String, _ value: JSONValue) -> String {
        var text = "kind: \(kind)\n"
        write(value, indent: 0, &text)
        return text
    }

    private static func write(_ value: JSONValue, indent: Int, _ text: inout String) {
        for member in value.objectValue?.members ?? [] {
            text += String(repeating: " ", count: indent) + scalar(.string(member.name)) + ":"
            if let object = member.value.objectValue, !object.isEmpty {
                text += "\n"
                write(member.value, indent: indent + 2, &text)
            } else {
                text += " " + scalar(member.value) + "\n"
            }
        }
    }

    /// Lists stand in one line: JSON is YAML too.
    private static func scalar(_ value: JSONValue) -> String {
        if let text = value.stringValue, isPlain(text) { return text }
        return String(decoding: value.serialized(), as: UTF8.self)
    }

    /// Whether a text needs no quotation marks: words only, and none that YAML takes for another
    /// thing than a text.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, first | 0x20 >= 0x61, first | 0x20 <= 0x7a else {
            return false
        }
        let words: Set = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        guard !words.contains(text.lowercased()) else { return false }
        return text.utf8.allSatisfy { byte in
            (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a) || (byte >= 0x30 && byte <= 0x39)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "/")
        }
    }
}
