import HTTPTypes
import MeteringEngine
import UsageModel
import WireFormat

/// Actions on many items of the quarantine at once.
extension FrontDesk {
    /// `POST /v1/quarantine/actions`: writes the action down, or shows what it would do.
    func startAction(_ call: Call) async throws -> Answer {
        var query = try call.query()
        let limit = query.limit()
        var after: Int64 = 0
        if var cursor = try query.cursor(.quarantinePreview) { after = try cursor.readSigned() }
        try query.finish()
        let value = try await readDocument(call)
        let (request, isDryRun): (QuarantineActionRequest, Bool)
        do throws(QuarantineDocument.Faults) {
            (request, isDryRun) = try QuarantineDocument.readAction(value)
        } catch {
            throw Refusal(error)
        }
        let repair = try repair(request.repair)
        if isDryRun {
            let page = try await quarantineDesk.items(
                request.filter,
                after: after,
                upTo: .max,
                limit: limit
            )
            let total = try await quarantineDesk.count(request.filter)
            var cursor = Cursor(.quarantinePreview, fingerprint: query.fingerprint)
            cursor.append(page.events.last?.number ?? 0)
            let next = page.hasMore ? cursor.text : nil
            return Self.preview(page.events, request.kind, repair, total, next, call)
        }
        let action = try await quarantineDesk.start(request)
        var answer = Self.answer(action, call)
        answer.status = .accepted
        answer.headers[.location] = "/v1/quarantine/actions/" + action.id
        return answer
    }

    func repair(_ rule: EventRepair?) throws(Refusal) -> QuarantineRepair? {
        guard let rule else { return nil }
        do throws(RepairFaults) {
            return try QuarantineRepair(rule, zones: zones)
        } catch {
            throw .fields(
                error.faults.map { fault in
                    var fault = fault
                    fault.pointer = "/repair" + fault.pointer
                    return fault
                }
            )
        }
    }

    private static func preview(
        _ items: [QuarantinedEvent],
        _ kind: QuarantineActionRequest.Kind,
        _ repair: QuarantineRepair?,
        _ total: Int64,
        _ next: String?,
        _ call: Call
    ) -> Answer {
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.field("total", String(total))
            json.array("items") { json in
                for item in items { json.object { write(item, kind, repair, &$0) } }
            }
            if let next { json.field("next", next) }
        }
        return .json(json)
    }

    private static func write(
        _ item: QuarantinedEvent,
        _ kind: QuarantineActionRequest.Kind,
        _ repair: QuarantineRepair?,
        _ json: inout JSONWriter
    ) {
        json.field("id", item.id)
        json.field("version", Int(item.version))
        json.field("reason", item.reason)
        write(item.bytes, "before", &json)
        var after = item.bytes
        switch repair?.applied(to: item.bytes) {
        case .changed(let bytes):
            after = bytes
            write(after, "after", &json)
        case .failed(let words): return json.field("failure", words)
        case .unchanged, nil: break
        }
        guard kind != .discard else { return }
        // Whether its key is known is decided when it is released.
        let decoded = try? decodeEvents(after, framing: .plain)
        json.field("isSound", decoded?.rejected.isEmpty == true && decoded?.events.count == 1)
        guard let fault = decoded?.rejected.first else { return }
        json.field("fault", fault.reason.rawValue)
        json.field("pointer", fault.pointer)
    }

    private static func actionNumber(_ call: Call) throws(Refusal) -> Int64 {
        let name = try call.name(at: 3)
        guard let number = QuarantineAction.number(name) else {
            throw .notFound("\"\(name)\" is no id of an action, such as qa-7")
        }
        return number
    }

    /// `GET /v1/quarantine/actions/{id}`: how far it is.
    func readAction(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let number = try Self.actionNumber(call)
        guard let action = try await quarantineDesk.action(number) else {
            throw Refusal.notFound("there is no action qa-\(number)")
        }
        return Self.answer(action, call)
    }

    /// `POST /v1/quarantine/actions/{id}/cancel`
    func cancelAction(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        return Self.answer(try await quarantineDesk.cancel(try Self.actionNumber(call)), call)
    }

    private static func answer(_ action: QuarantineAction, _ call: Call) -> Answer {
        var document = QuarantineDocument.document(action.request)
        document["id"] = .string(action.id)
        document["state"] = .string(action.state.rawValue)
        document["createdAt"] = .string(action.createdAt.rfc3339)
        document["changedAt"] = .string(action.changedAt.rfc3339)
        let tally = action.tally
        for (name, count) in [
            ("total", action.total), ("items", tally.items), ("repaired", tally.repaired),
            ("accepted", tally.accepted), ("duplicate", tally.duplicate),
            ("discarded", tally.discarded), ("failed", tally.failed),
        ] {
            document[name] = .string(String(count))
        }
        return .json(document, isPretty: call.isPretty)
    }
}
