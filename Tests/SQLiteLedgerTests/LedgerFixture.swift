import Foundation
import Logging
import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Synchronization
import Testing
import UsageModel
import WireFormat

/// A ledger in a directory of its own, with a clock that tests turn.
final class LedgerFixture: Sendable {
    let directory: String
    let time = Mutex(Instant(microseconds: 1_793_600_000_000_000))

    init() {
        directory =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("odometer-test-\(UUID().uuidString)").path
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func open() throws -> SQLiteLedger {
        try SQLiteLedger(
            SQLiteLedger.Opening(
                directory: directory,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                clock: { [self] in time.withLock { $0 } },
                entropy: Array(repeating: 7, count: 32)
            )
        )
    }

    func turn(to instant: Instant) { time.withLock { $0 = instant } }

    func keeper(
        _ ledger: SQLiteLedger,
        zones: any TimeZoneSource = SystemTimeZones.shared
    ) -> RecordKeeper {
        RecordKeeper(
            ledger: ledger,
            store: ledger,
            zones: zones,
            clock: { [self] in time.withLock { $0 } }
        )
    }

    func verified() throws -> LedgerVerification.Report {
        var verification = LedgerVerification(directory: directory)
        return try verification.run()
    }
}

extension SQLiteLedger {
    func allRecords() async throws -> [UsageRecord] {
        try await records(RecordQuery(limit: 1_000_000)).records
    }

    /// Records events as one call of NDJSON.
    @discardableResult
    func record(_ events: [SampleEvent], isAtomic: Bool = false) async throws -> BatchOutcome {
        try await record(lines: events.map(\.json), isAtomic: isAtomic)
    }

    /// Sends events to a backfill set.
    @discardableResult
    func record(_ events: [SampleEvent], into set: Int64) async throws -> BatchOutcome {
        let bytes = Array(events.map(\.json).joined(separator: "\n").utf8)
        let decoded = try decodeEvents(bytes, framing: .ndjson)
        let arrival = Instant(microseconds: 1_793_600_000_000_000)
        let batch = preparer.prepare(decoded, arrival: arrival)
        return try await record(batch, into: set, isAtomic: false)
    }

    @discardableResult
    func record(lines: [String], isAtomic: Bool = false) async throws -> BatchOutcome {
        let bytes = Array(lines.joined(separator: "\n").utf8)
        let decoded = try decodeEvents(bytes, framing: .ndjson)
        let arrival = Instant(microseconds: 1_793_600_000_000_000)
        return try await record(preparer.prepare(decoded, arrival: arrival), isAtomic: isAtomic)
    }

    /// Waits until the history is counted for all meter types.
    func finishBackfills() async throws {
        while try await meterTypes().contains(where: { !$0.isBackfilled }) {
            await Task.yield()
        }
    }
}

extension MeterTypeDefinition {
    /// A meter type over ``SampleEvent``.
    static func sample(
        _ aggregation: Aggregation,
        key: String? = nil,
        types: [String] = ["llm.*"],
        byModel: Bool = false
    ) -> MeterTypeDefinition {
        let path: EventPath? =
            switch aggregation {
            case .count: nil
            case .unique: try? EventPath("$.data.users")
            case .uniquePairs: try? EventPath("$.data.model")
            default: try? EventPath("$.data.amount")
            }
        let model = (try? EventPath("$.data.model")).map { Dimension(name: "model", path: $0) }
        var definition = MeterTypeDefinition(
            key: MeterTypeKey(key ?? "m-\(aggregation.rawValue)") ?? .fallback,
            name: aggregation.rawValue,
            eventTypes: types.compactMap(EventTypePattern.init),
            aggregation: aggregation,
            value: path,
            dimensions: byModel ? [model].compactMap(\.self) : []
        )
        if aggregation.takesPair { definition.secondValue = ValueRule("$.source") }
        if aggregation == .timeWeighted { definition.timeUnit = .hour }
        if aggregation == .percentile {
            let percent = Quantity(mantissa: 90_000_000_000_000_000_000)
            definition.percentile = Percentile(percent: percent, method: .linear)
        }
        return definition
    }
}

extension MeterTypeKey {
    static let fallback = MeterTypeKey("fallback")!
}

extension UsageReading {
    /// Windows without an event have a row where something is carried into them.
    var isSomething: Bool { events > 0 || (value ?? .zero) != .zero }
}
