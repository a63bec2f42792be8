import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel

@testable import MeteringEngine

@Suite("The courier of records") struct CourierTests {
    @Test(
        "each further try waits twice as long, to a bound, less a random part of up to a half",
        arguments: [
            (2, 0, 1_000_000), (3, 0, 2_000_000), (4, 0, 4_000_000), (5, 0, 8_000_000),
            (6, 0, 10_000_000), (7, 0, 10_000_000), (100, 0, 10_000_000),
            (2, 499_999, 500_001), (2, 500_000, 1_000_000), (2, .max, 1_000_000 - 51_615),
            (5, 3_999_999, 4_000_001), (5, 4_000_000, 8_000_000), (7, 1, 9_999_999),
        ] as [(Int, UInt64, Int64)]
    )
    func waits(_ number: Int, _ random: UInt64, _ microseconds: Int64) {
        var rules = SendingRules()
        rules.retryDelay = .second
        rules.retryDelayMax = .tenSeconds
        #expect(rules.wait(beforeTry: number, random: random) == microseconds)
    }

    @Test("all that is owed arrives once, each meter's in order, and is written down")
    func delivered() throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time)
        try world.time.run {
            try await world.put { $0.sendsEarlier = true }
            try await world.keep("a", "b", "a", "c", "a", "b")
            try await world.serve(world.courier(receiver))
            let deliveries = try await world.deliveries(.delivered)
            #expect(deliveries.map(\.number) == Array(1...6))
            #expect(deliveries.allSatisfy { $0.status == 200 && $0.attempts == 1 })
            #expect(Set(receiver.arrivals.map(\.key)) == Set(deliveries.map(\.record.id.text)))
        }
        #expect(receiver.arrivals.count == 6)
        #expect(receiver.arrivals.allSatisfy { $0.attempt == 1 })
        let ofA = receiver.arrivals.filter { $0.records[0].meter.subject == "a" }
        #expect(ofA.map(\.numbers) == [[1], [3], [5]])
    }

    @Test("a meter's second record waits for its first, and nobody else does")
    func order() throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time) { batch, _ in
            batch.items[0].number == 1 && batch.attempt < 4 ? Receiver.busy : Receiver.taken
        }
        try world.time.run {
            try await world.put()
            try await world.keep("a", "b", "a", "b", "a")
            try await world.serve(world.courier(receiver))
        }
        let taken = receiver.arrivals.filter(\.isTaken).map(\.numbers)
        #expect(taken == [[2], [4], [1], [3], [5]])
        #expect(receiver.overlaps == [])
    }

    @Test("what was not taken is tried again later and later, under the same key")
    func retries() throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time) { _, place in
            place < 4 ? Receiver.busy : Receiver.taken
        }
        let start = world.time.now
        try world.time.run {
            try await world.put()
            try await world.keep("a")
            try await world.serve(world.courier(receiver))
            let delivery = try #require(try await world.deliveries().first)
            #expect((delivery.attempts, delivery.state) == (5, .delivered))
        }
        let waits = receiver.arrivals.map { $0.at.microseconds - start.microseconds }
        let due: [Int64] = [0, 1_000_000, 3_000_000, 7_000_000, 15_000_000]
        // Each look may come a tick late, and delays those after it.
        for (place, (wait, due)) in zip(waits, due).enumerated() {
            let late = RecordCourier.tick.inMicroseconds * Int64(place + 1)
            #expect((due...(due + late)).contains(wait))
        }
        #expect(receiver.arrivals.map(\.attempt) == [1, 2, 3, 4, 5])
        #expect(Set(receiver.arrivals.map(\.key)).count == 1)
    }

    @Test(
        "who is asked to come back later does, and never sooner than by its own rules",
        arguments: [(30, 30), (1, 8), (0, 8), (-5, 8)]
    )
    func retryAfter(_ asked: Int, _ seconds: Int64) throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time) { batch, _ in
            batch.attempt > 1
                ? Receiver.taken : .retry(status: 429, reason: "too many", after: asked)
        }
        let start = world.time.now
        try world.time.run {
            try await world.put { $0.sending.retryDelay = TimeLength("8s")! }
            try await world.keep("a")
            try await world.serve(world.courier(receiver))
        }
        let wait = try #require(receiver.arrivals.last).at.microseconds - start.microseconds
        let due = seconds * 1_000_000
        #expect((due...(due + 2 * RecordCourier.tick.inMicroseconds)).contains(wait))
    }

    @Test("what is tried too often is given up, what is refused at once, and the next goes on")
    func givenUp() throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time) { batch, _ in
            switch batch.items[0].number {
            case 1: Receiver.busy
            case 2: Receiver.refused
            default: Receiver.taken
            }
        }
        try world.time.run {
            try await world.put { $0.sending.attemptsMax = 3 }
            try await world.keep("a", "b", "a", "b")
            try await world.serve(world.courier(receiver))
            let deliveries = try await world.deliveries()
            #expect(deliveries.map(\.state) == [.failed, .failed, .delivered, .delivered])
            #expect(deliveries.map(\.attempts) == [3, 1, 1, 1])
            #expect(deliveries.map(\.status) == [503, 400, 200, 200])
            #expect(deliveries.map(\.answer) == ["busy", "no such customer", "", ""])
        }
    }

    @Test("what was given up and is sent again arrives under the key it had")
    func resent() throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time) { _, place in
            place < 2 ? Receiver.refused : Receiver.taken
        }
        try world.time.run {
            try await world.put { $0.sending.batchSize = 2 }
            try await world.keep("a", "b", "c", "d")
            try await world.serve(world.courier(receiver))
            let what = DeliverySelection(destination: DeliveryWorld.key, what: .numbers(2...2))
            let again = try await world.ledger.resend(what, now: world.time.now)
            #expect(again == 2)
            try await world.serve(world.courier(receiver))
            #expect(try await world.deliveries(.failed).map(\.number) == [3, 4])
        }
        #expect(receiver.numbers == [[1, 2], [3, 4], [1, 2]])
        #expect(receiver.arrivals.map(\.key) == ["billing-1-2", "billing-3-4", "billing-1-2"])
        #expect(receiver.arrivals.map(\.attempt) == [1, 1, 1])
    }

    @Test("one batch goes after the other, in their order, whatever the concurrency")
    func batches() throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time, takes: .seconds(1)) { batch, _ in
            batch.items[0].number == 3 && batch.attempt < 3 ? Receiver.busy : Receiver.taken
        }
        try world.time.run {
            try await world.put { definition in
                definition.sending.batchSize = 2
                definition.sending.batchDelay = .hour
                definition.sending.concurrency = 4
            }
            try await world.keep("a", "b", "c", "d", "e", "f", "g")
            try await world.serve(world.courier(receiver))
        }
        #expect(receiver.numbers == [[1, 2], [3, 4], [3, 4], [3, 4], [5, 6], [7]])
        #expect(receiver.underWayMax == 1)
        let last = try #require(receiver.arrivals.last)
        #expect(last.at.microseconds - last.records[0].createdAt.microseconds >= 3_600_000_000)
    }

    @Test("no more are under way than may be, and as many as may")
    func concurrency() throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time, takes: .seconds(1))
        let start = world.time.now
        try world.time.run {
            try await world.put { $0.sending.concurrency = 3 }
            try await world.keep((1...20).map { "m\($0)" })
            try await world.serve(world.courier(receiver))
        }
        #expect(receiver.underWayMax == 3)
        let last = try #require(receiver.arrivals.last).at.microseconds - start.microseconds
        #expect((6_000_000...6_500_000).contains(last))
    }

    @Test("a destination that is made meanwhile is served, and one that is refused keeps no other")
    func several() throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time)
        try world.time.run {
            try await world.put()
            try await world.serve(world.courier(receiver)) {
                try await world.keep("a")
                try await world.settled()
                let other = DestinationKey("archive")!
                var definition = DestinationDefinition(key: other, outlet: .stdout)
                definition.sendsEarlier = true
                _ = try await world.ledger.put(definition)
                try await world.arrived(2, at: receiver)
            }
        }
        #expect(receiver.numbers == [[1], [1]])
    }

    @Test("an outlet is made once for as long as the definition stands")
    func outlets() throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time)
        try world.time.run {
            try await world.put()
            try await world.serve(world.courier(receiver)) {
                for name in ["a", "b", "c"] {
                    try await world.keep(name)
                    try await world.settled()
                    try await world.time.sleep(.seconds(5))
                }
                #expect(receiver.outlets == 1)
                try await world.put { $0.name = "Billing" }
                try await world.keep("d")
                try await world.settled()
            }
        }
        #expect(receiver.outlets == 2)
    }

    @Test("a try sends a record that is none, and writes nothing down")
    func tried() throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time) { batch, _ in
            batch.isTest ? Receiver.refused : Receiver.taken
        }
        try world.time.run {
            let destination = try await world.put()
            let outcome = try await world.courier(receiver).test(destination.definition)
            #expect(outcome == Receiver.refused)
            #expect(try await world.deliveries().isEmpty)
        }
        let arrival = try #require(receiver.arrivals.first)
        #expect(arrival.numbers == [0])
        #expect(arrival.records[0].delta == .zero)
    }
}
