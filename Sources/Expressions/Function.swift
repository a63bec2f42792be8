/// The functions by their names.
enum Function: String, CaseIterable {
    case exists, min, max, abs, ceil, floor, round, length, lower, upper, trim, coalesce, concat
    case duration
    case choose = "if"
    case year, month, day, hour, minute, second, weekday, dayOfYear, date

    /// How it is called, for people.
    var usage: String {
        switch self {
        case .exists: "exists($.data.tokens)"
        case .min, .max: "\(rawValue)(number, number, …)"
        case .abs: "abs(number)"
        case .ceil, .floor, .round: "\(rawValue)(number) or \(rawValue)(number, places)"
        case .length: "length(text or array)"
        case .lower, .upper, .trim: "\(rawValue)(text)"
        case .coalesce: "coalesce(value, value, …)"
        case .concat: "concat(value, value, …)"
        case .duration: "duration(start, end, \"seconds\")"
        case .choose: "if(condition, value, value)"
        default: "\(rawValue)(time) or \(rawValue)(time, \"Europe/Berlin\")"
        }
    }

    var argumentCount: ClosedRange<Int> {
        switch self {
        case .exists, .abs, .length, .lower, .upper, .trim: 1...1
        case .min, .max, .coalesce, .concat: 1...Int.max
        case .duration, .choose: 3...3
        default: 1...2
        }
    }

    var datePart: DatePart? { DatePart.allCases.first { $0.word == rawValue } }
}
