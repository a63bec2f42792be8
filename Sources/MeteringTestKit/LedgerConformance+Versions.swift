internal import Metering
internal import MeteringEngine
internal import UsageModel

// What a ledger promises of changed definitions and drafts.
extension LedgerConformance {
    private static let edge = Instant(microseconds: 1_793_491_200_000_000 + 300_000_000)

    private func event(_ id: String, after seconds: Int64, _ number: String) -> SampleEvent {
        let time = Instant(microseconds: Self.edge.microseconds + seconds * 1_000_000)
        return SampleEvent(id: id, type: "v.use", subject: "v/\(id)", time: time, number: number)
    }

    mutating func versions() async throws {
        let first = try versioned
        var second = first
        second.filter = "$.data.amount > 10"
        _ = try await ledger.create(first)
        _ = try await record([event("v-1", after: -1, "1"), event("v-2", after: 0, "2")])
        try await settle()
        let before = try await ledger.status().position
        _ = try await record([event("v-3", after: 1, "30")])
        check(try await sum(of: first.key) == "33", "the first version counts since ever")
        let counted = try await ledger.books(.init(groupBy: [], range: .years)).total.counted

        let made = try await ledger.revise(second, effective: .at(Self.edge), after: 1)
        try await settle()

        check(made.version == 2, "a change makes the next version")
        check(try await sum(of: first.key) == "31", "each event belongs to the version of its time")
        check(
            try await sum(asOf: before, of: first.key) == "3",
            "as of a position the versions are those of then"
        )
        var alone = UsageQuery(meterTypes: [first.key], range: .years)
        alone.version = 1
        let readings = try await ledger.readings(alone).readings
        check(readings.map { $0.value?.description } == ["33"], "a version is read alone")
        let books = try await ledger.books(.init(groupBy: [], range: .years)).total
        check(books.counted == counted - 1, "what no version in force counts is unmatched")
        check(books.balances, "the books balance across versions")
        _ = try await record([event("v-4", after: 2, "4"), event("v-5", after: -2, "5")])
        check(try await sum(of: first.key) == "36", "late events go to the version of their time")
        try await refusals(of: second)
        try await drafts(of: first)
    }

    private mutating func refusals(of second: MeterTypeDefinition) async throws {
        let again = try await ledger.revise(second, effective: .now, after: 2)
        check(again.version == 2, "a change that changes nothing makes no version")
        let listed = try await ledger.versions(of: second.key)
        check(listed.map(\.version) == [1, 2], "versions are listed in order")
        check(
            listed.inForce().map(\.effectiveTo) == [Self.edge, nil],
            "a version rules until the next one does"
        )
        var other = second
        other.unit = "kWh"
        for (definition, version, code) in [
            (second, 1, LedgerError.Code.outdated), (other, 2, .alreadyExists),
        ] {
            do {
                _ = try await ledger.revise(definition, effective: .always, after: version)
                check(false, "a change is refused as \(code)")
            } catch {
                check(error.code == code, "the refusal says \(code)")
            }
        }
        do {
            _ = try await ledger.cancelBackfill(second.key, version: nil)
            check(false, "what is counted cannot be given up")
        } catch {
            check(error.code == .notFound, "the refusal says that nothing is being counted")
        }
    }

    private mutating func drafts(of first: MeterTypeDefinition) async throws {
        var draft = first
        draft.value = .expression("$.data.amount * 2")
        let before = try await ledger.meterTypes()
        let range = Instant(microseconds: 0)..<Instant(microseconds: 4_000_000_000_000_000)
        let answer = try await ledger.preview(PreviewQuery(draft: draft, range: range))
        check(
            answer.readings.map { $0.value?.description } == ["84"],
            "a preview reads the draft for all time"
        )
        check(
            answer.differences.map(\.difference.description) == ["30", "8", "5", "4", "1"],
            "a preview lists what differs, the largest first"
        )
        let newest = try await ledger.preview(PreviewQuery(draft: draft, newest: 2))
        check(
            newest.readings.map { $0.value?.description } == ["18"],
            "a preview of the newest reads the events that came last, whatever their times"
        )
        let times = event("", after: -2, "").time...event("", after: 2, "").time
        check(
            newest.newest == PreviewAnswer.Newest(events: 2, times: times),
            "a preview of the newest says how many they are, and of when"
        )
        check(newest.differences.isEmpty, "a preview of the newest compares nothing")
        check(try await ledger.meterTypes() == before, "a preview saves nothing")
    }

    private var versioned: MeterTypeDefinition {
        get throws {
            MeterTypeDefinition(
                key: try key("versioned"),
                name: "Versioned",
                eventTypes: EventTypePattern("v.use").map { [$0] } ?? [],
                aggregation: .sum,
                value: try EventPath("$.data.amount")
            )
        }
    }

    func settle() async throws {
        while try await !ledger.backfills().isEmpty { await Task.yield() }
    }
}
