public import UsageModel

/// Reads the members of one object, one by one, and gathers their faults.
///
/// A member that is null counts as left out, unless ``isNull(_:)`` asks.
struct FieldReader {
    /// Of one document; what is wrong beyond is wrong all the same.
    static let faultsMax = 100

    private(set) var faults = MeterTypeDocument.Faults()
    private let pointer: String
    private var fields: [String: JSONValue] = [:]
    private(set) var isObject = true

    /// - Parameters:
    ///   - pointer: Of the object.
    ///   - ours: Fields of answers, which are not the caller's to set.
    init(_ value: JSONValue, at pointer: String, known: [String], ours: [String] = []) {
        self.pointer = pointer
        guard case .object(let object) = value else {
            isObject = false
            let members = known.isEmpty ? "give {}" : "give an object of: \(Self.list(known))"
            fault("", "it is \(value.kindName)", members)
            return
        }
        for member in object.members {
            if known.contains(member.name) {
                fields[member.name] = member.value
            } else {
                let isOurs = ours.contains(member.name)
                let hasNoOther = isOurs || known.isEmpty
                faults.unknown.append(
                    FieldFault(
                        pointer: pointer + "/" + Self.escaped(member.name),
                        reason: isOurs ? "this field is ours to set" : "there is no such field",
                        remedy: hasNoOther ? "leave it out" : "known: \(Self.list(known))"
                    )
                )
            }
        }
    }

    mutating func fault(_ name: String, _ reason: String, _ remedy: String) {
        faults.invalid.append(
            FieldFault(
                pointer: name.isEmpty ? pointer : pointer + "/" + name,
                reason: reason,
                remedy: remedy
            )
        )
    }

    mutating func take(_ other: MeterTypeDocument.Faults) {
        faults.unknown += other.unknown
        faults.invalid += other.invalid
    }

    func value(_ name: String) -> JSONValue? {
        guard let value = fields[name], value != .null else { return nil }
        return value
    }

    func isNull(_ name: String) -> Bool { fields[name] == .null }

    /// What `read` makes of an object; its faults are among these. nil where there is none.
    mutating func object<Value>(
        _ name: String,
        known: [String],
        _ read: (inout FieldReader) -> Value
    ) -> Value? {
        guard let value = value(name) else { return nil }
        var reader = FieldReader(value, at: pointer + "/" + name, known: known)
        let result = reader.isObject ? read(&reader) : nil
        take(reader.faults)
        return result
    }

    mutating func string(_ name: String) -> String? {
        guard let value = value(name) else { return nil }
        if case .string(let text) = value { return text }
        fault(name, "it is \(value.kindName)", "give a JSON string")
        return nil
    }

    mutating func text(_ name: String, bytesMax: Int) -> String? {
        guard let text = string(name) else { return nil }
        if text.utf8.count > bytesMax {
            fault(name, "it has \(text.utf8.count) bytes", "use at most \(bytesMax)")
        }
        return text
    }

    mutating func instant(_ name: String) -> Instant? {
        guard let text = string(name) else { return nil }
        if let instant = Instant(rfc3339: text) { return instant }
        fault(name, "it is not a time", "give RFC 3339 with an offset: 2026-11-01T00:00:00Z")
        return nil
    }

    /// The meter that two of the members name.
    mutating func meterID() -> MeterID? {
        let key = string("meterType")
        let subject = string("subject")
        if value("meterType") == nil { fault("meterType", "it is missing", "name a meter type") }
        if value("subject") == nil { fault("subject", "it is missing", "name a subject") }
        guard let key, let subject else { return nil }
        guard let key = MeterTypeKey(key) else {
            fault("meterType", "\"\(key)\" is no key of a meter type", "name a meter type")
            return nil
        }
        guard let id = MeterID(meterType: key, subject: subject) else {
            fault("subject", "it is empty or too long", "1 to \(Limits.subjectBytesMax) bytes")
            return nil
        }
        return id
    }

    /// A count as answers spell it: a text of digits.
    mutating func count(_ name: String) -> Int64? {
        guard let text = string(name) else { return nil }
        if let count = Int64(text), count >= 0 { return count }
        fault(name, "it is no count", "give a text of digits, such as \"12\"")
        return nil
    }

    mutating func metadata() -> [MetadataMember]? {
        guard let value = value("metadata") else { return nil }
        guard case .object(let object) = value else {
            fault("metadata", "it is no object", "give names and texts: {\"floor\":\"3\"}")
            return nil
        }
        if object.count > MeterTypeDocument.metadataMembersMax {
            let most = "at most \(MeterTypeDocument.metadataMembersMax)"
            fault("metadata", "there are \(object.count)", "give \(most)")
        }
        let (nameMax, valueMax) = (
            MeterTypeDocument.metadataNameBytesMax, MeterTypeDocument.metadataValueBytesMax
        )
        var members: [MetadataMember] = []
        for member in object.members {
            let name = "metadata/" + Self.escaped(member.name)
            if !(1...nameMax).contains(member.name.utf8.count) {
                fault(name, "the name is empty or too long", "use 1 to \(nameMax) bytes")
            }
            guard case .string(let text) = member.value, text.utf8.count <= valueMax else {
                fault(name, "it is no text, or too long", "give a text to \(valueMax) bytes")
                continue
            }
            members.append(MetadataMember(name: member.name, value: text))
        }
        return members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    private static func list(_ names: [String]) -> String { names.joined(separator: ", ") }

    /// A name as a step of a JSON pointer.
    static func escaped(_ name: String) -> String {
        name.replacing("~", with: "~0").replacing("/", with: "~1")
    }
}

extension [MetadataMember] {
    /// An object of names and texts.
    public var document: JSONValue {
        .object(
            JSONObject(trusted: map { JSONObject.Member(name: $0.name, value: .string($0.value)) })
        )
    }

    /// Reads what ``document`` wrote; nil for anything else.
    public init?(document: JSONValue) {
        guard let object = document.objectValue else { return nil }
        self = []
        for member in object.members {
            guard let text = member.value.stringValue else { return nil }
            append(MetadataMember(name: member.name, value: text))
        }
    }
}
