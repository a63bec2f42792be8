public import UsageModel

/// The bodies of `POST /v1/backfill-sets`, and of a set's `close` and `revert`, understood.
///
///     {"name": "gateway outage of 3 November", "replaceExisting": {"source": "gateway-eu"},
///      "author": "Ada", "reason": "the queue was restored from a backup"}
public struct BackfillSetDocument: Sendable {
    public typealias Faults = MeterTypeDocument.Faults

    /// Empty in a close or a revert.
    public var name = ""
    public var replacing: EventSelection?
    public var author: String
    public var reason: String
    /// Whether it is only asked what would happen.
    public var isDryRun = false
    /// How many events a close or a revert is to change; nil: as many as it does.
    public var expected: Int64?

    /// Reads the opening of a set.
    ///
    /// - Parameters:
    ///   - author: Who asks, where the document does not say; empty: it must.
    ///   - reason: Why, likewise.
    public init(
        opening value: JSONValue,
        author: String,
        reason: String
    ) throws(Faults) {
        let fields = ["name", "replaceExisting", "author", "reason"]
        var reader = FieldReader(value, at: "", known: fields)
        guard reader.isObject else { throw reader.faults }
        reader.require("name", "say what the set is for")
        name = reader.line("name", bytes: 1...MeterTypeDocument.nameBytesMax) ?? ""
        if reader.value("replaceExisting") != nil {
            replacing = EventSelection("replaceExisting", of: &reader)
        }
        (self.author, self.reason) = Self.who(&reader, author, reason)
        guard reader.faults.all.isEmpty else { throw reader.faults }
    }

    /// Reads a close or a revert.
    public init(
        change value: JSONValue,
        author: String,
        reason: String
    ) throws(Faults) {
        var reader = FieldReader(value, at: "", known: ["author", "reason", "dryRun", "expected"])
        guard reader.isObject else { throw reader.faults }
        isDryRun = reader.flag("dryRun") ?? false
        expected = reader.whole("expected", in: 0...Int.max).map(Int64.init)
        (self.author, self.reason) = Self.who(&reader, author, reason)
        guard reader.faults.all.isEmpty else { throw reader.faults }
    }

    private static func who(
        _ reader: inout FieldReader,
        _ author: String,
        _ reason: String
    ) -> (String, String) {
        if author.isEmpty { reader.require("author", "say who does it") }
        if reason.isEmpty { reader.require("reason", "say why: it stays with the set for ever") }
        let told = reader.line("author", bytes: 1...Limits.authorBytesMax) ?? author
        let why = reader.line("reason", bytes: 1...Limits.reasonBytesMax) ?? reason
        return (told, why)
    }
}
