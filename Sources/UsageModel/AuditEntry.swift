/// What was done to a thing. The raw values are stored, and the words of the wire: append only.
public enum AuditAction: String, CaseIterable, Hashable, Sendable {
    case create, change, revise, retire
    case cancelBackfill = "cancel-backfill"
    case enrol, alter, suspend, resume, close
    case closePeriod = "close-period"
    case pause, test, resend
    case void, replace, restore
    case edit, release, discard, reopen
    case start, cancel
    case revert
    case drop
}

/// What sort of thing it was done to. The raw values are stored, and the words of the wire: append
/// only.
public enum AuditKind: String, CaseIterable, Hashable, Sendable {
    case meterType = "meter-type"
    case meter, customer, destination, correction
    case quarantined = "quarantine-item"
    case quarantineAction = "quarantine-action"
    case backfillSet = "backfill-set"
    case validationRule = "validation-rule"
    case repairRule = "repair-rule"
    case quarantine
    case manifest
}

/// One entry of the audit trail: who changed what, when, from where, and why.
///
/// Entries are numbered from 1 without a gap, and are never changed. Each holds the hash of the one
/// before, so that none can be changed, taken out or put in without all later ones telling.
public struct AuditEntry: Hashable, Sendable {
    public var number: Int64
    public var at: Instant
    /// The name that the caller gave itself, unverified; empty where none was given.
    public var actor: String
    /// Where the call came from, as the server saw it; empty where it came over no network.
    public var address: String
    /// The program that called, by its own words; empty if it said nothing.
    public var client: String
    /// Words of ``AuditAction`` and ``AuditKind``; a later program may have written others.
    public var action: String
    public var kind: String
    public var key: String
    /// The thing as it was and as it is from then on, as JSON without spaces; nil where it was not
    /// there, or where nothing of the thing itself changed.
    public var before: String?
    public var after: String?
    public var reason: String
    /// 32 bytes each: the hash of the entry before, zeros for the first one, and this one's own.
    public var previous: [UInt8]
    public var hash: [UInt8]

    public init(
        number: Int64,
        at: Instant,
        actor: String,
        address: String,
        client: String,
        action: String,
        kind: String,
        key: String,
        before: String?,
        after: String?,
        reason: String,
        previous: [UInt8],
        hash: [UInt8]
    ) {
        (self.number, self.at) = (number, at)
        (self.actor, self.address, self.client) = (actor, address, client)
        (self.action, self.kind, self.key) = (action, kind, key)
        (self.before, self.after, self.reason) = (before, after, reason)
        (self.previous, self.hash) = (previous, hash)
    }

    public var head: AuditHead { AuditHead(number: number, hash: hash) }
}

/// Where the audit trail ends: who remembers it elsewhere sees that entries at its end are missing.
public struct AuditHead: Hashable, Sendable, CustomStringConvertible {
    /// The length of a hash, in bytes.
    public static let hashBytes = 32
    /// Before the first entry.
    public static let beginning = AuditHead(
        number: 0,
        hash: [UInt8](repeating: 0, count: hashBytes)
    )

    public var number: Int64
    public var hash: [UInt8]

    public init(number: Int64, hash: [UInt8]) { (self.number, self.hash) = (number, hash) }

    /// Reads `NUMBER:HASH`, as ``description`` spells it; nil where it is nothing of the kind.
    public init?(_ text: String) {
        let halves = text.split(separator: ":", omittingEmptySubsequences: false)
        guard halves.count == 2, let number = Int64(halves[0]), number >= 0,
            let hash = Self.hash(String(halves[1]))
        else { return nil }
        self.init(number: number, hash: hash)
    }

    public var description: String { "\(number):\(Self.text(hash))" }

    /// Bytes as hexadecimal digits.
    public static func text(_ hash: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let spelled = hash.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: spelled, as: UTF8.self)
    }

    /// Reads the hexadecimal digits of a hash; nil where they are none.
    public static func hash(_ text: String) -> [UInt8]? {
        let values = text.utf8.map {
            UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                ? $0 - UInt8(ascii: "0")
                : UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0 ? $0 - UInt8(ascii: "a") + 10 : 255
        }
        guard values.count == 2 * hashBytes, !values.contains(255) else { return nil }
        return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }
}
