internal import UsageModel

/// The texts that `format` names. They are held, not only noted.
enum SchemaFormat: String, CaseIterable, Sendable {
    case dateTime = "date-time"
    case date, uuid, email, uri

    func takes(_ text: String) -> Bool {
        switch self {
        // With an offset, as the time of an event.
        case .dateTime: Instant(rfc3339: text) != nil
        case .date: text.utf8.count == 10 && Instant(rfc3339: text + "T00:00:00Z") != nil
        case .uuid: Self.isUUID(Array(text.utf8))
        case .email: Self.isEmail(text)
        case .uri: Self.isURI(text)
        }
    }

    private static func isUUID(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == 36 else { return false }
        return bytes.enumerated().allSatisfy { place, byte in
            [8, 13, 18, 23].contains(place)
                ? byte == UInt8(ascii: "-") : isDigit(byte) || (0x61...0x66).contains(byte | 0x20)
        }
    }

    /// Something, an @, and a name of letters, digits, hyphens and points; no more is looked at.
    private static func isEmail(_ text: String) -> Bool {
        let halves = text.split(separator: "@", omittingEmptySubsequences: false)
        guard halves.count == 2, !halves[0].isEmpty, halves[0].utf8.allSatisfy({ $0 > 0x20 })
        else { return false }
        let labels = halves[1].split(separator: ".", omittingEmptySubsequences: false)
        return labels.allSatisfy { label in
            !label.isEmpty
                && label.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == 0x2D || $0 > 0x7F }
        }
    }

    /// A scheme, a colon, and something without spaces; no more is looked at.
    private static func isURI(_ text: String) -> Bool {
        let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, let first = halves[0].utf8.first, isLetter(first),
            !halves[1].isEmpty
        else { return false }
        let marks = Array("+-.".utf8)
        return halves[0].utf8.allSatisfy { isLetter($0) || isDigit($0) || marks.contains($0) }
            && halves[1].utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
}
