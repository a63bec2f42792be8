public import UsageModel

/// How a meter type's definition is spelled: `POST /v1/meter-types` and `odometer meter-types`.
///
///     {"key":"tokens-in","name":"Input tokens","description":"…","unit":"token",
///      "eventTypes":["llm.request","llm.*"],"aggregation":"sum",
///      "filter":"$.data.status != \"error\"","value":"$.data.tokens.input",
///      "dimensions":{"model":"$.data.model"},"rounding":{"mode":"half-even","places":2},
///      "excessDigits":"round","enrolment":"auto",
///      "timezone":"Europe/Berlin","resetSchedule":"monthly",
///      "capacity":"1000000","gracePeriod":"1h","zeroUsageRecords":true,
///      "latePolicy":"adjust","lateAdjustments":"immediate","lateUntil":"30d",
///      "thresholds":[{"name":"80","percent":"80"},{"amount":"1000"}],
///      "recordEvidence":true,"recordFields":[{"name":"plan","of":"last","value":"$.data.plan"}],
///      "category":"ai","externalRef":"SKU-4711",
///      "activeFrom":"2026-01-01T00:00:00Z","activeTo":"…","metadata":{"team":"billing"}}
///
/// `key`, `eventTypes`, `aggregation` are required, and `value` unless the aggregation is `count`;
/// for `unique-pairs` it is a list of two. Of the aggregation `percentile`, `"percentile":"95"` is
/// required too, and `"method":"nearest-rank"` is the default; of `time-weighted`,
/// `"timeUnit":"hour"` is required, and `"carryMax":"15m"` may be said.
/// Of `filter`, and of a `value` or dimension that is no path, the text is taken as it is: whether
/// it is an expression is for `MeterTypeDefinition.expressionFaults` in MeteringEngine to say. A
/// field that is null counts as left out. A field that is not known is refused by name.
public enum MeterTypeDocument {
    /// The longest `name`, in UTF-8 bytes.
    public static let nameBytesMax = 256
    /// The longest `description`, in UTF-8 bytes.
    public static let descriptionBytesMax = 4_096
    /// The longest `unit`, in UTF-8 bytes.
    public static let unitBytesMax = 64
    /// The longest `timezone`, in UTF-8 bytes.
    public static let timezoneBytesMax = 64
    /// The longest `category`, in UTF-8 bytes.
    public static let categoryBytesMax = 64
    /// The longest `externalRef`, in UTF-8 bytes.
    public static let externalRefBytesMax = 256
    /// The most patterns in `eventTypes`.
    public static let eventTypesMax = 100
    /// The longest name of a dimension, in bytes.
    public static let dimensionNameBytesMax = 64
    /// The most members of `metadata`.
    public static let metadataMembersMax = 64
    /// The longest name in `metadata`, in UTF-8 bytes.
    public static let metadataNameBytesMax = 64
    /// The longest value in `metadata`, in UTF-8 bytes.
    public static let metadataValueBytesMax = 1_024

    /// Why a document defines no meter type: all of its faults, in the order of the fields.
    public struct Faults: Error, Hashable, Sendable {
        /// Fields that are not known, not supported yet, or not the caller's to set.
        public var unknown: [FieldFault] = []
        /// Fields that are missing or have values they cannot have.
        public var invalid: [FieldFault] = []

        public var all: [FieldFault] { unknown + invalid }
    }

    /// Reads a definition.
    public static func read(_ value: JSONValue) throws(Faults) -> MeterTypeDefinition {
        var reader = DefinitionReader()
        let definition = reader.read(value)
        guard let definition, reader.faults.all.isEmpty else { throw reader.faults }
        return definition
    }

    /// Writes a definition; reading the document gives an equal definition. What is left out stays
    /// out, but for `name`, which is the key then, and for what has a default other than none.
    public static func write(_ definition: MeterTypeDefinition) -> JSONValue {
        var document = JSONObject()
        func set(_ name: String, _ text: String?) {
            if let text, !text.isEmpty { document[name] = .string(text) }
        }
        func set(_ name: String, _ pairs: [(String, String)]) {
            let members = pairs.map { JSONObject.Member(name: $0.0, value: .string($0.1)) }
            if !members.isEmpty { document[name] = .object(JSONObject(trusted: members)) }
        }
        set("key", definition.key.text)
        set("name", definition.name)
        set("description", definition.description)
        set("unit", definition.unit)
        document["eventTypes"] = .array(definition.eventTypes.map { .string($0.text) })
        set("aggregation", definition.aggregation.rawValue)
        set("filter", definition.filter)
        if definition.aggregation.takesPair {
            let pair = [definition.value, definition.secondValue].compactMap(\.?.description)
            document["value"] = .array(pair.map(JSONValue.string))
        } else {
            set("value", definition.value?.description)
        }
        set("percentile", definition.percentile?.percent.description)
        set("method", definition.percentile?.method.rawValue)
        set("timeUnit", definition.timeUnit?.rawValue)
        set("carryMax", definition.carryMax?.description)
        set("dimensions", definition.dimensions.map { ($0.name, $0.value.description) })
        if let rounding = definition.rounding {
            document["rounding"] = [
                "mode": .string(rounding.mode.rawValue),
                "places": .number(String(rounding.places)),
            ]
        }
        set("excessDigits", definition.excessDigits.rawValue)
        set("enrolment", definition.enrolment.rawValue)
        set("timezone", definition.timezone)
        document["resetSchedule"] = ResetScheduleDocument.write(definition.resetSchedule)
        set("capacity", definition.capacity?.description)
        write(definition.records, to: &document)
        set("category", definition.category)
        set("externalRef", definition.externalRef)
        set("activeFrom", definition.activeFrom?.rfc3339)
        set("activeTo", definition.activeTo?.rfc3339)
        set("metadata", definition.metadata.map { ($0.name, $0.value) })
        return .object(document)
    }

    /// What is as it is where nothing is said stays out.
    private static func write(_ rules: RecordRules, to document: inout JSONObject) {
        let standard = RecordRules.standard
        if rules.gracePeriod != standard.gracePeriod {
            document["gracePeriod"] = .string(rules.gracePeriod.description)
        }
        if rules.makesZeroUsage != standard.makesZeroUsage {
            document["zeroUsageRecords"] = .bool(rules.makesZeroUsage)
        }
        if rules.latePolicy != standard.latePolicy {
            document["latePolicy"] = .string(rules.latePolicy.rawValue)
        }
        if rules.lateAdjustments != standard.lateAdjustments {
            document["lateAdjustments"] = .string(rules.lateAdjustments.rawValue)
        }
        document["lateUntil"] = rules.lateUntil.map { .string($0.description) }
        if !rules.thresholds.isEmpty {
            document["thresholds"] = .array(rules.thresholds.map(write))
        }
        if rules.hasEvidence { document["recordEvidence"] = true }
        if !rules.carriedFields.isEmpty {
            document["recordFields"] = .array(rules.carriedFields.map(write))
        }
    }

    private static func write(_ threshold: Threshold) -> JSONValue {
        var item: JSONObject = ["name": .string(threshold.name)]
        switch threshold.level {
        case .percent(let percent): item["percent"] = .string(percent.description)
        case .amount(let amount): item["amount"] = .string(amount.description)
        }
        return .object(item)
    }

    private static func write(_ field: CarriedField) -> JSONValue {
        [
            "name": .string(field.name), "of": .string(field.edge.rawValue),
            "value": .string(field.path.description),
        ]
    }
}
