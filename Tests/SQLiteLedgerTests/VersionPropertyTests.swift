import Metering
import MeteringEngine
import MeteringTestKit
import SQLiteLedger
import Testing
import UsageModel

@Suite("Versions equal a naive model") struct VersionPropertyTests {
    private static let base: Int64 = 1_793_491_200_000_000

    /// Goal: whatever the history, the edits and their order, every reading gives each event to the
    /// version in force at its time, and the books count what the readings count.
    /// Method: each seed makes two or three meter types and edits them between calls, from now,
    /// from always or from an instant on or off the edge of a quarter of an hour, before or after
    /// the version before; some edits while the history of another is still being counted, some
    /// given up, some across a restart. Readings are compared now, under one version, and as of
    /// positions at which other versions were in force; the books with a count of all events; and
    /// `verify` must find what was counted bit by bit in what it derives anew.
    @Test("any edits of any history: equal readings and books", arguments: UInt64(1)...150)
    func equalsNaive(seed: UInt64) async throws {
        var trial = try await Trial(seed: seed)
        try await trial.live()
        try await trial.judge()
    }

    private struct Trial {
        let seed: UInt64
        var generator: SeededGenerator
        let fixture = LedgerFixture()
        var ledger: SQLiteLedger
        var naive = NaiveUsage()
        var keys: [MeterTypeKey] = []

        init(seed: UInt64) async throws {
            self.seed = seed
            generator = SeededGenerator(seed: seed)
            ledger = try fixture.open()
        }

        mutating func draw(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

        /// Events and edits in turns.
        mutating func live() async throws {
            let aggregations = Aggregation.allCases.shuffled(using: &generator).prefix(2 + draw(2))
            for step in 0..<8 {
                let events = (0..<(1 + draw(40))).map { place in
                    SampleEvent.random(id: "e\(step)-\(place)", from: &generator)
                }
                try await ledger.record(events)
                naive.events += events
                if keys.count < aggregations.count {
                    let aggregation = aggregations[aggregations.startIndex + keys.count]
                    let first = varied(.sample(aggregation))
                    keys.append(try await ledger.create(first).key)
                }
                for _ in 0..<draw(3) { try await edit() }
                if draw(5) == 0 {
                    try ledger.close()
                    ledger = try fixture.open()
                }
                if draw(2) == 0 { try await settle() }
            }
            try await settle()
        }

        private mutating func edit() async throws {
            guard let key = keys.randomElement(using: &generator),
                let newest = try await ledger.meterTypes().first(where: { $0.key == key })
            else { return }
            let odd = Bool.random(using: &generator) ? 0 : Int64(draw(900_000_000))
            let instant = VersionPropertyTests.base + Int64(draw(300)) * 900_000_000 + odd
            let effective: EffectiveTime =
                switch draw(6) {
                case 0: .always
                case 1: .now
                default: .at(Instant(microseconds: instant))
                }
            let made = try await ledger.revise(
                varied(newest.definition),
                effective: effective,
                after: newest.version
            )
            guard draw(4) == 0 else { return }
            // It may be counted already.
            do { _ = try await ledger.cancelBackfill(key, version: made.version) } catch {
                guard error.code == .notFound else { throw error }
            }
        }

        private mutating func varied(_ definition: MeterTypeDefinition) -> MeterTypeDefinition {
            var varied = definition
            if draw(3) == 0 {
                // Nothing that matters to an event: what is carried goes on.
                switch draw(5) {
                case 0: varied.name = "n\(draw(1_000_000))"
                case 1: varied.capacity = Quantity(mantissa: Int128(draw(1_000_000)))
                case 2: varied.resetSchedule = [.daily, .monthly, .never][draw(3)]
                case 3: varied.metadata = [("a", "\(draw(1_000_000))")]
                default: varied.externalRef = "r\(draw(1_000_000))"
                }
                return varied
            }
            if definition.aggregation == .timeWeighted, draw(3) == 0 {
                varied.carryMax = TimeLength("\(draw(40) + 1)m")
            }
            varied.filter =
                draw(3) == 0 ? nil : SampleRule.filterTexts.randomElement(using: &generator)
            varied.eventTypes = [["llm.*"], ["llm.request", "storage"], ["*"]][draw(3)]
                .compactMap(EventTypePattern.init)
            if definition.aggregation.needsNumber, draw(2) == 0 {
                varied.value = SampleRule.valueTexts.randomElement(using: &generator)
                    .map(ValueRule.init)
            }
            let model = SampleRule.modelTexts.randomElement(using: &generator) ?? ""
            varied.dimensions = draw(2) == 0 ? [] : [Dimension(name: "model", value: .init(model))]
            return varied
        }

        private func settle() async throws {
            while try await !ledger.backfills().isEmpty { await Task.yield() }
        }

        // MARK: Judgement

        mutating func judge() async throws {
            var inForce: [[NaiveUsage.Version]] = []
            var entries: [Int] = []
            for key in keys {
                for version in try await ledger.versions(of: key) where version.hasEntry {
                    entries.append(Int(try #require(version.inForceSince).value))
                }
            }
            for key in keys {
                let versions = try await ledger.versions(of: key)
                let known = versions.filter { $0.inForceSince != nil }
                inForce.append(known.map(Self.naive))
                for _ in 0..<4 where !known.isEmpty {
                    try await compare(key, known.map(Self.naive), asOf: nil, version: nil)
                    let asOf = draw(naive.events.count + entries.count + 1)
                    let then = known.enumerated().filter { place, version in
                        place == 0 || version.inForceSince.map { $0.value <= asOf } ?? false
                    }
                    let own = entries.count { $0 <= asOf }
                    try await compare(
                        key,
                        then.map { Self.naive($1) },
                        asOf: asOf,
                        after: own,
                        version: nil
                    )
                    let one = versions[draw(versions.count)]
                    try await compare(
                        key,
                        [.init(definition: one.definition)],
                        asOf: nil,
                        version: one.version
                    )
                }
                #expect(versions.map(\.version) == Array(1...versions.count), "seed \(seed)")
            }
            let counted = naive.counted(inForce)
            let books = try await ledger.books(.all)
            #expect(books.total.counted == Int64(counted), "seed \(seed)")
            #expect(books.total.balances, "seed \(seed)")
            try ledger.close()
            let report = try fixture.verified()
            #expect(report.findings == [], "seed \(seed)")
            ledger = try fixture.open()
            let again = try await ledger.books(.all)
            #expect(again.total == books.total, "seed \(seed)")
            #expect(again.lines == books.lines, "seed \(seed)")
            try ledger.close()
        }

        private static func naive(_ version: MeterType) -> NaiveUsage.Version {
            NaiveUsage.Version(definition: version.definition, from: version.effectiveFrom)
        }

        /// - Parameter entries: How many entries of versions stand before the position.
        private mutating func compare(
            _ key: MeterTypeKey,
            _ versions: [NaiveUsage.Version],
            asOf: Int?,
            after entries: Int = 0,
            version: Int?
        ) async throws {
            let (one, two) = (instant(), instant())
            let isWhole = draw(3) == 0
            let range = isWhole ? .allTime : min(one, two)..<max(one, two)
            let window: WindowWidth? = isWhole || draw(2) == 0 ? nil : .hour
            let windows =
                window.map { Array(WindowCutter(width: $0, zone: .utc).windows(in: range)) }
                ?? [range]
            let bySubject = draw(2) == 0
            let hasModel = versions.contains { !$0.definition.dimensions.isEmpty }
            let byModel = hasModel && draw(2) == 0
            let subjects = draw(3) == 0 ? ["customer-2", "customer-5"] : []
            let until = isWhole || draw(3) == 0 ? instant() : range.upperBound
            var query = UsageQuery(
                meterTypes: [key],
                subjects: subjects,
                range: range,
                window: window,
                groupBy: (bySubject ? [.subject] : []) + (byModel ? [.dimension("model")] : []),
                asOf: asOf.map { Position(UInt64($0)) },
                carriedUntil: until,
                limit: 100_000
            )
            query.version = version
            let answer = try await ledger.readings(query)
            let expected = naive.readings(
                versions,
                windows: windows,
                subjects: subjects,
                bySubject: bySubject,
                byModel: byModel,
                upTo: asOf.map { $0 - entries },
                carriedUntil: until
            )
            #expect(
                answer.readings.filter(\.isSomething) == expected.filter(\.isSomething),
                "seed \(seed), \(key), \(range), as of \(asOf ?? -1), version \(version ?? 0)"
            )
        }

        private mutating func instant() -> Instant {
            let odd = draw(2) == 0 ? 0 : Int64(draw(900_000_000))
            return Instant(
                microseconds: VersionPropertyTests.base + Int64(draw(310) - 10) * 900_000_000 + odd
            )
        }
    }
}
