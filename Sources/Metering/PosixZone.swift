/// The closing rule of a zone file: a POSIX TZ string with the extensions of RFC 9636 §3.3.1.
///
///     CET-1CEST,M3.5.0,M10.5.0/3      <-02>2<-01>,M3.5.0/-1,M10.5.0/0      EST5
///
/// Offsets are written west of UTC and kept east of it. Dates are `Mm.w.d` (week 5 is the last),
/// `Jn` (1…365, 29 February is never counted) or `n` (0…365); times run from -167 to 167 hours,
/// counted on the clock that is in force before the change.
struct PosixZone {
    /// Seconds east of UTC.
    private(set) var standardOffset: Int64
    /// Absent where the zone has one offset all year.
    private(set) var daylight: Daylight?

    struct Daylight {
        /// Seconds east of UTC.
        var offset: Int64
        var start: Change
        var end: Change
    }

    struct Change {
        var day: Day
        /// Seconds after midnight of the day, maybe negative.
        var time: Int64
    }

    enum Day {
        /// The `week`th `weekday` (0 is Sunday) of a month; week 5 is the last one.
        case weekday(month: Int, week: Int, weekday: Int)
        /// 1…365, without 29 February.
        case julian(Int)
        /// 0…365.
        case ordinal(Int)

        /// Days since the epoch, in a year.
        func days(year: Int) -> Int {
            switch self {
            case .weekday(let month, let week, let weekday):
                let first = CivilDate(year: year, month: month, day: 1).daysSinceEpoch
                let next = CivilDate(year: year, month: month + 1, day: 1).daysSinceEpoch
                // 1970-01-01 was a Thursday.
                let firstWeekday = first + 4 - (first + 4).flooredQuotient(by: 7) * 7
                let day = first + (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
                return day < next ? day : day - 7
            case .julian(let day):
                // 1 March is day 60 of every year.
                return day < 60
                    ? CivilDate(year: year, month: 1, day: day).daysSinceEpoch
                    : CivilDate(year: year, month: 3, day: day - 59).daysSinceEpoch
            case .ordinal(let day):
                return CivilDate(year: year, month: 1, day: day + 1).daysSinceEpoch
            }
        }
    }

    /// The changes of some years, in order; of two at once the later in the rule is last.
    func changes(
        _ daylight: Daylight,
        years: ClosedRange<Int>
    ) -> [(time: Int64, offset: Int64)] {
        var changes: [(time: Int64, offset: Int64)] = []
        for year in years {
            let start = Int64(daylight.start.day.days(year: year)) * 86_400
            changes.append((start + daylight.start.time - standardOffset, daylight.offset))
            let end = Int64(daylight.end.day.days(year: year)) * 86_400
            changes.append((end + daylight.end.time - daylight.offset, standardOffset))
        }
        return changes.enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
    }

    init(_ text: ArraySlice<UInt8>) throws(ZoneFileFault) {
        var reader = PosixZoneReader(rest: text)
        try reader.skipName()
        standardOffset = -(try reader.time(hoursMax: 24))
        guard !reader.rest.isEmpty else { return }
        try reader.skipName()
        var offset = standardOffset + 3_600
        if let next = reader.rest.first, next != UInt8(ascii: ",") {
            offset = -(try reader.time(hoursMax: 24))
        }
        let start = try reader.change()
        let end = try reader.change()
        guard reader.rest.isEmpty else { throw reader.fault }
        daylight = Daylight(offset: offset, start: start, end: end)
    }
}

private struct PosixZoneReader {
    var rest: ArraySlice<UInt8>

    let fault = ZoneFileFault(reason: "the closing rule cannot be read")

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    /// `CET`, or `<+03>`.
    mutating func skipName() throws(ZoneFileFault) {
        if skip("<") {
            guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { throw fault }
            rest = rest[(end + 1)...]
            return
        }
        let name = rest.prefix {
            ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z")
        }
        guard name.count >= 3 else { throw fault }
        rest = rest.dropFirst(name.count)
    }

    private mutating func number(_ range: ClosedRange<Int64>) throws(ZoneFileFault) -> Int64 {
        var value: Int64 = 0
        var digits = 0
        while let byte = rest.first, byte >= 0x30, byte <= 0x39, digits < 3 {
            value = value * 10 + Int64(byte - 0x30)
            digits += 1
            rest.removeFirst()
        }
        guard digits > 0, range.contains(value) else { throw fault }
        return value
    }

    /// `[+-]hh[:mm[:ss]]`, in seconds.
    mutating func time(hoursMax: Int64) throws(ZoneFileFault) -> Int64 {
        let isNegative = skip("-")
        if !isNegative { _ = skip("+") }
        var seconds = try number(0...hoursMax) * 3_600
        if skip(":") {
            seconds += try number(0...59) * 60
            if skip(":") { seconds += try number(0...59) }
        }
        return isNegative ? -seconds : seconds
    }

    /// `,date[/time]`; the time is 02:00 where it is not said.
    mutating func change() throws(ZoneFileFault) -> PosixZone.Change {
        guard skip(",") else { throw fault }
        let day: PosixZone.Day
        if skip("M") {
            let month = Int(try number(1...12))
            guard skip(".") else { throw fault }
            let week = Int(try number(1...5))
            guard skip(".") else { throw fault }
            day = .weekday(month: month, week: week, weekday: Int(try number(0...6)))
        } else if skip("J") {
            day = .julian(Int(try number(1...365)))
        } else {
            day = .ordinal(Int(try number(0...365)))
        }
        return PosixZone.Change(day: day, time: skip("/") ? try time(hoursMax: 167) : 7_200)
    }
}
