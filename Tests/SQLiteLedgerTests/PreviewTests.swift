import Foundation
import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel

@Suite("A preview says what a draft would, and stores nothing") struct PreviewTests {
    /// Goal: readings and differences of a draft equal a naive model, and no stored byte changes.
    /// Method: each seed draws a history and a live meter type, half the time changed once, and
    /// drafts that filter, compute or group otherwise; the files are compared before and after.
    @Test("any draft over any history", arguments: UInt64(1)...60)
    func equalsNaive(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let fixture = LedgerFixture()
        let ledger = try fixture.open()
        var naive = NaiveUsage()
        let aggregation = Aggregation.allCases.randomElement(using: &generator) ?? .sum
        var live = MeterTypeDefinition.sample(aggregation)
        _ = try await ledger.create(live)
        naive.events = (0..<300).map { SampleEvent.random(id: "e\($0)", from: &generator) }
        try await ledger.record(naive.events)
        var versions = [NaiveUsage.Version(definition: live)]
        if Bool.random(using: &generator) {
            live.filter = SampleRule.filterTexts.randomElement(using: &generator)
            let from = naive.events[0].time
            _ = try await ledger.revise(live, effective: .at(from), after: 1)
            versions.append(.init(definition: live, from: from))
            try await ledger.finishBackfills()
        }
        var draft = MeterTypeDefinition.sample(aggregation, types: ["*"], byModel: true)
        draft.filter = SampleRule.filterTexts.randomElement(using: &generator)
        let start = Instant(microseconds: 1_793_491_200_000_000 + 123)
        let range = start..<Instant(microseconds: start.microseconds + 90_000_000_000)

        let before = try Self.bytes(fixture.directory)
        var query = PreviewQuery(draft: draft, range: range, window: .hour)
        query.groupBy = [.dimension("model")]
        let answer = try await ledger.preview(query)
        let after = try Self.bytes(fixture.directory)

        #expect(before == after, "seed \(seed)")
        let windows = Array(WindowCutter(width: .hour, zone: .utc).windows(in: range))
        let expected = naive.readings(draft, windows: windows, byModel: true)
        let got = answer.readings.filter(\.isSomething)
        #expect(got == expected.filter(\.isSomething), "seed \(seed)")
        let said = naive.readings(draft, windows: [range], bySubject: true)
            .filter(\.isSomething)
        let lived = naive.readings(versions, windows: [range], bySubject: true)
            .filter(\.isSomething)
        #expect(answer.differences == Self.differences(lived, said), "seed \(seed)")
        let entries = versions.count - 1
        #expect(answer.position == Position(UInt64(naive.events.count + entries)))
        try ledger.close()
    }

    /// Goal: a preview of the newest is made of the last so many events of its types that count,
    /// in whatever order their times are.
    @Test("the newest events of any draft", arguments: UInt64(1)...40)
    func newestEqualNaive(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let fixture = LedgerFixture()
        let ledger = try fixture.open()
        var naive = NaiveUsage()
        for call in 0..<6 {
            let events = (0..<20).map { SampleEvent.random(id: "e\(call)-\($0)", from: &generator) }
            try await ledger.record(events)
            naive.events += events
        }
        let void = try #require(naive.events.randomElement(using: &generator))
        let what = CorrectionRequest.What.void(.keys([EventKey(source: void.source, id: void.id)]))
        _ = try await ledger.correct(.init(what, author: "Ada", reason: "a test"))
        let types = [["*"], ["llm.*"], ["storage"]][Int.random(in: 0..<3, using: &generator)]
        let draft = MeterTypeDefinition.sample(.sum, types: types)
        let count = Int.random(in: 1...60, using: &generator)

        let answer = try await ledger.preview(PreviewQuery(draft: draft, newest: count))

        naive.events = naive.events.filter { event in
            (event.source, event.id) != (void.source, void.id)
                && draft.eventTypes.contains { $0.matches(Array(event.type.utf8)) }
        }.suffix(count)
        let expected = naive.readings(draft, windows: [.allTime])
        #expect(
            answer.readings.filter(\.isSomething) == expected.filter(\.isSomething),
            "seed \(seed)"
        )
        #expect(answer.newest?.events == naive.events.count, "seed \(seed)")
        #expect(answer.newest?.times?.lowerBound == naive.events.map(\.time).min(), "seed \(seed)")
        try ledger.close()
    }

    @Test("the newest of a type are found behind hundreds of calls of others")
    func newestBehindOthers() async throws {
        let fixture = LedgerFixture()
        let ledger = try fixture.open()
        let wanted = SampleEvent(id: "first", type: "storage", subject: "s", number: "7")
        try await ledger.record([wanted])
        for call in 0...Limits.previewBlocksMax {
            let other = SampleEvent(id: "o\(call)", type: "llm.image", subject: "s", number: "1")
            try await ledger.record([other])
        }

        let draft = MeterTypeDefinition.sample(.sum, types: ["storage"])
        let answer = try await ledger.preview(PreviewQuery(draft: draft, newest: 5))

        #expect(answer.newest?.events == 1)
        #expect(answer.readings.map { $0.value?.description } == ["7"])
        try ledger.close()
    }

    private static func differences(
        _ live: [UsageReading],
        _ draft: [UsageReading]
    ) -> [PreviewAnswer.Difference] {
        let subjects = Set((live + draft).compactMap(\.subject))
        let differences = subjects.map { subject in
            let one = live.first { $0.subject == subject }?.value
            let two = draft.first { $0.subject == subject }?.value
            return PreviewAnswer.Difference(
                subject: subject,
                live: one,
                draft: two,
                difference: Quantity(mantissa: (two?.mantissa ?? 0) - (one?.mantissa ?? 0))
            )
        }
        return differences.filter { $0.difference != .zero }.sorted { one, other in
            let sizes = (one.difference.mantissa.magnitude, other.difference.mantissa.magnitude)
            return sizes.0 == sizes.1 ? one.subject < other.subject : sizes.0 > sizes.1
        }
    }

    /// Every file of a ledger but the index that SQLite's readers share in memory.
    private static func bytes(_ directory: String) throws -> [String: Data] {
        var bytes: [String: Data] = [:]
        for file in try FileManager.default.subpathsOfDirectory(atPath: directory)
        where !file.hasSuffix("-shm") {
            bytes[file] = FileManager.default.contents(atPath: directory + "/" + file)
        }
        return bytes
    }

    @Test("a draft of a meter type that is not there has all of it as difference")
    func unknown() async throws {
        let fixture = LedgerFixture()
        let ledger = try fixture.open()
        try await ledger.record([
            SampleEvent(id: "1", subject: "a", number: "5"),
            SampleEvent(id: "2", subject: "b", number: "-7"),
        ])

        let answer = try await ledger.preview(
            PreviewQuery(draft: .sample(.sum), range: .allTime)
        )

        #expect(answer.readings.map(\.value?.description) == ["-2"])
        #expect(answer.differences.map(\.subject) == ["b", "a"])
        #expect(answer.differences.map(\.difference.description) == ["-7", "5"])
        #expect(answer.differences.map(\.live) == [nil, nil])
        #expect(try await ledger.meterTypes().isEmpty)
        try ledger.close()
    }
}
