public import MeteringEngine
import HTTPTypes
import UsageModel
import WireFormat

/// What the quarantine is worked on with; a server may only list it.
public typealias QuarantineDesk = QuarantineStore & QuarantineActionStore & RepairRuleStore
    & ManifestStore

/// Items of the quarantine, one by one.
extension FrontDesk {
    /// An edit: an event, and what is around it.
    static let editBytesMax = 2 * Limits.eventBytesMax

    var quarantineDesk: any QuarantineDesk {
        get throws(Refusal) {
            guard let quarantine else { throw .notFound("this server only lists the quarantine") }
            return quarantine
        }
    }

    func answerOnQuarantine(_ call: Call) async throws -> Answer {
        switch call.route {
        case .quarantine: return try await listQuarantine(call)
        case .quarantineGroups: return try await listQuarantineGroups(call)
        case .quarantineRelease: return try await releaseItem(call)
        case .quarantineDiscard: return try await changeItem(call, .discard)
        case .quarantineReopening: return try await changeItem(call, .reopen)
        case .quarantineActions: return try await startAction(call)
        case .quarantineAction: return try await readAction(call)
        case .quarantineCancelling: return try await cancelAction(call)
        default: return call.isRead ? try await readItem(call) : try await editItem(call)
        }
    }

    static func filter(_ query: inout Query) -> QuarantineFilter {
        var filter = QuarantineFilter(
            reason: query.text("reason"),
            source: query.text("source"),
            state: query.word("state")
        )
        (filter.type, filter.eventID) = (query.text("type"), query.text("eventId"))
        filter.rule = query.text("rule")
        (filter.seenFrom, filter.seenTo) = (query.instant("seenFrom"), query.instant("seenTo"))
        filter.text = query.text("text")
        let most = Limits.quarantineTextBytesMax
        if let text = filter.text, text.utf8.count > most {
            query.fault("text", "it has \(text.utf8.count) bytes", "give at most \(most)")
        }
        return filter
    }

    /// `GET /v1/quarantine`, newest first.
    private func listQuarantine(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var question = QuarantineQuery(Self.filter(&query), limit: query.limit())
        if var cursor = try query.cursor(.quarantine) {
            question.before = try cursor.readSigned()
        }
        try query.finish()

        let answer = try await ledger.quarantine(question)
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.array("items") { json in
                for event in answer.events { json.object { Self.write(event, &$0) } }
            }
            if answer.hasMore, let last = answer.events.last {
                var cursor = Cursor(.quarantine, fingerprint: query.fingerprint)
                cursor.append(last.number)
                json.field("next", cursor.text)
            }
        }
        return .json(json)
    }

    /// `GET /v1/quarantine/groups`, the largest first.
    private func listQuarantineGroups(_ call: Call) async throws -> Answer {
        var query = try call.query()
        var question = QuarantineGroupQuery(Self.filter(&query), limit: query.limit())
        if var cursor = try query.cursor(.quarantineGroups) {
            guard let skipped = Int(exactly: try cursor.readSigned()), skipped >= 0 else {
                throw Cursor.refusal
            }
            question.skipped = skipped
        }
        try query.finish()

        let answer = try await quarantineDesk.groups(question)
        var json = JSONWriter(pretty: call.isPretty)
        json.object { json in
            json.array("items") { json in
                for group in answer.groups { json.object { Self.write(group, &$0) } }
            }
            if answer.hasMore {
                var cursor = Cursor(.quarantineGroups, fingerprint: query.fingerprint)
                cursor.append(Int64(question.skipped + answer.groups.count))
                json.field("next", cursor.text)
            }
        }
        return .json(json)
    }

    private static func itemNumber(_ call: Call) throws(Refusal) -> Int64 {
        let name = try call.name(at: 2)
        guard let number = QuarantinedEvent.number(name) else {
            throw .notFound("\"\(name)\" is no id of an item, such as q-7")
        }
        return number
    }

    private func known(_ number: Int64) async throws -> QuarantinedEvent {
        guard let item = try await quarantineDesk.item(number) else {
            throw Refusal.notFound("there is no \(QuarantinedEvent.id(number))")
        }
        return item
    }

    /// `GET /v1/quarantine/{id}`
    private func readItem(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        return Self.answer(try await known(try Self.itemNumber(call)), call)
    }

    /// `PATCH /v1/quarantine/{id}`: another event, or a merge patch of it.
    private func editItem(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let number = try Self.itemNumber(call)
        let value = try await readDocument(call, bytesMax: Self.editBytesMax)
        let edit: QuarantineDocument.Edit
        do throws(QuarantineDocument.Faults) {
            edit = try QuarantineDocument.readEdit(value)
        } catch {
            throw Refusal(error)
        }
        let item = try await known(number)
        // The patch is of the version that was read, and of no other.
        guard item.version == edit.version else {
            return Self.answer(.outdated(item), call, sent: value)
        }
        let event = try Self.edited(item, edit.change)
        let outcome = try await quarantineDesk.change(
            number,
            version: edit.version,
            .edit(event),
            edit.note
        )
        return Self.answer(outcome, call, sent: value)
    }

    private static func edited(
        _ item: QuarantinedEvent,
        _ change: QuarantineDocument.Edit.Change
    ) throws(Refusal) -> [UInt8] {
        let bytes: [UInt8]
        switch change {
        case .event(let event): bytes = event.serialized()
        case .patch(let patch):
            guard let event = try? JSONValue.parse(item.bytes), event.objectValue != nil else {
                let reason = "the item is no JSON object that can be read whole"
                throw .fields([
                    FieldFault(pointer: "/patch", reason: reason, remedy: "send the whole event")
                ])
            }
            bytes = event.merged(with: patch).serialized()
        }
        guard bytes.count <= Limits.eventBytesMax else {
            throw Refusal(.limitExceeded, "an event has at most \(Limits.eventBytesMax) bytes")
        }
        return bytes
    }

    /// `POST /v1/quarantine/{id}/discard`, `…/reopen`.
    private func changeItem(_ call: Call, _ change: QuarantineChange) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let number = try Self.itemNumber(call)
        let (value, version, note) = try await readChange(call, needsReason: change == .discard)
        let outcome = try await quarantineDesk.change(number, version: version, change, note)
        return Self.answer(outcome, call, sent: value)
    }

    /// `POST /v1/quarantine/{id}/release`
    private func releaseItem(_ call: Call) async throws -> Answer {
        var query = try call.query()
        try query.finish()
        let number = try Self.itemNumber(call)
        let (value, version, note) = try await readChange(call, needsReason: false)
        let outcome = try await quarantineDesk.release(number, version: version, note)
        return Self.answer(outcome, call, sent: value)
    }

    private func readChange(
        _ call: Call,
        needsReason: Bool
    ) async throws -> (value: JSONValue, version: Int64?, note: QuarantineNote) {
        let value = try await readDocument(call)
        do throws(QuarantineDocument.Faults) {
            let read = try QuarantineDocument.readChange(value, needsReason: needsReason)
            return (value, read.version, read.note)
        } catch {
            throw Refusal(error)
        }
    }

    // MARK: Answers

    private static func answer(_ item: QuarantinedEvent, _ call: Call) -> Answer {
        var json = JSONWriter(pretty: call.isPretty)
        json.object { write(item, &$0) }
        return .json(json)
    }

    private static func answer(
        _ outcome: QuarantineOutcome,
        _ call: Call,
        sent: JSONValue
    ) -> Answer {
        let (refusal, current): (Refusal, QuarantinedEvent)
        switch outcome {
        case .changed(let item, let verdict?):
            var json = JSONWriter(pretty: call.isPretty)
            json.object { json in
                json.field("verdict", verdict.rawValue)
                if let position = item.releasedPosition { json.field("position", position) }
                json.object("item") { write(item, &$0) }
            }
            return .json(json)
        case .changed(let item, nil): return answer(item, call)
        case .outdated(let item):
            let detail = "\(item.id) is at version \(item.version)"
            (refusal, current) = (Refusal(.itemChanged, detail), item)
        case .settled(let item):
            let dropped = item.droppedAt == nil ? "" : ", and its bytes are no longer kept"
            let detail = "\(item.id) is \(item.state)\(dropped)"
            (refusal, current) = (Refusal(.itemSettled, detail), item)
        }
        return refusal.answer(instance: call.path, isPretty: call.isPretty) { json in
            json.object("current") { write(current, &$0) }
            json.name("sent")
            json.value(sent)
        }
    }

    private static func write(_ group: QuarantineGroup, _ json: inout JSONWriter) {
        json.field("reason", group.reason)
        json.field("source", group.source)
        json.field("type", group.type)
        if !group.rule.isEmpty { json.field("rule", group.rule) }
        json.field("items", String(group.items))
        json.field("open", String(group.open))
        json.field("seen", String(group.seen))
        json.field("firstSeenAt", group.firstSeenAt)
        json.field("lastSeenAt", group.lastSeenAt)
        json.field("sample", QuarantinedEvent.id(group.sample))
    }

    static func write(_ event: QuarantinedEvent, _ json: inout JSONWriter) {
        json.field("id", event.id)
        json.field("state", event.state.rawValue)
        json.field("version", Int(event.version))
        json.field("reason", event.reason)
        json.field("pointer", event.pointer)
        json.field("detail", event.detail)
        if !event.rule.isEmpty { json.field("rule", event.rule) }
        if let set = event.backfillSet { json.field("backfillSet", BackfillSet.id(set)) }
        if !event.source.isEmpty { json.field("source", event.source) }
        if !event.eventID.isEmpty { json.field("eventId", event.eventID) }
        if !event.type.isEmpty { json.field("type", event.type) }
        json.field("firstSeenAt", event.firstSeenAt)
        json.field("lastSeenAt", event.lastSeenAt)
        json.field("seen", String(event.seen))
        if event.droppedAt == nil { write(event.original, "original", &json) }
        if let edited = event.edited { write(edited, "edited", &json) }
        if let changedAt = event.changedAt { json.field("changedAt", changedAt) }
        if !event.note.author.isEmpty { json.field("author", event.note.author) }
        if !event.note.reason.isEmpty { json.field("changeReason", event.note.reason) }
        if let position = event.releasedPosition { json.field("position", position) }
        if let repair = event.repair { write(repair, &json) }
        if let droppedAt = event.droppedAt { json.field("droppedAt", droppedAt) }
    }

    private static func write(_ repair: RepairMark, _ json: inout JSONWriter) {
        json.object(repair.outcome.isRelease ? "repairedBy" : "repairTried") { json in
            json.field("rule", repair.rule)
            json.field("version", Int(repair.version))
            guard !repair.outcome.isRelease else { return }
            json.field("outcome", repair.outcome.rawValue)
            json.field("detail", repair.detail)
        }
    }

    /// Bytes as a text, or where they are none, in base 64 under a name that says so.
    static func write(_ bytes: [UInt8], _ name: String, _ json: inout JSONWriter) {
        if let text = String(validating: bytes, as: UTF8.self) {
            json.field(name, text)
        } else {
            json.field(name + "Base64", Base64.encode(bytes, .standard))
        }
    }
}
