/// A pattern of a time, in the letters of C's `strptime`, compiled.
///
/// | letter | reads |
/// |---|---|
/// | `%Y` `%y` | year, four digits; two digits, 69…99 being 19xx |
/// | `%m` `%b` `%B` | month: one or two digits; English name, short or long (any of the two) |
/// | `%d` `%e` `%j` | day of the month, one or two digits; day of the year, three digits |
/// | `%a` `%A` | English name of the weekday; read and not used |
/// | `%H` `%I` `%p` | hour 0…23; hour 1…12; AM or PM |
/// | `%M` `%S` `%f` | minute; second; fraction of the second, any number of digits |
/// | `%z` `%Z` | offset `+01:00`, `+0100`, `+01` or `Z`; `UTC`, `GMT` or `Z` |
/// | `%F` `%T` `%R` | `%Y-%m-%d`; `%H:%M:%S`; `%H:%M` |
/// | `%%` | a percent sign |
///
/// A blank reads any number of blanks, none included. `.%f` and `,%f` may be missing from the text,
/// sign and all: many programs leave the fraction out where it is zero.
public struct TimePattern: Hashable, Sendable {
    enum Step: Hashable, Sendable {
        case byte(UInt8)
        case blanks
        /// What stands between date and time in RFC 3339: `T`, `t` or a blank.
        case separator
        case year, shortYear, month, monthName, day, dayOfYear, weekday
        case hour, hourOfTwelve, meridiem, minute, second
        /// A fraction; with the sign before it, both may be missing.
        case fraction(sign: UInt8?)
        case offset, zoneName
    }

    public let text: String
    let steps: [Step]

    /// - Throws: ``IntakeFault`` for an unknown letter, or where no date can come of it.
    public init(_ text: String) throws(IntakeFault) {
        self.text = text
        var steps: [Step] = []
        var bytes = text.utf8.makeIterator()
        while let byte = bytes.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let letter = bytes.next(), let read = Self.meaning[letter] else {
                    throw IntakeFault("time format \"\(text)\": a % with no meaning; see --help")
                }
                if read == [.fraction(sign: nil)], case .byte(let sign)? = steps.last,
                    sign == UInt8(ascii: ".") || sign == UInt8(ascii: ",")
                {
                    steps[steps.count - 1] = .fraction(sign: sign)
                } else {
                    steps += read
                }
            case UInt8(ascii: " "), UInt8(ascii: "\t"): steps.append(.blanks)
            default: steps.append(.byte(byte))
            }
        }
        let known = Set(steps)
        let hasYear = known.contains(.year) || known.contains(.shortYear)
        let hasMonth = known.contains(.month) || known.contains(.monthName)
        guard hasYear, known.contains(.dayOfYear) || (hasMonth && known.contains(.day)) else {
            throw IntakeFault("time format \"\(text)\" does not say a year, a month and a day")
        }
        self.steps = steps
    }

    init(steps: [Step]) { (text, self.steps) = ("", steps) }

    /// Whether a text of this pattern says how far it is from UTC.
    public var hasOffset: Bool { steps.contains(.offset) || steps.contains(.zoneName) }

    private static let meaning: [UInt8: [Step]] = [
        UInt8(ascii: "Y"): [.year], UInt8(ascii: "y"): [.shortYear], UInt8(ascii: "m"): [.month],
        UInt8(ascii: "b"): [.monthName], UInt8(ascii: "B"): [.monthName],
        UInt8(ascii: "d"): [.day], UInt8(ascii: "e"): [.day], UInt8(ascii: "j"): [.dayOfYear],
        UInt8(ascii: "a"): [.weekday], UInt8(ascii: "A"): [.weekday],
        UInt8(ascii: "H"): [.hour], UInt8(ascii: "I"): [.hourOfTwelve],
        UInt8(ascii: "p"): [.meridiem], UInt8(ascii: "M"): [.minute], UInt8(ascii: "S"): [.second],
        UInt8(ascii: "f"): [.fraction(sign: nil)], UInt8(ascii: "z"): [.offset],
        UInt8(ascii: "Z"): [.zoneName], UInt8(ascii: "%"): [.byte(UInt8(ascii: "%"))],
        UInt8(ascii: "F"): [
            .year, .byte(UInt8(ascii: "-")), .month, .byte(UInt8(ascii: "-")), .day,
        ],
        UInt8(ascii: "T"): [
            .hour, .byte(UInt8(ascii: ":")), .minute, .byte(UInt8(ascii: ":")), .second,
        ],
        UInt8(ascii: "R"): [.hour, .byte(UInt8(ascii: ":")), .minute],
    ]
}
