import Foundation
import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Synchronization
import Testing
import UsageModel
import WireFormat

// Whether the ledger says what the list says.
extension CorrectionTrial {
    mutating func judge() async throws {
        for definition in definitions {
            for _ in 0..<4 {
                try await compare(definition, asOf: nil)
                try await compare(definition, asOf: draw(log.position + 1))
            }
            try await explain(definition)
            try await judgeRecords(definition)
        }
        try await judgeBooks()
        let again = try await ledger.record(recorded)
        #expect(again.accepted == 0, "seed \(seed)")
        #expect(again.exceptions.allSatisfy { $0.verdict == .duplicate }, "seed \(seed)")
        try ledger.close()
        #expect(try fixture.verified().findings == [], "seed \(seed)")
    }

    private mutating func compare(_ definition: MeterTypeDefinition, asOf: Int?) async throws {
        let (one, two) = (instant(), instant())
        let isWhole = draw(3) == 0
        let range = isWhole ? .allTime : min(one, two)..<max(one, two)
        let window: WindowWidth? = isWhole || draw(2) == 0 ? nil : .hour
        let windows =
            window.map { Array(WindowCutter(width: $0, zone: .utc).windows(in: range)) }
            ?? [range]
        let bySubject = draw(2) == 0
        let byModel = !definition.dimensions.isEmpty && draw(2) == 0
        let subjects = draw(3) == 0 ? ["customer-2", "customer-5"] : []
        let until = isWhole ? instant() : range.upperBound
        let query = UsageQuery(
            meterTypes: [definition.key],
            subjects: subjects,
            range: range,
            window: window,
            groupBy: (bySubject ? [.subject] : []) + (byModel ? [.dimension("model")] : []),
            asOf: asOf.map { Position(UInt64($0)) },
            carriedUntil: until,
            limit: 100_000
        )
        let answer = try await ledger.readings(query)
        let expected = NaiveUsage(log.events(asOf: asOf ?? log.position)).readings(
            self.definition(definition, asOf: asOf),
            windows: windows,
            subjects: subjects,
            bySubject: bySubject,
            byModel: byModel,
            carriedUntil: until
        )
        #expect(
            answer.readings.filter(\.isSomething) == expected.filter(\.isSomething),
            "seed \(seed), \(definition.key), \(range), as of \(asOf ?? -1)"
        )
    }

    /// The steps from one state of knowledge to another add up, and each is what a reading
    /// says.
    private mutating func explain(_ definition: MeterTypeDefinition) async throws {
        let (one, two) = (draw(log.position + 1), draw(log.position + 1))
        let query = UsageQuery(
            meterTypes: [definition.key],
            subjects: draw(2) == 0 ? ["customer-\(draw(7))"] : [],
            range: .allTime,
            carriedUntil: instant()
        )
        let found = try await ledger.difference(
            UsageDifferenceQuery(
                usage: query,
                from: Position(UInt64(min(one, two))),
                to: Position(UInt64(max(one, two)))
            )
        )
        var last = found.before
        var sum = Int128(0)
        for step in found.steps {
            #expect(step.before.value == last.value, "seed \(seed)")
            #expect(step.before.events == last.events, "seed \(seed)")
            sum += (step.amount ?? .zero).mantissa
            last = step.after
        }
        #expect(last.value == found.after.value, "seed \(seed)")
        #expect(sum == (found.amount ?? .zero).mantissa, "seed \(seed)")
        for state in [found.before, found.after] {
            let expected = NaiveUsage(log.events(asOf: Int(state.position.value))).readings(
                self.definition(definition, asOf: Int(state.position.value)),
                windows: [.allTime],
                subjects: query.subjects,
                carriedUntil: query.carriedUntil
            ).first { $0.isSomething }
            #expect(state.events == expected?.events ?? 0, "seed \(seed)")
            #expect(state.value ?? .zero == expected?.value ?? .zero, "seed \(seed)")
        }
    }

    /// What the records of each closed period come to is its reading.
    private mutating func judgeRecords(_ definition: MeterTypeDefinition) async throws {
        while try await fixture.keeper(ledger).keep() > 0 {}
        var query = RecordQuery(limit: 100_000)
        query.meterTypes = [definition.key]
        let records = try await ledger.records(query).records
        let usage = NaiveUsage(log.events(asOf: log.position))
        let now = fixture.time.withLock { $0 }
        for (_, same) in Dictionary(grouping: records, by: { "\($0.meter) \($0.period)" }) {
            guard let last = same.max(by: { $0.revision < $1.revision }) else { continue }
            let reading = usage.readings(
                definition,
                windows: [last.period],
                subjects: [last.meter.subject],
                carriedUntil: min(now, last.period.upperBound)
            ).first { $0.isSomething }
            #expect(last.value ?? .zero == reading?.value ?? .zero, "seed \(seed), \(last.id)")
            #expect(last.events == reading?.events ?? 0, "seed \(seed), \(last.id)")
        }
    }

    private func judgeBooks() async throws {
        let books = try await ledger.books(.all)
        #expect(books.total.balances, "seed \(seed)")
        #expect(books.total.received == Int64(log.position + log.turnedAway), "seed \(seed)")
        #expect(books.total.voided == Int64(log.voided), "seed \(seed)")
    }
}
