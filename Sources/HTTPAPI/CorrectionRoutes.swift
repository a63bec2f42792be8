import HTTPTypes
import HummingbirdCore
import MeteringEngine
import UsageModel
import WireFormat

/// Corrections: events that count no more, that others stand for, that count again.
extension FrontDesk {
    /// The largest body: whole events may be in it.
    private static let correctionBytesMax = 8 * 1024 * 1024

    func answerOnCorrections(_ call: Call) async throws -> Answer {
        switch call.route {
        case .corrections:
            return call.isRead ? try await listCorrections(call) : try await correct(call)
        case .correctedEvents: return try await listCorrected(call)
        default: return try await readCorrection(call)
        }
    }

    /// `POST /v1/corrections`.
    private func correct(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let token = try idempotencyToken(call)
        let value = try await readDocument(call, bytesMax: Self.correctionBytesMax)
        let document: CorrectionDocument
        do throws(CorrectionDocument.Faults) {
            let caller = Author.current
            document = try CorrectionDocument(value, author: caller.name, reason: caller.reason)
        } catch {
            throw Refusal(error)
        }
        var request = CorrectionRequest(
            what(document),
            author: document.author,
            reason: document.reason,
            token: document.isDryRun ? nil : token,
            fingerprint: Self.fingerprint(value, document.author, document.reason)
        )
        request.expected = document.expected
        return try await answer(request, isDryRun: document.isDryRun, call)
    }

    /// The caller's own name for a request; nil where it gave none.
    func idempotencyToken(_ call: Call) throws(Refusal) -> String? {
        let token = call.request.headers[.idempotencyKey]
        if let token, token.isEmpty || token.utf8.count > Limits.keyFieldBytesMax {
            let most = Limits.keyFieldBytesMax
            throw Refusal(.invalidField, "Idempotency-Key has 1 to \(most) bytes")
        }
        return token
    }

    /// Makes a correction, or says what it would do.
    func answer(
        _ request: CorrectionRequest,
        isDryRun: Bool,
        _ call: Call
    ) async throws -> Answer {
        if isDryRun {
            let preview = try await ledger.preview(request)
            let calendars = try await calendars()
            var json = JSONWriter(pretty: call.isPretty)
            json.object { json in
                json.object("preview") { Self.write(preview, calendars, &$0) }
            }
            return .json(json)
        }
        let outcome = try await ledger.correct(request)
        let made = outcome.correction.map { JSONValue.object(Self.document($0)) }
        return .json(
            ["correction": made ?? .null],
            isPretty: call.isPretty,
            status: made == nil ? .ok : .created
        )
    }

    private func what(_ document: CorrectionDocument) -> CorrectionRequest.What {
        let targets: CorrectionRequest.Targets
        switch document.targets {
        case .replacements(let decoded):
            return .replace(ledger.preparer.prepare(decoded, arrival: clock()))
        case .keys(let keys): targets = .keys(keys)
        case .correction(let number): targets = .correction(number)
        case .filter(let filter):
            targets = .matching(EventQuery(filter))
        }
        return document.kind == .restore ? .restore(targets) : .void(targets)
    }

    /// Of what a body says, however it spells it.
    static func fingerprint(_ value: JSONValue, _ author: String, _ reason: String) -> UInt64 {
        let who = "\(author)\n\(reason)\n"
        return (Array(who.utf8) + value.serialized(pretty: false)).reduce(0xcbf2_9ce4_8422_2325) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
    }

    /// `GET /v1/corrections`, the newest first.
    private func listCorrections(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var question = CorrectionQuery(limit: query.limit())
        let asOf = query.knowledge("asOf")
        if var cursor = try query.cursor(.corrections) {
            let before = try cursor.readSigned()
            guard before > 0 else { throw Cursor.refusal }
            question.before = before
        }
        try query.finish()
        question.asOf = try await position(of: asOf)
        let answer = try await ledger.corrections(question)
        let items = answer.corrections.map { JSONValue.object(Self.document($0)) }
        var document: JSONObject = ["items": .array(items)]
        if answer.hasMore, let last = answer.corrections.last {
            var cursor = Cursor(.corrections, fingerprint: query.fingerprint)
            cursor.append(last.number)
            document["next"] = .string(cursor.text)
        }
        return .json(document, isPretty: call.isPretty)
    }

    private func knownCorrection(_ call: Call) async throws -> Correction {
        let name = try call.name(at: 2)
        guard let number = Correction.number(name),
            let correction = try await ledger.correction(number)
        else { throw Refusal.notFound("there is no correction \"\(name)\"") }
        return correction
    }

    /// `GET /v1/corrections/{id}`.
    private func readCorrection(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        return .json(Self.document(try await knownCorrection(call)), isPretty: call.isPretty)
    }

    /// `GET /v1/corrections/{id}/events`.
    private func listCorrected(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let limit = query.limit()
        let cursor = try query.cursor(.corrected)
        try query.finish()
        let at = try await knownCorrection(call).position
        var question = CorrectedQuery(after: Position(at.value - 1), upTo: at, limit: limit)
        if var cursor {
            question.cursor = .init(correction: at, event: try cursor.readPosition())
        }
        let answer = try await ledger.corrected(question)
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.array("items") { json in
                for event in answer.events { json.object { Self.write(event, &$0) } }
            }
            if answer.hasMore, let last = answer.events.last {
                var cursor = Cursor(.corrected, fingerprint: query.fingerprint)
                cursor.append(last.place.event.value)
                json.field("next", cursor.text)
            }
        }
        return .json(json)
    }

    // MARK: Documents

    static func document(_ correction: Correction) -> JSONObject {
        var document: JSONObject = [
            "id": .string(correction.id), "kind": .string(correction.kind.rawValue),
            "position": .string(correction.position.description),
            "at": .string(correction.at.rfc3339), "author": .string(correction.author),
            "reason": .string(correction.reason), "events": .number(String(correction.events)),
        ]
        document["backfillSet"] = correction.backfillSet.map { .string(BackfillSet.id($0)) }
        return document
    }

    private static func write(_ event: CorrectedEvent, _ json: inout JSONWriter) {
        json.field("source", event.source)
        json.field("id", event.id)
        json.field("position", event.place.event)
        json.field("subject", event.subject)
        json.field("time", event.time)
        json.field("counts", event.counts)
        if let other = event.replacement { json.field("replacement", other) }
    }

    private static func write(
        _ preview: CorrectionPreview,
        _ calendars: [MeterTypeKey: TypeCalendar],
        _ json: inout JSONWriter
    ) {
        json.field("position", preview.position)
        json.field("events", Int(preview.events))
        json.array("sample") { json in
            for event in preview.sample { json.object { write(event, calendars, &$0) } }
        }
        json.array("meters") { json in
            for effect in preview.effects {
                json.object { json in
                    json.field("meter", effect.meter.text)
                    json.field("before", effect.before)
                    json.field("after", effect.after)
                    json.array("records") { json in
                        for record in effect.records { json.object { write(record, &$0) } }
                    }
                }
            }
        }
        json.field("hasMoreMeters", preview.hasMore)
    }

    private static func write(
        _ adjusted: CorrectionPreview.Adjusted,
        _ json: inout JSONWriter
    ) {
        json.field("record", adjusted.record.text)
        json.field("start", adjusted.period.lowerBound)
        json.field("end", adjusted.period.upperBound)
        json.field("before", adjusted.before)
        json.field("after", adjusted.after)
    }
}
