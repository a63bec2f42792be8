import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Synchronization
import Testing
import UsageModel

@Suite("What a ledger carries over time") struct CarriedReadingTests {
    private let fixture = LedgerFixture()

    private static func hour(_ hour: Int64) -> Instant {
        Instant(microseconds: 1_793_491_200_000_000 + hour * 3_600_000_000)
    }

    private static func told(_ id: String, _ number: String, _ hour: Int64) -> SampleEvent {
        SampleEvent(id: id, time: Self.hour(hour), number: number)
    }

    private static func value(
        _ ledger: SQLiteLedger,
        _ definition: MeterTypeDefinition,
        _ hours: Range<Int64> = 0..<24,
        asOf: Position? = nil
    ) async throws -> String? {
        let query = UsageQuery(
            meterTypes: [definition.key],
            range: hour(hours.lowerBound)..<hour(hours.upperBound),
            asOf: asOf
        )
        return try await ledger.readings(query).readings.first?.value?.description
    }

    @Test("a late event changes what is carried; as of before it stands; a restart changes nothing")
    func late() async throws {
        var ledger = try fixture.open()
        let gauge = MeterTypeDefinition.sample(.timeWeighted)
        let counter = MeterTypeDefinition.sample(.counter)
        let level = MeterTypeDefinition.sample(.peakConcurrency)
        for definition in [gauge, counter, level] { _ = try await ledger.create(definition) }
        let before = try await ledger.record([Self.told("a", "2", 0), Self.told("b", "7", 20)])
        #expect(try await Self.value(ledger, gauge) == "68")
        #expect(try await Self.value(ledger, counter) == "5")
        #expect(try await Self.value(ledger, level) == "9")
        _ = try await ledger.record([Self.told("c", "1", 10)])
        for _ in 0..<2 {
            #expect(try await Self.value(ledger, gauge) == "58")
            // It went back at 10 and was at 1: then it grew by 6.
            #expect(try await Self.value(ledger, counter) == "7")
            #expect(try await Self.value(ledger, level) == "10")
            #expect(try await Self.value(ledger, gauge, 24..<48) == "168")
            #expect(try await Self.value(ledger, level, 24..<48) == "10")
            #expect(try await Self.value(ledger, counter, 24..<48) == "0")
            let then = before.position
            #expect(try await Self.value(ledger, gauge, asOf: then) == "68")
            #expect(try await Self.value(ledger, gauge, 24..<48, asOf: then) == "168")
            #expect(try await Self.value(ledger, counter, asOf: then) == "5")
            #expect(try await Self.value(ledger, level, asOf: then) == "9")
            try ledger.close()
            ledger = try fixture.open()
        }
        try ledger.close()
        #expect(try fixture.verified().findings == [])
    }

    @Test("a value is carried past neither the end of a meter type nor its retirement")
    func ends() async throws {
        let ledger = try fixture.open()
        var ended = MeterTypeDefinition.sample(.timeWeighted, key: "ended")
        ended.activeTo = Self.hour(5)
        var retired = MeterTypeDefinition.sample(.timeWeighted, key: "retired")
        retired.carryMax = TimeLength("1d")
        for definition in [ended, retired] { _ = try await ledger.create(definition) }
        _ = try await ledger.record([Self.told("a", "2", 0), Self.told("b", "9", 6)])
        #expect(try await Self.value(ledger, ended) == "10")
        #expect(try await Self.value(ledger, retired, 0..<48) == "228")
        fixture.time.withLock { $0 = Self.hour(10) }
        _ = try await ledger.retire(retired.key)
        #expect(try await Self.value(ledger, retired, 0..<48) == "48")
        try ledger.close()
    }

    /// What was told at minutes, and what stands in the page of aggregations.
    @Test(
        "what is carried ends where its meter is suspended, and begins anew after",
        arguments: [
            (Aggregation.timeWeighted, [(0, "5")], ["5", nil, nil]),
            (.timeWeighted, [(0, "5"), (90, "7"), (150, "4")], ["5", nil, "2"]),
            (.counter, [(0, "5"), (90, "7"), (120, "9"), (150, "10")], ["0", nil, "1"]),
            (.peakConcurrency, [(0, "3"), (90, "-1"), (150, "1")], ["3", nil, "1"]),
        ] as [(Aggregation, [(Int64, String)], [String?])]
    )
    func suspended(
        aggregation: Aggregation,
        told: [(Int64, String)],
        expected: [String?]
    ) async throws {
        let ledger = try fixture.open()
        let definition = try await ledger.create(.sample(aggregation)).definition
        _ = try await ledger.record(
            told.map { minute, number in
                let time = Instant(microseconds: Self.hour(0).microseconds + minute * 60_000_000)
                return SampleEvent(id: "\(minute)", subject: "disk", time: time, number: number)
            }
        )
        let id = try #require(MeterID(meterType: definition.key, subject: "disk"))
        let change = StandingChange(.suspended, from: Self.hour(1), to: Self.hour(2))
        _ = try await ledger.say(change, of: id)
        for subjects in [[], ["disk"]] {
            let query = UsageQuery(
                meterTypes: [definition.key],
                subjects: subjects,
                range: Self.hour(0)..<Self.hour(3),
                window: .hour
            )
            let readings = try await ledger.readings(query).readings
            let values = (Int64(0)..<3).map { hour in
                readings.first { $0.range.lowerBound == Self.hour(hour) }?.value?.description
            }
            #expect(values == expected)
        }
        try ledger.close()
    }

    @Test(
        "a value goes on to hold for the next owner",
        arguments: [
            (Aggregation.timeWeighted, ["10", "12"]), (.counter, ["0", "2"]),
            (.peakConcurrency, ["5", "12"]),
        ]
    )
    func owners(aggregation: Aggregation, expected: [String]) async throws {
        let ledger = try fixture.open()
        let definition = try await ledger.create(.sample(aggregation)).definition
        let first = SampleEvent(id: "1", subject: "disk", time: Self.hour(0), number: "5")
        let second = SampleEvent(id: "2", subject: "disk", time: Self.hour(3), number: "7")
        _ = try await ledger.record([first, second])
        let (north, south) = (CustomerKey("north"), CustomerKey("south"))
        let times: [(CustomerKey?, Instant?, Instant?)] = [
            (north, nil, Self.hour(2)), (south, Self.hour(2), nil),
        ]
        for (key, from, to) in times {
            let owned = Ownership(subject: "disk", from: from, to: to)
            let customer = CustomerDefinition(key: try #require(key), subjects: [owned])
            _ = try await ledger.put(customer)
        }
        let query = UsageQuery(
            meterTypes: [definition.key],
            range: Self.hour(0)..<Self.hour(4),
            groupBy: [.customer]
        )
        let readings = try await ledger.readings(query).readings
        #expect(readings.map(\.customer) == ["north", "south"])
        #expect(readings.map(\.value?.description) == expected)
        try ledger.close()
    }

    @Test(
        "a version that reads events otherwise begins anew, and any other goes on",
        arguments: [
            (Aggregation.timeWeighted, "22", "17"), (.counter, "2", "0"),
            (.peakConcurrency, "12", "7"),
        ]
    )
    func versions(aggregation: Aggregation, goesOn: String, anew: String) async throws {
        for (readsOtherwise, expected) in [(false, goesOn), (true, anew)] {
            let fixture = LedgerFixture()
            let ledger = try fixture.open()
            var definition = try await ledger.create(.sample(aggregation)).definition
            _ = try await ledger.record([Self.told("a", "5", 0), Self.told("b", "7", 3)])
            definition.category = "disks"
            if readsOtherwise { definition.filter = "subject != \"nobody\"" }
            _ = try await ledger.revise(definition, effective: .at(Self.hour(2)), after: 1)
            while try await !ledger.backfills().isEmpty { await Task.yield() }
            #expect(try await Self.value(ledger, definition, 0..<4) == expected)
            definition.timeUnit = .day
            await #expect(throws: LedgerError.self) {
                try await ledger.revise(definition, effective: .now, after: 2)
            }
            try ledger.close()
        }
    }

    @Test(
        "of a quarter of an hour that two versions share, each tells its own part",
        arguments: [
            // 60 for three minutes, 120 for seven, 30 from then on.
            (Aggregation.timeWeighted, "131", "90"), (.peakConcurrency, "210", "210"),
        ]
    )
    func withinQuarter(aggregation: Aggregation, whole: String, later: String) async throws {
        let ledger = try fixture.open()
        var definition = try await ledger.create(.sample(aggregation)).definition
        func minute(_ minute: Int64) -> Instant {
            Instant(microseconds: Self.hour(0).microseconds + minute * 60_000_000)
        }
        for (id, value, at) in [("a", "60", 2), ("b", "120", 5), ("c", "30", 12)] {
            var event = Self.told(id, value, 0)
            event.time = minute(Int64(at))
            _ = try await ledger.record([event])
        }
        definition.category = "disks"
        _ = try await ledger.revise(definition, effective: .at(minute(10)), after: 1)
        while try await !ledger.backfills().isEmpty { await Task.yield() }
        // The first version counted what the second rules: nothing of it twice, wherever a window
        // begins.
        #expect(try await Self.value(ledger, definition, 0..<4) == whole)
        #expect(try await Self.value(ledger, definition, 1..<4) == later)
        try ledger.close()
    }

    @Test("a counter that tells less than nothing is unreadable")
    func negative() async throws {
        let ledger = try fixture.open()
        _ = try await ledger.create(.sample(.counter))
        let outcome = try await ledger.record([Self.told("a", "-1", 0), Self.told("b", "4", 1)])
        #expect(outcome.accepted == 2 && outcome.unreadable == 1)
        let listed = try await ledger.unreadable(UnreadableQuery(meterType: nil, limit: 10))
        #expect(listed.events.map(\.reason) == [.valueNegative])
        try ledger.close()
    }
}
