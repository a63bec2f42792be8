internal import Metering
internal import UsageModel

/// When an event comes too late to count: its period closed so long ago that the meter type says
/// so. Told by the event's time and its arrival alone, so that it is the same whenever the log is
/// read again.
struct Lateness: Sendable {
    let calendar: PeriodCalendar
    /// How long after the end of its period an event counts, in microseconds.
    let after: Int64

    /// nil where events count however late they come, or periods never end; or where the machine
    /// lacks the zone.
    init?(_ definition: MeterTypeDefinition, zones: any TimeZoneSource) {
        guard let after = definition.records.countsUntil, !definition.isInCustomersZone,
            definition.resetSchedule != .never,
            let zone = try? zones.rules(named: definition.timezone)
        else { return nil }
        calendar = PeriodCalendar(schedule: definition.resetSchedule, zone: zone)
        self.after = after.microseconds
    }

    /// Events of before this are late where they arrive then.
    func bound(arrival: Instant) -> Instant {
        let (time, overflow) = arrival.microseconds.subtractingReportingOverflow(after)
        guard !overflow else { return .beginning }
        return calendar.boundary(atOrBefore: Instant(microseconds: time)) ?? .beginning
    }
}

/// The bounds of what is late for the programs of some plans, kept for as long as events come with
/// one arrival.
struct LateBounds {
    private struct Place: Hashable {
        var plan: ObjectIdentifier
        var number: Int
    }

    /// Of the event at hand.
    var arrival = Instant.beginning {
        didSet { if arrival != oldValue { bounds.removeAll(keepingCapacity: true) } }
    }
    /// Whether it was asked of any event.
    private(set) var isAsked = false
    private var bounds: [Place: Instant] = [:]

    /// Whether an event comes too late for a program of a plan.
    ///
    /// - Parameter number: The program's place in ``TypePlan/lateness``.
    mutating func isLate(_ time: Instant, _ plan: TypePlan, _ number: Int) -> Bool {
        isAsked = true
        let place = Place(plan: ObjectIdentifier(plan), number: number)
        if let bound = bounds[place] { return time < bound }
        let bound = plan.lateness[number].bound(arrival: arrival)
        bounds[place] = bound
        return time < bound
    }
}
