internal import Metering
public import MeteringEngine
internal import UsageModel
internal import WireFormat

/// What every ledger must do, as one suite: the promises of ``UsageLedger``, each tried.
///
/// It returns violations instead of asserting, so that tests and the simulator judge alike.
public struct LedgerConformance: Sendable {
    let ledger: any UsageLedger
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
        try await meters()
        try await asOf()
        try await retirement()
        try await expressions()
        try await aggregations()
        try await versions()
        try await corrections()
        violations += try await EnrolmentConformance(ledger).run()
        violations += try await PastConformance(ledger).run()
        return violations
    }

    mutating func check(_ holds: Bool, _ promise: String) {
        if !holds { violations.append(promise) }
    }

    func record(_ events: [SampleEvent], isAtomic: Bool = false) async throws
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

    func sum(asOf: Position? = nil, of key: MeterTypeKey) async throws -> String? {
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

    func key(_ text: String) throws -> MeterTypeKey {
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

    /// A filter, a value and a dimension that are computed.
    private var computed: MeterTypeDefinition {
        get throws {
            var definition = try definition
            definition.key = try key("computed")
            definition.filter = "$.data.model == \"large\" and hour(time) == 0"
            definition.value = .expression("$.data.amount * 3 + length($.data.users)")
            definition.dimensions = [
                Dimension(name: "model", value: .expression("upper($.data.model)"))
            ]
            return definition
        }
    }

    private var unreadable: MeterTypeDefinition {
        get throws {
            var definition = try definition
            definition.key = try key("unreadable")
            definition.filter = "1 / $.data.amount > 0"
            return definition
        }
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

    /// The meters there are, page by page, and the readings of their periods.
    private mutating func meters() async throws {
        let key = try key("amount")
        let day: Int64 = 86_400_000_000
        let noon = Instant(microseconds: 1_793_491_200_000_000 + day / 2)
        let later = Instant(microseconds: noon.microseconds + 2 * day)
        _ = try await record([
            SampleEvent(id: "m1", subject: "b/1", time: noon, number: "2", model: "large"),
            SampleEvent(id: "m2", subject: "b/2", time: noon, number: "3"),
            SampleEvent(id: "m3", subject: "b/1", time: later, number: "4"),
            SampleEvent(id: "m4", type: "nobody.counts", subject: "b/3", time: noon),
        ])
        var listed: [Meter] = []
        var after: MeterQuery.Place?
        repeat {
            let page = try await ledger.meters(MeterQuery(limit: 1, after: after))
            check(page.meters.count <= 1, "a page of meters holds at most what was asked for")
            listed += page.meters
            after = page.next
        } while after != nil && listed.count < 10
        check(
            listed.map(\.id.text) == ["amount~acme", "amount~b~2F1", "amount~b~2F2"],
            "each subject with usage is a meter, and is listed once"
        )
        let asked = MeterQuery(meterTypes: [key], prefix: "b/", limit: 10)
        check(try await ledger.meters(asked).meters.count == 2, "a prefix is of the subject")
        let named = MeterQuery(subjects: ["b/1", "nobody"], limit: 10)
        let one = try await ledger.meters(named).meters
        check(one.map(\.events) == [2], "a meter knows how many events it counts")
        check(
            one.allSatisfy { $0.span.contains(noon) && $0.span.contains(later) },
            "a meter spans its events"
        )
        do {
            _ = try await ledger.meters(MeterQuery(meterTypes: [self.key("none")], limit: 1))
            check(false, "meters of an unknown type are refused")
        } catch {
            let code = (error as? LedgerError)?.code
            check(code == .notFound, "the refusal says that there is none")
        }
        try await periods(of: key, from: noon, to: later)
    }

    private mutating func periods(
        of key: MeterTypeKey,
        from noon: Instant,
        to later: Instant
    ) async throws {
        let answer = try await ledger.readings(
            UsageQuery(
                meterTypes: [key],
                subjects: ["b/1"],
                range: noon..<Instant(microseconds: later.microseconds + 1),
                calendar: PeriodCalendar(schedule: .daily, zone: .utc),
                fillsZero: true,
                addsTotals: true
            )
        )
        check(
            answer.readings.map { $0.value?.description } == ["2", "0", "4"],
            "a calendar cuts windows"
        )
        check(
            answer.totals.map { $0.value?.description } == ["2", "0", "4"],
            "without groups totals are the readings"
        )
        guard let type = try await ledger.meterTypes().first(where: { $0.key == key }),
            let id = MeterID(meterType: key, subject: "b/1")
        else { return check(false, "a meter type that was made is there") }
        let reading = try await ledger.reading(id, of: type.definition, in: .utc, at: noon)
        check(
            reading.firstEventAt == noon && reading.lastEventAt == later,
            "a meter knows when its first and its last event took place"
        )
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

extension LedgerConformance {
    private mutating func expressions() async throws {
        for definition in [try computed, try unreadable] {
            _ = try await ledger.create(definition)
            let listed = try await ledger.meterTypes().map(\.definition)
            check(listed.contains(definition), "expressions are kept as they were written")
        }
        while try await ledger.meterTypes().contains(where: { !$0.isBackfilled }) {
            await Task.yield()
        }
        check(
            try await sum(of: key("computed")) == "0",
            "the history that a filter excludes is not counted"
        )
        let books = try await ledger.books(.init(groupBy: [], range: .years)).total
        let midnight = SampleEvent(id: "x").time
        let later = Instant(microseconds: midnight.microseconds + 3_600_000_000)
        let before = try await sum(of: key("unreadable"))
        let outcome = try await record([
            SampleEvent(id: "f1", number: "2", model: "large", users: ["a", "b"]),
            SampleEvent(id: "f2", number: "0.5", model: "large"),
            SampleEvent(id: "f3", number: "100", model: "small"),
            SampleEvent(id: "f4", time: later, number: "100", model: "large"),
            SampleEvent(id: "f5", number: "0"),
        ])
        check(outcome.accepted == 5, "a filter rejects no event")
        check(outcome.unreadable == 1, "a filter that faults makes the event unreadable")
        check(
            try await sum(of: key("computed")) == "9.5",
            "a computed value is summed where the filter holds"
        )
        let after = try await sum(of: key("unreadable"))
        let grown = try Quantity(after ?? "").subtracting(Quantity(before ?? ""))
        check(grown == (try Quantity("202.5")), "what the filter cannot read is not counted")
        let total = try await ledger.books(.init(groupBy: [], range: .years)).total
        check(total.balances, "the books balance with filters")
        check(
            total.counted - books.counted == 4 && total.unmatched - books.unmatched == 1,
            "an event that no filter lets through is unmatched"
        )
    }
}

extension Range where Bound == Instant {
    /// The years an event can lie in.
    static var years: Range<Instant> {
        Instant(
            microseconds: -62_167_219_200_000_000
        )..<Instant(
            microseconds: 253_402_300_800_000_000
        )
    }
}
