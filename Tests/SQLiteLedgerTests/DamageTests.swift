import Foundation
import GRDB
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel

@Suite("Damage is found, named, and mended where it can be") struct DamageTests {
    private let fixture = LedgerFixture()

    /// A closed ledger with some thousand events and two meter types.
    private func filled() async throws -> [UsageReading] {
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum, byModel: true))
        _ = try await ledger.create(.sample(.unique))
        var generator = SeededGenerator(seed: 5)
        for call in 0..<5 {
            let events = (0..<500).map {
                SampleEvent.random(id: "e\(call)-\($0)", from: &generator)
            }
            try await ledger.record(events)
        }
        let readings = try await read(ledger)
        try ledger.close()
        return readings
    }

    private func read(_ ledger: SQLiteLedger) async throws -> [UsageReading] {
        let keys = ["m-sum", "m-unique"].compactMap(MeterTypeKey.init)
        let query = UsageQuery(
            meterTypes: keys,
            range: .allTime,
            groupBy: [.subject],
            limit: 1_000
        )
        // A damaged page is found when it is read: the caller is told to come again.
        for _ in 0..<10_000 {
            do {
                return try await ledger.readings(query).readings
            } catch {
                guard error.code == .busy else { throw error }
                await Task.yield()
            }
        }
        return try await ledger.readings(query).readings
    }

    @Test("a flipped byte in a stored block is found and named by its position")
    func block() async throws {
        _ = try await filled()
        let queue = try DatabaseQueue(path: fixture.directory + "/ledger.sqlite")
        let position = try await queue.write { database in
            let row = try Row.fetchOne(
                database,
                sql: "SELECT first_position, payload FROM event_block LIMIT 1 OFFSET 2"
            )!
            var payload: Data = row["payload"]
            payload[payload.count / 2] ^= 0x10
            try database.execute(
                sql: "UPDATE event_block SET payload = ? WHERE first_position = ?",
                arguments: [payload, row["first_position"] as Int64]
            )
            return row["first_position"] as Int64
        }
        try queue.close()

        let report = try fixture.verified()

        #expect(report.findings.map(\.severity) == [.truth])
        #expect(report.findings.contains { $0.text.contains("position \(position) ") })
    }

    @Test("a flipped byte in each derived file is found, named, and rebuilt at the next start")
    func derivedFiles() async throws {
        let readings = try await filled()
        let derived = fixture.directory + "/derived"
        let files = try FileManager.default.contentsOfDirectory(atPath: derived).sorted()
        #expect(files.count == 4)
        for file in files {
            let path = derived + "/" + file
            guard FileManager.default.fileExists(atPath: path) else { continue }
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            bytes[bytes.count / 2] ^= 0x01
            try bytes.write(to: URL(fileURLWithPath: path))

            let report = try fixture.verified()
            #expect(report.findings.contains { $0.text.contains(file) }, "\(file)")

            let ledger = try fixture.open()
            #expect(try await read(ledger) == readings, "\(file)")
            try ledger.close()
            #expect(try fixture.verified().findings == [], "\(file)")
        }
    }

    @Test("derived state that is deleted is rebuilt, and knows every key")
    func deleted() async throws {
        let readings = try await filled()
        try FileManager.default.removeItem(atPath: fixture.directory + "/derived")

        let ledger = try fixture.open()

        #expect(try await read(ledger) == readings)
        var generator = SeededGenerator(seed: 5)
        let again = (0..<500).map { SampleEvent.random(id: "e0-\($0)", from: &generator) }
        let outcome = try await ledger.record(again)
        #expect(outcome.accepted == 0)
        try ledger.close()
        #expect(try fixture.verified().findings == [])
    }
}
