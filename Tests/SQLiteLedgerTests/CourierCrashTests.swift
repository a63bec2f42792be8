import MeteringTestKit
import SQLiteLedger
import Synchronization
import Testing
import UsageModel

@testable import MeteringEngine

@Suite("A courier that is killed") struct CourierCrashTests {
    @Test(
        "what was sent and not written down goes again under the same key, in the same batch",
        arguments: [1, 3],
        [1, 2, 3]
    )
    func again(_ size: Int, _ sizeAfter: Int) throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time)
        try world.time.run {
            try await world.put { $0.sending.batchSize = size }
            try await world.keep("a", "b", "c", "d", "e", "f")
            let destination = try await world.put()
            let killed = world.courier(receiver, store: FaultyStore(world.ledger) { .before })
            await #expect(throws: LedgerError.self) {
                try await killed.deliver(destination, to: receiver)
            }
            let before = receiver.arrivals
            #expect(!before.isEmpty)
            #expect(try await world.deliveries(.pending).count == 6)

            try await world.put { $0.sending.batchSize = sizeAfter }
            try await world.serve(world.courier(receiver))
            let after = receiver.arrivals.dropFirst(before.count)
            for arrival in before {
                let same = try #require(after.first { $0.key == arrival.key })
                #expect(same.numbers == arrival.numbers && same.records == arrival.records)
            }
            #expect(after.flatMap(\.numbers).sorted() == Array(1...6))
        }
    }

    /// What the receiver holds, and how it is drawn what it answers.
    private final class Draw: Sendable {
        private struct State {
            var generator: SeededGenerator
            var held: [String: [UsageRecord]] = [:]
            var isKind = false
        }

        private let state: Mutex<State>

        init(seed: UInt64) { state = Mutex(State(generator: SeededGenerator(seed: seed))) }

        var held: [UsageRecord] { state.withLock { $0.held.values.flatMap(\.self) } }

        /// From now on all is taken, and nothing breaks.
        func beKind() { state.withLock { $0.isKind = true } }

        func number(_ range: ClosedRange<Int>) -> Int {
            state.withLock { Int.random(in: range, using: &$0.generator) }
        }

        func answer(_ batch: DeliveryBatch) -> DeliveryOutcome {
            let drawn = number(1...10)
            return state.withLock { state in
                if state.isKind || drawn <= 7 {
                    // The key makes one of all that bear it.
                    state.held[batch.idempotencyKey] = batch.items.map(\.record)
                }
                if state.isKind || drawn <= 6 { return Receiver.taken }
                // At 7 it has it, and nobody heard so.
                if drawn <= 9 { return .retry(status: nil, reason: "", after: drawn - 7) }
                return Receiver.refused
            }
        }

        func fault() -> FaultyStore.Fault? {
            let drawn = number(1...8)
            guard !state.withLock({ $0.isKind }), drawn <= 2 else { return nil }
            return drawn == 1 ? .before : .after
        }
    }

    /// Goal: whatever breaks and whoever intervenes, each record ends at the receiver once.
    /// Method: seeded outcomes, faults of the store before and after the effect, couriers that are
    /// dropped, pauses, other batch sizes and resends, the steps of all tasks shuffled. At the end
    /// everything works. The receiver makes one of what bears the same key.
    @Test(
        "each record arrives once by its key, each meter's in order",
        arguments: 1...40 as ClosedRange<UInt64>
    )
    func anything(_ seed: UInt64) throws {
        let world = try DeliveryWorld(seed: seed)
        let draw = Draw(seed: seed)
        let receiver = Receiver(world.time, takes: .milliseconds(40)) { batch, _ in
            draw.answer(batch)
        }
        try world.time.run {
            try await world.put { definition in
                definition.sending.batchSize = draw.number(0...1) * draw.number(0...4) + 1
                definition.sending.concurrency = draw.number(1...5)
                definition.sending.attemptsMax = 3
                definition.sending.retryDelayMax = TimeLength("4s")!
                if draw.number(1...4) == 1 { definition.sending.ratePerSecond = 20 }
            }
            let store = FaultyStore(world.ledger) { draw.fault() }
            for _ in 1...15 {
                try await world.keep((1...draw.number(1...9)).map { _ in "m\(draw.number(1...4))" })
                try await Self.intervene(draw, world)
                try await world.serve(world.courier(receiver, store: store)) {
                    try await world.time.sleep(.milliseconds(draw.number(0...3_000)))
                }
            }
            draw.beKind()
            try await world.put { $0.isPaused = false }
            let failed = DeliverySelection(destination: DeliveryWorld.key, what: .failed)
            _ = try await world.ledger.resend(failed, now: world.time.now)
            try await world.serve(world.courier(receiver, store: store))
            try await Self.judge(receiver, draw, world)
        }
    }

    private static func intervene(_ draw: Draw, _ world: DeliveryWorld) async throws {
        func resend(_ what: DeliverySelection.What) async throws {
            let selection = DeliverySelection(destination: DeliveryWorld.key, what: what)
            _ = try await world.ledger.resend(selection, now: world.time.now)
        }
        switch draw.number(1...8) {
        case 1: try await world.put { $0.isPaused = true }
        case 2, 3: try await world.put { $0.isPaused = false }
        case 4: try await resend(.failed)
        case 5:
            let first = Int64(draw.number(1...30))
            try await resend(.numbers(first...(first + 4)))
        case 6: try await world.put { $0.sending.batchSize = draw.number(1...3) }
        default: break
        }
    }

    private static func judge(
        _ receiver: Receiver,
        _ draw: Draw,
        _ world: DeliveryWorld
    ) async throws {
        let records = try await world.ledger.records(RecordQuery(limit: 100_000)).records
        let deliveries = try await world.deliveries(.delivered)
        #expect(deliveries.map(\.record) == records)
        #expect(draw.held.sorted { $0.sequence < $1.sequence } == records)
        #expect(receiver.overlaps == [])

        var numbers: [String: [Int64]] = [:]
        var seen: Set<Int64> = []
        var last: [MeterID: Int64] = [:]
        for arrival in receiver.arrivals {
            #expect(numbers[arrival.key, default: arrival.numbers] == arrival.numbers)
            numbers[arrival.key] = arrival.numbers
            for (number, record) in zip(arrival.numbers, arrival.records)
            where seen.insert(number).inserted {
                #expect(last[record.meter, default: 0] < number)
                last[record.meter] = number
            }
        }
        let query = DeliveryQuery(destination: DeliveryWorld.key, limit: 1)
        let books = try await world.ledger.books(of: query)
        let (made, taken) = (books.map(\.made.records), books.map(\.acknowledged.records))
        #expect(made == taken && made.reduce(0, +) == Int64(records.count))
        #expect(try await world.ledger.standing(of: DeliveryWorld.key).missing == 0)
    }
}
