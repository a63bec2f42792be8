public import UsageModel

/// A repair rule, as files, calls and tables spell it.
///
///     {"key":"old-clock","description":"a clock without a zone",
///      "match":{"reason":"time-missing-offset","source":"pbx"},
///      "repair":{"set":{"/time":"concat($.time, \"Z\")"},"remove":[]},"enabled":true}
///
/// `match` and `repair` are the filter and the repair of an action, but for the filter's times.
public enum RepairRuleDocument {
    public typealias Faults = MeterTypeDocument.Faults

    public struct Request: Sendable, Hashable {
        public var definition: RepairRuleDefinition
        /// The version that is to be changed; nil where none was said.
        public var version: Int64?
        /// Whether the same is to be done to the items that are open now.
        public var appliesToOpen: Bool
    }

    public static let matchFields = QuarantineDocument.filterFields.filter {
        $0 != "seenFrom" && $0 != "seenTo"
    }
    private static let fields = [
        "key", "description", "match", "repair", "enabled", "applyToOpen",
    ]
    private static let ours = ["author", "createdAt", "changedAt", "repaired", "failed", "action"]
    public static let descriptionBytesMax = 1_024

    /// - Parameter key: Of the rule that is changed, which the document need not name, and whose
    ///   version it must; nil for one that is made.
    public static func read(_ value: JSONValue, key: RepairRuleKey?) throws(Faults) -> Request {
        let known = key == nil ? fields : fields + ["version"]
        let ours = key == nil ? ours + ["version"] : ours
        var reader = FieldReader(value, at: "", known: known, ours: ours)
        guard reader.isObject else { throw reader.faults }
        let named = self.key(key, &reader)
        if key != nil {
            reader.require("version", "give the version that was read: it must still stand")
        }
        let version = reader.whole("version", in: 1...Int.max)
        reader.require("match", "say which items; {} is all that come")
        reader.require("repair", "say what to set or remove")
        let match = reader.object("match", known: matchFields, QuarantineDocument.filter)
        let repair = reader.object(
            "repair",
            known: QuarantineDocument.repairFields,
            QuarantineDocument.repair
        )
        let text = reader.text("description", bytesMax: descriptionBytesMax)
        let (isEnabled, appliesToOpen) = (reader.flag("enabled"), reader.flag("applyToOpen"))
        guard reader.faults.all.isEmpty, let named, let match, let repair else {
            throw reader.faults
        }
        let definition = RepairRuleDefinition(
            key: named,
            description: text ?? "",
            match: match,
            repair: repair,
            isEnabled: isEnabled ?? true
        )
        return Request(
            definition: definition,
            version: version.map(Int64.init),
            appliesToOpen: appliesToOpen ?? false
        )
    }

    private static func key(
        _ known: RepairRuleKey?,
        _ reader: inout FieldReader
    ) -> RepairRuleKey? {
        if known == nil { reader.require("key", "name the rule") }
        guard let text = reader.string("key") else { return known }
        guard let key = RepairRuleKey(text) else {
            let remedy = "give 1 to \(MeterTypeKey.bytesMax) of a-z 0-9 . _ -"
            reader.fault("key", "it is no key of a rule", remedy)
            return nil
        }
        if let known, key != known {
            reader.fault("key", "the address names \"\(known)\"", "leave it out")
        }
        return key
    }

    /// What ``read(_:key:)`` reads.
    public static func write(_ definition: RepairRuleDefinition) -> JSONObject {
        var document: JSONObject = ["key": .string(definition.key.text)]
        if !definition.description.isEmpty {
            document["description"] = .string(definition.description)
        }
        document["match"] = .object(QuarantineDocument.document(definition.match))
        document["repair"] = .object(QuarantineDocument.document(definition.repair))
        document["enabled"] = .bool(definition.isEnabled)
        return document
    }
}
