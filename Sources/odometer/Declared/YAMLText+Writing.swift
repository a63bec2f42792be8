import WireFormat

/// JSON said again as YAML, so that people can read and change it; reading it gives the same JSON.
extension YAMLText {
    /// A document with the mark that begins one.
    static func document(_ object: JSONObject) -> String {
        "---\n" + (object.isEmpty ? "{}\n" : lines(of: object, indent: 0))
    }

    private static func lines(of object: JSONObject, indent: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        return object.members.map { member in
            "\(margin)\(scalar(member.name)):" + value(member.value, indent: indent)
        }
        .joined()
    }

    /// What stands after a name or a dash, up to the end of its lines.
    private static func value(_ value: JSONValue, indent: Int) -> String {
        switch value {
        case .object(let object) where !object.isEmpty:
            return "\n" + lines(of: object, indent: indent + 2)
        case .array(let elements) where !elements.isEmpty:
            let margin = String(repeating: " ", count: indent + 2)
            return "\n"
                + elements.map { element in
                    let inner = element.objectValue ?? [:]
                    guard inner.isEmpty else {
                        // The first member stands beside the dash.
                        return margin + "- "
                            + lines(of: inner, indent: indent + 4).dropFirst(
                                indent + 4
                            )
                    }
                    return margin + "-" + self.value(element, indent: indent + 2)
                }
                .joined()
        case .string(let text): return " \(scalar(text))\n"
        default: return " " + String(decoding: value.serialized(), as: UTF8.self) + "\n"
        }
    }

    /// A text: plain where nobody could take it for anything else, quoted otherwise.
    private static func scalar(_ text: String) -> String {
        let words: Set = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        let isPlain = text.wholeMatch(of: /[A-Za-z][A-Za-z0-9._\/-]*( [A-Za-z0-9._\/-]+)*/) != nil
        if isPlain, !words.contains(text.lowercased()) { return text }
        // JSON's quoted texts are YAML's, but for characters that YAML calls unprintable.
        var quoted = ""
        for scalar in JSONText.quote(text).unicodeScalars {
            switch scalar.value {
            case 0x7f...0x9f, 0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff:
                let hex = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted
    }
}
