import Foundation
import GRDB
import MeteringEngine
import MeteringTestKit
import Synchronization
import Testing
import UsageModel
import WireFormat

@testable import SQLiteLedger

@Suite("The audit trail at the seam") struct AuditTests {
    private let fixture = LedgerFixture()
    private let kim = Author(name: "kim", address: "10.0.0.7", client: "curl", reason: "asked to")

    private func entries(_ ledger: SQLiteLedger) async throws -> [AuditEntry] {
        var query = AuditQuery(limit: 10_000)
        query.isOldestFirst = true
        return try await ledger.audit(query).entries
    }

    private func verified(_ head: AuditHead? = nil) throws -> AuditCheck.Report {
        try AuditVerification(directory: fixture.directory, remembered: head).run()
    }

    /// A closed ledger with some entries by an author who says all there is to say.
    @discardableResult
    private func filled(_ count: Int = 7) async throws -> AuditHead {
        let ledger = try fixture.open()
        try await Author.$current.withValue(kim) {
            for number in 0..<count {
                let key = try #require(CustomerKey("c\(number / 2)"))
                var customer = CustomerDefinition(key: key)
                customer.name = "customer \(number)"
                _ = try await ledger.put(customer)
            }
        }
        let head = try await ledger.audit(AuditQuery(limit: 1)).head
        try ledger.close()
        return head
    }

    @Test("an entry says who, when, from where, what and why, and is there after a restart")
    func fields() async throws {
        try await filled(2)
        let ledger = try fixture.open()
        let entries = try await entries(ledger)
        try ledger.close()

        #expect(entries.map(\.number) == [1, 2])
        let last = try #require(entries.last)
        #expect((last.actor, last.address) == ("kim", "10.0.0.7"))
        #expect((last.client, last.reason) == ("curl", "asked to"))
        #expect((last.action, last.kind, last.key) == ("change", "customer", "c0"))
        #expect(last.at == fixture.time.withLock { $0 })
        #expect(last.before == entries[0].after)
        #expect(last.after?.contains("customer 1") == true)
        #expect(entries[0].before == nil)
        #expect(entries[0].previous == AuditHead.beginning.hash)
        #expect(last.previous == entries[0].hash)
        #expect(try verified().head == last.head)
    }

    @Test("who calls is known on the committer's thread, each caller to his own changes")
    func concurrent() async throws {
        let ledger = try fixture.open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<50 {
                group.addTask {
                    let author = Author(name: "author-\(number)")
                    try await Author.$current.withValue(author) {
                        let key = try #require(CustomerKey("customer-\(number)"))
                        _ = try await ledger.put(CustomerDefinition(key: key))
                        let outlet = OutletRules.stdout
                        let name = try #require(DestinationKey("destination-\(number)"))
                        _ = try await ledger.put(DestinationDefinition(key: name, outlet: outlet))
                    }
                }
            }
            try await group.waitForAll()
        }
        let entries = try await entries(ledger)
        // A server may run on it: this reads beside the open ledger.
        let report = try verified()
        try ledger.close()

        #expect(entries.map(\.number) == Array(1...100))
        for entry in entries {
            #expect(entry.actor.split(separator: "-").last == entry.key.split(separator: "-").last)
        }
        #expect(report.isSound && report.entries == 100)
        #expect(report.head == entries.last?.head)
    }

    @Test("the schema refuses to change, to delete, and to leave out")
    func triggers() async throws {
        try await filled()
        let queue = try DatabaseQueue(path: fixture.directory + "/ledger.sqlite")
        for sql in [
            "UPDATE audit SET actor = 'lee' WHERE number = 3", "DELETE FROM audit WHERE number = 7",
            "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE number = 7",
            "INSERT INTO audit SELECT 9, at, actor, address, client, action, kind, key, before, "
                + "after, reason, marks, previous, hash FROM audit WHERE number = 7",
        ] {
            #expect(throws: DatabaseError.self, "\(sql)") {
                try queue.write { try $0.execute(sql: sql) }
            }
        }
        try queue.close()
        #expect(try verified().isSound)
    }

    /// Changes the store as somebody would who takes the triggers away first.
    private func tamper(_ sql: String, _ arguments: StatementArguments = []) throws {
        let queue = try DatabaseQueue(path: fixture.directory + "/ledger.sqlite")
        try queue.write { database in
            for trigger in ["is_dense", "is_not_changed", "is_not_deleted"] {
                try database.execute(sql: "DROP TRIGGER IF EXISTS audit_\(trigger)")
            }
            try database.execute(sql: sql, arguments: arguments)
        }
        try queue.close()
    }

    static let columns = [
        "number", "at", "actor", "address", "client", "action", "kind", "key", "before", "after",
        "reason", "marks", "previous", "hash",
    ]

    @Test("one byte of any column of a middle entry is found, and named", arguments: columns)
    func oneByte(column: String) async throws {
        try await filled()
        let isNumber = ["number", "at"].contains(column)
        let isBlob = ["marks", "previous", "hash"].contains(column)
        let changed =
            isNumber
            ? "\(column) + 256"
            : "CAST(CASE substr(CAST(\(column) AS BLOB), 1, 1) WHEN x'41' THEN x'42' ELSE x'41' "
                + "END || substr(CAST(\(column) AS BLOB), 2) AS \(isBlob ? "BLOB" : "TEXT"))"
        try tamper("UPDATE audit SET \(column) = \(changed) WHERE number = 4")

        let report = try verified()

        let first = try #require(report.findings.first)
        #expect(first.number == 4)
        #expect(first.what == [column == "number" ? "entry" : column])
        if column != "number" { #expect(report.findings.count == 1, "\(report.findings)") }
        let all = try fixture.verified()
        #expect(all.findings.map(\.severity).contains(.truth))
        #expect(all.findings.contains { $0.text.contains("audit entry 4") })
    }

    @Test("bytes behind a NUL, and what is no UTF-8, are found too", arguments: ["00ff", "ff"])
    func hidden(bytes: String) async throws {
        try await filled()
        try tamper("UPDATE audit SET reason = CAST(reason || x'\(bytes)' AS TEXT) WHERE number = 4")

        #expect(try verified().findings.map(\.what) == [["reason"]])
    }

    @Test("an entry that was forged, hashes and all, breaks the link of the next one")
    func forged() async throws {
        try await filled()
        let ledger = try fixture.open()
        var entry = try await entries(ledger)[3]
        try ledger.close()
        entry.actor = "lee"
        let chain = AuditChain(entry)
        try tamper(
            "UPDATE audit SET actor = 'lee', marks = ?, hash = ? WHERE number = 4",
            [Data(chain.marks), Data(chain.hash(after: entry.previous))]
        )

        #expect(try verified().findings.map(\.what) == [["previous"]])
        #expect(try verified().findings.map(\.number) == [5])
    }

    @Test("a middle entry that is missing is named")
    func missing() async throws {
        try await filled()
        try tamper("DELETE FROM audit WHERE number = 4")

        let first = try #require(try verified().findings.first)
        #expect((first.number, first.what) == (4, ["entry"]))
    }

    @Test("entries missing at the end show against a head that was remembered")
    func end() async throws {
        let head = try await filled()
        #expect(try verified(head).isSound)
        try tamper("DELETE FROM audit WHERE number = 7")

        #expect(try verified().isSound)
        let first = try #require(try verified(head).findings.first)
        #expect((first.number, first.what) == (7, ["entry"]))
        let other = AuditHead(number: 3, hash: head.hash)
        #expect(try verified(other).findings.map(\.number) == [3])
        #expect(AuditHead(head.description) == head)
    }

    @Test("what is exported can be checked by itself")
    func exported() async throws {
        try await filled()
        let ledger = try fixture.open()
        let entries = try await entries(ledger)
        try ledger.close()
        let read = entries.map { entry in
            let line = JSONValue.object(AuditDocument.write(entry)).serialized()
            return (try? JSONValue.parse(line).objectValue).flatMap(AuditDocument.read)
        }
        #expect(read == entries)

        var (sound, damaged) = (AuditCheck(), AuditCheck())
        for entry in entries {
            sound.take(entry)
            var entry = entry
            if entry.number == 5 { entry.reason += "!" }
            damaged.take(entry)
        }
        #expect(sound.finish().isSound)
        #expect(damaged.finish().findings.map(\.number) == [5])
    }

    /// Goal: an entry is there if and only if its change is. Method: the trail refuses the entry,
    /// so the change must not be there either, in the ledger and after a restart.
    @Test("a change whose entry cannot be written is not made")
    func atomic() async throws {
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.count))
        let key = try #require(MeterTypeKey("m-count"))
        let meter = try #require(MeterID(meterType: key, subject: "acme"))
        _ = try await ledger.enrol([MeterEnrolment(id: meter)])
        let queue = try DatabaseQueue(path: fixture.directory + "/ledger.sqlite")
        try await queue.write { database in
            try database.execute(
                sql: """
                    CREATE TRIGGER audit_is_full BEFORE INSERT ON audit
                    BEGIN SELECT RAISE(ABORT, 'full'); END
                    """
            )
        }
        let (customer, name) = (CustomerKey("acme")!, DestinationKey("billing")!)
        let changes: [() async throws -> Void] = [
            { _ = try await ledger.create(.sample(.sum)) },
            { _ = try await ledger.retire(key) },
            { _ = try await ledger.say(StandingChange(.closed, from: .beginning), of: meter) },
            { _ = try await ledger.put(CustomerDefinition(key: customer)) },
            { _ = try await ledger.put(DestinationDefinition(key: name, outlet: .stdout)) },
        ]
        for change in changes { await #expect(throws: LedgerError.self) { try await change() } }
        try await queue.write { try $0.execute(sql: "DROP TRIGGER audit_is_full") }
        try queue.close()
        try ledger.close()

        let again = try fixture.open()
        #expect(try await again.meterTypes().map(\.key) == [key])
        #expect(try await again.meterTypes()[0].retiredAt == nil)
        #expect(try await again.customer(customer) == nil)
        #expect(try await again.destination(name) == nil)
        #expect(try await entries(again).map(\.action) == ["create", "enrol"])
        try again.close()
        #expect(try fixture.verified().isClean)
    }

    @Test("pages end where their documents grow too large, and go on from there")
    func pages() async throws {
        let ledger = try fixture.open()
        let text = String(repeating: "x", count: Limits.auditPageBytesMax / 3)
        for number in 0..<5 {
            try await ledger.append(
                AuditedChange(.test, .destination, "d\(number)", after: ["text": .string(text)])
            )
        }
        var query = AuditQuery(limit: 100)
        var sizes: [Int] = []
        repeat {
            let answer = try await ledger.audit(query)
            sizes.append(answer.entries.count)
            query.before = answer.entries.last?.number ?? 0
            if !answer.hasMore { break }
        } while true
        try ledger.close()
        #expect(sizes == [2, 2, 1])
    }

    /// Method: a backfill may be done before it is given up, so several are begun.
    @Test("a backfill that is given up leaves an entry; what the server does by itself, none")
    func backfill() async throws {
        let ledger = try fixture.open()
        var generator = SeededGenerator(seed: 3)
        for call in 0..<10 {
            let events = (0..<1_000).map {
                SampleEvent.random(id: "e\(call)-\($0)", from: &generator)
            }
            try await ledger.record(events)
        }
        var made: [String] = []
        var cancelled: MeterType?
        while cancelled == nil, made.count < 500 {
            let definition = MeterTypeDefinition.sample(.unique, key: "m\(made.count)")
            made.append("create")
            _ = try await ledger.create(definition)
            do { cancelled = try await ledger.cancelBackfill(definition.key, version: nil) } catch {
                #expect(error.code == .notFound)
            }
        }
        while try await !ledger.backfills().isEmpty { await Task.yield() }
        let entries = try await entries(ledger)
        try ledger.close()

        #expect(entries.map(\.action) == made + ["cancel-backfill"])
        #expect(entries.last?.key == cancelled?.key.text)
        #expect(entries.last?.before?.contains("cancelledAt") == false)
        #expect(entries.last?.after?.contains("cancelledAt") == true)
    }

    @Test("a period that is closed by hand leaves an entry, one that closes by itself none")
    func closings() async throws {
        let ledger = try fixture.open()
        var definition = MeterTypeDefinition.sample(.count)
        definition.resetSchedule = .monthly
        _ = try await ledger.create(definition)
        let meter = try #require(MeterID(meterType: definition.key, subject: "acme"))
        _ = try await ledger.enrol([
            MeterEnrolment(id: meter, start: Instant(microseconds: 1_793_491_200_000_000))
        ])
        let keeper = fixture.keeper(ledger)
        let made = try await Author.$current.withValue(kim) { try await keeper.closeNow(meter) }
        _ = try await keeper.closeNow(meter)
        fixture.turn(to: Instant(microseconds: 1_793_600_000_000_000 + 90 * 86_400_000_000))
        #expect(try await keeper.keep() > 0)
        let entries = try await entries(ledger)
        try ledger.close()

        #expect(entries.map(\.action) == ["create", "enrol", "close-period"])
        let last = try #require(entries.last)
        #expect((last.kind, last.key, last.actor) == ("meter", meter.text, "kim"))
        for record in made { #expect(last.after?.contains(record.id.text) == true) }
        #expect(!made.isEmpty)
    }
}
