internal import Crypto
internal import UsageModel

/// The hashes of the audit trail.
///
/// The hash of an entry is SHA-256 over, one behind the other: the 17 bytes `odometer audit 1\n`;
/// each field in the order of ``Field``; and the 32 bytes of the hash of the entry before (zeros
/// for the first). `number` and `at` (microseconds since 1970) are 8 bytes, big-endian; a text is
/// its length in bytes, 8 bytes big-endian, and its UTF-8; a document is one byte, 0 where there is
/// none, else 1 and then as a text. Lengths go first, so that no two entries are spelled alike.
///
/// The format is stored for ever: another one gets another first line.
struct AuditChain {
    /// The columns that the hash covers, in its order.
    enum Field: String, CaseIterable {
        case number, at, actor, address, client, action, kind, key, before, after, reason

        var isDocument: Bool { self == .before || self == .after }
    }

    private static let first = Array("odometer audit 1\n".utf8)
    /// How many bytes of each field's own hash are kept as its mark.
    private static let markBytes = 4

    /// The fields as bytes: whatever a damaged store holds can be hashed.
    var number: Int64
    var at: Int64
    /// Those from ``Field/actor`` on; nil for a document that is not there.
    var texts: [[UInt8]?]

    init(number: Int64, at: Int64, texts: [[UInt8]?]) {
        (self.number, self.at, self.texts) = (number, at, texts)
    }

    init(_ entry: AuditEntry) {
        let texts = [
            entry.actor, entry.address, entry.client, entry.action, entry.kind, entry.key,
            entry.before, entry.after, entry.reason,
        ]
        self.init(
            number: entry.number,
            at: entry.at.microseconds,
            texts: texts.map { $0.map { Array($0.utf8) } }
        )
    }

    /// - Complexity: O(bytes): some 2 µs for an entry of 500 bytes.
    func hash(after previous: [UInt8]) -> [UInt8] {
        var bytes = Self.first
        for place in Field.allCases.indices { bytes += spelled(place) }
        bytes += previous
        return Array(SHA256.hash(data: bytes))
    }

    /// The first bytes of each field's own hash. Nobody who means to deceive is kept from changing
    /// them too; they only say which field it was where one was damaged.
    var marks: [UInt8] {
        Field.allCases.indices.flatMap { place in
            SHA256.hash(data: spelled(place)).prefix(Self.markBytes)
        }
    }

    /// The fields whose marks are others.
    func differing(from marks: [UInt8]) -> [Field] {
        let own = self.marks
        guard own.count == marks.count else { return Field.allCases }
        return Field.allCases.enumerated().filter { place, _ in
            let range = place * Self.markBytes..<(place + 1) * Self.markBytes
            return own[range] != marks[range]
        }.map(\.element)
    }

    private func spelled(_ place: Int) -> [UInt8] {
        switch place {
        case 0: return Self.spelled(number)
        case 1: return Self.spelled(at)
        default: break
        }
        let text = texts[place - 2]
        guard Field.allCases[place].isDocument else { return Self.spelled(text ?? []) }
        return text.map { [1] + Self.spelled($0) } ?? [0]
    }

    private static func spelled(_ text: [UInt8]) -> [UInt8] { spelled(Int64(text.count)) + text }

    private static func spelled(_ number: Int64) -> [UInt8] {
        let bits = UInt64(bitPattern: number)
        return stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: bits >> $0) }
    }
}
