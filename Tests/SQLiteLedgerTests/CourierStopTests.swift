import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel

@testable import MeteringEngine

@Suite("A courier that is held up, hurried or stopped") struct CourierStopTests {
    private static let tick = RecordCourier.tick

    @Test("a pause holds within a tick and what is under way, and what waited goes on after it")
    func paused() throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time, takes: .milliseconds(100))
        try world.time.run {
            try await world.put { $0.sending.concurrency = 2 }
            try await world.keep((1...60).map { "m\($0)" })
            try await world.serve(world.courier(receiver)) {
                try await world.arrived(4, at: receiver)
                try await world.put { $0.isPaused = true }
                try await world.time.sleep(Self.tick + .milliseconds(100))
                let stopped = receiver.arrivals.count
                try await world.time.sleep(.seconds(3_600))
                #expect(receiver.arrivals.count == stopped)
                #expect(stopped <= 4 + 2 * 4)
                #expect(try await world.deliveries(.delivered).count == stopped)

                try await world.put { $0.isPaused = false }
                try await world.settled()
            }
        }
        #expect(receiver.arrivals.count == 60)
        #expect(Set(receiver.arrivals.map(\.key)).count == 60)
    }

    @Test("a destination that is retired gets nothing more")
    func retired() throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time, takes: .milliseconds(100))
        try world.time.run {
            try await world.put { $0.sending.concurrency = 1 }
            try await world.keep((1...60).map { "m\($0)" })
            try await world.serve(world.courier(receiver)) {
                try await world.arrived(3, at: receiver)
                _ = try await world.ledger.retire(destination: DeliveryWorld.key)
                try await world.time.sleep(Self.tick + .milliseconds(100))
                let stopped = receiver.arrivals.count
                try await world.keep("late")
                try await world.time.sleep(.seconds(3_600))
                #expect((stopped, receiver.arrivals.count) == (receiver.arrivals.count, stopped))
                #expect(stopped <= 3 + 4)
                let standing = try await world.ledger.standing(of: DeliveryWorld.key)
                #expect(standing.pending == 60 - Int64(stopped))
            }
        }
    }

    @Test(
        "a pace is kept evenly, and reached, however long each sending takes",
        arguments: [(1, 12, 0), (1, 12, 2_500), (10, 200, 0), (10, 200, 70), (100, 500, 35)]
    )
    func pace(_ rate: Int, _ count: Int, _ milliseconds: Int) throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time, takes: .milliseconds(milliseconds))
        try world.time.run {
            try await world.put { $0.sending.ratePerSecond = rate }
            try await world.keep((1...count).map { "m\($0)" })
            try await world.serve(world.courier(receiver))
        }
        let times = receiver.arrivals.map(\.at.microseconds).sorted()
        let gap = Int64(1_000_000 / rate)
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= gap })
        #expect(times[count - 1] - times[0] == gap * Int64(count - 1))
    }

    @Test("a pace is kept from one stretch of sending to the next")
    func trickle() throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time)
        try world.time.run {
            try await world.put { $0.sending.ratePerSecond = 1 }
            try await world.serve(world.courier(receiver)) {
                for number in 1...10 {
                    try await world.keep("m\(number)")
                    try await world.time.sleep(.milliseconds(300))
                }
                try await world.settled()
            }
        }
        let times = receiver.arrivals.map(\.at.microseconds)
        #expect(times.count == 10)
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= 1_000_000 })
    }

    @Test("a clock that is set back holds up nobody who keeps a pace")
    func setBack() throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time)
        try world.time.run {
            try await world.put { $0.sending.ratePerSecond = 1 }
            try await world.keep("a", "b", "c")
            try await world.serve(world.courier(receiver)) {
                try await world.arrived(1, at: receiver)
                world.turn(by: .seconds(-3_600))
                let back = world.time.now
                try await world.arrived(3, at: receiver)
                #expect(world.time.now.microseconds - back.microseconds < 5_000_000)
            }
        }
    }

    @Test("what becomes of sendings is written down though others take long")
    func writtenDown() throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time, takes: .seconds(10))
        try world.time.run {
            try await world.put { $0.sending.concurrency = 1 }
            try await world.keep((1...20).map { "m\($0)" })
            try await world.serve(world.courier(receiver)) {
                try await world.arrived(5, at: receiver)
                try await world.time.sleep(.seconds(1))
                #expect(try await world.deliveries(.delivered).map(\.number) == Array(1...5))
            }
        }
    }

    @Test("an earlier record that is sent again waits for a later one that is under way")
    func earlierAgain() throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time, takes: .seconds(5))
        try world.time.run {
            try await world.put()
            try await world.keep("a", "a", "b")
            try await world.serve(world.courier(receiver)) {
                try await world.arrived(2, at: receiver)
                try await world.time.sleep(.seconds(1))
                let first = DeliverySelection(destination: DeliveryWorld.key, what: .numbers(1...1))
                #expect(try await world.ledger.resend(first, now: world.time.now) == 1)
                try await world.settled()
            }
        }
        #expect(receiver.numbers.filter { $0 != [3] } == [[1], [2], [1]])
        #expect(receiver.overlaps == [])
    }

    @Test(
        "who is stopped stops at once, and what it cut off is no try",
        arguments: [nil, 1] as [Int?]
    )
    func stopped(_ rate: Int?) throws {
        let world = try DeliveryWorld()
        let receiver = Receiver(world.time, takes: .seconds(10))
        try world.time.run {
            try await world.put { definition in
                definition.sending.attemptsMax = 1
                definition.sending.concurrency = 2
                definition.sending.ratePerSecond = rate
            }
            try await world.keep((1...40).map { "m\($0)" })
            try await world.serve(world.courier(receiver)) {
                try await world.arrived(2, at: receiver)
                try await world.time.sleep(.seconds(5))
            }
            let at = world.time.now
            #expect(try await world.deliveries(.failed).isEmpty)
            #expect(try await world.deliveries(.delivered).count == 2)
            #expect(receiver.arrivals.count == 4)

            try await world.serve(world.courier(receiver))
            #expect(world.time.now > at)
            #expect(try await world.deliveries(.delivered).count == 40)
        }
        let taken = receiver.arrivals.filter(\.isTaken)
        #expect((taken.count, Set(taken.map(\.key)).count) == (40, 40))
    }
}
