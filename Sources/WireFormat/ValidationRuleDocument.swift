public import UsageModel

/// How a validation rule is spelled: `POST /v1/validation-rules` and `odometer validation-rules`.
///
///     {"key":"calls-sane","eventType":"call","action":"reject","message":"a call takes time",
///      "range":{"path":"$.data.seconds","min":"0","max":"86400"}}
///
/// One of these says what is looked at:
///
///     "schema":{"type":"object","required":["seconds"]}
///     "required":["$.data.seconds","$.data.model"]
///     "range":{"path":"$.data.seconds","min":"0"}
///     "time":{"maxAge":"30d","maxAhead":"5m"}
///     "subjects":["ext-7","ext-8"]      "subjects":"^ext-[0-9]+$"
///     "expression":"$.data.end >= $.data.start"
///
/// Whether a schema, a pattern or an expression can be compiled is for
/// `ValidationRuleDefinition.faults` in MeteringEngine to say.
public enum ValidationRuleDocument {
    public typealias Faults = MeterTypeDocument.Faults

    public static let checkFields = [
        "schema", "required", "range", "time", "subjects", "expression",
    ]
    public static let fields =
        ["key", "eventType", "description", "action"] + checkFields + ["message"]
    /// Fields of answers.
    public static let ours = ["createdAt", "retiredAt", "warnings"]

    /// What a change says beside the rule.
    public struct Change: Sendable {
        public var definition: ValidationRuleDefinition
        /// The version that it is a change of; nil for a new rule.
        public var version: Int?
        /// Whether it is only to be tried.
        public var isDryRun: Bool
    }

    /// A rule to be tried, and on how many events.
    public struct Trial: Sendable {
        public var definition: ValidationRuleDefinition
        public var events: Int?
        public var samples: Int?
    }

    /// Reads a new rule.
    public static func readCreation(_ value: JSONValue) throws(Faults) -> Change {
        var reader = FieldReader(
            value,
            at: "",
            known: fields + ["dryRun"],
            ours: ours + ["version"]
        )
        guard reader.isObject else { throw reader.faults }
        let definition = definition(&reader, key: nil)
        let isDryRun = reader.flag("dryRun") ?? false
        guard reader.faults.all.isEmpty, let definition else { throw reader.faults }
        return Change(definition: definition, version: nil, isDryRun: isDryRun)
    }

    /// Reads a change of the rule of a key, which need not be said again.
    public static func readRevision(
        _ value: JSONValue,
        key: ValidationRuleKey
    ) throws(Faults) -> Change {
        var reader = FieldReader(value, at: "", known: fields + ["version", "dryRun"], ours: ours)
        guard reader.isObject else { throw reader.faults }
        let definition = definition(&reader, key: key)
        let isDryRun = reader.flag("dryRun") ?? false
        if !isDryRun {
            reader.require("version", "give the version that was read: it must still stand")
        }
        let version = reader.whole("version", in: 1...Int.max)
        guard reader.faults.all.isEmpty, let definition else { throw reader.faults }
        return Change(definition: definition, version: version, isDryRun: isDryRun)
    }

    /// Reads a rule to be tried. Fields of answers are left aside: one that stands can be tried as
    /// it was shown.
    public static func readTrial(_ value: JSONValue) throws(Faults) -> Trial {
        var reader = FieldReader(value, at: "", known: ["rule", "events", "samples"])
        guard reader.isObject else { throw reader.faults }
        reader.require("rule", "give the rule")
        let known = fields + ours + ["version"]
        let rule: ValidationRuleDefinition?? = reader.object("rule", known: known) {
            definition(&$0, key: nil)
        }
        let events = reader.whole("events", in: 1...Limits.ruleTrialEventsMax)
        let samples = reader.whole("samples", in: 0...Limits.ruleTrialSamplesMax)
        guard reader.faults.all.isEmpty, case .some(.some(let rule)) = rule else {
            throw reader.faults
        }
        return Trial(definition: rule, events: events, samples: samples)
    }

    /// Reads what ``write(_:)`` wrote.
    public static func read(_ value: JSONValue) throws(Faults) -> ValidationRuleDefinition {
        try readCreation(value).definition
    }

    /// Writes a rule; reading the document gives an equal one.
    public static func write(_ definition: ValidationRuleDefinition) -> JSONObject {
        var document: JSONObject = [
            "key": .string(definition.key.text), "eventType": .string(definition.eventType),
        ]
        if !definition.description.isEmpty {
            document["description"] = .string(definition.description)
        }
        document["action"] = .string(definition.action.rawValue)
        let (name, check) = written(definition.check)
        document[name] = check
        if !definition.message.isEmpty { document["message"] = .string(definition.message) }
        return document
    }

    private static func written(_ check: RuleCheck) -> (name: String, value: JSONValue) {
        switch check {
        case .schema(let text):
            return ("schema", (try? JSONValue.parse(Array(text.utf8))) ?? .null)
        case .required(let paths):
            return ("required", .array(paths.map { .string($0.description) }))
        case .range(let path, let least, let most):
            var range: JSONObject = ["path": .string(path.description)]
            range["min"] = least.map { .string($0.description) }
            range["max"] = most.map { .string($0.description) }
            return ("range", .object(range))
        case .time(let ageMax, let aheadMax):
            var time = JSONObject()
            time["maxAge"] = ageMax.map { .string($0.description) }
            time["maxAhead"] = aheadMax.map { .string($0.description) }
            return ("time", .object(time))
        case .subjects(let subjects):
            return ("subjects", .array(subjects.map { .string($0) }))
        case .subjectPattern(let pattern): return ("subjects", .string(pattern))
        case .expression(let text): return ("expression", .string(text))
        }
    }
}

// MARK: Reading

extension ValidationRuleDocument {
    private static func definition(
        _ reader: inout FieldReader,
        key: ValidationRuleKey?
    ) -> ValidationRuleDefinition? {
        let said = reader.string("key")
        if key == nil { reader.require("key", keyRemedy) }
        let read = said.flatMap(ValidationRuleKey.init)
        if said != nil, read == nil { reader.fault("key", "it is no key of a rule", keyRemedy) }
        if let key, let read, key != read {
            reader.fault("key", "it is not that of the address", "leave it out, or say \(key)")
        }
        reader.require("eventType", "name the event type, or say * for all")
        reader.require("action", "say reject or warn")
        let type = reader.line("eventType", bytes: 1...Limits.eventTypeBytesMax)
        if let type, type != ValidationRuleDefinition.everyType, type.utf8.contains(0x2A) {
            reader.fault("eventType", "it is no type", "name one type, or say * for all of them")
        }
        let action: ValidationRuleDefinition.Action? = reader.word("action")
        let bytesMax = MeterTypeDocument.descriptionBytesMax
        let description = reader.text("description", bytesMax: bytesMax) ?? ""
        let message = reader.line("message", bytes: 0...Limits.ruleMessageBytesMax) ?? ""
        let check = check(&reader)
        guard let key = key ?? read, let type, let action, let check else { return nil }
        return ValidationRuleDefinition(
            key: key,
            eventType: type,
            description: description,
            action: action,
            check: check,
            message: message
        )
    }

    private static let keyRemedy = "give 1 to \(MeterTypeKey.bytesMax) of a-z 0-9 . _ -"

    private static func check(_ reader: inout FieldReader) -> RuleCheck? {
        let given = checkFields.filter { reader.value($0) != nil }
        guard given.count == 1 else {
            let reason = given.isEmpty ? "it checks nothing" : "it checks \(given.count) things"
            reader.fault("", reason, "give one of: \(checkFields.joined(separator: ", "))")
            return nil
        }
        switch given[0] {
        case "schema": return schema(&reader)
        case "required": return required(&reader)
        case "range":
            let read: RuleCheck?? = reader.object("range", known: ["path", "min", "max"], range)
            return read ?? nil
        case "time":
            let read: RuleCheck?? = reader.object("time", known: ["maxAge", "maxAhead"], time)
            return read ?? nil
        case "subjects": return subjects(&reader)
        default:
            return reader.text("expression", bytesMax: Limits.expressionBytesMax)
                .map { .expression($0) }
        }
    }

    private static func schema(_ reader: inout FieldReader) -> RuleCheck? {
        guard let value = reader.value("schema") else { return nil }
        let bytes = value.serialized()
        guard bytes.count <= Limits.schemaBytesMax else {
            let most = "use at most \(Limits.schemaBytesMax)"
            reader.fault("schema", "it has \(bytes.count) bytes", most)
            return nil
        }
        return .schema(String(decoding: bytes, as: UTF8.self))
    }

    private static func required(_ reader: inout FieldReader) -> RuleCheck? {
        let paths = reader.list(
            "required",
            countMax: Limits.rulePathsMax,
            of: "path",
            "name a place in the event, such as $.data.seconds"
        ) { $0.stringValue.flatMap { try? EventPath($0) } }
        guard let paths else { return nil }
        if reader.value("required")?.arrayValue?.isEmpty == true {
            reader.fault("required", "it is empty", "name a place in the event")
        }
        return .required(paths)
    }

    private static func range(_ reader: inout FieldReader) -> RuleCheck? {
        reader.require("path", "name the place of the number, such as $.data.seconds")
        let text = reader.string("path")
        let path = text.flatMap { try? EventPath($0) }
        if text != nil, path == nil {
            reader.fault("path", "it is no path", "write a path such as $.data.seconds")
        }
        let (least, most) = (quantity("min", &reader), quantity("max", &reader))
        if reader.value("min") == nil, reader.value("max") == nil {
            reader.fault("", "it has no bound", "give min, max or both")
        }
        if let least, let most, most < least {
            reader.fault("max", "it is less than min", "give min ≤ max")
        }
        return path.map { .range($0, least: least, most: most) }
    }

    private static func quantity(_ name: String, _ reader: inout FieldReader) -> Quantity? {
        guard let value = reader.value(name) else { return nil }
        let text = value.stringValue ?? value.numberValue
        if let text, let quantity = try? Quantity(text) { return quantity }
        reader.fault(name, "it is no quantity", "give a number such as \"12.5\"")
        return nil
    }

    private static func time(_ reader: inout FieldReader) -> RuleCheck? {
        let ageMax = reader.length("maxAge", from: .zero, to: .longest)
        let aheadMax = reader.length("maxAhead", from: .zero, to: .longest)
        if reader.value("maxAge") == nil, reader.value("maxAhead") == nil {
            reader.fault("", "it has no bound", "give maxAge, maxAhead or both")
        }
        return .time(ageMax: ageMax, aheadMax: aheadMax)
    }

    private static func subjects(_ reader: inout FieldReader) -> RuleCheck? {
        if let pattern = reader.value("subjects")?.stringValue { return .subjectPattern(pattern) }
        let subjects = reader.list(
            "subjects",
            countMax: Limits.ruleSubjectsMax,
            of: "subject",
            "give 1 to \(Limits.subjectBytesMax) bytes"
        ) { value in
            let text = value.stringValue
            return (1...Limits.subjectBytesMax).contains(text?.utf8.count ?? 0) ? text : nil
        }
        guard let subjects else { return nil }
        if reader.value("subjects")?.arrayValue?.isEmpty == true {
            reader.fault("subjects", "it is empty", "list subjects, or give a pattern")
        }
        return .subjects(subjects)
    }
}
