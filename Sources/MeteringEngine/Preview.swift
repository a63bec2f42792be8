public import Metering
public import UsageModel

/// A question for what a definition would say of stored history: `POST /v1/meter-types/preview`,
/// understood.
public struct PreviewQuery: Sendable {
    public var draft: MeterTypeDefinition
    public var range: Range<Instant>
    /// Instead of what lies in the range, these many events of the draft's event types that came
    /// last, as far as ``Limits/previewBlocksMax`` blocks hold them. Nothing is compared then.
    public var newest: Int?
    /// nil: one reading for the whole range.
    public var window: WindowWidth?
    public var zone: TimeZoneRules
    /// Cuts windows instead of ``window`` and ``zone``.
    public var calendar: PeriodCalendar?
    public var groupBy: [UsageQuery.Group]
    /// Values that are carried are carried no further than this: mostly now.
    public var carriedUntil: Instant
    /// The most readings in the answer.
    public var limit: Int

    public init(
        draft: MeterTypeDefinition,
        range: Range<Instant>,
        window: WindowWidth? = nil,
        zone: TimeZoneRules = .utc,
        groupBy: [UsageQuery.Group] = [],
        carriedUntil: Instant = Instant(microseconds: .max),
        limit: Int = UsageQuery.rowsMax
    ) {
        (self.draft, self.range, self.window, calendar) = (draft, range, window, nil)
        (self.zone, self.groupBy, self.limit) = (zone, groupBy, limit)
        self.carriedUntil = carriedUntil
    }

    /// The events that came last.
    public init(draft: MeterTypeDefinition, newest: Int, groupBy: [UsageQuery.Group] = []) {
        self.init(draft: draft, range: .allTime, groupBy: groupBy)
        self.newest = newest
    }

    /// The windows and groups, of the draft.
    public var readings: UsageQuery {
        UsageQuery(
            meterTypes: [draft.key],
            range: range,
            window: window,
            zone: zone,
            calendar: calendar,
            groupBy: groupBy,
            carriedUntil: carriedUntil,
            limit: limit
        )
    }

    /// The whole range by subject: what is compared.
    public var comparison: UsageQuery {
        UsageQuery(
            meterTypes: [draft.key],
            range: range,
            groupBy: [.subject],
            carriedUntil: carriedUntil,
            limit: Limits.previewSubjectsMax
        )
    }
}

/// What a draft says, and where that is another value than the live one.
public struct PreviewAnswer: Sendable {
    /// One meter over the whole range.
    public struct Difference: Sendable, Hashable {
        public var subject: String
        /// nil where the meter type has no value for the subject, or there is no such meter type.
        public var live: Quantity?
        public var draft: Quantity?
        /// The draft less the live value, no value being nothing.
        public var difference: Quantity

        public init(subject: String, live: Quantity?, draft: Quantity?, difference: Quantity) {
            (self.subject, self.live, self.draft) = (subject, live, draft)
            self.difference = difference
        }
    }

    /// The newest events that a preview was made of.
    public struct Newest: Sendable, Hashable {
        /// Of the draft's event types, whether it counts them or not.
        public var events: Int
        /// From the earliest time of them to the latest; nil of no event.
        public var times: ClosedRange<Instant>?

        public init(events: Int = 0, times: ClosedRange<Instant>? = nil) {
            (self.events, self.times) = (events, times)
        }

        public mutating func add(_ time: Instant) {
            events += 1
            times = times.map { min($0.lowerBound, time)...max($0.upperBound, time) } ?? time...time
        }
    }

    public var position: Position
    public var readings: [UsageReading]
    /// nil where a range was asked for.
    public var newest: Newest?
    /// Whether there are more than the limit, and the rest is left out.
    public var hasMoreReadings: Bool
    /// The largest first, either sign; of the same size by the subject's bytes. At most
    /// ``Limits/previewDifferencesMax``.
    public var differences: [Difference]
    /// How many more there are.
    public var moreDifferences: Int

    /// - Parameters:
    ///   - live: By subject, of the live meter type; empty where there is none.
    ///   - draft: By subject, of the draft.
    /// - Throws: `valueOverflow` where a difference does not fit a quantity.
    public init(
        readings: UsageAnswer,
        live: [UsageReading],
        draft: [UsageReading]
    ) throws(LedgerError) {
        (position, self.readings) = (readings.position, readings.readings)
        hasMoreReadings = readings.hasMore
        var values: [String: (live: Quantity?, draft: Quantity?)] = [:]
        for reading in live {
            values[reading.subject ?? "", default: (nil, nil)].live = reading.value
        }
        for reading in draft {
            values[reading.subject ?? "", default: (nil, nil)].draft = reading.value
        }
        var differences: [Difference] = []
        for (subject, value) in values {
            let (live, draft) = (value.live ?? .zero, value.draft ?? .zero)
            let (mantissa, overflows) = draft.mantissa.subtractingReportingOverflow(live.mantissa)
            if overflows {
                throw LedgerError(.valueOverflow, "the difference of a meter does not fit")
            }
            guard mantissa != 0 else { continue }
            differences.append(
                Difference(
                    subject: subject,
                    live: value.live,
                    draft: value.draft,
                    difference: Quantity(mantissa: mantissa)
                )
            )
        }
        differences.sort { one, other in
            let (left, right) = (one.difference.mantissa, other.difference.mantissa)
            if left.magnitude != right.magnitude { return left.magnitude > right.magnitude }
            return one.subject.utf8.lexicographicallyPrecedes(other.subject.utf8)
        }
        moreDifferences = max(0, differences.count - Limits.previewDifferencesMax)
        self.differences = Array(differences.prefix(Limits.previewDifferencesMax))
    }
}
