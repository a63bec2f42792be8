/// The name of a usage record: `ur_` and 32 hex digits, made of the meter, the period's start and
/// what number of record it is of them. The same record gets the same name wherever and however
/// often it is made, so that it serves as idempotency key.
public struct UsageRecordID: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    /// - Returns: nil for what is not spelled so.
    public init?(_ text: String) {
        let digits = text.utf8.dropFirst(Self.prefix.utf8.count)
        guard text.hasPrefix(Self.prefix), digits.count == 32,
            digits.allSatisfy({ byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            })
        else { return nil }
        self.text = text
    }

    /// The name of a record.
    ///
    /// - Parameters:
    ///   - start: The start of the period.
    ///   - revision: See ``UsageRecord/revision``.
    public init(meter: MeterID, start: Instant, revision: Int) {
        self.init(name: "\(meter.text) \(start.microseconds) \(revision)")
    }

    /// The name of an interim record.
    ///
    /// - Parameter number: Of those of the period, from 1.
    public init(meter: MeterID, start: Instant, interim number: Int) {
        self.init(name: "\(meter.text) \(start.microseconds) interim \(number)")
    }

    private init(name: String) {
        let bytes = Array(name.utf8)
        // Two keyed hashes under keys that everybody knows: names must be spread, not secret.
        let hash = unsafe bytes.withUnsafeBytes { bytes in
            unsafe KeyHash(key: Self.key, source: bytes, id: bytes)
        }
        text = Self.prefix + Self.hex(hash.high) + Self.hex(hash.low)
    }

    private static let prefix = "ur_"
    private static let key = SipHashKey(k0: 0x6F64_6F6D_6574_6572, k1: 0x7265_636F_7264_0001)

    static func hex(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    public var description: String { text }
}

/// What one meter used in one of its periods, told once and never changed.
///
/// Of a meter and a period there is one ``Kind/final`` record, then adjustments, each of which
/// names the record before it. The deltas of final and adjustments add up to the reading.
public struct UsageRecord: Hashable, Sendable {
    /// The raw values are stored, and the words of the wire.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// The period closed.
        case final
        /// The reading of a closed period is another than was told.
        case adjustment
        /// Where an open period stands: a threshold was crossed, or somebody asked. It bills
        /// nothing.
        case interim
    }

    /// Why it was made. The raw values are stored, and the words of the wire.
    public enum Cause: String, CaseIterable, Hashable, Sendable {
        /// The reset schedule ended the period.
        case periodEnd = "period-end"
        /// Somebody ended the period before its time.
        case closedNow = "closed-now"
        /// Events came, or what is counted changed, after the close.
        case late
        /// A threshold was crossed.
        case threshold
        /// What was crossed lies above the reading again.
        case recovery
        /// Somebody asked where the period stands.
        case onDemand = "on-demand"
    }

    /// What another record's period was short of, told with this one.
    public struct LatePart: Hashable, Sendable {
        /// The adjustment, which is sent to nobody by itself.
        public var id: UsageRecordID
        public var period: Range<Instant>
        public var delta: Quantity
        public var events: Int64

        public init(id: UsageRecordID, period: Range<Instant>, delta: Quantity, events: Int64) {
            (self.id, self.period, self.delta, self.events) = (id, period, delta, events)
        }
    }

    /// What is known of the events behind a record.
    public struct Evidence: Hashable, Sendable {
        public var firstEventAt: Instant
        public var lastEventAt: Instant
        /// 32 hex digits: the sum, modulo 2^128, of a hash of each event's key. Two sets of events
        /// of one ledger that differ have different ones, but for chance.
        public var keysHash: String
        /// What the type carries of the first and last event; what they lack is left out.
        public var fields: [MetadataMember]

        public init(
            firstEventAt: Instant,
            lastEventAt: Instant,
            keysHash: String,
            fields: [MetadataMember]
        ) {
            (self.firstEventAt, self.lastEventAt) = (firstEventAt, lastEventAt)
            (self.keysHash, self.fields) = (keysHash, fields)
        }
    }

    /// The threshold that an interim record is about.
    public struct Crossing: Hashable, Sendable {
        public var name: String
        /// Of the capacity; nil for a threshold that is an amount.
        public var percent: Quantity?
        /// What the reading reached.
        public var amount: Quantity

        public init(name: String, percent: Quantity?, amount: Quantity) {
            (self.name, self.percent, self.amount) = (name, percent, amount)
        }
    }

    /// A part of the value, by dimensions.
    public struct Part: Hashable, Sendable {
        /// In the order of the meter type's dimensions.
        public var dimensions: [Dimension]
        public var value: Quantity?
        public var events: Int64

        public struct Dimension: Hashable, Sendable {
            public var name: String
            /// nil where an event had none.
            public var value: String?

            public init(name: String, value: String?) { (self.name, self.value) = (name, value) }
        }

        public init(dimensions: [Dimension], value: Quantity?, events: Int64) {
            (self.dimensions, self.value, self.events) = (dimensions, value, events)
        }
    }

    /// What was said of the meter, its type and its customer when the record was made.
    public struct Labels: Hashable, Sendable {
        public var name = ""
        public var unit = ""
        public var category = ""
        public var externalRef = ""
        public var metadata: [MetadataMember] = []
        /// Of the meter's enrolment.
        public var meterCategory = ""
        public var meterExternalRef = ""
        public var meterMetadata: [MetadataMember] = []
        public var customerName = ""
        public var customerExternalRef = ""
        public var capacity: Quantity?

        public init() {}
    }

    /// Its place among all records: dense from 1, in the order in which they were made.
    public var sequence: Int64
    public var id: UsageRecordID
    public var kind: Kind
    public var cause: Cause
    public var meter: MeterID
    /// The version of the meter type in force at the period's start.
    public var version: Int
    /// Who owned the subject at the last instant of the period.
    public var customer: CustomerKey?
    public var period: Range<Instant>
    /// The zone that cut the period.
    public var zone: String
    /// The same as the zone's clocks showed it, RFC 3339 with their offset.
    public var localStart: String
    public var localEnd: String
    /// 0 for the final record, and 1, 2, … for its adjustments; interim records count from 1 by
    /// themselves.
    public var revision: Int
    /// The final or adjustment record of the period before this one.
    public var previous: UsageRecordID?
    /// The reading of the period, as known at ``position``. nil where there is none: the greatest
    /// of no events, say.
    public var value: Quantity?
    /// The same before it was rounded; nil where the meter type does not round.
    public var exact: Quantity?
    /// By how much ``value`` differs from that of ``previous``; nil counts as 0, and without a
    /// record before it is the value. 0 in interim records.
    public var delta: Quantity
    /// What is told here of earlier periods, under the late policy `next-period`.
    public var late: [LatePart]
    /// The final record that tells of this adjustment; nil for one that is told by itself.
    public var toldIn: UsageRecordID?
    /// Of an interim record that a threshold made.
    public var crossing: Crossing?
    /// Where the meter type asks for it, and there are events.
    public var evidence: Evidence?
    public var events: Int64
    public var eventsDelta: Int64
    /// The value by dimensions; empty where the type has none. At most
    /// ``Limits/recordPartsMax``.
    public var dimensions: [Part]
    /// Whether there are more, and the rest is left out.
    public var hasMoreDimensions: Bool
    public var labels: Labels
    /// All that it knows: the log up to here.
    public var position: Position
    public var createdAt: Instant

    public init(
        sequence: Int64,
        id: UsageRecordID,
        kind: Kind,
        cause: Cause,
        meter: MeterID,
        version: Int,
        period: Range<Instant>,
        zone: String,
        revision: Int,
        value: Quantity?,
        delta: Quantity,
        events: Int64,
        eventsDelta: Int64,
        position: Position,
        createdAt: Instant
    ) {
        (self.sequence, self.id, self.kind, self.cause) = (sequence, id, kind, cause)
        (self.meter, self.version, self.period, self.zone) = (meter, version, period, zone)
        (self.revision, self.value, self.delta) = (revision, value, delta)
        (self.events, self.eventsDelta) = (events, eventsDelta)
        (self.position, self.createdAt) = (position, createdAt)
        (customer, previous, localStart, localEnd) = (nil, nil, "", "")
        (exact, late, toldIn, crossing, evidence) = (nil, [], nil, nil, nil)
        (dimensions, hasMoreDimensions, labels) = ([], false, Labels())
    }

    /// What it adds to all that was told of the meter before: its own difference, and what it tells
    /// of earlier periods. 0 for what is told elsewhere, and for interim records.
    ///
    /// - Throws: Where the sum fits no quantity.
    public func amount() throws(QuantityOverflow) -> Quantity {
        guard toldIn == nil, kind != .interim else { return .zero }
        var sum = delta
        for part in late { sum = try sum.adding(part.delta) }
        return sum
    }
}
