import MeteringEngine
import SQLiteLedger
import Synchronization
import Testing
import UsageModel

/// A ledger with records that nobody had to use anything for, and a courier that serves its
/// destinations in virtual time.
final class DeliveryWorld: Sendable {
    static let key = DestinationKey("billing")!
    private static let hour = TimeUnit.hour.microseconds
    /// 2026-01-01T00:00:00Z.
    private static let base: Int64 = 1_767_225_600_000_000

    let fixture = LedgerFixture()
    let time: VirtualTime
    let ledger: SQLiteLedger
    private let made = Mutex<Int64>(0)

    init(seed: UInt64? = nil) throws {
        time = VirtualTime(fixture, seed: seed)
        ledger = try fixture.open()
    }

    deinit { try? ledger.close() }

    func turn(by length: Duration) {
        fixture.time.withLock {
            $0 = Instant(microseconds: $0.microseconds + length.inMicroseconds)
        }
    }

    /// Makes a record of each meter, and of each a period of its own.
    @discardableResult
    func keep(
        _ meters: String...,
        change: (inout UsageRecord) -> Void = { _ in }
    ) async throws -> [UsageRecord] {
        try await keep(meters, change: change)
    }

    @discardableResult
    func keep(
        _ meters: [String],
        change: (inout UsageRecord) -> Void = { _ in }
    ) async throws -> [UsageRecord] {
        var commit = RecordCommit()
        for name in meters {
            let meter = try #require(MeterID("kwh~" + name))
            let number = made.withLock { made in
                made += 1
                return made
            }
            var record = try record(meter, number)
            change(&record)
            commit.records.append(record)
        }
        try await ledger.keep(commit)
        return commit.records
    }

    private func record(_ meter: MeterID, _ number: Int64) throws -> UsageRecord {
        let start = Instant(microseconds: Self.base + number * Self.hour)
        let end = Instant(microseconds: start.microseconds + Self.hour)
        var record = UsageRecord(
            sequence: number,
            id: UsageRecordID(meter: meter, start: start, revision: 0),
            kind: .final,
            cause: .periodEnd,
            meter: meter,
            version: 1,
            period: start..<end,
            zone: "UTC",
            revision: 0,
            value: try Quantity("1.5"),
            delta: try Quantity("1.5"),
            events: 1,
            eventsDelta: 1,
            position: Position(1),
            createdAt: time.now
        )
        (record.localStart, record.localEnd) = (start.rfc3339, end.rfc3339)
        return record
    }

    /// Makes the destination, or changes it.
    @discardableResult
    func put(
        _ change: (inout DestinationDefinition) -> Void = { _ in }
    ) async throws -> Destination {
        var definition = DestinationDefinition(key: Self.key, outlet: .stdout)
        if let known = try await ledger.destination(Self.key) { definition = known.definition }
        change(&definition)
        return try await ledger.put(definition)
    }

    /// Writes down all that is owed now.
    func enqueue() async throws {
        while try await ledger.enqueue(Self.key, now: time.now) {}
    }

    /// The numbers that are due now, batch by batch.
    func due() async throws -> [[Int64]] {
        try await ledger.due(Self.key, now: time.now, limit: 1_000).map { $0.items.map(\.number) }
    }

    /// What all tries are said to have sent.
    static let sent = SentRequest(
        at: Instant(microseconds: 1_796_083_230_250_000),
        milliseconds: 12,
        method: "POST",
        address: "https://example.com/usage?key=[secret]",
        headers: [MetadataMember(name: "webhook-id", value: "ur_1")],
        bodyBytes: 3,
        bodyDigest: String(repeating: "ab", count: 32),
        status: 503,
        answer: "busy"
    )

    func settle(
        _ numbers: Int64...,
        as state: Delivery.State,
        next: Instant? = nil
    ) async throws {
        var result = DeliveryResult(
            numbers: numbers,
            state: state,
            attempts: 1,
            at: time.now,
            nextAttemptAt: next
        )
        (result.requests, result.requestCount) = ([Self.sent], 2)
        try await ledger.settle([result], of: Self.key)
    }

    func deliveries(_ states: Delivery.State...) async throws -> [Delivery] {
        var query = DeliveryQuery(destination: Self.key, limit: 100_000)
        query.states = states
        return try await ledger.deliveries(query).deliveries
    }

    func courier(
        _ outlets: any OutletSource,
        store: (any DeliveryStore)? = nil,
        random: UInt64 = 0
    ) -> RecordCourier {
        RecordCourier(
            store: store ?? ledger,
            outlets: outlets,
            clock: { [time] in time.now },
            random: { random },
            sleep: { [time] in try await time.sleep($0) }
        )
    }

    /// Lets a courier serve while something else happens, and stops it then.
    func serve(_ courier: RecordCourier, during body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await courier.run() }
            try await body()
            group.cancelAll()
        }
    }

    /// Lets a courier serve until nothing is left to send.
    func serve(_ courier: RecordCourier) async throws {
        try await serve(courier) { try await settled() }
    }

    /// Waits until nothing is left to send.
    func settled() async throws {
        while true {
            let standing = try await ledger.standing(of: Self.key)
            if standing.pending + standing.waiting == 0 { return }
            try await time.sleep(.milliseconds(100))
        }
    }

    /// Waits for so much to have come.
    func arrived(_ count: Int, at receiver: Receiver) async throws {
        while receiver.arrivals.count < count { try await time.sleep(.milliseconds(1)) }
    }
}
