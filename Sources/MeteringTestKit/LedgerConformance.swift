public import MeteringEngine
internal import UsageModel
internal import WireFormat

/// What every ledger must do, as one suite: the promises of ``UsageLedger``, each tried.
///
/// It returns violations instead of asserting, so that tests and the simulator judge alike.
public struct LedgerConformance: Sendable {
    private let ledger: any UsageLedger
    private var violations: [String] = []

    /// - Parameter ledger: An empty ledger.
    public init(_ ledger: any UsageLedger) { self.ledger = ledger }

    /// - Returns: what was violated, in words; empty where the ledger conforms.
    public mutating func run() async throws -> [String] {
        try await meterTypes()
        try await duplicatesAndConflicts()
        try await atomicCalls()
        try await visibility()
        try await booksBalance()
        try await asOf()
        try await retirement()
        return violations
    }

    private mutating func check(_ holds: Bool, _ promise: String) {
        if !holds { violations.append(promise) }
    }

    private func record(_ events: [SampleEvent], isAtomic: Bool = false) async throws
        -> BatchOutcome
    {
        let text = events.map(\.json).joined(separator: "\n")
        let decoded = try decodeEvents(Array(text.utf8), framing: .ndjson)
        let arrival = Instant(microseconds: 1_793_600_000_000_000)
        return try await ledger.record(
            ledger.preparer.prepare(decoded, arrival: arrival),
            isAtomic: isAtomic
        )
    }

    private func sum(asOf: Position? = nil, of key: MeterTypeKey) async throws -> String? {
        let answer = try await ledger.readings(
            UsageQuery(
                meterTypes: [key],
                range: Instant(microseconds: 0)..<Instant(microseconds: 4_000_000_000_000_000),
                asOf: asOf
            )
        )
        return answer.readings.first?.value?.description
    }

    private var definition: MeterTypeDefinition {
        get throws {
            MeterTypeDefinition(
                key: try key("amount"),
                name: "Amount",
                eventTypes: EventTypePattern("llm.*").map { [$0] } ?? [],
                aggregation: .sum,
                value: try EventPath("$.data.amount")
            )
        }
    }

    private struct NoKey: Error {}

    private func key(_ text: String) throws -> MeterTypeKey {
        guard let key = MeterTypeKey(text) else { throw NoKey() }
        return key
    }

    private mutating func meterTypes() async throws {
        let made = try await ledger.create(definition)
        let again = try await ledger.create(definition)
        check(made.number == again.number, "making a meter type twice makes one")
        var other = try definition
        other.unit = "token"
        do {
            _ = try await ledger.create(other)
            check(false, "another definition of a key is refused")
        } catch {
            check(error.code == .alreadyExists, "the refusal says that the key is taken")
        }
        let known = try await ledger.meterTypes()
        check(known.map(\.definition) == [try definition], "meter types are listed as made")
    }

    private mutating func duplicatesAndConflicts() async throws {
        let event = SampleEvent(id: "d1", number: "5")
        let first = try await record([event, event])
        check(first.accepted == 1, "an event twice in a call is accepted once")
        check(first.exceptions.map(\.verdict) == [.duplicate], "the second is a duplicate")
        let second = try await record([event])
        check(second.exceptions.map(\.verdict) == [.duplicate], "a later one is a duplicate")
        check(
            second.exceptions.map(\.position) == [first.firstPosition],
            "a duplicate names the position of the first report"
        )
        let conflict = try await record([SampleEvent(id: "d1", number: "6")])
        check(conflict.exceptions.map(\.verdict) == [.conflict], "other content is a conflict")
        check(
            conflict.exceptions.allSatisfy { $0.quarantineID != nil },
            "a conflict is kept"
        )
        check(try await sum(of: key("amount")) == "5", "the first report stands")
    }

    private mutating func atomicCalls() async throws {
        let before = try await ledger.books(.init(groupBy: [], range: .years)).total
        let refused = try await record(
            [SampleEvent(id: "a1"), SampleEvent(id: "d1", number: "7")],
            isAtomic: true
        )
        check(refused.isRefused && refused.accepted == 0, "an atomic call is refused whole")
        let after = try await ledger.books(.init(groupBy: [], range: .years)).total
        check(before == after, "a refused call leaves nothing in the books")
        let accepted = try await record(
            [SampleEvent(id: "a1", number: "1"), SampleEvent(id: "d1", number: "5")],
            isAtomic: true
        )
        check(
            !accepted.isRefused && accepted.accepted == 1,
            "duplicates do not stand in the way"
        )
    }

    private mutating func visibility() async throws {
        let outcome = try await record([SampleEvent(id: "v1", number: "0.5")])
        check(try await sum(of: key("amount")) == "6.5", "the next query sees what was answered")
        let event = try await ledger.event(source: "gateway", id: "v1")
        check(event?.position == outcome.position, "an event is found by its key")
        check(
            event.map { String(decoding: $0.json, as: UTF8.self) }
                == SampleEvent(id: "v1", number: "0.5").json,
            "an event is kept as received"
        )
        let missing = try await ledger.event(source: "gateway", id: "nobody")
        check(missing == nil, "an unknown key is not found")
    }

    private mutating func booksBalance() async throws {
        _ = try await record([SampleEvent(id: "u1", type: "nobody.counts")])
        let total = try await ledger.books(.init(groupBy: [], range: .years)).total
        check(total.balances, "the books balance")
        check(total.unmatched == 1, "what no meter type counts is unmatched")
        check(total.conflict == 1, "a conflict is in the books")
    }

    private mutating func asOf() async throws {
        let key = try key("amount")
        let before = try await ledger.status().position
        let then = try await sum(of: key)
        _ = try await record([SampleEvent(id: "p1", number: "100")])
        check(try await sum(asOf: before, of: key) == then, "a reading as of a position stands")
        check(try await sum(asOf: .zero, of: key) == "0", "as of the empty log nothing was used")
        do {
            _ = try await sum(asOf: Position(before.value + 1_000), of: key)
            check(false, "a position in the future is refused")
        } catch {
            let code = (error as? LedgerError)?.code
            check(code == .positionUnknown, "the refusal says that the position is unknown")
        }
    }

    private mutating func retirement() async throws {
        let key = try key("amount")
        let before = try await sum(of: key)
        _ = try await ledger.retire(key)
        _ = try await record([SampleEvent(id: "r1", number: "1000")])
        check(try await sum(of: key) == before, "a retired meter type counts no more")
        do {
            _ = try await ledger.create(definition)
            check(false, "the key of a retired meter type is not used again")
        } catch {
            let code = (error as? LedgerError)?.code
            check(code == .retired, "the refusal says that it is retired")
        }
    }
}

extension Range where Bound == Instant {
    /// The years an event can lie in.
    fileprivate static var years: Range<Instant> {
        Instant(
            microseconds: -62_167_219_200_000_000
        )..<Instant(
            microseconds: 253_402_300_800_000_000
        )
    }
}
