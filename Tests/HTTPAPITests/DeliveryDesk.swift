import Foundation
import HTTPAPI
import HTTPTypes
import Logging
import MeteringEngine
import SQLiteLedger
import Synchronization
import Testing
import UsageModel
import WireFormat

/// An edge with a ledger's destinations behind it, and outlets that answer as told.
final class DeliveryDesk: Sendable {
    /// Takes what it is sent, but for addresses that hold a word.
    private struct Outlet: RecordOutlet, OutletSource {
        var url = ""

        func outlet(for definition: DestinationDefinition) throws -> any RecordOutlet {
            guard case .webhook(let rules) = definition.outlet else { return self }
            if rules.url.contains("nowhere") {
                throw FieldFault(pointer: "/url", reason: "it is nowhere", remedy: "move")
            }
            return Outlet(url: rules.url)
        }

        func send(_ batch: DeliveryBatch) async -> DeliveryOutcome {
            guard batch.isTest else { return .refused(status: nil, reason: "no test") }
            if url.contains("busy") { return .retry(status: 503, reason: "busy", after: 9) }
            if url.contains("closed") { return .refused(status: nil, reason: "closed") }
            return .delivered(status: 200, reference: "r-1")
        }
    }

    static let secret = "whsec_" + String(repeating: "TWFu", count: 8)

    let ledger: SQLiteLedger
    let edge: Edge
    private let directory: String

    init() throws {
        directory =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("odometer-test-\(UUID().uuidString)").path
        ledger = try SQLiteLedger(
            SQLiteLedger.Opening(
                directory: directory,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                clock: { Edge.now },
                entropy: Array(repeating: 7, count: 32)
            )
        )
        let courier = RecordCourier(
            store: ledger,
            outlets: Outlet(),
            clock: { Edge.now },
            random: { 0 },
            sleep: { _ in }
        )
        let keeper = RecordKeeper(
            ledger: ledger,
            store: ledger,
            zones: SystemTimeZones(),
            clock: { Edge.now }
        )
        let keeping = RecordKeeping(
            store: ledger,
            keeper: keeper,
            deliveries: ledger,
            courier: courier,
            audit: ledger
        )
        edge = Edge(over: ledger, keeping: keeping)
    }

    deinit {
        try? ledger.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Puts a webhook; further members go first.
    func put(
        _ key: String,
        _ members: String = "",
        url: String = "https://example.com/usage",
        secret: String = DeliveryDesk.secret
    ) async throws -> Edge.Reply {
        let webhook = #""webhook":{"url":"\#(url)","secrets":["\#(secret)"]}"#
        return try await put(key, body: "{\(members)\(webhook)}")
    }

    func put(_ key: String, body: String) async throws -> Edge.Reply {
        try await edge.ask(
            .put,
            "/v1/destinations/" + key,
            Array(body.utf8),
            [.contentType: "application/json"]
        )
    }

    func get(_ path: String) async throws -> Edge.Reply { try await edge.get("/v1/" + path) }

    func post(_ path: String, _ body: String = "") async throws -> Edge.Reply {
        try await edge.post("/v1/" + path, body)
    }

    func delete(_ key: String) async throws -> Edge.Reply {
        try await edge.ask(.delete, "/v1/destinations/" + key)
    }

    /// Makes records of some meters, a kilowatt-hour and a half each, and writes them down for
    /// `billing`, which must be there.
    func owe(_ subjects: String...) async throws {
        var commit = RecordCommit()
        for (number, subject) in subjects.enumerated() {
            let meter = try #require(MeterID("kwh~" + subject))
            let start = Instant(microseconds: Edge.now.microseconds + Int64(number) * 3_600_000_000)
            let end = Instant(microseconds: start.microseconds + 3_600_000_000)
            var record = UsageRecord(
                sequence: 0,
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
                createdAt: Edge.now
            )
            (record.localStart, record.localEnd) = (start.rfc3339, end.rfc3339)
            commit.records.append(record)
        }
        try await ledger.keep(commit)
        let key = try #require(DestinationKey("billing"))
        while try await ledger.enqueue(key, now: Edge.now) {}
    }

    func settle(_ number: Int64, as state: Delivery.State, status: Int) async throws {
        let result = DeliveryResult(
            numbers: [number],
            state: state,
            attempts: 1,
            at: Edge.now,
            status: status,
            answer: "said so"
        )
        try await ledger.settle([result], of: try #require(DestinationKey("billing")))
    }
}
