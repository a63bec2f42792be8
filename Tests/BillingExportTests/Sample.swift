import BillingExport
import MeteringEngine
import Synchronization
import Testing
import UsageModel

/// Records and batches for tests.
enum Sample {
    /// 2026-12-01T00:00:30.25Z
    static let now = Instant(microseconds: 1_796_083_230_250_000)

    /// A record of November 2026 of which all is known.
    static func record(
        _ sequence: Int64 = 1,
        meter: String = "kwh~house-7",
        delta: String = "12.5",
        kind: UsageRecord.Kind = .final
    ) throws -> UsageRecord {
        let meter = try #require(MeterID(meter))
        let start = try #require(Instant(rfc3339: "2026-11-01T00:00:00Z"))
        let end = try #require(Instant(rfc3339: "2026-12-01T00:00:00Z"))
        var record = UsageRecord(
            sequence: sequence,
            id: UsageRecordID(meter: meter, start: start, revision: Int(sequence)),
            kind: kind,
            cause: .periodEnd,
            meter: meter,
            version: 2,
            period: start..<end,
            zone: "UTC",
            revision: 0,
            value: try Quantity(delta),
            delta: try Quantity(delta),
            events: 48,
            eventsDelta: 48,
            position: Position(1_021),
            createdAt: now
        )
        record.customer = CustomerKey("acme")
        record.previous = record.id
        (record.localStart, record.localEnd) = (
            "2026-11-01T00:00:00+00:00", "2026-12-01T00:00:00+00:00"
        )
        record.dimensions = [
            .init(
                dimensions: [.init(name: "tariff", value: "peak")],
                value: try Quantity("3"),
                events: 12
            )
        ]
        record.hasMoreDimensions = true
        label(&record)
        record.labels.capacity = try Quantity("100")
        return record
    }

    private static func label(_ record: inout UsageRecord) {
        record.labels.name = "Energy, \"green\""
        record.labels.unit = "kWh"
        record.labels.category = "power"
        record.labels.externalRef = "plan_1"
        record.labels.metadata = [
            .init(name: "a.b", value: "dotted"), .init(name: "team", value: "R&D / 7"),
        ]
        record.labels.meterCategory = "home"
        record.labels.meterExternalRef = "m-7"
        record.labels.meterMetadata = [.init(name: "floor", value: "3")]
        record.labels.customerName = "Acme"
        record.labels.customerExternalRef = "cus_1"
    }

    static func batch(
        _ records: [UsageRecord],
        first: Int64 = 17,
        isTest: Bool = false
    ) throws -> DeliveryBatch {
        DeliveryBatch(
            destination: try #require(DestinationKey("billing")),
            items: records.enumerated().map { index, record in
                .init(number: first + Int64(index), record: record)
            },
            sentAt: now,
            isTest: isTest
        )
    }

    static func batch(count: Int = 1, isTest: Bool = false) throws -> DeliveryBatch {
        try batch((0..<count).map { try record(Int64($0) + 1) }, isTest: isTest)
    }
}

/// What somebody sends, and how.
struct Outlets {
    var rules: OutletRules
    var batchSize = 1
    var timeout = "10s"
    var clock: @Sendable () -> Instant = { Sample.now }
    var out: @Sendable ([UInt8]) throws -> Void = { _ in }

    init(_ rules: OutletRules) { self.rules = rules }

    /// Makes the outlet, works with it, and closes the connections.
    func use<Value>(_ work: (any RecordOutlet) async throws -> Value) async throws -> Value {
        let maker = OutletMaker(clock: clock, out: out)
        do {
            let key = try #require(DestinationKey("billing"))
            var definition = DestinationDefinition(key: key, outlet: rules)
            definition.sending.batchSize = batchSize
            definition.sending.timeout = try #require(TimeLength(timeout))
            let value = try await work(try maker.outlet(for: definition))
            try await maker.shutdown()
            return value
        } catch {
            try await maker.shutdown()
            throw error
        }
    }

    func send(_ batch: DeliveryBatch) async throws -> DeliveryOutcome {
        try await use { await $0.send(batch) }
    }

    /// The fault that keeps it from being made.
    func fault() async throws -> FieldFault? {
        do {
            _ = try await use { _ in }
            return nil
        } catch let fault as FieldFault {
            return fault
        }
    }
}

extension DeliveryOutcome {
    var reason: String {
        switch self {
        case .delivered: ""
        case .retry(_, let reason, _), .refused(_, let reason): reason
        }
    }

    var isDelivered: Bool { if case .delivered = self { true } else { false } }
    var isRetried: Bool { if case .retry = self { true } else { false } }
    var isRefused: Bool { if case .refused = self { true } else { false } }
}
