/// What to make: a month of an AI-API business, or as much of it as the count allows.
struct WorkloadShape: Sendable {
    /// 2026-11-01T00:00:00Z, in microseconds since 1970.
    static let monthStart = 1_793_491_200_000_000
    static let monthSeconds = 30.0 * 86_400

    var seed: UInt64 = 1
    var count = 1_000_000
    var subjects = 10_000
    /// Events per second of event time; nil spreads the count over the whole month.
    var ratePerSecond: Double?
    /// The share of events that arrive up to 48 hours late.
    var lateShare = 0.02
    /// The share of events that are sent a second time, within 20,000 events of the first.
    var duplicateShare = 0.0
    /// Ids that count up, kind to B-trees, instead of random ones as gateways draw them.
    var hasSequentialIDs = false
    /// The time of the first event; the month's start, but for a later part of a long history.
    var startMicroseconds = monthStart

    var microsecondsPerEvent: Double {
        1e6 / (ratePerSecond ?? (Double(max(count, 1)) / Self.monthSeconds))
    }
}

/// What an exact meter must show after the workload, however it was split or ordered.
struct WorkloadTotals: Sendable, Equatable {
    var requests = 0
    var inputTokens = 0
    var outputTokensByModel = [Int](repeating: 0, count: Inference.models.count)
    var largestRequest = 0

    mutating func count(_ inference: Inference) {
        requests += 1
        inputTokens += Int(inference.inputTokens)
        outputTokensByModel[Int(inference.model)] += Int(inference.outputTokens)
        largestRequest = max(largestRequest, Int(inference.inputTokens))
    }
}

/// Events in memory, in sending order, made before any clock starts.
struct Workload: Sendable {
    let shape: WorkloadShape
    private(set) var events: [Inference] = []

    init(_ shape: WorkloadShape, events: [Inference]) {
        (self.shape, self.events) = (shape, events)
    }

    init(_ shape: WorkloadShape) {
        self.shape = shape
        events.reserveCapacity(shape.count)
        var random = SplitMix64(seed: shape.seed)
        for index in 0..<shape.count {
            if !events.isEmpty, shape.duplicateShare > 0, random.happens(shape.duplicateShare) {
                let distance = 1 + random.below(min(events.count, 20_000))
                events.append(events[events.count - distance])
                continue
            }
            events.append(Self.draw(index, shape, &random))
        }
    }

    private static func draw(
        _ index: Int,
        _ shape: WorkloadShape,
        _ random: inout SplitMix64
    ) -> Inference {
        var time = shape.startMicroseconds + Int(Double(index) * shape.microsecondsPerEvent)
        // Gateways report out of order by seconds, and a few of them after an outage.
        time -= random.below(random.happens(shape.lateShare) ? 172_800_000_000 : 5_000_000)
        let subject = random.below(shape.subjects)
        let high = random.next()
        let low = random.next()
        return Inference(
            idHigh: shape.hasSequentialIDs ? shape.seed : high,
            idLow: shape.hasSequentialIDs ? UInt64(index) : low,
            source: UInt8(random.below(Inference.sources.count)),
            model: UInt8(random.below(Inference.models.count)),
            status: UInt8(random.below(Inference.statuses.count)),
            subject: Int32(subject),
            user: Int32(random.below(20_000)),
            timeMicroseconds: max(time, WorkloadShape.monthStart),
            inputTokens: Int32(1 + random.below(8_000)),
            outputTokens: Int32(1 + random.below(2_000)),
            latencyMilliseconds: Int32(20 + random.below(9_000)),
            storageBytes: 1_000_000 + random.below(9_000_000_000)
        )
    }

    /// What the first `count` events come to, each key counted once.
    func totals(ofFirst count: Int) -> WorkloadTotals {
        var totals = WorkloadTotals()
        var seen: Set<EventID> = []
        for event in events.prefix(count) {
            if shape.duplicateShare > 0 {
                let isFirst = seen.insert(EventID(high: event.idHigh, low: event.idLow)).inserted
                if !isFirst { continue }
            }
            totals.count(event)
        }
        return totals
    }

    private struct EventID: Hashable {
        let high: UInt64
        let low: UInt64
    }

    /// The events as ranges of at most `size`, in sending order.
    func batches(of size: Int) -> [Range<Int>] {
        stride(from: 0, to: events.count, by: size).map { start in
            start..<min(start + size, events.count)
        }
    }
}
