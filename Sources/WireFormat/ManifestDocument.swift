public import UsageModel

/// What a source says that it sent.
///
///     {"source":"gateway-eu","type":"llm.*","from":"2026-11-01T00:00:00Z",
///      "to":"2026-11-02T00:00:00Z","rows":1200,"sum":{"path":"$.data.tokens","value":"98213.5"}}
public enum ManifestDocument {
    public typealias Faults = MeterTypeDocument.Faults

    private static let fields = ["source", "type", "from", "to", "rows", "sum"]

    public static func read(_ value: JSONValue) throws(Faults) -> SourceManifest.Claim {
        var reader = FieldReader(value, at: "", known: fields)
        guard reader.isObject else { throw reader.faults }
        for (name, remedy) in [
            ("source", "name the source of the events"),
            ("from", "give the time from which on they were sent"),
            ("to", "give the time before which they were sent"),
            ("rows", "give the number of events"),
        ] {
            reader.require(name, remedy)
        }
        let source = reader.line("source", bytes: 1...Limits.keyFieldBytesMax)
        let type = reader.string("type").map { (text: $0, pattern: EventTypePattern($0)) }
        if let type, type.pattern == nil {
            reader.fault("type", "it is no event type", "give one, or a prefix such as llm.*")
        }
        let (from, to) = (reader.instant("from"), reader.instant("to"))
        if let from, let to, from >= to {
            reader.fault("to", "it does not lie after from", "give a range from < to")
        }
        let rows = reader.whole("rows", in: 0...Int.max)
        let sum = reader.object("sum", known: ["path", "value"], sum)
        guard reader.faults.all.isEmpty, let source, let from, let to, let rows else {
            throw reader.faults
        }
        return SourceManifest.Claim(
            source: source,
            type: type?.pattern,
            range: from..<to,
            rows: Int64(rows),
            sum: sum ?? nil
        )
    }

    private static func sum(_ reader: inout FieldReader) -> SourceManifest.Sum? {
        reader.require("path", "say which field was added up")
        reader.require("value", "give its sum")
        var path: EventPath?
        if let text = reader.string("path") {
            path = try? EventPath(text)
            if path == nil {
                reader.fault("path", "it is no path", "give one such as $.data.tokens")
            }
        }
        var quantity: Quantity?
        if let value = reader.value("value") {
            // Exact either way: a number of a document is kept as it was spelled.
            quantity = (value.stringValue ?? value.numberValue).flatMap { try? Quantity($0) }
            if quantity == nil {
                let remedy = "give a decimal with at most \(Quantity.decimalPlaces) places"
                reader.fault("value", "it is no quantity", remedy)
            }
        }
        guard let path, let quantity else { return nil }
        return SourceManifest.Sum(path: path, value: quantity)
    }

    /// What ``read(_:)`` reads.
    public static func write(_ claim: SourceManifest.Claim) -> JSONObject {
        var document: JSONObject = ["source": .string(claim.source)]
        document["type"] = claim.type.map { .string($0.text) }
        document["from"] = .string(claim.range.lowerBound.rfc3339)
        document["to"] = .string(claim.range.upperBound.rfc3339)
        document["rows"] = .number(String(claim.rows))
        document["sum"] = claim.sum.map { sum in
            [
                "path": .string(sum.path.description),
                "value": .string(sum.value.description),
            ]
        }
        return document
    }
}
