import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel

@Suite("What is said of deliveries, and done about them") struct DeliveryBookTests {
    private static func resend(
        _ what: DeliverySelection.What,
        _ world: DeliveryWorld
    ) async throws -> Int {
        let selection = DeliverySelection(destination: DeliveryWorld.key, what: what)
        return try await world.ledger.resend(selection, now: world.time.now)
    }

    /// Twelve deliveries of which 1 to 3 were taken, 4 to 6 and 9 given up, and the rest wait.
    private static func world(batchSize: Int) async throws -> DeliveryWorld {
        let world = try DeliveryWorld()
        try await world.put { $0.sending.batchSize = batchSize }
        try await world.keep((1...12).map { "m\($0)" })
        try await world.enqueue()
        try await world.settle(1, 2, 3, as: .delivered)
        try await world.settle(4, 5, 6, as: .failed)
        if batchSize == 1 { try await world.settle(9, as: .failed) }
        world.turn(by: .seconds(3))
        return world
    }

    @Test("what was given up is sent again by its state, as if it were never tried")
    func resentFailed() async throws {
        let world = try await Self.world(batchSize: 1)
        let again = try await Self.resend(.failed, world)
        let none = try await Self.resend(.failed, world)

        let pending = try await world.deliveries(.pending)
        #expect((again, none) == (4, 0))
        #expect(pending.map(\.number) == Array(4...12))
        #expect(pending.allSatisfy { $0.attempts == 0 })
        #expect(pending.first?.nextAttemptAt == world.time.now)
    }

    @Test("numbers are sent again whatever became of them, but not what waits already")
    func resentNumbers() async throws {
        let world = try await Self.world(batchSize: 1)
        let again = try await Self.resend(.numbers(3...8), world)

        #expect(again == 4)
        #expect(try await world.deliveries(.delivered).map(\.number) == [1, 2])
        #expect(try await world.deliveries(.failed).map(\.number) == [9])
        #expect(try await world.deliveries(.pending).allSatisfy { $0.deliveredAt == nil })
    }

    @Test("records are sent again by their ids; those that are unknown or not owed count nothing")
    func resentRecords() async throws {
        let world = try await Self.world(batchSize: 1)
        let ids = try await world.deliveries().map(\.record.id)
        let meter = try #require(MeterID("kwh~none"))
        let unknown = UsageRecordID(meter: meter, start: world.time.now, revision: 0)
        let again = try await Self.resend(.records([ids[1], ids[8], ids[9], unknown]), world)

        #expect(again == 2)
        #expect(try await world.deliveries(.delivered).map(\.number) == [1, 3])
        #expect(try await world.deliveries(.failed).map(\.number) == [4, 5, 6])
    }

    @Test("what was sent together goes again together")
    func resentBatches() async throws {
        let world = try await Self.world(batchSize: 3)
        let id = try await world.deliveries()[1].record.id
        let byRecord = try await Self.resend(.records([id]), world)
        let byNumber = try await Self.resend(.numbers(6...7), world)

        #expect((byRecord, byNumber) == (3, 3))
        #expect(try await world.due() == [[1, 2, 3]])
        #expect(try await world.deliveries(.pending).count == 12)
    }

    @Test("nothing is sent again to a destination that is retired")
    func resentToNobody() async throws {
        let world = try await Self.world(batchSize: 1)
        _ = try await world.ledger.retire(destination: DeliveryWorld.key)

        await #expect(throws: LedgerError.self) { try await Self.resend(.failed, world) }
        await #expect(throws: LedgerError.self) { try await world.put { $0.name = "again" } }
        #expect(try await world.deliveries(.failed).count == 4)
    }

    @Test("a destination tells how it stands")
    func standing() async throws {
        let world = try await Self.world(batchSize: 1)
        let oldest = try await world.deliveries(.pending)[0].record.createdAt
        try await world.keep("x", "y")
        let standing = try await world.ledger.standing(of: DeliveryWorld.key)

        #expect((standing.pending, standing.delivered, standing.failed) == (5, 3, 4))
        #expect((standing.waiting, standing.missing) == (2, 0))
        #expect(standing.oldestPendingAt == oldest)
        #expect(oldest < world.time.now)
    }

    @Test("the books add up, by meter type and period")
    func books() async throws {
        let world = try DeliveryWorld()
        try await world.put()
        let period = try await world.keep("a")[0].period
        let gas = MeterTypeKey("gas")!
        for (subject, amount) in [("b", "2"), ("c", "-0.5"), ("d", "10")] {
            let delta = try Quantity(amount)
            try await world.keep("x") { record in
                record.meter = MeterID(meterType: gas, subject: subject)!
                (record.period, record.value, record.delta) = (period, delta, delta)
            }
        }
        let late = try await world.keep("a")[0].period
        try await world.enqueue()
        try await world.settle(1, 3, as: .delivered)
        try await world.settle(2, as: .failed)
        try await world.settle(4, as: .pending)

        var query = DeliveryQuery(destination: DeliveryWorld.key, limit: 1)
        let books = try await world.ledger.books(of: query)
        #expect(books.map(\.meterType.text) == ["gas", "kwh", "kwh"])
        #expect(books.map(\.period) == [period, period, late])
        func sides(_ book: DeliveryBook) -> [String] {
            [book.made, book.sent, book.acknowledged, book.failed, book.pending].map { side in
                "\(side.records): \(side.amount?.description ?? "?")"
            }
        }
        #expect(sides(books[0]) == ["3: 11.5", "3: 11.5", "1: -0.5", "1: 2", "1: 10"])
        #expect(sides(books[1]) == ["1: 1.5", "1: 1.5", "1: 1.5", "0: 0", "0: 0"])
        #expect(sides(books[2]) == ["1: 1.5", "0: 0", "0: 0", "0: 0", "1: 1.5"])

        query.meterTypes = [try #require(MeterTypeKey("kwh"))]
        query.from = period.upperBound
        #expect(try await world.ledger.books(of: query).map(\.period) == [late])
        query.from = nil
        query.to = period.upperBound
        #expect(try await world.ledger.books(of: query).map(\.period) == [period])
    }

    @Test("deliveries are listed page by page, and by what they are of")
    func listed() async throws {
        let world = try await Self.world(batchSize: 1)
        var query = DeliveryQuery(destination: DeliveryWorld.key, limit: 5)
        let first = try await world.ledger.deliveries(query)
        query.after = 10
        let last = try await world.ledger.deliveries(query)
        (query.after, query.before, query.isDescending) = (0, 8, true)
        let newest = try await world.ledger.deliveries(query)
        (query.before, query.isDescending) = (.max, false)
        query.subjects = ["m4", "m7"]
        let named = try await world.ledger.deliveries(query)
        query.states = [.failed]
        let failed = try await world.ledger.deliveries(query)

        #expect((first.deliveries.map(\.number), first.hasMore) == ([1, 2, 3, 4, 5], true))
        #expect((last.deliveries.map(\.number), last.hasMore) == ([11, 12], false))
        #expect((newest.deliveries.map(\.number), newest.hasMore) == ([7, 6, 5, 4, 3], true))
        #expect(named.deliveries.map(\.number) == [4, 7])
        #expect(failed.deliveries.map(\.number) == [4])
        query.destination = try #require(DestinationKey("nobody"))
        await #expect(throws: LedgerError.self) { try await world.ledger.deliveries(query) }
    }

    @Test("how each try went is kept, the newest of many, and what the newest of those sent")
    func tries() async throws {
        let world = try await Self.world(batchSize: 1)
        let fresh = try await world.ledger.deliveries(
            DeliveryQuery(destination: DeliveryWorld.key, limit: 100)
        ).deliveries.filter { $0.state == .pending }.map(\.number)
        let (one, other) = (try #require(fresh.first), try #require(fresh.dropFirst().first))
        try await world.settle(one, as: .pending)
        try await world.settle(one, as: .delivered)
        // Told again after a crash: it went once.
        try await world.settle(one, as: .delivered)
        try await world.settle(other, as: .delivered)
        let slow = try await world.ledger.attempts(of: DeliveryWorld.key, batch: one)
        let quick = try await world.ledger.attempts(of: DeliveryWorld.key, batch: other)

        #expect(slow.map(\.state) == [.delivered, .pending])
        #expect(quick.map(\.state) == [.delivered])
        #expect(slow.flatMap(\.requests) == [DeliveryWorld.sent, DeliveryWorld.sent])
        #expect(quick.map(\.requestCount) == [2])
        let last = try #require(fresh.dropFirst(2).first)
        for _ in 0..<(Limits.deliveryAttemptsKeptMax + 3) {
            try await world.settle(last, as: .pending)
        }
        let many = try await world.ledger.attempts(of: DeliveryWorld.key, batch: last)
        #expect(many.count == Limits.deliveryAttemptsKeptMax)
        let told = many.map { !$0.requests.isEmpty }
        #expect(told == many.indices.map { $0 < Limits.deliveryTriesToldMax })
    }

    @Test("destinations and their deliveries outlive the ledger's closing, secrets too")
    func reopened() async throws {
        let world = try DeliveryWorld()
        let secret = "whsec_" + String(repeating: "TWFu", count: 8)
        let destination = try await world.put { definition in
            definition.name = "Billing"
            let headers = [MetadataMember(name: "X-Api-Key", value: "hush")]
            definition.outlet = .webhook(
                WebhookRules(url: "https://example.com/usage", secrets: [secret], headers: headers)
            )
            definition.filter.kinds = [.final]
            definition.sending.batchSize = 2
            definition.sending.ratePerSecond = 9
            definition.isPaused = true
        }
        try await world.keep("a", "b", "c")
        try await world.enqueue()
        try await world.settle(1, 2, as: .delivered)
        let deliveries = try await world.deliveries()
        try world.ledger.close()

        let ledger = try world.fixture.open()
        let query = DeliveryQuery(destination: DeliveryWorld.key, limit: 9)
        #expect(try await ledger.destinations() == [destination])
        #expect(try await ledger.deliveries(query).deliveries == deliveries)
        #expect(deliveries.map(\.state) == [.delivered, .delivered, .pending])
        try ledger.close()
    }

    @Test("a change counts a revision, and the same again counts none")
    func revisions() async throws {
        let world = try DeliveryWorld()
        let first = try await world.put()
        world.turn(by: .seconds(1))
        let same = try await world.put()
        let second = try await world.put { $0.isPaused = true }
        let retired = try await world.ledger.retire(destination: DeliveryWorld.key)
        world.turn(by: .seconds(1))
        let again = try await world.ledger.retire(destination: DeliveryWorld.key)

        #expect(first == same)
        #expect((first.revision, second.revision) == (1, 2))
        #expect(second.createdAt == first.createdAt && second.changedAt > first.changedAt)
        #expect(retired.retiredAt != nil && again == retired)
        #expect(try await world.ledger.destinations() == [retired])
    }
}
