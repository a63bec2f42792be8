import MeteringEngine
import UsageModel
import WireFormat

/// Stored events: one by its key, lists by filters, and the events behind a reading.
extension FrontDesk {
    private enum Status: String, CaseIterable { case counted, unmatched }

    /// `GET /v1/events`.
    func listEvents(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var question = EventQuery(range: query.range(), limit: query.limit())
        question.subjects = Set([query.text("subject")].compactMap(\.self))
        question.source = query.text("source")
        question.type = Self.typePattern(&query)
        question.meterType = query.text("meterType").flatMap { query.meterType($0) }
        question.dimensions = query.named("dimension.")
        if let status: Status = query.word("status") { question.isCounted = status == .counted }
        let asOf = query.knowledge("asOf")
        question.isDescending = query.isDescending()
        if !question.dimensions.isEmpty, question.meterType == nil {
            query.fault("meterType", "dimensions belong to a meter type", "name the meter type")
        }
        let following = query.followed()
        if var cursor = try query.cursor(.events) {
            question.after = try cursor.readPosition()
            if following != nil {
                query.fault("after", "it stands beside a cursor", "leave one out")
            }
        }
        if following != nil, question.isDescending {
            query.fault("order", "what follows a position comes in its order", "leave order out")
        }
        try query.finish()
        question.asOf = try await position(of: asOf)
        if let following { try await follow(following, &question) }
        return try await page(of: question, query.fingerprint, call)
    }

    /// Asks for what follows a position, no further than one call looks.
    private func follow(_ position: Position, _ question: inout EventQuery) async throws {
        var end = try await ledger.position(knownAt: .latest).value
        if let asOf = question.asOf { end = min(end, asOf.value) }
        // Of a log that ends before there is nothing to look at; what follows begins at its end.
        let start = min(position.value, end)
        question.after = Position(start)
        question.through = Position(min(end, start + UInt64(Limits.eventsFollowedMax)))
    }

    /// The position that a state of knowledge is; nil: as of now.
    ///
    /// - Throws: `positionUnknown` for one that lies ahead.
    func position(of knowledge: Query.Knowledge?) async throws -> Position? {
        switch knowledge {
        case nil: return nil
        case .instant(let instant): return try await ledger.position(knownAt: instant)
        case .position(let position):
            let last = try await ledger.position(knownAt: .latest)
            guard position <= last else {
                throw LedgerError(.positionUnknown, "the log ends at position \(last)")
            }
            return position
        }
    }

    /// A page of events, as an answer.
    func page(
        of question: EventQuery,
        _ fingerprint: UInt64,
        _ call: Call
    ) async throws -> Answer {
        let answer = try await ledger.events(question)
        let calendars = try await calendars()
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.field("position", answer.position)
            json.array("items") { json in
                for event in answer.events { json.object { Self.write(event, calendars, &$0) } }
            }
            if let through = question.through {
                let last = answer.hasMore ? answer.events.last?.position : nil
                json.field("lookedUpTo", last ?? through)
            } else if answer.hasMore, let last = answer.events.last {
                var cursor = Cursor(.events, fingerprint: fingerprint)
                cursor.append(last.position.value)
                json.field("next", cursor.text)
            }
        }
        return .json(json)
    }

    private static func typePattern(_ query: inout Query) -> EventTypePattern? {
        guard let text = query.text("type") else { return nil }
        if let pattern = EventTypePattern(text) { return pattern }
        query.fault(
            "type",
            "it is neither an event type nor a prefix of some",
            "give one type, or a prefix that ends in *: llm.*"
        )
        return nil
    }

    /// `GET /v1/events/{source}/{id}`.
    func readEvent(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let source = try call.name(at: 2)
        let id = try call.name(at: 3)
        guard let event = try await ledger.event(source: source, id: id) else {
            throw Refusal.notFound("no event with this source and id was accepted")
        }
        let calendars = try await calendars(for: event)
        var json = JSONWriter(pretty: call.isPretty)
        json.object { Self.write(event, calendars, &$0) }
        return .json(json)
    }

    /// What cuts the periods of a meter type.
    struct TypeCalendar {
        var zone: String
        var calendar: UsageQuery.Calendar
    }

    /// The calendars of all meter types, for one event or for a list. One whose zone is not known
    /// is left out: the rest of an explanation is true without it.
    func calendars(
        for event: StoredEvent? = nil
    ) async throws -> [MeterTypeKey: TypeCalendar] {
        var calendars: [MeterTypeKey: TypeCalendar] = [:]
        for newest in try await ledger.meterTypes() {
            let type = try await ledger.meterTypeInForce(newest.key)
            guard let zone = try? await zone(of: type, for: event) else { continue }
            calendars[type.key] = TypeCalendar(
                zone: UsageQuery.name(of: zone),
                calendar: UsageQuery.calendar(type.definition.resetSchedule, in: zone)
            )
        }
        return calendars
    }

    /// The zone that cuts the periods of an event's meter. Whose it is where it is the customer's,
    /// is asked for one event, and not for each of a list.
    private func zone(
        of type: MeterType,
        for event: StoredEvent?
    ) async throws -> UsageQuery.Zone? {
        guard type.definition.isInCustomersZone else {
            return try zone(named: type.definition.timezone)
        }
        guard let event, let id = MeterID(meterType: type.key, subject: event.subject) else {
            return nil
        }
        return try await zone(of: type, id, at: event.time)
    }

    static func write(
        _ event: StoredEvent,
        _ calendars: [MeterTypeKey: TypeCalendar],
        _ json: inout JSONWriter
    ) {
        json.field("event", raw: event.json)
        json.field("position", event.position)
        json.field("receivedAt", event.receivedAt)
        json.field("time", event.time)
        json.field(
            "status",
            event.isVoid ? "void" : event.isCounted ? "counted" : "unmatched"
        )
        json.array("explanation") { json in
            for explanation in event.explanation {
                let calendar = calendars[explanation.meterType]
                json.object { write(explanation, of: event, calendar, &$0) }
            }
        }
        if let set = event.backfillSet { json.field("backfillSet", BackfillSet.id(set)) }
        if let repaired = event.repairedBy {
            json.object("repairedBy") { json in
                json.field("rule", repaired.rule)
                json.field("version", Int(repaired.version))
                json.field("item", QuarantinedEvent.id(repaired.item))
            }
        }
        guard !event.corrections.isEmpty else { return }
        json.array("corrections") { json in
            for said in event.corrections { json.object { write(said, &$0) } }
        }
    }

    private static func write(_ said: StoredEvent.Corrected, _ json: inout JSONWriter) {
        json.field("id", said.correction.id)
        json.field("kind", said.correction.kind.rawValue)
        json.field("position", said.correction.position)
        json.field("at", said.correction.at)
        json.field("author", said.correction.author)
        json.field("reason", said.correction.reason)
        json.field("counts", said.counts)
        if let other = said.replacement { json.field("replacement", other) }
    }

    private static func write(
        _ explanation: StoredEvent.Explanation,
        of event: StoredEvent,
        _ calendar: TypeCalendar?,
        _ json: inout JSONWriter
    ) {
        json.field("meterType", explanation.meterType.text)
        json.field("version", explanation.version)
        json.field("matched", explanation.isCounted)
        guard explanation.isCounted else { return json.field("because", explanation.because) }
        if let id = MeterID(meterType: explanation.meterType, subject: event.subject) {
            json.field("meter", id.text)
        }
        if let value = explanation.value { json.field("value", value) }
        if !explanation.dimensions.isEmpty { json.field("dimensions", explanation.dimensions) }
        guard let calendar else { return }
        json.object("period") { json in
            let bounds = UsageQuery.bounds(of: calendar.calendar, at: event.time)
            if let start = bounds.start { json.field("start", start) }
            if let end = bounds.end { json.field("end", end) }
            json.field("timezone", calendar.zone)
        }
    }

    /// `GET /v1/unreadable`: events that a meter type matched and could not read.
    func listUnreadable(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let key = query.text("meterType").flatMap { query.meterType($0) }
        var question = UnreadableQuery(meterType: key, limit: query.limit())
        let asOf = query.knowledge("asOf")
        if var cursor = try query.cursor(.unreadable) {
            let position = try cursor.readPosition()
            let meter = UInt32(truncatingIfNeeded: try cursor.readNumber())
            question.after = UnreadableEvent.OrderKey(position: position, meter: meter)
        }
        try query.finish()
        question.asOf = try await position(of: asOf)

        let answer = try await ledger.unreadable(question)
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.array("items") { json in
                for event in answer.events {
                    json.object { json in
                        json.field("meterType", event.meterType.text)
                        json.field("reason", event.reason.code)
                        json.field("source", event.source)
                        json.field("id", event.id)
                        json.field("position", event.orderKey.position)
                    }
                }
            }
            if answer.hasMore, let last = answer.events.last?.orderKey {
                var cursor = Cursor(.unreadable, fingerprint: query.fingerprint)
                cursor.append(last.position.value)
                cursor.append(UInt64(last.meter))
                json.field("next", cursor.text)
            }
        }
        return .json(json)
    }
}
