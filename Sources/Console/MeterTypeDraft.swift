import WireFormat

/// A definition of a meter type, on its way between a form and the API.
enum MeterTypeDraft {
    /// What the server says of a meter type beside its definition.
    private static let told: Set = [
        "version", "createdAt", "retiredAt", "effectiveFrom", "effectiveTo", "backfill", "state",
        "usedBy",
    ]

    /// A meter type as the API answers it, as a definition that the API takes.
    static func definition(of type: JSONValue) -> JSONValue {
        var definition: JSONObject = [:]
        for member in type.objectValue?.members ?? [] where !told.contains(member.name) {
            definition[member.name] = member.value
        }
        return .object(definition)
    }
}
