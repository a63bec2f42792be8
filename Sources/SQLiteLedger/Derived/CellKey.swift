import Metering
import UsageModel

/// What a rollup cell stands for. The order of cells is the order of the fields.
struct CellKey: Hashable, Comparable, Sendable {
    static let usage: UInt8 = 0
    static let books: UInt8 = 1
    static let element: UInt8 = 2
    static let sample: UInt8 = 3

    /// 0 usage, 1 books, 2 an element beside a state, 3 what was told at an instant.
    var kind: UInt8
    /// The subject's number; 0 stands for all subjects.
    var subject: UInt32
    /// The quarter of an hour since 1970, negative before it.
    var bucket: Int32
    /// The number of the tuple of dimension values.
    var dimensions: UInt32
    /// Kinds 2 and 3 only: the meter that the element or sample is of. Else 0.
    var meter: UInt32
    /// Kinds 2 and 3 only: the element, or the instant. Else zero.
    var element: KeyHash

    init(
        kind: UInt8,
        subject: UInt32,
        bucket: Int32,
        dimensions: UInt32,
        meter: UInt32 = 0,
        element: KeyHash = KeyHash(high: 0, low: 0)
    ) {
        (self.kind, self.subject, self.bucket) = (kind, subject, bucket)
        (self.dimensions, self.meter, self.element) = (dimensions, meter, element)
    }

    /// The least key of a kind and subject in or after a bucket.
    static func first(_ kind: UInt8, _ subject: UInt32, from bucket: Int32) -> CellKey {
        CellKey(kind: kind, subject: subject, bucket: bucket, dimensions: 0)
    }

    /// Whether a cell is of one meter and one element.
    var isElement: Bool { kind >= CellKey.element }
    /// Kind and subject as one number, in order.
    var group: UInt64 { UInt64(kind) << 32 | UInt64(subject) }
    /// Bucket and dimensions as one number, in order.
    var place: UInt64 {
        UInt64(UInt32(bitPattern: bucket) ^ 0x8000_0000) << 32 | UInt64(dimensions)
    }

    @inline(__always)
    static func < (one: CellKey, other: CellKey) -> Bool {
        if one.group != other.group { return one.group < other.group }
        if one.place != other.place { return one.place < other.place }
        if one.meter != other.meter { return one.meter < other.meter }
        if one.element.high != other.element.high {
            return one.element.high < other.element.high
        }
        return one.element.low < other.element.low
    }
}

/// One meter's state in a cell. 56 bytes, flat.
struct MeteredState: Hashable, Sendable {
    var meter: UInt32
    var state: MeterState

    init(meter: UInt32, state: MeterState) { (self.meter, self.state) = (meter, state) }
}

/// Answers how a meter's states are merged.
typealias AggregationOfMeter = (_ meter: UInt32) -> Aggregation
