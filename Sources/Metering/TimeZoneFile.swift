// How a compiled zone file becomes rules (RFC 9636, TZif; RFC 8536 before it).
//
//     file    = block(32-bit times) block(64-bit times) footer
//     block   = header times[timecnt] types[timecnt] ttinfo[typecnt] chars leaps stdflags utflags
//     header  = "TZif" version(1) reserved(15) isutcnt isstdcnt leapcnt timecnt typecnt charcnt
//     ttinfo  = offset(4, seconds east) isdst(1) nameindex(1)
//     footer  = LF posix-rule LF
//
// The first block is skipped. Names, daylight and standard flags change no offset and are not kept.
// Files with leap seconds are refused: an Instant does not count them.

extension TimeZoneRules {
    /// Reads a compiled zone file of version 2 or later.
    ///
    /// Cost: some 0.1 ms, and 1–20 KB kept.
    /// - Throws: ``TimeZoneError/malformed(name:reason:)``; any bytes are safe to hand in.
    public init(tzif bytes: [UInt8], name: String) throws(TimeZoneError) {
        do throws(ZoneFileFault) {
            let table = try ZoneTable(tzif: bytes)
            self = table.rules(name: name)
        } catch {
            throw .malformed(name: name, reason: error.reason)
        }
    }
}

struct ZoneFileFault: Error {
    var reason: String
}

/// What the file says: the changes it lists, and the rule that follows them.
private struct ZoneTable {
    /// Of all time before the first change, seconds east of UTC.
    private var initialOffset: Int64 = 0
    /// Seconds since the epoch, ascending, and the offset from there on.
    private var changes: [(time: Int64, offset: Int64)] = []
    private var rule: PosixZone?

    init(tzif bytes: [UInt8]) throws(ZoneFileFault) {
        var reader = ZoneFileReader(bytes: bytes)
        let first = try reader.header()
        guard first.version >= UInt8(ascii: "2") else {
            throw ZoneFileFault(reason: "the file is older than version 2")
        }
        try reader.skip(first.bytes(timeBytes: 4))
        let second = try reader.header()
        guard second.leaps == 0 else { throw ZoneFileFault(reason: "the zone has leap seconds") }
        guard second.types > 0 else { throw ZoneFileFault(reason: "the zone has no offset") }
        let block = try reader.take(second.bytes(timeBytes: 8))
        try read(block, second)
        try read(footer: reader.rest)
    }

    private mutating func read(
        _ block: ArraySlice<UInt8>,
        _ header: ZoneFileHeader
    ) throws(ZoneFileFault) {
        var times = ZoneFileReader(block)
        var kinds = ZoneFileReader(block.dropFirst(header.times * 8))
        var offsets: [Int64] = []
        var types = ZoneFileReader(block.dropFirst(header.times * 9))
        for _ in 0..<header.types {
            let offset = Int64(Int32(truncatingIfNeeded: try types.integer(bytes: 4)))
            try types.skip(2)
            guard offset.magnitude < UInt64(TimeZoneRules.offsetMax / 1_000_000) else {
                throw ZoneFileFault(reason: "an offset is beyond 26 hours")
            }
            offsets.append(offset)
        }
        initialOffset = offsets[0]
        for _ in 0..<header.times {
            let time = Int64(bitPattern: try times.integer(bytes: 8))
            let kind = Int(try kinds.integer(bytes: 1))
            guard kind < offsets.count else { throw ZoneFileFault(reason: "an offset is missing") }
            guard time > changes.last?.time ?? .min else {
                throw ZoneFileFault(reason: "the changes are not in order")
            }
            changes.append((time, offsets[kind]))
        }
    }

    private mutating func read(footer: ArraySlice<UInt8>) throws(ZoneFileFault) {
        guard footer.first == 0x0A, let end = footer.dropFirst().firstIndex(of: 0x0A) else {
            throw ZoneFileFault(reason: "the closing rule is missing")
        }
        let text = footer[(footer.startIndex + 1)..<end]
        if !text.isEmpty { rule = try PosixZone(text) }
    }

    func rules(name: String) -> TimeZoneRules {
        var stretches = StretchList(offset: initialOffset)
        for change in changes { stretches.append(at: change.time, offset: change.offset) }
        guard let rule, let daylight = rule.daylight else {
            // A rule without daylight saving repeats the last offset; alone, it is the zone.
            if changes.isEmpty, let rule { stretches = StretchList(offset: rule.standardOffset) }
            return stretches.rules(name: name, cycleEnd: .max)
        }
        let lastChange = changes.last?.time ?? .min
        // A zone that is all rule has it since before the year 0.
        let lastYear = changes.isEmpty ? -3 : StretchList.year(of: lastChange)
        if changes.isEmpty { stretches = StretchList(offset: rule.standardOffset) }
        // From two years on, every stretch begins and ends as the rule says; the cycle ends 400
        // years after that, and two more years end its last stretch.
        let cycleEnd = StretchList.start(ofYear: lastYear + 402)
        let limit = StretchList.start(ofYear: lastYear + 404)
        for change in rule.changes(daylight, years: (lastYear - 1)...(lastYear + 405))
        where change.time > lastChange && change.time < limit {
            stretches.append(at: change.time, offset: change.offset)
        }
        return stretches.rules(name: name, cycleEnd: cycleEnd * 1_000_000)
    }
}

/// Gathers stretches; changes that change nothing make none.
private struct StretchList {
    private var starts: [Int64] = [.min]
    private var offsets: [Int64]

    init(offset: Int64) { offsets = [offset * 1_000_000] }

    private static func clamped(_ seconds: Int64) -> Int64 {
        let reach = TimeZoneRules.reach
        return min(max(seconds, reach.lowerBound / 1_000_000), reach.upperBound / 1_000_000)
    }

    static func year(of seconds: Int64) -> Int {
        CivilDate(daysSinceEpoch: Int(clamped(seconds).flooredQuotient(by: 86_400))).year
    }

    /// In seconds since the epoch.
    static func start(ofYear year: Int) -> Int64 {
        Int64(CivilDate(year: year, month: 1, day: 1).daysSinceEpoch) * 86_400
    }

    mutating func append(at seconds: Int64, offset: Int64) {
        // Files may list a change at the beginning of the universe, long before our reach.
        let start = Self.clamped(seconds) * 1_000_000
        if starts[starts.count - 1] == start {
            starts.removeLast()
            offsets.removeLast()
        }
        guard offsets.last != offset * 1_000_000 else { return }
        starts.append(start)
        offsets.append(offset * 1_000_000)
    }

    func rules(name: String, cycleEnd: Int64) -> TimeZoneRules {
        // Rules that change nothing (daylight saving all year) need no cycle.
        let isCyclic = cycleEnd != .max && starts[starts.count - 1] >= cycleEnd
        return TimeZoneRules(
            name: name,
            starts: starts,
            offsets: offsets,
            cycleEnd: isCyclic ? cycleEnd : .max
        )
    }
}

private struct ZoneFileHeader {
    var version: UInt8
    var utcFlags: Int
    var standardFlags: Int
    var leaps: Int
    var times: Int
    var types: Int
    var nameBytes: Int

    /// The length of the block that follows.
    func bytes(timeBytes: Int) -> Int {
        times * (timeBytes + 1) + types * 6 + nameBytes + leaps * (timeBytes + 4)
            + standardFlags + utcFlags
    }
}

/// Takes big-endian integers off the front of bytes.
private struct ZoneFileReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }
    init(bytes: [UInt8]) { rest = bytes[...] }

    mutating func take(_ count: Int) throws(ZoneFileFault) -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw ZoneFileFault(reason: "the file is cut short") }
        let taken = rest.prefix(count)
        rest = rest.dropFirst(count)
        return taken
    }

    mutating func skip(_ count: Int) throws(ZoneFileFault) { _ = try take(count) }

    mutating func integer(bytes count: Int) throws(ZoneFileFault) -> UInt64 {
        var value: UInt64 = 0
        for byte in try take(count) { value = value << 8 | UInt64(byte) }
        return value
    }

    mutating func header() throws(ZoneFileFault) -> ZoneFileHeader {
        guard try take(4).elementsEqual("TZif".utf8) else {
            throw ZoneFileFault(reason: "the file is no TZif file")
        }
        let version = UInt8(try integer(bytes: 1))
        try skip(15)
        var counts: InlineArray<6, Int> = [0, 0, 0, 0, 0, 0]
        for index in counts.indices { counts[index] = Int(try integer(bytes: 4)) }
        return ZoneFileHeader(
            version: version,
            utcFlags: counts[0],
            standardFlags: counts[1],
            leaps: counts[2],
            times: counts[3],
            types: counts[4],
            nameBytes: counts[5]
        )
    }
}
