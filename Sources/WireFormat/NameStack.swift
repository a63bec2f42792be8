import UsageModel

/// The member names of the objects that are open, to find names that come twice.
///
/// Names are held as their first eight bytes and a place, so that most comparisons are one of two
/// integers. Small objects are compared name by name; from the 17th member on an object's names
/// are sorted when it closes, so that no input makes the work quadratic.
@safe struct NameStack {
    struct Record {
        var tag: UInt64
        /// In the bytes that are scanned; past their end, in the spill of unescaped names.
        var offset: UInt32
        var count: UInt32
        /// Where the name stands in the bytes, for the report.
        var place: UInt32
    }

    private static let comparedMax = 16

    private var records: UnsafeMutablePointer<Record>
    private var capacity = 256
    private var outer: UnsafeMutablePointer<Outer>
    private(set) var count = 0
    private(set) var base = 0
    private var level = 0
    /// A bit per name of the open object, by hash: where a name's bit is not set, it is not there.
    private var marks: UInt64 = 0

    /// What is set aside of an object while one inside it is open.
    private struct Outer {
        var base: Int
        var marks: UInt64
    }

    init() {
        unsafe records = .allocate(capacity: capacity)
        unsafe outer = .allocate(capacity: Limits.eventDepthMax + 2)
    }

    func deallocate() {
        unsafe records.deallocate()
        unsafe outer.deallocate()
    }

    mutating func reset() { (count, base, level, marks) = (0, 0, 0, 0) }

    @inline(__always)
    var membersOfOpenObject: Int { count &- base }

    @inline(__always)
    mutating func open() {
        assert(level < Limits.eventDepthMax + 2)
        unsafe (outer + level).initialize(to: Outer(base: base, marks: marks))
        level &+= 1
        base = count
        marks = 0
    }

    /// True where the object is so large that its names were not compared as they came.
    @inline(__always)
    var mustSort: Bool { count &- base > Self.comparedMax }

    @inline(__always)
    mutating func close() {
        level &-= 1
        count = base
        base = unsafe outer[level].base
        marks = unsafe outer[level].marks
    }

    /// Whether a name of the open object has the same length and first eight bytes; false also
    /// where there are too many to look at one by one.
    @inline(__always)
    mutating func mayHold(_ record: Record) -> Bool {
        let bit = Self.mark(record)
        if marks & bit == 0 {
            marks |= bit
            return false
        }
        return beginsLikeAnother(record)
    }

    @inline(__always)
    private static func mark(_ record: Record) -> UInt64 {
        let hash = (record.tag ^ UInt64(record.count)) &* 0x9e37_79b9_7f4a_7c15
        return 1 &<< (hash &>> 58)
    }

    @inline(never)
    private mutating func beginsLikeAnother(_ record: Record) -> Bool {
        guard count &- base < Self.comparedMax else { return false }
        var index = base
        while index < count {
            if unsafe records[index].tag == record.tag, unsafe records[index].count == record.count
            {
                return true
            }
            index &+= 1
        }
        return false
    }

    /// Whether the open object has the name already.
    func hold(_ record: Record, same: (Record) -> Bool) -> Bool {
        (base..<count).contains { index in
            let other = unsafe records[index]
            return other.tag == record.tag && other.count == record.count && same(other)
        }
    }

    @inline(__always)
    mutating func add(_ record: Record) {
        if count == capacity { grow() }
        unsafe (records + count).initialize(to: record)
        count &+= 1
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Record>.allocate(capacity: capacity * 2)
        unsafe larger.moveInitialize(from: records, count: count)
        unsafe records.deallocate()
        unsafe records = larger
        capacity *= 2
    }

    /// The first place in the bytes at which a name of the open object comes a second time.
    @inline(never)
    mutating func firstRepeated(isBefore: (Record, Record) -> Bool) -> Int? {
        var names = unsafe UnsafeMutableBufferPointer(start: records + base, count: count - base)
        unsafe names.sort { one, other in
            if isBefore(one, other) { return true }
            return !isBefore(other, one) && one.place < other.place
        }
        var first: Int?
        for index in 1..<names.count
        where unsafe !isBefore(names[index - 1], names[index]) {
            first = unsafe min(first ?? .max, Int(names[index].place))
        }
        return first
    }
}
