import UsageModel

/// Reads the document of ``MeterTypeDocument`` and gathers its faults.
struct DefinitionReader {
    var faults = MeterTypeDocument.Faults()
    var fields: [String: JSONValue] = [:]

    private static let known = [
        "key", "name", "description", "unit", "eventTypes", "aggregation", "filter", "value",
        "percentile", "method", "timeUnit", "carryMax", "dimensions", "rounding", "excessDigits",
        "enrolment", "timezone",
        "resetSchedule", "capacity", "gracePeriod", "zeroUsageRecords",
        "latePolicy", "lateAdjustments", "lateUntil", "thresholds", "recordEvidence",
        "recordFields",
        "category", "externalRef", "activeFrom", "activeTo", "metadata",
    ]
    private static let ours: Set = [
        "version", "createdAt", "retiredAt", "backfill", "period", "nextResets",
    ]
    /// Words of `groupBy` that mean something else.
    private static let reservedDimensions: Set = ["subject", "customer"]

    mutating func read(_ value: JSONValue) -> MeterTypeDefinition? {
        guard case .object(let object) = value else {
            fault("", "a definition is a JSON object", "send {\"key\":…,\"eventTypes\":[…],…}")
            return nil
        }
        for member in object.members {
            let (name, value) = (member.name, member.value)
            if Self.known.contains(name) {
                if value != .null { fields[name] = value }
            } else {
                unknown(name)
            }
        }
        let key = readKey()
        let eventTypes = readEventTypes()
        let aggregation = readAggregation()
        var definition = MeterTypeDefinition(
            // A stand-in where there is none: there is a fault then, so it leads nowhere.
            key: key ?? Self.nowhere,
            name: text("name", bytesMax: MeterTypeDocument.nameBytesMax) ?? key?.text ?? "",
            eventTypes: eventTypes,
            aggregation: aggregation ?? .count
        )
        definition.description =
            text("description", bytesMax: MeterTypeDocument.descriptionBytesMax) ?? ""
        definition.unit = text("unit", bytesMax: MeterTypeDocument.unitBytesMax) ?? ""
        definition.filter = string("filter", "/filter")
        readParameters(into: &definition, aggregation)
        definition.dimensions = readDimensions()
        definition.rounding = readRounding()
        definition.excessDigits = word("excessDigits") ?? .round
        definition.enrolment = word("enrolment") ?? .auto
        definition.timezone =
            text("timezone", bytesMax: MeterTypeDocument.timezoneBytesMax) ?? definition.timezone
        definition.resetSchedule = readResetSchedule()
        definition.capacity = readCapacity()
        definition.records = readRecordRules()
        definition.category = text("category", bytesMax: MeterTypeDocument.categoryBytesMax) ?? ""
        definition.externalRef =
            text("externalRef", bytesMax: MeterTypeDocument.externalRefBytesMax) ?? ""
        definition.activeFrom = instant("activeFrom")
        definition.activeTo = instant("activeTo")
        if let from = definition.activeFrom, let to = definition.activeTo, from >= to {
            fault("/activeTo", "it does not lie after activeFrom", "give a later time")
        }
        definition.metadata = readMetadata()
        return key == nil ? nil : definition
    }

    // MARK: Fields

    private mutating func readKey() -> MeterTypeKey? {
        let rule = "give 1 to \(MeterTypeKey.bytesMax) of a-z 0-9 . _ -, first a letter or digit"
        guard fields["key"] != nil else {
            fault("/key", "it is missing", rule)
            return nil
        }
        guard let text = string("key", "/key") else { return nil }
        if let key = MeterTypeKey(text) { return key }
        fault("/key", "it is no key of a meter type", rule)
        return nil
    }

    private mutating func readEventTypes() -> [EventTypePattern] {
        let remedy = "give a list of event types, such as [\"llm.request\"]; a prefix ends in *"
        guard let value = fields["eventTypes"] else {
            fault("/eventTypes", "it is missing", remedy)
            return []
        }
        guard case .array(let elements) = value, !elements.isEmpty else {
            fault("/eventTypes", "it is not a list with an event type in it", remedy)
            return []
        }
        guard elements.count <= MeterTypeDocument.eventTypesMax else {
            let most = MeterTypeDocument.eventTypesMax
            fault("/eventTypes", "it holds more than \(most)", "use a prefix such as llm.*")
            return []
        }
        var patterns: [EventTypePattern] = []
        for (index, element) in elements.enumerated() {
            guard case .string(let text) = element, let pattern = EventTypePattern(text) else {
                fault("/eventTypes/\(index)", "it is no event type and no prefix of some", remedy)
                continue
            }
            if !patterns.contains(pattern) { patterns.append(pattern) }
        }
        return patterns
    }

    private mutating func readDimensions() -> [Dimension] {
        guard let value = fields["dimensions"] else { return [] }
        let remedy = "give an object of names and paths, such as {\"model\":\"$.data.model\"}"
        guard case .object(let object) = value else {
            fault("/dimensions", "it is not an object", remedy)
            return []
        }
        if object.count > Limits.dimensionsMax {
            let most = "at most \(Limits.dimensionsMax)"
            fault("/dimensions", "there are \(object.count)", "give \(most)")
        }
        var dimensions: [Dimension] = []
        for member in object.members {
            let (name, value) = (member.name, member.value)
            let pointer = "/dimensions/" + Self.escaped(name)
            if !Self.isDimensionName(name) {
                let most = MeterTypeDocument.dimensionNameBytesMax
                fault(pointer, "the name cannot be used", "use 1 to \(most) of a-z A-Z 0-9 . _ -")
            } else if Self.reservedDimensions.contains(name) {
                fault(pointer, "readings use the name already", "choose another name")
            }
            guard case .string(let text) = value else {
                fault(pointer, "it is neither a path nor an expression", remedy)
                continue
            }
            dimensions.append(Dimension(name: name, value: ValueRule(text)))
        }
        return dimensions.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    private mutating func readRounding() -> Rounding? {
        guard let value = fields["rounding"] else { return nil }
        let remedy = "give {\"mode\":\"half-even\",\"places\":2}"
        guard case .object(let object) = value else {
            fault("/rounding", "it is not an object", remedy)
            return nil
        }
        var mode: Rounding.Mode?
        var places: Int?
        for member in object.members {
            let (name, value) = (member.name, member.value)
            switch (name, value) {
            case ("mode", .string(let text)):
                mode = Rounding.Mode(rawValue: text)
            case ("places", .number(let text)):
                places = Int(text)
            case ("mode", _), ("places", _): break
            default: unknown(name, under: "/rounding")
            }
        }
        if mode == nil {
            let words = Self.words(Rounding.Mode.self)
            let reason = "it is missing or not one of its words"
            fault("/rounding/mode", reason, "choose from: \(words)")
        }
        let range = Rounding.placesRange
        guard let places, range.contains(places) else {
            let bounds = "a whole number from \(range.lowerBound) to \(range.upperBound)"
            fault("/rounding/places", "it is not \(bounds)", "give \(bounds)")
            return nil
        }
        return mode.flatMap { Rounding(mode: $0, places: places) }
    }

    private mutating func readResetSchedule() -> ResetSchedule {
        guard let value = fields["resetSchedule"] else { return .never }
        do throws(MeterTypeDocument.Faults) {
            return try ResetScheduleDocument.read(value, at: "/resetSchedule")
        } catch {
            faults.unknown += error.unknown
            faults.invalid += error.invalid
            return .never
        }
    }

    private mutating func readCapacity() -> Quantity? {
        guard let value = fields["capacity"] else { return nil }
        let remedy = "give a quantity of 0 or more, such as \"1000000\""
        guard let text = value.stringValue ?? value.numberValue else {
            fault("/capacity", "it is \(value.kindName)", remedy)
            return nil
        }
        do throws(Quantity.ReadFault) {
            let quantity = try Quantity(text)
            if quantity >= .zero { return quantity }
            fault("/capacity", "it is negative", remedy)
        } catch {
            fault("/capacity", "it is no quantity", remedy)
        }
        return nil
    }

    private mutating func readMetadata() -> [(name: String, value: String)] {
        guard let value = fields["metadata"] else { return [] }
        guard case .object(let object) = value else {
            let remedy = "give names and texts: {\"team\":\"billing\"}"
            fault("/metadata", "it is not an object", remedy)
            return []
        }
        if object.count > MeterTypeDocument.metadataMembersMax {
            let most = "at most \(MeterTypeDocument.metadataMembersMax)"
            fault("/metadata", "there are \(object.count)", "give \(most)")
        }
        var metadata: [(name: String, value: String)] = []
        for member in object.members {
            let (name, value) = (member.name, member.value)
            let pointer = "/metadata/" + Self.escaped(name)
            let nameMax = MeterTypeDocument.metadataNameBytesMax
            let valueMax = MeterTypeDocument.metadataValueBytesMax
            if !(1...nameMax).contains(name.utf8.count) {
                fault(pointer, "the name is empty or too long", "use 1 to \(nameMax) bytes")
            }
            guard case .string(let text) = value, text.utf8.count <= valueMax else {
                fault(pointer, "it is no text, or too long", "give a text to \(valueMax) bytes")
                continue
            }
            metadata.append((name, text))
        }
        return metadata.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    // MARK: Kinds of values

    mutating func string(_ name: String, _ pointer: String) -> String? {
        guard let value = fields[name] else { return nil }
        if case .string(let text) = value { return text }
        fault(pointer, "it is not a text", "give a JSON string")
        return nil
    }

    private mutating func text(_ name: String, bytesMax: Int) -> String? {
        guard let text = string(name, "/" + name) else { return nil }
        if text.utf8.count > bytesMax {
            fault("/" + name, "it has \(text.utf8.count) bytes", "use at most \(bytesMax)")
        }
        return text.isEmpty ? nil : text
    }

    mutating func word<Word: RawRepresentable & CaseIterable>(_ name: String) -> Word?
    where Word.RawValue == String {
        guard fields[name] != nil else { return nil }
        if case .string(let text) = fields[name], let word = Word(rawValue: text) { return word }
        fault(
            "/" + name,
            "it is not one of its words",
            "choose from: \(Self.words(Word.self))"
        )
        return nil
    }

    private mutating func instant(_ name: String) -> Instant? {
        guard let text = string(name, "/" + name) else { return nil }
        if let instant = Instant(rfc3339: text) { return instant }
        fault("/" + name, "it is not a time", "give RFC 3339 with an offset: 2026-11-01T00:00:00Z")
        return nil
    }

    // MARK: Faults

    mutating func fault(_ pointer: String, _ reason: String, _ remedy: String) {
        faults.invalid.append(FieldFault(pointer: pointer, reason: reason, remedy: remedy))
    }

    private mutating func unknown(_ name: String, under parent: String = "") {
        var fault = FieldFault(
            pointer: parent + "/" + Self.escaped(name),
            reason: "there is no such field",
            remedy: parent.isEmpty
                ? "known: " + Self.known.joined(separator: ", ") : "known: mode, places"
        )
        if parent.isEmpty, name == "effectiveFrom" {
            fault.reason = "the first version of a meter type counts since ever"
            fault.remedy = "leave it out; PATCH takes it, for the versions after"
        } else if parent.isEmpty, Self.ours.contains(name) {
            fault.reason = "this field is ours to set"
            fault.remedy = "leave it out"
        }
        faults.unknown.append(fault)
    }

    // MARK: Words

    private static let nowhere = MeterTypeKey("0")!

    static func words<Word: RawRepresentable & CaseIterable>(_: Word.Type) -> String
    where Word.RawValue == String {
        Word.allCases.map(\.rawValue).joined(separator: ", ")
    }

    private static func isDimensionName(_ name: String) -> Bool {
        guard (1...MeterTypeDocument.dimensionNameBytesMax).contains(name.utf8.count) else {
            return false
        }
        return name.utf8.allSatisfy(PlainByte.holds)
    }

    /// A name as a step of a JSON pointer.
    private static func escaped(_ name: String) -> String {
        name.replacing("~", with: "~0").replacing("/", with: "~1")
    }
}
