internal import Metering
internal import MeteringEngine
internal import UsageModel
internal import WireFormat

/// Says of an event whether some meter type counts it, where that depends on enrolments.
///
/// There is none while every event of every meter type counts: then nothing is asked of any event.
struct CountGate: Sendable {
    private let registry: MeterRegistry
    /// The meter types of which some events may not count, by their numbers.
    private let gated: [UInt32: (key: MeterTypeKey, rule: EnrolmentRule)]

    /// - Returns: nil where there is nothing to decide.
    init?(_ meterTypes: some Sequence<MeterType>, _ registry: MeterRegistry) {
        var gated: [UInt32: (key: MeterTypeKey, rule: EnrolmentRule)] = [:]
        for meterType in meterTypes where !registry.isUnrestricted(meterType.definition) {
            gated[meterType.number] = (meterType.key, meterType.definition.enrolment)
        }
        guard !gated.isEmpty else { return nil }
        (self.registry, self.gated) = (registry, gated)
    }

    /// The batch without the contributions to meters that do not count at the event's time. What
    /// could not be read stays.
    ///
    /// - Parameter known: By which changes, for the event at a place.
    func settled(_ batch: PreparedBatch, known: (Int) -> Int64) -> PreparedBatch {
        var settled = batch
        settled.contributions.removeAll(keepingCapacity: true)
        for place in batch.events.indices {
            let event = batch.events[place]
            let first = Int(event.firstContribution)
            settled.events[place].firstContribution = UInt32(settled.contributions.count)
            settled.events[place].isCounted = false
            var subject: String?
            for one in batch.contributions[first..<(first + Int(event.contributionCount))] {
                if one.unreadable == nil {
                    guard counts(one.meter, event, of: batch, &subject, by: known(place)) else {
                        continue
                    }
                    settled.events[place].isCounted = true
                }
                settled.contributions.append(one)
            }
            settled.events[place].contributionCount =
                UInt32(settled.contributions.count) - settled.events[place].firstContribution
        }
        return settled
    }

    private func counts(
        _ meter: UInt32,
        _ event: PreparedEvent,
        of batch: PreparedBatch,
        _ subject: inout String?,
        by number: Int64
    ) -> Bool {
        guard let (key, rule) = gated[meter] else { return true }
        let text =
            subject ?? String(decoding: batch.bytes[event.decoded.subject.range], as: UTF8.self)
        subject = text
        guard let id = MeterID(meterType: key, subject: text) else { return false }
        return registry.spans(of: id, by: number)?.contains(event.time) ?? (rule == .auto)
    }
}
