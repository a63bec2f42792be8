import MeteringEngine
import Synchronization
import Testing
import UsageModel

/// The other side of a destination: answers as it is told, and remembers what it got.
final class Receiver: RecordOutlet, OutletSource {
    struct Arrival: Sendable {
        var at: Instant
        var key: String
        var attempt: Int
        var numbers: [Int64]
        var records: [UsageRecord]
        var outcome: DeliveryOutcome

        var isTaken: Bool {
            if case .delivered = outcome { return true }
            return false
        }
    }

    private struct State {
        var arrivals: [Arrival] = []
        var places = 0
        var underWay = 0
        var underWayMax = 0
        var meters: Set<MeterID> = []
        var overlaps: [MeterID] = []
        var outlets = 0
    }

    static let taken = DeliveryOutcome.delivered(status: 200, reference: "")
    static let busy = DeliveryOutcome.retry(status: 503, reason: "busy", after: nil)
    static let refused = DeliveryOutcome.refused(status: 400, reason: "no such customer")

    private let time: VirtualTime
    private let takes: Duration
    private let answer: @Sendable (DeliveryBatch, Int) -> DeliveryOutcome
    private let state = Mutex(State())

    /// - Parameters:
    ///   - takes: How long it thinks.
    ///   - answer: Is told a batch, and how many came before it.
    init(
        _ time: VirtualTime,
        takes: Duration = .zero,
        _ answer: @escaping @Sendable (DeliveryBatch, Int) -> DeliveryOutcome = { _, _ in taken }
    ) {
        (self.time, self.takes, self.answer) = (time, takes, answer)
    }

    /// What came, in the order in which it was answered.
    var arrivals: [Arrival] { state.withLock { $0.arrivals } }
    var numbers: [[Int64]] { arrivals.map(\.numbers) }
    var underWayMax: Int { state.withLock { $0.underWayMax } }
    /// Meters of which two sendings were under way at one time.
    var overlaps: [MeterID] { state.withLock { $0.overlaps } }
    /// How often an outlet was made.
    var outlets: Int { state.withLock { $0.outlets } }

    func outlet(for definition: DestinationDefinition) -> any RecordOutlet {
        state.withLock { $0.outlets += 1 }
        return self
    }

    func send(_ batch: DeliveryBatch) async -> DeliveryOutcome {
        let meters = Set(batch.items.map(\.record.meter))
        let at = time.now
        let place = state.withLock { state in
            state.underWay += 1
            state.underWayMax = max(state.underWayMax, state.underWay)
            state.overlaps += state.meters.intersection(meters)
            state.meters.formUnion(meters)
            state.places += 1
            return state.places - 1
        }
        var outcome = DeliveryOutcome.retry(status: nil, reason: "cut off", after: nil)
        do {
            if takes > .zero { try await time.sleep(takes) }
            outcome = answer(batch, place)
        } catch {}
        let arrival = Arrival(
            at: at,
            key: batch.idempotencyKey,
            attempt: batch.attempt,
            numbers: batch.items.map(\.number),
            records: batch.items.map(\.record),
            outcome: outcome
        )
        state.withLock { state in
            state.underWay -= 1
            state.meters.subtract(meters)
            state.arrivals.append(arrival)
        }
        return outcome
    }
}
