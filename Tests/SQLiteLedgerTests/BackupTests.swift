import Foundation
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel

@Suite("Backup and restore") struct BackupTests {
    private let fixture = LedgerFixture()
    private let copy = LedgerFixture()

    private func total(_ ledger: SQLiteLedger, asOf: Position) async throws -> [UsageReading] {
        let key = try #require(MeterTypeKey("copied"))
        let range = Instant(microseconds: 0)..<Instant(microseconds: 4_000_000_000_000_000)
        return try await ledger.readings(
            UsageQuery(meterTypes: [key], range: range, asOf: asOf)
        ).readings
    }

    private func define(_ ledger: SQLiteLedger) async throws {
        let pattern = try #require(EventTypePattern("*"))
        let key = try #require(MeterTypeKey("copied"))
        _ = try await ledger.create(
            MeterTypeDefinition(
                key: key,
                name: "Copied",
                eventTypes: [pattern],
                aggregation: .count
            )
        )
    }

    /// Goal: a copy is the log as of one position. Method: copies are made while calls come in;
    /// each must read like the ledger as of the copy's position, and verify clean.
    @Test("a copy made while calls come in is the log as of its position")
    func underLoad() async throws {
        let ledger = try fixture.open()
        try await define(ledger)
        var generator = SeededGenerator(seed: 41)
        try await ledger.record((0..<200).map { .random(id: "first-\($0)", from: &generator) })
        let batches = (0..<40).map { batch in
            (0..<50).map { SampleEvent.random(id: "e\(batch)-\($0)", from: &generator) }
        }
        async let recording: Void = {
            for batch in batches { try await ledger.record(batch) }
        }()
        let summary = try LedgerBackup(from: fixture.directory, to: copy.directory).run()
        try await recording

        #expect(summary.position >= 200)
        let restored = try copy.open()
        let position = Position(summary.position)
        #expect(try await restored.status().position == position)
        #expect(try await total(restored, asOf: position) == total(ledger, asOf: position))
        #expect(try await restored.record(batches[0]).position.value >= summary.position)
        try restored.close()
        try ledger.close()
        #expect(try copy.verified().findings == [])
    }

    @Test("a directory that holds a ledger is never written over, and one without has no copy")
    func refused() async throws {
        let ledger = try fixture.open()
        try ledger.close()
        let other = try copy.open()
        try other.close()

        #expect(throws: LedgerError.self) {
            try LedgerBackup(from: fixture.directory, to: copy.directory).run()
        }
        #expect(throws: LedgerError.self) {
            try LedgerBackup(from: copy.directory + "/none", to: copy.directory + "/next").run()
        }
    }
}
