public import UsageModel

/// What people say of items in quarantine: edits, changes of state, actions on many.
///
///     {"version":1,"patch":{"time":"2026-11-01T12:00:00Z"}}
///     {"version":1,"event":{"id":"a",…}}
///     {"version":2,"reason":"test traffic","author":"kim"}
///     {"action":"repair-and-release","filter":{"reason":"time-missing-offset"},
///      "repair":{"set":{"/time":"concat($.time, \"Z\")"},"remove":["/data/x"]},"dryRun":true}
public enum QuarantineDocument {
    public typealias Faults = MeterTypeDocument.Faults

    /// Another event in the place of an item's bytes.
    public struct Edit: Sendable, Hashable {
        public enum Change: Sendable, Hashable {
            case event(JSONValue)
            /// A JSON merge patch (RFC 7396) of the event as it stands.
            case patch(JSONValue)
        }

        public var version: Int64
        public var change: Change
        public var note: QuarantineNote
    }

    public static let editFields = ["version", "event", "patch", "author", "reason"]
    public static let changeFields = ["version", "author", "reason"]
    public static let actionFields = [
        "action", "filter", "repair", "author", "reason", "dryRun", "expected",
    ]

    public static func readEdit(_ value: JSONValue) throws(Faults) -> Edit {
        var reader = FieldReader(value, at: "", known: editFields)
        guard reader.isObject else { throw reader.faults }
        reader.require("version", "give the version that was read: it must still stand")
        let version = reader.whole("version", in: 1...Int.max)
        let note = note(&reader)
        var change: Edit.Change?
        switch (reader.value("event"), reader.value("patch")) {
        case (let event?, nil): change = .event(event)
        case (nil, let patch?): change = .patch(patch)
        default: reader.fault("", "it does not say what to change", "give event, or patch")
        }
        for name in ["event", "patch"] {
            guard let value = reader.value(name), value.objectValue == nil else { continue }
            reader.fault(name, "it is \(value.kindName)", "give a JSON object")
        }
        guard reader.faults.all.isEmpty, let version, let change else { throw reader.faults }
        return Edit(version: Int64(version), change: change, note: note)
    }

    /// - Parameter needsReason: Whether it cannot be done without a word.
    public static func readChange(
        _ value: JSONValue,
        needsReason: Bool
    ) throws(Faults) -> (version: Int64?, note: QuarantineNote) {
        var reader = FieldReader(value, at: "", known: changeFields)
        guard reader.isObject else { throw reader.faults }
        let version = reader.whole("version", in: 1...Int.max)
        if needsReason { reader.require("reason", "say why it shall not count") }
        let note = note(&reader, reasonBytesMin: needsReason ? 1 : 0)
        guard reader.faults.all.isEmpty else { throw reader.faults }
        return (version.map(Int64.init), note)
    }

    public static func readAction(
        _ value: JSONValue
    ) throws(Faults) -> (request: QuarantineActionRequest, isDryRun: Bool) {
        var reader = FieldReader(value, at: "", known: actionFields)
        guard reader.isObject else { throw reader.faults }
        reader.require("action", "say what to do")
        reader.require("filter", "say with which items; {} is all that are open")
        let kind: QuarantineActionRequest.Kind? = reader.word("action")
        let filter = reader.object("filter", known: filterFields, filter)
        let repair = reader.object("repair", known: repairFields, repair)
        let isDryRun = reader.flag("dryRun") ?? false
        let expected = reader.count("expected")
        if kind == .discard, !isDryRun { reader.require("reason", "say why they shall not count") }
        let note = note(&reader, reasonBytesMin: kind == .discard ? 1 : 0)
        if let kind, kind.repairs != (reader.value("repair") != nil) {
            let reason = kind.repairs ? "it is missing" : "\(kind.rawValue) repairs nothing"
            reader.fault("repair", reason, "give it with repair and repair-and-release")
        }
        guard reader.faults.all.isEmpty, let kind, let filter else { throw reader.faults }
        var request = QuarantineActionRequest(
            kind: kind,
            filter: filter,
            repair: repair,
            note: note
        )
        request.expected = expected
        return (request, isDryRun)
    }

    static let filterFields = [
        "reason", "source", "type", "eventId", "rule", "text", "seenFrom", "seenTo",
    ]
    static let repairFields = ["set", "remove"]

    private static func note(
        _ reader: inout FieldReader,
        reasonBytesMin: Int = 0
    ) -> QuarantineNote {
        QuarantineNote(
            author: reader.line("author", bytes: 0...Limits.authorBytesMax) ?? "",
            reason: reader.line("reason", bytes: reasonBytesMin...Limits.reasonBytesMax) ?? ""
        )
    }

    static func filter(_ reader: inout FieldReader) -> QuarantineFilter {
        var filter = QuarantineFilter()
        filter.reason = reader.string("reason")
        filter.source = reader.string("source")
        filter.type = reader.string("type")
        filter.eventID = reader.string("eventId")
        filter.rule = reader.string("rule")
        filter.text = reader.text("text", bytesMax: Limits.quarantineTextBytesMax)
        filter.seenFrom = reader.instant("seenFrom")
        filter.seenTo = reader.instant("seenTo")
        return filter
    }

    static func repair(_ reader: inout FieldReader) -> EventRepair {
        let most = Limits.repairPlacesMax
        var rule = EventRepair(set: [], remove: [])
        if let value = reader.value("set") {
            let members = value.objectValue?.members ?? []
            if value.objectValue == nil || members.count > most {
                let remedy = "give at most \(most) pointers, each with its expression"
                reader.fault("set", "it is no such object", remedy)
            }
            for member in members {
                guard let text = member.value.stringValue else {
                    let place = "set/" + FieldReader.escaped(member.name)
                    reader.fault(place, "it is \(member.value.kindName)", "give an expression")
                    continue
                }
                rule.set.append(EventRepair.Assignment(pointer: member.name, expression: text))
            }
        }
        let remedy = "give a JSON pointer such as /data/x"
        rule.remove =
            reader.list("remove", countMax: most, of: "JSON pointer", remedy) {
                $0.stringValue
            } ?? []
        if rule.set.isEmpty, rule.remove.isEmpty, reader.faults.all.isEmpty {
            reader.fault("", "it changes nothing", "give set or remove")
        }
        return rule
    }

    static func document(_ filter: QuarantineFilter) -> JSONObject {
        var document = JSONObject()
        for (name, text) in [
            ("reason", filter.reason), ("source", filter.source),
            ("type", filter.type), ("eventId", filter.eventID),
            ("rule", filter.rule), ("text", filter.text),
            ("seenFrom", filter.seenFrom?.rfc3339), ("seenTo", filter.seenTo?.rfc3339),
        ] {
            document[name] = text.map { .string($0) }
        }
        return document
    }

    static func document(_ repair: EventRepair) -> JSONObject {
        var set = JSONObject()
        for one in repair.set { set[one.pointer] = .string(one.expression) }
        return ["set": .object(set), "remove": .array(repair.remove.map { .string($0) })]
    }

    /// An action as it was asked for; ``readAction(_:)`` reads it.
    public static func document(_ request: QuarantineActionRequest) -> JSONObject {
        var document: JSONObject = [
            "action": .string(request.kind.rawValue), "filter": .object(document(request.filter)),
        ]
        if let repair = request.repair { document["repair"] = .object(self.document(repair)) }
        if !request.note.author.isEmpty { document["author"] = .string(request.note.author) }
        if !request.note.reason.isEmpty { document["reason"] = .string(request.note.reason) }
        return document
    }
}
