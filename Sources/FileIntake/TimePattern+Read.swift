/// What a text of a pattern says: a date, a time of day, perhaps an offset.
struct WrittenTime: Hashable {
    var year = 0
    var month = 1
    var day = 1
    var dayOfYear: Int?
    var hour = 0
    var isAfternoon: Bool?
    var minute = 0
    var second = 0
    /// Where the digits of the fraction stand in the text.
    var fraction = 0..<0
    /// Seconds east of UTC, where the text says so.
    var offsetSeconds: Int?
}

extension TimePattern {
    /// Reads the whole of a text.
    ///
    /// - Returns: nil where the text is not of the pattern, or the date does not exist.
    /// - Complexity: O(length); does not allocate.
    func read(_ text: ArraySlice<UInt8>) -> WrittenTime? {
        var cursor = TextCursor(text: text)
        var time = WrittenTime()
        for step in steps {
            guard Self.take(step, from: &cursor, into: &time) else { return nil }
        }
        guard cursor.rest.isEmpty else { return nil }
        return Self.settled(time)
    }

    private static func take(
        _ step: Step,
        from cursor: inout TextCursor,
        into time: inout WrittenTime
    ) -> Bool {
        switch step {
        case .byte(let byte): return cursor.skip(byte)
        case .blanks:
            cursor.skipBlanks()
            return true
        case .separator:
            return cursor.skip(UInt8(ascii: "T")) || cursor.skip(UInt8(ascii: "t"))
                || cursor.skip(0x20)
        case .year: return cursor.take(digits: 4...4, in: 0...9_999, into: &time.year)
        case .shortYear:
            guard cursor.take(digits: 2...2, in: 0...99, into: &time.year) else { return false }
            time.year += time.year >= 69 ? 1_900 : 2_000
            return true
        case .month: return cursor.take(digits: 1...2, in: 1...12, into: &time.month)
        case .monthName:
            guard let index = cursor.takeName(of: months) else { return false }
            time.month = index + 1
            return true
        case .day:
            cursor.skipBlanks()
            return cursor.take(digits: 1...2, in: 1...31, into: &time.day)
        case .dayOfYear:
            var day = 0
            guard cursor.take(digits: 3...3, in: 1...366, into: &day) else { return false }
            time.dayOfYear = day
            return true
        case .weekday: return cursor.takeName(of: weekdays) != nil
        case .hour: return cursor.take(digits: 1...2, in: 0...23, into: &time.hour)
        case .hourOfTwelve: return cursor.take(digits: 1...2, in: 1...12, into: &time.hour)
        case .meridiem:
            guard let index = cursor.takeName(of: meridiems) else { return false }
            time.isAfternoon = index == 1
            return true
        case .minute: return cursor.take(digits: 2...2, in: 0...59, into: &time.minute)
        case .second: return cursor.take(digits: 2...2, in: 0...60, into: &time.second)
        case .fraction(let sign):
            if let sign, !cursor.skip(sign) { return true }
            time.fraction = cursor.takeDigits()
            return !time.fraction.isEmpty
        case .offset:
            time.offsetSeconds = cursor.takeOffset()
            return time.offsetSeconds != nil
        case .zoneName:
            time.offsetSeconds = 0
            return cursor.takeName(of: zones) != nil
        }
    }

    /// The time with afternoon and day of the year worked in; nil for no day of the calendar.
    private static func settled(_ written: WrittenTime) -> WrittenTime? {
        var time = written
        if let isAfternoon = time.isAfternoon {
            guard 1...12 ~= time.hour else { return nil }
            time.hour = time.hour % 12 + (isAfternoon ? 12 : 0)
        }
        let isLeap = time.year % 4 == 0 && (time.year % 100 != 0 || time.year % 400 == 0)
        if let dayOfYear = time.dayOfYear {
            guard dayOfYear <= (isLeap ? 366 : 365) else { return nil }
            (time.month, time.day) = (1, dayOfYear)
        } else {
            let days = time.month == 2 && isLeap ? 29 : monthDays[time.month - 1]
            guard time.day <= days else { return nil }
        }
        return time
    }

    private static let monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

    /// The long name first, so that it is not cut short.
    private static let months = names([
        ["january", "jan"], ["february", "feb"], ["march", "mar"], ["april", "apr"], ["may"],
        ["june", "jun"], ["july", "jul"], ["august", "aug"], ["september", "sept", "sep"],
        ["october", "oct"], ["november", "nov"], ["december", "dec"],
    ])

    private static let weekdays = names([
        ["monday", "mon"], ["tuesday", "tue"], ["wednesday", "wed"], ["thursday", "thu"],
        ["friday", "fri"], ["saturday", "sat"], ["sunday", "sun"],
    ])

    private static let meridiems = names([["am", "a.m."], ["pm", "p.m."]])
    private static let zones = names([["utc", "gmt", "z"]])

    private static func names(_ spellings: [[String]]) -> [[[UInt8]]] {
        spellings.map { $0.map { Array($0.utf8) } }
    }
}

/// What is still to be read of a text.
struct TextCursor {
    var rest: ArraySlice<UInt8>

    init(text: ArraySlice<UInt8>) { rest = text }

    mutating func skip(_ byte: UInt8) -> Bool {
        guard rest.first == byte else { return false }
        rest.removeFirst()
        return true
    }

    mutating func skipBlanks() {
        while let byte = rest.first, byte == 0x20 || byte == 0x09 { rest.removeFirst() }
    }

    /// Reads as many digits as there are, up to the most.
    mutating func take(
        digits: ClosedRange<Int>,
        in range: ClosedRange<Int>,
        into value: inout Int
    ) -> Bool {
        var (number, count) = (0, 0)
        while count < digits.upperBound, let byte = rest.first, byte &- 0x30 <= 9 {
            number = number * 10 + Int(byte &- 0x30)
            count += 1
            rest.removeFirst()
        }
        guard count >= digits.lowerBound, range.contains(number) else { return false }
        value = number
        return true
    }

    /// Reads digits to their end: where they stand.
    mutating func takeDigits() -> Range<Int> {
        let start = rest.startIndex
        while let byte = rest.first, byte &- 0x30 <= 9 { rest.removeFirst() }
        return start..<rest.startIndex
    }

    /// Reads one of several names in any spelling and case: which.
    mutating func takeName(of names: [[[UInt8]]]) -> Int? {
        for (index, spellings) in names.enumerated() {
            for name in spellings where rest.count >= name.count {
                let isSame = zip(rest, name).allSatisfy { byte, letter in
                    byte == letter || (byte | 0x20 == letter && 0x61...0x7A ~= letter)
                }
                guard isSame else { continue }
                rest.removeFirst(name.count)
                return index
            }
        }
        return nil
    }

    /// Reads `Z`, `+hh:mm`, `+hhmm` or `+hh`: seconds east of UTC.
    mutating func takeOffset() -> Int? {
        if skip(UInt8(ascii: "Z")) || skip(UInt8(ascii: "z")) { return 0 }
        let isEast = rest.first == UInt8(ascii: "+")
        guard isEast || rest.first == UInt8(ascii: "-") else { return nil }
        rest.removeFirst()
        var (hours, minutes) = (0, 0)
        guard take(digits: 2...2, in: 0...23, into: &hours) else { return nil }
        let mustHaveMinutes = skip(UInt8(ascii: ":"))
        if mustHaveMinutes || rest.first.map({ $0 &- 0x30 <= 9 }) == true {
            guard take(digits: 2...2, in: 0...59, into: &minutes) else { return nil }
        }
        return (hours * 60 + minutes) * (isEast ? 60 : -60)
    }
}
