import MeteringEngine
import SQLiteLedger
import Testing
import UsageModel

@Suite("Deliveries in the ledger") struct DeliveryTests {
    @Test("records become deliveries in their order, densely numbered")
    func numbered() async throws {
        let world = try DeliveryWorld()
        try await world.put()
        let first = try await world.keep("a", "b", "a")
        try await world.enqueue()
        let more = try await world.keep("c", "b")
        try await world.enqueue()
        try await world.enqueue()

        let deliveries = try await world.deliveries()
        #expect(deliveries.map(\.number) == [1, 2, 3, 4, 5])
        #expect(deliveries.map(\.batch) == [1, 2, 3, 4, 5])
        #expect(deliveries.map(\.record.id) == (first + more).map(\.id))
        #expect(deliveries.allSatisfy { $0.state == .pending && $0.attempts == 0 })
        #expect(deliveries.allSatisfy { $0.nextAttemptAt == world.time.now })
    }

    @Test(
        "a destination is owed what its filter takes, in numbers without a gap",
        arguments: [
            (["kwh"], [], [], [], ["a"]),
            ([], ["energy"], [], [], ["b"]),
            ([], [], ["acme"], [], ["c"]),
            (["kwh"], ["energy"], [], [], []),
            ([], [], [], [.interim], ["d"]),
            ([], [], [], [.final], ["a", "b", "c"]),
            ([], [], [], [], ["a", "b", "c", "d"]),
        ] as [([String], [String], [String], [UsageRecord.Kind], [String])]
    )
    func filtered(
        _ meterTypes: [String],
        _ categories: [String],
        _ customers: [String],
        _ kinds: [UsageRecord.Kind],
        _ taken: [String]
    ) async throws {
        let world = try DeliveryWorld()
        try await world.put { definition in
            definition.filter.meterTypes = meterTypes.compactMap { MeterTypeKey($0) }
            definition.filter.categories = categories
            definition.filter.customers = customers.compactMap { CustomerKey($0) }
            if taken.contains("d") || !kinds.isEmpty { definition.filter.kinds = kinds }
        }
        let gas = MeterTypeKey("gas")!
        try await world.keep("a")
        try await world.keep("b") { record in
            record.meter = MeterID(meterType: gas, subject: "b")!
            record.labels.category = "energy"
        }
        try await world.keep("c") { record in
            record.meter = MeterID(meterType: gas, subject: "c")!
            record.customer = CustomerKey("acme")
        }
        try await world.keep("d") { record in
            record.meter = MeterID(meterType: gas, subject: "d")!
            (record.kind, record.cause, record.delta) = (.interim, .onDemand, .zero)
        }
        try await world.enqueue()

        let deliveries = try await world.deliveries()
        #expect(deliveries.map(\.record.meter.subject) == taken)
        #expect(deliveries.map(\.number) == taken.indices.map { Int64($0) + 1 })
        #expect(try await world.ledger.standing(of: DeliveryWorld.key).waiting == 0)
    }

    @Test("what changes nothing, and what another record tells, is owed to nobody")
    func silent() async throws {
        let world = try DeliveryWorld()
        try await world.put()
        let final = try await world.keep("a")[0]
        func adjust(_ revision: Int, _ delta: String, toldIn: UsageRecordID? = nil) async throws {
            let delta = try Quantity(delta)
            try await world.keep("a") { record in
                (record.kind, record.cause, record.period) = (.adjustment, .late, final.period)
                (record.revision, record.previous) = (revision, final.id)
                (record.delta, record.toldIn) = (delta, toldIn)
            }
        }
        try await adjust(1, "0")
        try await adjust(2, "-0.25")
        try await adjust(3, "7", toldIn: final.id)
        try await world.keep("zero") { record in (record.value, record.delta) = (.zero, .zero) }
        try await world.enqueue()

        let deliveries = try await world.deliveries()
        #expect(deliveries.map(\.number) == [1, 2, 3])
        #expect(deliveries.map(\.record.revision) == [0, 2, 0])
        #expect(deliveries.map(\.record.meter.subject) == ["a", "a", "zero"])
    }

    @Test(
        "a destination begins with what comes after it, or with the first record",
        arguments: [(false, ["c"]), (true, ["a", "b", "c"])]
    )
    func begin(_ sendsEarlier: Bool, _ subjects: [String]) async throws {
        let world = try DeliveryWorld()
        try await world.keep("a", "b")
        try await world.put { $0.sendsEarlier = sendsEarlier }
        try await world.enqueue()
        try await world.keep("c")
        try await world.enqueue()

        let deliveries = try await world.deliveries()
        #expect(deliveries.map(\.record.meter.subject) == subjects)
    }

    @Test("full batches go at once, and the rest waits for more or for its time")
    func batches() async throws {
        let world = try DeliveryWorld()
        try await world.put { definition in
            definition.sending.batchSize = 3
            definition.sending.batchDelay = TimeLength("60s")!
        }
        try await world.keep("a", "b", "c", "d", "e", "f", "g")
        try await world.enqueue()
        #expect(try await world.deliveries().map(\.batch) == [1, 1, 1, 4, 4, 4])

        world.turn(by: .microseconds(59_999_999))
        try await world.enqueue()
        #expect(try await world.deliveries().count == 6)
        #expect(try await world.ledger.standing(of: DeliveryWorld.key).waiting == 1)

        world.turn(by: .microseconds(1))
        try await world.enqueue()
        #expect(try await world.deliveries().map(\.batch) == [1, 1, 1, 4, 4, 4, 7])

        try await world.keep("h", "i", "j", "k")
        try await world.enqueue()
        let deliveries = try await world.deliveries()
        #expect(deliveries.map(\.batch) == [1, 1, 1, 4, 4, 4, 7, 8, 8, 8])
        #expect(deliveries.map(\.number) == Array(1...10))
    }

    @Test("batches stay whole where more is new than is looked at together")
    func many() async throws {
        let world = try DeliveryWorld()
        try await world.put { definition in
            definition.sending.batchSize = 7
            definition.sending.batchDelay = TimeLength("1h")!
        }
        try await world.keep((1...2_500).map { "m\($0 % 9)" })
        try await world.enqueue()

        let deliveries = try await world.deliveries()
        #expect(deliveries.map(\.number) == Array(1...2_499))
        #expect(deliveries.allSatisfy { $0.batch == ($0.number - 1) / 7 * 7 + 1 })
    }

    @Test("of each meter only the first pending record is due")
    func perMeter() async throws {
        let world = try DeliveryWorld()
        try await world.put()
        try await world.keep("a", "b", "a", "b", "a")
        try await world.enqueue()
        #expect(try await world.due() == [[1], [2]])

        let later = Instant(microseconds: world.time.now.microseconds + 5_000_000)
        try await world.settle(1, as: .pending, next: later)
        try await world.settle(2, as: .delivered)
        #expect(try await world.due() == [[4]])

        world.turn(by: .seconds(5))
        #expect(Set(try await world.due()) == [[1], [4]])
        try await world.settle(1, as: .failed)
        #expect(Set(try await world.due()) == [[3], [4]])
    }

    @Test("a batch is due whole, and only when those before it are done")
    func dueBatch() async throws {
        let world = try DeliveryWorld()
        try await world.put { $0.sending.batchSize = 2 }
        try await world.keep("a", "b", "c", "d", "e")
        try await world.enqueue()
        #expect(try await world.due() == [[1, 2]])

        let later = Instant(microseconds: world.time.now.microseconds + 1)
        try await world.settle(1, 2, as: .pending, next: later)
        #expect(try await world.due() == [])
        world.turn(by: .microseconds(1))
        #expect(try await world.due() == [[1, 2]])
        try await world.settle(1, 2, as: .delivered)
        #expect(try await world.due() == [[3, 4]])
        try await world.settle(3, 4, as: .failed)
        #expect(try await world.due() == [[5]])
    }

    @Test("a batch stays one when the rules change, for it may have been sent")
    func changedSize() async throws {
        let world = try DeliveryWorld()
        try await world.put { $0.sending.batchSize = 3 }
        try await world.keep("a", "b", "c", "d", "e", "f")
        try await world.enqueue()
        try await world.put { $0.sending.batchSize = 1 }
        try await world.keep("g", "a", "h")
        try await world.enqueue()

        #expect(try await world.due() == [[1, 2, 3]])
        try await world.settle(1, 2, 3, as: .delivered)
        #expect(try await world.due() == [[4, 5, 6]])
        try await world.settle(4, 5, 6, as: .failed)
        #expect(try await world.due() == [[7], [8], [9]])
        _ = try await world.ledger.resend(
            DeliverySelection(destination: DeliveryWorld.key, what: .failed),
            now: world.time.now
        )
        #expect(try await world.due() == [[4, 5, 6]])
    }
}
