internal import MeteringEngine
internal import UsageModel
internal import WireFormat

extension LedgerConformance {
    /// What ``CorrectionStore`` promises.
    mutating func corrections() async throws {
        var definition = MeterTypeDefinition(
            key: try key("corrected"),
            name: "Corrected",
            eventTypes: EventTypePattern("corrected").map { [$0] } ?? [],
            aggregation: .sum,
            value: try EventPath("$.data.amount")
        )
        definition.resetSchedule = .daily
        _ = try await ledger.create(definition)
        try await settle()
        let key = definition.key
        let events = (1...3).map { place in
            SampleEvent(
                id: "k\(place)",
                type: "corrected",
                subject: "s\(place)",
                number: "\(place)"
            )
        }
        let start = try await record(events).position
        try await voiding(key, start)
        try await replacing(key)
        try await refusals()
        check(try await record(events).accepted == 0, "a voided event's key stays taken")
    }

    private static let keys = [EventKey(source: "gateway", id: "k1")]

    private func correct(
        _ what: CorrectionRequest.What,
        token: String? = nil,
        fingerprint: UInt64 = 0
    ) async throws(LedgerError) -> Correction? {
        try await ledger.correct(
            CorrectionRequest(
                what,
                author: "Ada",
                reason: "conformance",
                token: token,
                fingerprint: fingerprint
            )
        ).correction
    }

    private mutating func voiding(_ key: MeterTypeKey, _ start: Position) async throws {
        let preview = try await ledger.preview(
            CorrectionRequest(.void(.keys(Self.keys)), author: "Ada", reason: "a try")
        )
        check(preview.events == 1, "a preview counts the events")
        check(preview.effects.map(\.after) == [Quantity.zero], "a preview tells what becomes of it")
        check(try await sum(of: key) == "6", "a preview changes nothing")
        var other = CorrectionRequest(.void(.keys(Self.keys)), author: "Ada", reason: "two")
        other.expected = 2
        do {
            _ = try await ledger.correct(other)
            check(false, "a correction of other events than are expected is refused")
        } catch {
            check(error.code == .selectionChanged, "the refusal says that others would change")
        }
        check(try await sum(of: key) == "6", "a refused correction changes nothing")
        let made = try await correct(.void(.keys(Self.keys)), token: "t1", fingerprint: 1)
        let position = try await ledger.status().position
        check(made?.position == position, "a correction takes a position of the log")
        check(made?.events == 1, "a correction counts its events")
        check(try await sum(of: key) == "5", "a voided event counts no more")
        check(try await sum(asOf: start, of: key) == "6", "as of before, it counts")
        check(try await sum(asOf: position, of: key) == "5", "as of the correction, it does not")
        check(try await correct(.void(.keys(Self.keys))) == nil, "what is void is not voided")
        let again = try await correct(.void(.keys(Self.keys)), token: "t1", fingerprint: 1)
        check(again == made, "the same request under one token is made once")
        do {
            _ = try await correct(.void(.keys(Self.keys)), token: "t1", fingerprint: 2)
            check(false, "another request under the same token is refused")
        } catch {
            check(error.code == .alreadyExists, "the refusal says that the token is taken")
        }
        let event = try await ledger.event(source: "gateway", id: "k1")
        check(event?.isVoid == true, "the event says that it is void")
        check(event?.corrections.map(\.correction) == [made].compactMap(\.self), "and by what")
        let restored = try await correct(.restore(.correction(made?.number ?? 0)))
        check(restored?.events == 1, "a correction is taken back")
        check(try await sum(of: key) == "6", "a restored event counts again")
        var query = EventQuery(range: .allTime, limit: 1)
        query.type = EventTypePattern("corrected")
        query.subjects = ["s2"]
        check(try await correct(.void(.matching(query)))?.events == 1, "a filter finds its events")
        check(try await sum(of: key) == "4", "what a filter found counts no more")
        check(try await correct(.restore(.matching(query)))?.events == 1, "and is restored by it")
    }

    private mutating func replacing(_ key: MeterTypeKey) async throws {
        var other = SampleEvent(id: "k1", type: "corrected", subject: "s9", number: "10")
        other.time = Instant(microseconds: other.time.microseconds + 1)
        let decoded = try decodeEvents(Array(other.json.utf8), framing: .plain)
        let batch = ledger.preparer.prepare(decoded, arrival: other.time)
        let before = try await ledger.status().position
        guard let made = try await correct(.replace(batch)) else {
            return check(false, "an event is replaced")
        }
        check(try await sum(of: key) == "15", "the replacement stands for the event")
        check(try await sum(asOf: before, of: key) == "6", "as of before, the event stands")
        let query = CorrectedQuery(
            after: Position(made.position.value - 1),
            upTo: made.position,
            limit: 10
        )
        let events = try await ledger.corrected(query).events
        check(events.map(\.id) == ["k1"], "a correction tells its events")
        let behind = Position(made.position.value + 1)
        check(events.first?.replacement == behind, "the replacement lies behind the correction")
        check(events.first?.counts == false, "the replaced event counts no more")
        _ = try await correct(.restore(.keys(Self.keys)))
        check(try await sum(of: key) == "6", "a restored event stands for itself again")
    }

    private mutating func refusals() async throws {
        let before = try await ledger.corrections(CorrectionQuery(limit: 1_000)).corrections
        let numbers = before.map(\.number)
        check(
            numbers == Array((1...Int64(before.count)).reversed()),
            "they are listed newest first"
        )
        do {
            let unknown = Self.keys + [EventKey(source: "gateway", id: "nobody")]
            _ = try await correct(.void(.keys(unknown)))
            check(false, "an unknown event is refused")
        } catch { check(error.code == .notFound, "the refusal says that there is no such event") }
        do {
            _ = try await correct(.restore(.correction(1_000)))
            check(false, "an unknown correction is refused")
        } catch { check(error.code == .notFound, "the refusal says that there is none") }
        let restore = before.first { $0.kind == .restore }
        do {
            _ = try await correct(.restore(.correction(restore?.number ?? 0)))
            check(false, "a restore is not taken back")
        } catch { check(error.code == .invalidCorrection, "the refusal says that it is a restore") }
        let after = try await ledger.corrections(CorrectionQuery(limit: 1_000)).corrections
        check(after == before, "what is refused leaves nothing")
    }
}
