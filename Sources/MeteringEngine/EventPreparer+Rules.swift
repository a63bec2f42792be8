internal import Expressions
public import UsageModel
public import WireFormat

extension EventPreparer {
    /// Asks the rules of the catalog about a batch that comes from outside, and notes what they
    /// find. What they found before, under another catalog, is forgotten.
    ///
    /// - Parameter seenAt: For items of the quarantine, when each event first came: an event does
    ///   not become too old by waiting there. Empty where all came with the batch.
    /// - Complexity: where no rule is in force nothing is done per event.
    public func judged(_ batch: PreparedBatch, seenAt: [Instant] = []) -> PreparedBatch {
        var batch = batch
        batch.judgedUnder = catalog.generation
        batch.seenAt = seenAt
        guard let rules = catalog.rules else {
            batch.findings = []
            return batch
        }
        batch.findings = rules.findings(
            in: batch.events.map(\.decoded),
            of: batch.bytes,
            arrivals: seenAt.isEmpty ? [batch.arrival] : seenAt
        )
        return batch
    }
}

extension RuleBook {
    /// What the rules find in events, in the order of the events.
    ///
    /// - Parameter arrivals: Of each event, or the one of all.
    /// - Complexity: one pass over each event's data that a rule looks at, and what schemas and
    ///   expressions cost.
    public func findings(
        in events: [DecodedEvent],
        of bytes: [UInt8],
        arrivals: [Instant]
    ) -> [RuleFinding] {
        var (findings, scratch) = ([RuleFinding](), ExpressionScratch())
        var last: (type: [UInt8], plan: RulePlan?)?
        let plans = events.map { event -> RulePlan? in
            let type = bytes[event.type.range]
            if let last, type.elementsEqual(last.type) { return last.plan }
            let plan = plan(for: Array(type))
            last = (Array(type), plan)
            return plan
        }
        // An expression may ask for the time, which is the arrival where none is stated.
        let asksArrival = zip(plans, events).contains { plan, event in
            (plan?.timeSlot ?? -1) >= 0 && !event.hasTime
        }
        let texts = asksArrival ? ArrivalTexts(behind: bytes, arrivals) : nil
        unsafe (texts?.bytes ?? bytes).withUnsafeBytes { raw in
            for (place, event) in events.enumerated() {
                guard let plan = plans[place] else { continue }
                let arrival = arrivals[arrivals.count == 1 ? 0 : place]
                unsafe withUnsafeTemporaryAllocation(
                    of: PathValue.self,
                    capacity: Swift.max(plan.paths.count, 1)
                ) { slots in
                    unsafe plan.paths.extract(event, bytes: raw, into: slots)
                    if plan.timeSlot >= 0, !event.hasTime, let texts {
                        unsafe slots[plan.timeSlot] = texts[place]
                    }
                    let one = RulePlan.Event(decoded: event, arrival: arrival)
                    unsafe plan.judge(one, at: place, slots, raw, &scratch, &findings)
                }
            }
        }
        return findings
    }
}
