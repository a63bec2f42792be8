import Foundation

/// A time as text, taken apart field by field. Shares no code with `Instant` or `TimeZoneRules`.
struct NaiveTime {
    /// Microseconds since 1970.
    var microseconds: Int

    /// Nil where the text is no `YYYY-MM-DDTHH:MM:SS[.f]` with `Z` or an offset, from 1970 on.
    init?(_ text: String) {
        let parts = Array(text)
        guard parts.count >= 20, parts[4] == "-", parts[7] == "-", parts[10] == "T",
            parts[13] == ":", parts[16] == ":"
        else { return nil }
        func number(_ range: Range<Int>) -> Int? { Int(String(parts[range])) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
        else { return nil }
        var days = 0
        for earlier in 1970..<year { days += Self.isLeap(earlier) ? 366 : 365 }
        for earlier in 1..<month { days += Self.daysIn(earlier, year) }
        days += day - 1
        var rest = parts[19...]
        var fraction = 0
        if rest.first == "." {
            let digits = rest.dropFirst().prefix { $0.isNumber }
            fraction = Int((String(digits) + "000000").prefix(6)) ?? 0
            rest = rest.dropFirst(1 + digits.count)
        }
        var offset = 0
        if rest.first != "Z" {
            let sign = rest.first == "-" ? -1 : 1
            let clock = String(rest.dropFirst()).split(separator: ":").compactMap { Int($0) }
            guard clock.count == 2 else { return nil }
            offset = sign * (clock[0] * 60 + clock[1])
        }
        let seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second
        microseconds = seconds * 1_000_000 + fraction
    }

    private static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    private static func daysIn(_ month: Int, _ year: Int) -> Int {
        [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    /// A part of what a clock in the zone shows, as text.
    func part(_ part: String, in zone: String) -> String {
        let seconds = Int((Double(microseconds) / 1_000_000).rounded(.down))
        let date = Date(timeIntervalSince1970: Double(seconds))
        let offset = TimeZone(identifier: zone)?.secondsFromGMT(for: date) ?? 0
        let local = seconds + offset
        var days = local / 86_400
        let clock = local % 86_400
        let weekday = (days + 3) % 7 + 1
        var year = 1970
        while days >= (Self.isLeap(year) ? 366 : 365) {
            days -= Self.isLeap(year) ? 366 : 365
            year += 1
        }
        let dayOfYear = days + 1
        var month = 1
        while days >= Self.daysIn(month, year) {
            days -= Self.daysIn(month, year)
            month += 1
        }
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        switch part {
        case "year": return "\(year)"
        case "month": return "\(month)"
        case "day": return "\(days + 1)"
        case "hour": return "\(clock / 3_600)"
        case "minute": return "\(clock / 60 % 60)"
        case "second": return "\(clock % 60)"
        case "weekday": return "\(weekday)"
        case "dayOfYear": return "\(dayOfYear)"
        default: return "\(year)-\(two(month))-\(two(days + 1))"
        }
    }
}
