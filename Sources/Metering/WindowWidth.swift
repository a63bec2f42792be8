/// How long the windows of a reading are.
///
/// On the wire: `minute`, `hour`, `day`, `week`, `month`, `quarter`, `year`, or a number of
/// seconds, minutes or hours such as `90s`, `15m`, `6h` that divides a day into two or more equal
/// parts.
public enum WindowWidth: Hashable, Sendable {
    case minute
    case hour
    case day
    /// From Monday, as ISO 8601 counts.
    case week
    case month
    case quarter
    case year
    /// Counted from each local midnight; held to 1 microsecond … 1 day. Where the width does not
    /// divide a day, the last window of the day is the shorter one.
    case fixed(microseconds: Int64)

    private static let words: [(String, WindowWidth)] = [
        ("minute", .minute), ("hour", .hour), ("day", .day), ("week", .week), ("month", .month),
        ("quarter", .quarter), ("year", .year),
    ]

    /// Reads the wire's spelling.
    public init(_ text: String) throws(WindowWidthError) {
        if let word = Self.words.first(where: { $0.0 == text }) {
            self = word.1
            return
        }
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600]
        let digits = text.dropLast()
        guard let unit = text.last.flatMap({ units[$0] }), (1...5).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(digits),
            number > 0
        else { throw .unreadable }
        let seconds = number * unit
        guard seconds <= 43_200, 86_400 % seconds == 0 else { throw .dividesNoDay }
        self = .fixed(microseconds: seconds * 1_000_000)
    }

    /// The length of a window of less than a day, in microseconds; `nil` for days and more.
    var cellMicroseconds: Int64? {
        switch self {
        case .minute: 60_000_000
        case .hour: 3_600_000_000
        case .fixed(let microseconds):
            min(max(microseconds, 1), LocalDateTime.microsecondsPerDay)
        case .day, .week, .month, .quarter, .year: nil
        }
    }
}

extension WindowWidth: CustomStringConvertible {
    /// The wire's spelling, in the largest unit that is whole.
    public var description: String {
        if let word = Self.words.first(where: { $0.1 == self }) { return word.0 }
        guard case .fixed(let microseconds) = self else { return "" }
        let seconds = microseconds / 1_000_000
        if seconds % 3_600 == 0 { return "\(seconds / 3_600)h" }
        return seconds % 60 == 0 ? "\(seconds / 60)m" : "\(seconds)s"
    }
}

/// Why a text names no width.
public enum WindowWidthError: Error, Hashable, Sendable {
    /// It is neither a word nor a number of `s`, `m` or `h`.
    case unreadable
    /// The width does not divide a day into two or more equal parts.
    case dividesNoDay
}
