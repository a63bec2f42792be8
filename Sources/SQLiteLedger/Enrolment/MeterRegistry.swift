internal import Metering
internal import UsageModel

/// What is known of when meters count: of each meter that somebody spoke of, its dates and
/// standing.
///
/// A value in memory of what the table `meter_change` says; notes and reasons stay in the table.
/// Changes are numbered densely from 1, each with the position of the last event before it, so that
/// what was known at any position, or by any number, can be asked.
struct MeterRegistry: Sendable {
    /// One row of `meter_change`, as far as it decides what counts.
    struct Change: Sendable {
        /// What a change says. The raw values are stored: append only.
        enum Kind: String, Sendable {
            case enrolled, altered
            case active, suspended, closed

            init(_ standing: MeterStanding) {
                self =
                    switch standing {
                    case .active: .active
                    case .suspended: .suspended
                    case .closed: .closed
                    }
            }

            var standing: MeterStanding? {
                switch self {
                case .enrolled, .altered: nil
                case .active: .active
                case .suspended: .suspended
                case .closed: .closed
                }
            }
        }

        var number: Int64
        var kind: Kind
        var from: Instant
        var to: Instant
    }

    private struct Record: Sendable {
        var changes: [Change]
        /// By all changes.
        var spans: TimeSpans
        /// Whether by some of its changes it did not count for some time.
        var wasRestricted = false
    }

    private var records = ShardedTable<MeterID, Record>()
    /// The position of each change, in the order of numbers.
    private var positions: [UInt64] = []
    /// Of each meter type, how many meters ever did not count for some time.
    private var restricted: [MeterTypeKey: Int] = [:]

    /// The number of the last change; 0 where there is none.
    var last: Int64 { Int64(positions.count) }
    /// How many meters were spoken of.
    var count: Int { records.count }

    /// The last change that was known when the log ended at a position.
    func number(asOf position: UInt64) -> Int64 {
        var (low, high) = (0, positions.count)
        while low < high {
            let middle = (low + high) / 2
            if positions[middle] <= position { low = middle + 1 } else { high = middle }
        }
        return Int64(low)
    }

    /// Where the log ended when a change was made.
    func position(of number: Int64) -> UInt64 { number < 1 ? 0 : positions[Int(number) - 1] }

    mutating func add(_ change: Change, of id: MeterID, position: UInt64) {
        precondition(change.number == last + 1, "changes are numbered without gaps")
        positions.append(position)
        var wasRestricted = false
        var isRestricted = false
        records.update(id, default: Record(changes: [], spans: .always)) { record in
            wasRestricted = record.wasRestricted
            record.changes.append(change)
            record.spans = Self.spans(of: record.changes[...])
            record.wasRestricted = wasRestricted || record.spans != .always
            isRestricted = record.wasRestricted
        }
        if !wasRestricted, isRestricted { restricted[id.meterType, default: 0] += 1 }
    }

    private static func spans(of changes: ArraySlice<Change>) -> TimeSpans {
        if changes.allSatisfy({ $0.from == .beginning && $0.to == .end && $0.kind.standing == nil })
        {
            // Shared: most meters are like that.
            return .always
        }
        return timeline(of: changes).spans
    }

    private static func timeline(of changes: ArraySlice<Change>) -> MeterTimeline {
        var timeline = MeterTimeline()
        for change in changes {
            if let standing = change.kind.standing {
                timeline.say(standing, from: change.from, to: change.to)
            } else {
                timeline.setDates(start: change.from, end: change.to)
            }
        }
        return timeline
    }

    /// Whether every event of the type counts, now and as far as was ever known.
    func isUnrestricted(_ definition: MeterTypeDefinition) -> Bool {
        definition.enrolment == .auto && restricted[definition.key] == nil
    }

    /// When a meter counts, as known by the changes up to a number; nil where none speaks of it.
    func spans(of id: MeterID, by number: Int64 = .max) -> TimeSpans? {
        guard let record = records[id], let first = record.changes.first, first.number <= number
        else { return nil }
        if let last = record.changes.last, last.number <= number { return record.spans }
        return Self.spans(of: record.changes.prefix { $0.number <= number })
    }

    func changes(of id: MeterID) -> [Change] { records[id]?.changes ?? [] }

    /// Whether a change up to a number speaks of a meter.
    func isKnown(_ id: MeterID, by number: Int64 = .max) -> Bool {
        records[id]?.changes.first.map { $0.number <= number } ?? false
    }

    func isEnrolled(_ id: MeterID) -> Bool {
        records[id]?.changes.contains { $0.kind == .enrolled } ?? false
    }

    /// - Parameter number: By the changes up to it.
    func standing(
        of id: MeterID,
        at instant: Instant,
        by number: Int64 = .max
    ) -> MeterStanding? {
        guard isKnown(id, by: number), let record = records[id] else { return nil }
        let changes = record.changes.prefix { $0.number <= number }
        return Self.timeline(of: changes).standing(at: instant)
    }

    /// The meters of a type, each with when it counts by the changes up to a number.
    func visit(_ key: MeterTypeKey, by number: Int64, _ body: (MeterID, TimeSpans) -> Void) {
        records.visit { id, _ in
            guard id.meterType == key, let spans = spans(of: id, by: number) else { return }
            body(id, spans)
        }
    }

    /// The subjects that changes up to a number speak of.
    func visitSubjects(by number: Int64 = .max, _ body: (String) -> Void) {
        records.visit { id, record in
            if record.changes.first.map({ $0.number <= number }) ?? false { body(id.subject) }
        }
    }
}
