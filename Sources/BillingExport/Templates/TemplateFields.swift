import UsageModel
import WireFormat

/// The names that a template may say.
struct TemplateFields: Sendable {
    enum Kind: Hashable, Sendable {
        case plain
        /// An object of these members.
        case members([String])
        /// An object whose members are the user's own.
        case open
    }

    struct Field: Sendable {
        let name: String
        let kind: Kind

        init(_ name: String, _ kind: Kind = .plain) { (self.name, self.kind) = (name, kind) }
    }

    /// Of what these are fields, for messages.
    let owner: String
    let list: [Field]

    func kind(of name: String) -> Kind? { list.first { $0.name == name }?.kind }

    /// The members of a record's document, and the number of its delivery.
    static let record = TemplateFields(
        owner: "a usage record",
        list: [
            Field("sequence"), Field("id"), Field("kind"), Field("cause"), Field("meter"),
            Field("meterType"), Field("version"), Field("subject"), Field("customer"),
            Field("period", .members(["start", "end", "localStart", "localEnd", "timezone"])),
            Field("revision"), Field("previous"), Field("value"), Field("exact"),
            Field("delta"), Field("amount"),
            Field("events"), Field("eventsDelta"), Field("dimensions"), Field("moreDimensions"),
            Field("name"), Field("unit"), Field("category"), Field("externalRef"),
            Field("metadata", .open), Field("meterCategory"), Field("meterExternalRef"),
            Field("meterMetadata", .open), Field("customerName"), Field("customerExternalRef"),
            Field("capacity"), Field("capacityUsed"), Field("late"), Field("toldIn"),
            Field("firstEventAt"), Field("lastEventAt"), Field("keysHash"), Field("fields", .open),
            Field("threshold", .members(["name", "percent", "amount"])), Field("position"),
            Field("createdAt"), Field("deliveryNumber"),
        ]
    )

    /// Of all that is sent together.
    static let batch = TemplateFields(
        owner: "a batch",
        list: [
            Field("destination"), Field("first"), Field("last"), Field("count"),
            Field("idempotencyKey"),
        ]
    )

    /// Of a record that is sent, and of what it is sent with.
    static let recordInBatch = TemplateFields(
        owner: record.owner,
        list: record.list + batch.list
    )

    static let file = TemplateFields(
        owner: "a file",
        list: [
            Field("destination"), Field("first"), Field("last"), Field("count"), Field("date"),
            Field("meterType"),
        ]
    )
}
