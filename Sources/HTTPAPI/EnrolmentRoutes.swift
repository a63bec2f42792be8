import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// What is said of meters: enrolled, altered, suspended, resumed, closed. Each call changes nothing
/// the second time, so an `Idempotency-Key` adds nothing.
extension FrontDesk {
    /// `POST /v1/meters`: one meter, or `{"meters":[…]}`. 201, or 200 where nothing was new.
    func enrol(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let value = try await readDocument(call, bytesMax: bodies.bytesMax)
        let (enrolments, areMany): ([MeterEnrolment], Bool)
        do throws(EnrolmentDocument.Faults) {
            (enrolments, areMany) = try EnrolmentDocument.read(value)
        } catch {
            throw Refusal(error)
        }
        let outcome = try await ledger.enrol(enrolments)
        let status: HTTPResponse.Status = outcome.enrolled > 0 ? .created : .ok
        if !areMany, let id = enrolments.first?.id {
            var answer = try await self.answer(id, call)
            answer.status = status
            answer.headers[.location] = "/v1/meters/" + id.text
            return answer
        }
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.field("enrolled", String(outcome.enrolled))
            json.field("unchanged", String(outcome.unchanged))
            json.field("position", outcome.position)
        }
        return .json(json, status: status)
    }

    /// `PATCH /v1/meters/{id}`: dates and notes.
    func alterMeter(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let (id, _) = try await meter(call)
        let value = try await readDocument(call)
        let alteration: MeterAlteration
        do throws(EnrolmentDocument.Faults) {
            alteration = try EnrolmentDocument.readAlteration(value)
        } catch {
            throw Refusal(error)
        }
        _ = try await ledger.alter(id, alteration)
        return try await answer(id, call)
    }

    /// `POST /v1/meters/{id}/suspend`, `…/resume`, `…/close`.
    func change(_ call: Call, _ standing: MeterStanding) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let (id, _) = try await meter(call)
        let value = try await readDocument(call)
        let change: StandingChange
        do throws(EnrolmentDocument.Faults) {
            change = try EnrolmentDocument.readChange(value, standing, now: clock())
        } catch {
            throw Refusal(error)
        }
        _ = try await ledger.say(change, of: id)
        return try await answer(id, call)
    }

    /// A meter as it stands now, without its value: what it is worth is another question.
    private func answer(_ id: MeterID, _ call: Call) async throws -> Answer {
        let now = clock()
        let meter = try await ledger.meter(id, at: now)
        let type = try await ledger.meterTypeInForce(id.meterType)
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            Self.write(meter, of: type, &json)
            if let enrolled = meter.enrolled { Self.write(enrolled, at: now, &json) }
        }
        return .json(json)
    }

    /// What was said of a meter: the dates and notes that are set.
    static func write(_ meter: EnrolledMeter, _ json: inout JSONWriter) {
        let enrolment = meter.enrolment
        if let start = enrolment.start { json.field("start", start) }
        if let end = enrolment.end { json.field("end", end) }
        if !enrolment.category.isEmpty { json.field("category", enrolment.category) }
        if !enrolment.externalRef.isEmpty { json.field("externalRef", enrolment.externalRef) }
        if !enrolment.metadata.isEmpty {
            json.field("metadata", raw: enrolment.metadata.document.serialized())
        }
        if meter.isEnrolled { json.field("enrolledAt", meter.since) }
    }

    /// The same, and all words about its state.
    static func write(_ meter: EnrolledMeter, at instant: Instant, _ json: inout JSONWriter) {
        write(meter, &json)
        if let reason = meter.word(at: instant)?.change.reason, !reason.isEmpty {
            json.field("reason", reason)
        }
        guard !meter.words.isEmpty else { return }
        json.array("states") { json in
            for word in meter.words {
                json.object { json in
                    json.field("state", word.change.standing.rawValue)
                    json.field("from", word.change.from)
                    if let to = word.change.to { json.field("to", to) }
                    json.field("reason", word.change.reason)
                    json.field("saidAt", word.at)
                    json.field("position", word.position)
                }
            }
        }
    }
}
