/// Five fields of cron: the minutes of the civil calendar at which a period starts.
///
///     0 0 1 * *            the first of each month, at midnight
///     0 0 L * *            the last day of each month
///     30 6 * * MON-FRI     on weekdays at half past six
///     0 */6 1,15 JAN-JUN * every six hours on two days of a month, half the year
///
/// Fields are minute, hour, day of month, month and day of week, as crontab(5) of Vixie cron has
/// them: `*`, numbers, ranges `a-b`, steps `*/n` and `a-b/n`, lists with commas, English names of
/// three letters for months and days, 0 and 7 for Sunday. `L` is the last day of the month.
///
/// Where both day fields are restricted, a day that fits **either** matches; where one of them
/// begins with `*`, a day must fit both. So `0 0 1 * MON` is each first and each Monday, and
/// `0 0 */2 * MON` is the Mondays with an odd date.
///
/// Two are equal if they are spelled alike but for blanks and the case of letters.
public struct CronSchedule: Hashable, Sendable {
    /// As written, in capitals, with one blank between fields.
    public let text: String
    /// Bit n is minute n.
    public let minutes: UInt64
    /// Bit n is hour n.
    public let hours: UInt32
    /// Bit n is day n of the month, from 1.
    public let daysOfMonth: UInt32
    /// Whether the last day of each month matches too.
    public let includesLastDay: Bool
    /// Bit n is month n, from 1.
    public let months: UInt32
    /// Bit 0 is Sunday.
    public let daysOfWeek: UInt32
    /// Whether a day must fit day of month and day of week, or either of them.
    public let daysMustFitBoth: Bool

    /// Reads the five fields.
    ///
    /// - Throws: ``ResetScheduleError`` with the byte at fault; also where no day of the calendar
    ///   would ever match, such as 30 February.
    public init(_ text: String) throws(ResetScheduleError) {
        var reader = try CronReader(text)
        self.text = reader.canonicalText
        minutes = try reader.bits(of: .minute)
        hours = UInt32(truncatingIfNeeded: try reader.bits(of: .hour))
        daysOfMonth = UInt32(truncatingIfNeeded: try reader.bits(of: .dayOfMonth))
        includesLastDay = reader.hasLastDay
        months = UInt32(truncatingIfNeeded: try reader.bits(of: .month))
        daysOfWeek = UInt32(truncatingIfNeeded: try reader.bits(of: .dayOfWeek))
        daysMustFitBoth = reader.isStarred(.dayOfMonth) || reader.isStarred(.dayOfWeek)
        guard matchesSomeDay else { throw reader.neverMatches }
    }

    /// Every date but 29 February falls on every day of the week within 11 years, and that one
    /// within 40, so it is enough that a month has the day.
    private var matchesSomeDay: Bool {
        let longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        if includesLastDay || !daysMustFitBoth { return true }
        return longest.enumerated().contains { index, days in
            months >> (index + 1) & 1 == 1 && daysOfMonth & ((2 << days) &- 2) != 0
        }
    }
}

/// One of the five fields: what it is called, and what may stand in it.
private enum CronField: Int, CaseIterable {
    case minute, hour, dayOfMonth, month, dayOfWeek

    var name: String { ["minute", "hour", "day of month", "month", "day of week"][rawValue] }

    /// Sunday is 0 and 7.
    var range: ClosedRange<Int> { [0...59, 0...23, 1...31, 1...12, 0...7][rawValue] }

    var names: [String] {
        switch self {
        case .minute, .hour, .dayOfMonth: []
        case .month:
            [
                "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
            ]
        case .dayOfWeek: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
        }
    }

    var expected: String {
        let span = "\(range.lowerBound) to \(range.upperBound)"
        switch self {
        case .minute, .hour: return "a number from \(span)"
        case .dayOfMonth: return "a number from \(span), or L"
        case .month: return "a number from \(span), or JAN to DEC"
        case .dayOfWeek: return "a number from \(span), or SUN to SAT"
        }
    }
}

private struct CronReader {
    /// In capitals, so that names and `L` are read in either case.
    private let bytes: [UInt8]
    private var fields: [Range<Int>] = []
    private(set) var hasLastDay = false

    private static let form = "five fields: minute, hour, day of month, month, day of week"

    init(_ text: String) throws(ResetScheduleError) {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        bytes = text.utf8.map { letters.contains($0) ? $0 - 0x20 : $0 }
        guard bytes.count <= Limits.cronBytesMax else {
            let remedy = "write ranges and steps, such as 0-59/15, in place of long lists"
            let most = "at most \(Limits.cronBytesMax)"
            throw fault(0, "\(bytes.count) bytes", most, remedy)
        }
        var at = 0
        while at < bytes.count {
            let end = bytes[at...].firstIndex(where: Self.isBlank) ?? bytes.count
            if end > at { fields.append(at..<end) }
            at = end + 1
        }
        if let first = fields.first, bytes[first.lowerBound] == UInt8(ascii: "@") {
            let words = ResetSchedule.words.map(\.word).joined(separator: ", ")
            throw fault(first.lowerBound, spelled(first), Self.form, "use a word instead: \(words)")
        }
        guard fields.count == CronField.allCases.count else {
            let found = fields.count == 1 ? "1 field" : "\(fields.count) fields"
            let remedy = "write five, such as \"0 0 1 * *\"; there are no seconds and no years"
            throw fault(
                fields.count > 5 ? fields[5].lowerBound : bytes.count,
                found,
                Self.form,
                remedy
            )
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    var canonicalText: String {
        fields.map { String(decoding: bytes[$0], as: UTF8.self) }.joined(separator: " ")
    }

    func isStarred(_ field: CronField) -> Bool {
        bytes[fields[field.rawValue].lowerBound] == UInt8(ascii: "*")
    }

    var neverMatches: ResetScheduleError {
        let days = fields[CronField.dayOfMonth.rawValue]
        let found = "\(spelled(days)), which no month of \(spelled(fields[3])) has"
        return fault(
            days.lowerBound,
            found,
            "a day that comes at some time",
            "write L for the last day of a month, or change the months"
        )
    }

    mutating func bits(of field: CronField) throws(ResetScheduleError) -> UInt64 {
        var bits: UInt64 = 0
        let all = fields[field.rawValue]
        var at = all.lowerBound
        while at <= all.upperBound {
            let comma = bytes[at..<all.upperBound].firstIndex(of: UInt8(ascii: ","))
            let end = comma ?? all.upperBound
            bits |= try element(at..<end, of: field)
            at = end + 1
        }
        return bits
    }

    /// `*`, `*/n`, `a`, `a-b`, `a-b/n` or `L`.
    private mutating func element(
        _ place: Range<Int>,
        of field: CronField
    ) throws(ResetScheduleError) -> UInt64 {
        if field == .dayOfMonth, bytes[place].elementsEqual([UInt8(ascii: "L")]) {
            hasLastDay = true
            return 0
        }
        let slash = bytes[place].firstIndex(of: UInt8(ascii: "/"))
        let base = place.lowerBound..<(slash ?? place.upperBound)
        let step = try slash.map { slash throws(ResetScheduleError) in
            try self.step((slash + 1)..<place.upperBound, of: field)
        }
        let range: ClosedRange<Int>
        if bytes[base].elementsEqual([UInt8(ascii: "*")]) {
            range = field == .dayOfWeek ? 0...6 : field.range
        } else if let dash = bytes[base].firstIndex(of: UInt8(ascii: "-")) {
            range = try self.range(base, dash: dash, of: field)
        } else {
            let value = try value(base, of: field)
            guard slash == nil else {
                let last = field.range.upperBound
                let remedy = "say where it ends: \(value)-\(last)/\(step ?? 1)"
                throw fault(place.lowerBound, spelled(place), "a step of a range or of *", remedy)
            }
            range = value...value
        }
        var bits: UInt64 = 0
        for value in stride(from: range.lowerBound, through: range.upperBound, by: step ?? 1) {
            bits |= 1 << (field == .dayOfWeek ? value % 7 : value)
        }
        return bits
    }

    private func step(
        _ place: Range<Int>,
        of field: CronField
    ) throws(ResetScheduleError) -> Int {
        if let step = number(place), (1...field.range.upperBound).contains(step) { return step }
        let expected = "a step from 1 to \(field.range.upperBound)"
        throw fault(place.lowerBound, spelled(place), expected, "write it as */2 or 10-20/2")
    }

    private func range(
        _ place: Range<Int>,
        dash: Int,
        of field: CronField
    ) throws(ResetScheduleError) -> ClosedRange<Int> {
        let first = try value(place.lowerBound..<dash, of: field)
        var last = try value((dash + 1)..<place.upperBound, of: field)
        // A week ends with Sunday: MON-SUN.
        if field == .dayOfWeek, last == 0, first > 0 { last = 7 }
        guard first <= last else {
            let (start, end) = (field.range.lowerBound, field.range.upperBound)
            let remedy = "write it as two ranges: \(first)-\(end),\(start)-\(last)"
            throw fault(place.lowerBound, spelled(place), "a range that goes up", remedy)
        }
        return first...last
    }

    private func value(
        _ place: Range<Int>,
        of field: CronField
    ) throws(ResetScheduleError) -> Int {
        if let number = number(place), field.range.contains(number) { return number }
        let text = String(decoding: bytes[place], as: UTF8.self)
        if let index = field.names.firstIndex(of: text) { return index + (field == .month ? 1 : 0) }
        let remedy =
            switch text {
            case "": "write a value before and after each comma, dash and slash"
            case "?": "write *"
            case _ where text.contains("L") || text.contains("W") || text.contains("#"):
                "L alone, as a day of month, is all there is of L, W and #"
            default: "write *, a value, a range a-b, a step */n, or a list of them"
            }
        throw fault(place.lowerBound, spelled(place), "\(field.name): \(field.expected)", remedy)
    }

    /// One to three digits.
    private func number(_ place: Range<Int>) -> Int? {
        guard (1...3).contains(place.count) else { return nil }
        var value = 0
        for byte in bytes[place] {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }

    private func spelled(_ place: Range<Int>) -> String {
        place.isEmpty
            ? "nothing"
            : ResetScheduleError.quoted(String(decoding: bytes[place], as: UTF8.self))
    }

    private func fault(
        _ position: Int,
        _ found: String,
        _ expected: String,
        _ remedy: String
    ) -> ResetScheduleError {
        ResetScheduleError(
            part: .cron,
            position: position,
            found: found,
            expected: expected,
            remedy: remedy
        )
    }
}
