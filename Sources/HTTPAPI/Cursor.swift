import UsageModel
import WireFormat

/// Where a list goes on: opaque to callers, and good only for the query it came from.
///
/// The bytes are the kind of list (1), a fingerprint of the query (8), and the fields of the last
/// row's order key; the wire has them as base64url.
struct Cursor {
    enum Kind: UInt8 {
        case events = 1, usage, unreadable, quarantine, meterTypes, meters, periods, customers,
            subjects, records, deliveries, corrections, corrected, audit, quarantineGroups,
            quarantinePreview, backfillSets, validationRules, eventTypes, manifests
    }

    private(set) var bytes: [UInt8] = []
    private var at = 0

    /// Begins a cursor to be written.
    init(_ kind: Kind, fingerprint: UInt64) {
        bytes.append(kind.rawValue)
        append(fingerprint)
    }

    /// Reads a cursor that a caller sent.
    init(_ text: String, _ kind: Kind, fingerprint: UInt64) throws(Refusal) {
        guard let bytes = Base64.decodeURL(text), bytes.first == kind.rawValue else {
            throw Self.refusal
        }
        (self.bytes, at) = (bytes, 1)
        guard try readNumber() == fingerprint else { throw Self.refusal }
    }

    static var refusal: Refusal {
        Refusal(.invalidCursor, "the cursor belongs to another query, or is damaged")
    }

    var text: String { Base64.encode(bytes, .url) }

    mutating func append(_ number: UInt64) {
        for place in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(place)))
        }
    }

    mutating func append(_ number: Int64) { append(UInt64(bitPattern: number)) }

    /// Appends a text of at most 64 KiB; nil is told apart from the empty one.
    mutating func append(_ text: String?) {
        guard let text else { return bytes.append(0) }
        let utf8 = Array(text.utf8.prefix(Int(UInt16.max)))
        bytes += [1, UInt8(utf8.count >> 8), UInt8(utf8.count & 0xff)]
        bytes += utf8
    }

    mutating func readNumber() throws(Refusal) -> UInt64 {
        guard bytes.count - at >= 8 else { throw Self.refusal }
        defer { at += 8 }
        return bytes[at..<(at + 8)].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A position of the log.
    mutating func readPosition() throws(Refusal) -> Position {
        let number = try readNumber()
        guard number > 0, number < UInt64(Int64.max) else { throw Self.refusal }
        return Position(number)
    }

    mutating func readSigned() throws(Refusal) -> Int64 {
        Int64(bitPattern: try readNumber())
    }

    mutating func readText() throws(Refusal) -> String? {
        guard at < bytes.count, bytes[at] <= 1 else { throw Self.refusal }
        at += 1
        if bytes[at - 1] == 0 { return nil }
        guard bytes.count - at >= 2 else { throw Self.refusal }
        let count = Int(bytes[at]) << 8 | Int(bytes[at + 1])
        at += 2
        guard bytes.count - at >= count,
            let text = String(validating: bytes[at..<(at + count)], as: UTF8.self)
        else { throw Self.refusal }
        at += count
        return text
    }

    /// Whether all was read.
    var isAtEnd: Bool { at == bytes.count }
}
