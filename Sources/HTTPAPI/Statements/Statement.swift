import UsageModel

/// What a customer used in a stretch of time, as its usage records say.
struct Statement {
    var customer: CustomerDefinition
    /// Periods that end after its start and not after its end.
    var stretch: Range<Instant>
    /// No record of the statement knows more than the log up to here.
    var position: Position
    var madeAt: Instant
    /// By the keys of the meter types.
    var sections: [Section]

    /// - Parameter records: Final and adjustment records, in any order.
    init(
        of customer: CustomerDefinition,
        stretch: Range<Instant>,
        records: [UsageRecord],
        position: Position,
        madeAt: Instant
    ) {
        (self.customer, self.stretch) = (customer, stretch)
        (self.position, self.madeAt) = (position, madeAt)
        let byType = Dictionary(grouping: records, by: \.meter.meterType)
        sections = byType.sorted { $0.key.text < $1.key.text }.map(Section.init)
    }

    /// A meter type, with the periods of its meters.
    struct Section {
        var meterType: MeterTypeKey
        /// As the newest of the records has it; empty where nothing was said.
        var name: String
        var category: String
        /// nil where the records have several.
        var unit: String?
        /// By subject, then by time.
        var lines: [Line]
        var sum: Sum
        /// Of all lines, as known now. Wide enough for any.
        var events: Int128

        init(_ meterType: MeterTypeKey, _ records: [UsageRecord]) {
            let newest = records.max { $0.sequence < $1.sequence }?.labels
            self.meterType = meterType
            name = newest?.name ?? ""
            category = newest?.category ?? ""
            let units = Set(records.map(\.labels.unit))
            unit = units.count == 1 ? units.first : nil
            lines = Dictionary(grouping: records) { Line.Place($0) }
                .sorted { $0.key < $1.key }.map { Line(records: $0.value) }
            sum = unit == nil ? .severalUnits : Sum(of: records)
            events = lines.reduce(0) { $0 + Int128($1.last.events) }
        }
    }

    /// What the amounts of a meter type add up to.
    enum Sum: Equatable {
        case amount(Quantity)
        /// Nothing: they are not of one unit.
        case severalUnits
        /// More than a quantity holds.
        case overflow

        init(of records: [UsageRecord]) {
            var sum = Quantity.zero
            do throws(QuantityOverflow) {
                for record in records { sum = try sum.adding(try record.amount()) }
                self = .amount(sum)
            } catch {
                self = .overflow
            }
        }
    }

    /// One period of one meter.
    struct Line {
        /// Where it stands among the others.
        fileprivate struct Place: Hashable, Comparable {
            var subject: String
            var start: Instant

            init(_ record: UsageRecord) {
                (subject, start) = (record.meter.subject, record.period.lowerBound)
            }

            static func < (one: Self, other: Self) -> Bool {
                (one.subject, one.start) < (other.subject, other.start)
            }
        }

        /// The record of the close; nil where another customer got it.
        var close: UsageRecord?
        /// By their revisions.
        var adjustments: [UsageRecord]
        /// What is known now.
        var last: UsageRecord

        /// - Parameter records: Of one meter and period, at least one.
        fileprivate init(records: [UsageRecord]) {
            let records = records.sorted { $0.revision < $1.revision }
            close = records.first { $0.kind == .final }
            adjustments = records.filter { $0.kind == .adjustment }
            last = records[records.count - 1]
        }
    }
}
