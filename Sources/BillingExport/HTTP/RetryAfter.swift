import UsageModel

/// The header `Retry-After` (RFC 9110 §10.2.3): seconds, or a date.
enum RetryAfter {
    private static let secondsMax = Limits.deliveryWaitDaysMax * 86_400
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// How many seconds from now that is, 0 to the longest wait; nil for what says neither.
    static func seconds(_ text: String?, now: Instant) -> Int? {
        guard let text else { return nil }
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return min(Int(text) ?? secondsMax, secondsMax)
        }
        guard let date = date(text) else { return nil }
        let wait = (date.microseconds - now.microseconds + 999_999) / 1_000_000
        return Int(min(max(wait, 0), Int64(secondsMax)))
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, the form that senders must use.
    private static func date(_ text: String) -> Instant? {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 6, words[0].hasSuffix(","), words[5] == "GMT",
            words[1].utf8.count == 2, words[3].utf8.count == 4,
            let month = months.firstIndex(of: words[2])
        else { return nil }
        let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        return Instant(rfc3339: "\(words[3])-\(number)-\(words[1])T\(words[4])Z")
    }
}
