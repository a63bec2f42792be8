public import UsageModel

/// Usage records as rows of a table, a record a row: for CSV.
///
/// A cell holds what the record's document (``UsageRecordDocument``) has at a path: a text or a
/// number as it stands, nothing where there is none, and lists and objects as JSON. A field more is
/// a line more in ``columns``; those that are there keep their place.
public enum UsageRecordTable {
    /// Where a column's cells come from.
    struct Column: Sendable {
        let name: String
        /// The names that lead to it in the document, the outermost first.
        let path: [String]

        init(_ name: String, _ path: [String]) { (self.name, self.path) = (name, path) }
        init(_ name: String) { self.init(name, [name]) }
    }

    static let columns = [
        Column("sequence"), Column("id"), Column("kind"), Column("cause"), Column("meter"),
        Column("meterType"), Column("version"), Column("subject"), Column("customer"),
        Column("periodStart", ["period", "start"]),
        Column("periodEnd", ["period", "end"]),
        Column("localStart", ["period", "localStart"]),
        Column("localEnd", ["period", "localEnd"]),
        Column("timezone", ["period", "timezone"]),
        Column("revision"), Column("previous"), Column("value"), Column("delta"),
        Column("events"), Column("eventsDelta"), Column("name"), Column("unit"),
        Column("category"), Column("externalRef"), Column("meterCategory"),
        Column("meterExternalRef"), Column("customerName"), Column("customerExternalRef"),
        Column("capacity"), Column("position"), Column("createdAt"), Column("dimensions"),
        Column("metadata"), Column("meterMetadata"),
        Column("exact"), Column("amount"), Column("capacityUsed"), Column("late"), Column("toldIn"),
        Column("thresholdName", ["threshold", "name"]),
        Column("thresholdAmount", ["threshold", "amount"]),
        Column("firstEventAt"), Column("lastEventAt"), Column("keysHash"), Column("fields"),
    ]

    /// The names of the columns, in their order.
    public static var header: [String] { columns.map(\.name) }

    /// Adds the row of a record.
    public static func write(_ record: UsageRecord, to csv: inout CSVWriter) {
        let document = JSONValue.object(UsageRecordDocument.write(record))
        for column in columns {
            let value = column.path.reduce(document as JSONValue?) { value, name in value?[name] }
            switch value {
            case nil, .null: csv.absent()
            case .string(let text): csv.field(text)
            case .number(let spelling): csv.field(spelling)
            case .bool(let bool): csv.field(bool ? "true" : "false")
            case .array?, .object?:
                csv.field(String(decoding: value?.serialized() ?? [], as: UTF8.self))
            }
        }
        csv.endRow()
    }
}
