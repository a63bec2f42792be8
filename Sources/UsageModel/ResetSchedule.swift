/// When a meter starts anew: the rule that cuts its time into periods.
///
/// A schedule names no zone. The zone is the meter type's or the customer's, and comes in where
/// periods are cut (`Metering`, `PeriodCalendar`). How it is spelled in JSON is `WireFormat`'s.
public enum ResetSchedule: Hashable, Sendable {
    /// One period for all time.
    case never
    case every(Cadence)
    case cron(CronSchedule)

    public static let hourly = every(Cadence(each: .hour))
    /// At the first instant of each day.
    public static let daily = every(Cadence(each: .day))
    /// With each Monday.
    public static let weekly = every(Cadence(each: .week))
    public static let monthly = every(Cadence(each: .month))
    /// With January, April, July and October.
    public static let quarterly = every(Cadence(each: .quarter))
    public static let yearly = every(Cadence(each: .year))

    /// The words that stand for a schedule, in the order in which they are listed to people.
    public static let words: [(word: String, schedule: ResetSchedule)] = [
        ("hourly", hourly), ("daily", daily), ("weekly", weekly), ("monthly", monthly),
        ("quarterly", quarterly), ("yearly", yearly), ("never", never),
    ]

    /// Reads one of ``words``.
    public init(word: String) throws(ResetScheduleError) {
        if let known = Self.words.first(where: { $0.word == word }) {
            self = known.schedule
            return
        }
        let words = Self.words.map(\.word).joined(separator: ", ")
        throw ResetScheduleError(
            part: .word,
            found: ResetScheduleError.quoted(word),
            expected: "one of \(words)",
            remedy: word.contains(" ")
                ? "write cron as {\"cron\":\"0 0 1 * *\"}"
                : "write a word, {\"every\":\"month\",…} or {\"cron\":\"0 0 1 * *\"}"
        )
    }

    /// The word for this schedule, where there is one.
    public var word: String? { Self.words.first { $0.schedule == self }?.word }

    public enum Unit: String, CaseIterable, Sendable {
        case minute, hour, day, week, month, quarter, year
    }

    /// Every so many units, counted from an anchor.
    public struct Cadence: Hashable, Sendable {
        public let unit: Unit
        /// 1…``Limits/resetIntervalMax`` units make one period.
        public let interval: Int
        /// A boundary, to the microsecond; nil for where the unit itself starts.
        public let anchor: Instant?

        /// - Throws: ``ResetScheduleError`` for the first part at fault, in the order `interval`,
        ///   `anchor`. Minutes and hours without an anchor are counted from each midnight, so that
        ///   the interval must divide a day.
        public init(
            _ unit: Unit,
            interval: Int = 1,
            anchor: Instant? = nil
        ) throws(ResetScheduleError) {
            guard (1...Limits.resetIntervalMax).contains(interval) else {
                throw ResetScheduleError(
                    part: .interval,
                    found: "\(interval)",
                    expected: "a whole number from 1 to \(Limits.resetIntervalMax)",
                    remedy: "use a larger unit for longer periods"
                )
            }
            if let anchor, anchor < .earliest || anchor > .latest {
                throw ResetScheduleError(
                    part: .anchor,
                    found: "a time outside the years 0000 to 9999",
                    expected: "a time within them",
                    remedy: "write it as 2026-01-31T10:30:00+01:00"
                )
            }
            if anchor == nil, let perDay = unit.perDay,
                interval >= perDay || perDay % interval != 0
            {
                throw ResetScheduleError(
                    part: .interval,
                    found: "\(interval)",
                    expected: "a number of \(unit)s that divides a day, as there is no anchor",
                    remedy: "give an anchor, from which \(unit)s are counted on"
                )
            }
            (self.unit, self.interval, self.anchor) = (unit, interval, anchor)
        }

        /// One unit, where it starts itself.
        fileprivate init(each unit: Unit) {
            (self.unit, interval, anchor) = (unit, 1, nil)
        }
    }
}

extension ResetSchedule.Unit {
    /// How many make a day; nil for a day and more.
    var perDay: Int? {
        switch self {
        case .minute: 1_440
        case .hour: 24
        case .day, .week, .month, .quarter, .year: nil
        }
    }
}

extension ResetSchedule: CustomStringConvertible {
    /// For people: `monthly`, `every 2 weeks`, `every month from 2026-01-31T09:30:00Z`,
    /// `cron 0 0 L * *`.
    public var description: String {
        if let word { return word }
        switch self {
        case .never: return "never"
        case .cron(let cron): return "cron \(cron.text)"
        case .every(let cadence):
            let (unit, interval) = (cadence.unit.rawValue, cadence.interval)
            let units = interval == 1 ? unit : "\(interval) \(unit)s"
            return "every \(units)" + (cadence.anchor.map { " from \($0.rfc3339)" } ?? "")
        }
    }
}

/// Why a text or its parts make no schedule: where, what was found, what was expected, what to do.
public struct ResetScheduleError: Error, Hashable, Sendable {
    public enum Part: String, Sendable {
        case word, every, interval, anchor, cron
    }

    public var part: Part
    /// The byte of the part at which the fault was seen, from 0.
    public var position: Int
    /// What stands there; a text is quoted and cut to a few bytes.
    public var found: String
    public var expected: String
    public var remedy: String

    public init(
        part: Part,
        position: Int = 0,
        found: String,
        expected: String,
        remedy: String
    ) {
        (self.part, self.position, self.found) = (part, position, found)
        (self.expected, self.remedy) = (expected, remedy)
    }

    /// A text as messages show it; of a long one the beginning.
    static func quoted(_ text: String) -> String {
        let shown = text.prefix(24)
        return "\"\(shown)\(shown.endIndex == text.endIndex ? "" : "…")\""
    }
}
