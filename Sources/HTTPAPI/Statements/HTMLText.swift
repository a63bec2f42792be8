import UsageModel

/// HTML in the making. Markup is what stands in our sources; all that comes from elsewhere is
/// text, and escaped, so that the two cannot be confused.
struct HTMLText {
    private(set) var bytes: [UInt8] = []

    mutating func markup(_ markup: StaticString) {
        bytes.append(contentsOf: markup.description.utf8)
    }

    /// Text between tags or in a quoted attribute. A control character, which HTML does not allow,
    /// becomes U+FFFD.
    mutating func text(_ text: String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": markup("&amp;")
            case "<": markup("&lt;")
            case ">": markup("&gt;")
            case "\"": markup("&quot;")
            case "'": markup("&#39;")
            case "\t", "\n", "\r": bytes.append(UInt8(ascii: " "))
            case "\0"..<" ", "\u{7F}"..."\u{9F}": markup("\u{FFFD}")
            default: bytes.append(contentsOf: String(scalar).utf8)
            }
        }
    }

    /// A text that others chose: whichever way it is written, it turns nothing around it.
    mutating func name(_ text: String) {
        markup("<bdi>")
        self.text(text)
        markup("</bdi>")
    }

    /// A time, as a clock showed it.
    ///
    /// - Parameter local: RFC 3339; in UTC where it is empty.
    mutating func time(_ instant: Instant, local: String = "") {
        markup("<time datetime=\"")
        text(instant.rfc3339)
        markup("\">")
        text(Self.spelled(local.isEmpty ? instant.rfc3339 : local))
        markup("</time>")
    }

    /// `2026-11-01T00:00:00+11:00` as `2026-11-01 00:00 +11:00`: seconds only where there are any.
    static func spelled(_ rfc3339: String) -> String {
        guard rfc3339.utf8.count >= 20 else { return rfc3339 }
        let tail = rfc3339.dropFirst(19)
        let fraction = tail.prefix { $0 == "." || $0.isNumber }
        let offset = tail.dropFirst(fraction.count)
        var clock = rfc3339.dropFirst(11).prefix(8)
        if fraction.isEmpty, clock.hasSuffix(":00") { clock = clock.dropLast(3) }
        return "\(rfc3339.prefix(10)) \(clock)\(fraction) \(offset == "Z" ? "UTC" : offset)"
    }
}
