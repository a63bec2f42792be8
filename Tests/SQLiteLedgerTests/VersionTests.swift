import GRDB
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel

@Suite("A meter type changes by versions") struct VersionTests {
    private let fixture = LedgerFixture()
    private static let day = Instant(microseconds: 1_793_491_200_000_000)
    /// Five minutes into a quarter of an hour.
    private static let edge = Instant(microseconds: day.microseconds + 300_000_000)

    private static func event(_ id: String, at seconds: Int64, _ number: String) -> SampleEvent {
        let time = Instant(microseconds: day.microseconds + seconds * 1_000_000)
        return SampleEvent(id: id, time: time, number: number)
    }

    private static func changed(_ filter: String?) -> MeterTypeDefinition {
        var definition = MeterTypeDefinition.sample(.sum)
        definition.filter = filter
        return definition
    }

    private static var inTokens: MeterTypeDefinition {
        var definition = MeterTypeDefinition.sample(.sum)
        definition.unit = "token"
        return definition
    }

    private func sum(_ ledger: SQLiteLedger, asOf: UInt64? = nil, version: Int? = nil) async throws
        -> String?
    {
        var query = UsageQuery(
            meterTypes: [.sum],
            range: .allTime,
            asOf: asOf.map(Position.init)
        )
        query.version = version
        return try await ledger.readings(query).readings.first?.value?.description
    }

    @Test("each event is counted under the version in force at its time, whenever it comes")
    func edges() async throws {
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        try await ledger.record([Self.event("1", at: 299, "1"), Self.event("2", at: 300, "20")])

        let made = try await ledger.revise(
            Self.changed("$.data.amount > 100"),
            effective: .at(Self.edge),
            after: 1
        )
        try await ledger.finishBackfills()
        try await ledger.record([
            Self.event("3", at: 298, "3"), Self.event("4", at: 301, "40"),
            Self.event("5", at: 301, "500"),
        ])

        #expect(made.version == 2)
        #expect(try await sum(ledger) == "504")
        #expect(try await sum(ledger, version: 1) == "564")
        #expect(try await sum(ledger, version: 2) == "500")
        #expect(try await sum(ledger, asOf: 2) == "21")
        #expect(try await sum(ledger, asOf: 3) == "1")
        let books = try await ledger.books(.all)
        #expect(books.total.counted == 3)
        // One of them is the entry of the version.
        #expect(books.total.unmatched == 3)
        try ledger.close()
        #expect(try fixture.verified().findings == [])
    }

    @Test("a later version from an earlier time takes over from there")
    func earlier() async throws {
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        try await ledger.record([Self.event("1", at: 0, "1"), Self.event("2", at: 600, "20")])
        _ = try await ledger.revise(Self.changed("false"), effective: .at(Self.edge), after: 1)
        try await ledger.finishBackfills()
        let then = try await sum(ledger)

        _ = try await ledger.revise(Self.changed("true"), effective: .always, after: 2)
        try await ledger.finishBackfills()

        #expect(then == "1")
        #expect(try await sum(ledger) == "21")
        let event = try #require(try await ledger.event(source: "gateway", id: "2"))
        #expect(event.explanation.map(\.version) == [3])
        try ledger.close()
    }

    @Test("a change that changes nothing makes no version; aggregation and unit stay")
    func idempotent() async throws {
        let ledger = try fixture.open()
        let first = try await ledger.create(.sample(.sum))
        let same = try await ledger.revise(.sample(.sum), effective: .now, after: 1)
        let made = try await ledger.revise(Self.changed("true"), effective: .now, after: 1)
        let again = try await ledger.revise(Self.changed("true"), effective: .now, after: 2)
        let later = try await ledger.revise(
            Self.changed("true"),
            effective: .at(Instant(microseconds: 1_900_000_000_000_000)),
            after: 2
        )
        let sooner = try await ledger.revise(
            Self.changed("true"),
            effective: .at(Self.edge),
            after: 2
        )

        #expect(same.number == first.number)
        #expect(made.version == 2)
        #expect(made.effectiveFrom == Instant(microseconds: 1_793_600_000_000_000))
        #expect([again.version, later.version, sooner.version] == [2, 2, 3])
        await #expect(throws: LedgerError.self) {
            _ = try await ledger.revise(Self.changed(nil), effective: .now, after: 1)
        }
        let other = Self.inTokens
        await #expect(throws: LedgerError.self) {
            _ = try await ledger.revise(other, effective: .now, after: 3)
        }
        _ = try await ledger.retire(.sum)
        await #expect(throws: LedgerError.self) {
            _ = try await ledger.revise(Self.changed(nil), effective: .now, after: 3)
        }
        try ledger.close()
    }

    @Test("a meter type has a limit of versions")
    func limit() async throws {
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        for version in 1..<Limits.meterTypeVersionsMax {
            let definition = Self.changed("$.data.amount > \(version)")
            _ = try await ledger.revise(definition, effective: .always, after: version)
        }
        do {
            let version = Limits.meterTypeVersionsMax
            _ = try await ledger.revise(Self.changed(nil), effective: .now, after: version)
            Issue.record("a version too many was made")
        } catch {
            #expect(error.code == .limitExceeded)
        }
        try ledger.close()
    }

    @Test("what could not be read is listed under the version in force")
    func unreadable() async throws {
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        try await ledger.record([
            Self.event("1", at: 0, "\"x\""), Self.event("2", at: 600, "\"y\""),
        ])
        var other = Self.changed(nil)
        other.value = .expression("length($.data.users) / (1 - length($.data.users))")
        var faulty = Self.event("3", at: 700, "1")
        faulty.users = ["u"]
        try await ledger.record([faulty])

        _ = try await ledger.revise(other, effective: .at(Self.edge), after: 1)
        try await ledger.finishBackfills()

        let listed = try await ledger.unreadable(UnreadableQuery(meterType: .sum, limit: 10))
        #expect(listed.events.map(\.id) == ["1", "3"])
        #expect(listed.events.map(\.reason) == [.valueNotNumber, .expressionDivisionByZero])
        #expect(try await ledger.books(.all).total.unreadable == 2)
        try ledger.close()
        #expect(try fixture.verified().findings == [])
    }

    @Test("the meters are those of the versions in force")
    func meters() async throws {
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.count))
        var (one, two) = (Self.event("1", at: 400, "1"), Self.event("2", at: 200, "1"))
        (one.subject, two.subject) = ("late", "early")
        try await ledger.record([one, two])
        var definition = MeterTypeDefinition.sample(.count)
        definition.filter = "false"

        _ = try await ledger.revise(definition, effective: .at(Self.edge), after: 1)
        try await ledger.finishBackfills()

        let meters = try await ledger.meters(MeterQuery(limit: 10)).meters
        #expect(meters.map(\.id.subject) == ["early"])
        #expect(meters.map(\.events) == [1])
        try ledger.close()
    }

    @Test("a database of the release before opens, and its meter types are first versions")
    func migration() async throws {
        var ledger = try fixture.open()
        _ = try await ledger.create(.sample(.sum))
        try await ledger.record([Self.event("1", at: 0, "1"), Self.event("2", at: 600, "20")])
        let late = try await ledger.create(.sample(.count))
        try await ledger.finishBackfills()
        let books = try await ledger.books(.all)
        try ledger.close()
        let queue = try DatabaseQueue(path: fixture.directory + "/ledger.sqlite")
        try await queue.writeWithoutTransaction { try $0.execute(sql: Self.earlierSchema) }
        try queue.close()

        ledger = try fixture.open()

        #expect(try await ledger.books(.all).total.received == books.total.received)
        #expect(try await sum(ledger) == "21")
        let versions = try await ledger.versions(of: late.key)
        #expect(versions.map(\.version) == [1])
        #expect(versions[0].definition == late.definition)
        #expect(versions[0].isBackfilled)
        _ = try await ledger.revise(Self.changed("false"), effective: .always, after: 1)
        try await ledger.finishBackfills()
        #expect(try await sum(ledger) == "0")
        try ledger.close()
    }

    /// The table as it was before there were versions.
    private static let earlierSchema = """
        PRAGMA foreign_keys = OFF;
        CREATE TABLE earlier (
            number INTEGER PRIMARY KEY CHECK (number > 0),
            key TEXT NOT NULL UNIQUE,
            definition TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            created_position INTEGER NOT NULL CHECK (created_position >= 0),
            retired_at INTEGER,
            retired_position INTEGER,
            CHECK ((retired_at IS NULL) = (retired_position IS NULL))
        ) STRICT;
        INSERT INTO earlier SELECT number, key, definition, created_at, created_position,
            retired_at, retired_position FROM meter_type;
        DROP TABLE meter_type;
        ALTER TABLE earlier RENAME TO meter_type;
        DELETE FROM grdb_migrations WHERE identifier LIKE '2 %' OR identifier LIKE '12 %';
        """
}
