public import UsageModel

/// How a customer is spelled: `PUT /v1/customers/{key}`.
///
///     {"name":"Acme GmbH","timezone":"Europe/Berlin","category":"gold","externalRef":"SAP-1",
///      "metadata":{"team":"north"},
///      "subjects":["acme",{"subject":"acme-dev","from":"2026-01-01T00:00:00Z","to":"…"}]}
///
/// All is optional. `key` may stand in the body if it is the key of the address.
public enum CustomerDocument {
    public typealias Faults = MeterTypeDocument.Faults

    private static let fields = [
        "key", "name", "timezone", "category", "externalRef", "metadata", "subjects",
    ]
    private static let ours = ["createdAt", "changedAt", "retiredAt", "usedBy"]

    public static func read(
        _ value: JSONValue,
        key: CustomerKey
    ) throws(Faults) -> CustomerDefinition {
        var reader = FieldReader(value, at: "", known: fields, ours: ours)
        guard reader.isObject else { throw reader.faults }
        if let stated = reader.string("key"), stated != key.text {
            reader.fault("key", "the address has another", "leave it out, or say \"\(key)\"")
        }
        var customer = CustomerDefinition(key: key)
        customer.name = reader.text("name", bytesMax: MeterTypeDocument.nameBytesMax) ?? ""
        if customer.name.isEmpty { customer.name = key.text }
        let zone = reader.text("timezone", bytesMax: MeterTypeDocument.timezoneBytesMax)
        if let zone, !zone.isEmpty { customer.timezone = zone }
        customer.category =
            reader.text("category", bytesMax: MeterTypeDocument.categoryBytesMax) ?? ""
        customer.externalRef =
            reader.text("externalRef", bytesMax: MeterTypeDocument.externalRefBytesMax) ?? ""
        customer.metadata = reader.metadata() ?? []
        customer.subjects = subjects(&reader)
        guard reader.faults.all.isEmpty else { throw reader.faults }
        return customer
    }

    private static func subjects(_ reader: inout FieldReader) -> [Ownership] {
        guard let value = reader.value("subjects") else { return [] }
        guard let elements = value.arrayValue else {
            reader.fault("subjects", "it is \(value.kindName)", "give a list of subjects")
            return []
        }
        guard elements.count <= Limits.customerSubjectsMax else {
            let most = "at most \(Limits.customerSubjectsMax)"
            reader.fault("subjects", "there are \(elements.count)", "give \(most)")
            return []
        }
        var subjects: [Ownership] = []
        for (index, element) in elements.enumerated() {
            do throws(Faults) {
                subjects.append(try ownership(element, at: "/subjects/\(index)"))
            } catch {
                reader.take(error)
            }
        }
        subjects.sort { one, other in
            if one.subject != other.subject {
                return one.subject.utf8.lexicographicallyPrecedes(other.subject.utf8)
            }
            return one.range.lowerBound < other.range.lowerBound
        }
        for (one, other) in zip(subjects, subjects.dropFirst())
        where one.subject == other.subject && one.range.overlaps(other.range) {
            let remedy = "name each stretch of time once"
            reader.fault("subjects", "\"\(one.subject)\" stands twice for one time", remedy)
        }
        return subjects
    }

    private static func ownership(
        _ value: JSONValue,
        at pointer: String
    ) throws(Faults) -> Ownership {
        var object = value
        if case .string = value { object = ["subject": value] }
        var reader = FieldReader(object, at: pointer, known: ["subject", "from", "to"])
        guard reader.isObject else { throw reader.faults }
        let subject = reader.string("subject") ?? ""
        if !(1...Limits.subjectBytesMax).contains(subject.utf8.count) {
            let remedy = "give 1 to \(Limits.subjectBytesMax) bytes"
            reader.fault("subject", "it is missing, empty or too long", remedy)
        }
        let (from, to) = (reader.instant("from"), reader.instant("to"))
        if let from, let to, from >= to {
            reader.fault("to", "it does not lie after from", "give a later time")
        }
        guard reader.faults.all.isEmpty else { throw reader.faults }
        return Ownership(subject: subject, from: from, to: to)
    }

    /// Writes a customer; reading the document gives an equal one.
    public static func write(_ customer: CustomerDefinition) -> JSONObject {
        var document = JSONObject()
        func set(_ name: String, _ text: String) {
            if !text.isEmpty { document[name] = .string(text) }
        }
        set("key", customer.key.text)
        set("name", customer.name)
        set("timezone", customer.timezone)
        set("category", customer.category)
        set("externalRef", customer.externalRef)
        if !customer.metadata.isEmpty { document["metadata"] = customer.metadata.document }
        document["subjects"] = .array(customer.subjects.map(write))
        return document
    }

    private static func write(_ ownership: Ownership) -> JSONValue {
        if ownership.from == nil, ownership.to == nil { return .string(ownership.subject) }
        var document: JSONObject = ["subject": .string(ownership.subject)]
        document["from"] = ownership.from.map { .string($0.rfc3339) }
        document["to"] = ownership.to.map { .string($0.rfc3339) }
        return .object(document)
    }
}
