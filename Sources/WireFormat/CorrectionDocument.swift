public import UsageModel

/// The body of `POST /v1/corrections`, understood.
///
///     {"kind": "void", "events": [{"source": "gateway-eu", "id": "req-7"}],
///      "author": "Ada", "reason": "sent by a test"}
///
/// Of `void` and `restore` the events are told by `events`, by a `filter` of subject, type, source
/// and times, or, for `restore`, by the `correction` to be taken back. Of `replace` the
/// `replacements` are whole events, each under the key of the one that it is to stand for.
public struct CorrectionDocument: Sendable {
    public typealias Faults = MeterTypeDocument.Faults

    public enum Targets: Sendable {
        case keys([EventKey])
        case filter(EventSelection)
        /// The number of a correction.
        case correction(Int64)
        case replacements(DecodedBatch)
    }

    public var kind: CorrectionKind
    public var targets: Targets
    public var author: String
    public var reason: String
    /// Whether it is only asked what would happen.
    public var isDryRun: Bool
    /// How many events it is to change; nil: as many as it does.
    public var expected: Int64?

    private static let fields = [
        "kind", "events", "filter", "correction", "replacements", "author", "reason", "dryRun",
        "expected",
    ]

    /// - Parameters:
    ///   - author: Who makes it, where the document does not say; empty: it must.
    ///   - reason: Why, likewise.
    public init(
        _ value: JSONValue,
        author: String = "",
        reason: String = ""
    ) throws(Faults) {
        var reader = FieldReader(value, at: "", known: Self.fields)
        guard reader.isObject else { throw reader.faults }
        reader.require("kind", "void, replace or restore")
        if author.isEmpty { reader.require("author", "say who makes it") }
        if reason.isEmpty {
            reader.require("reason", "say why: it stays with the events for ever")
        }
        var kind: CorrectionKind? = reader.word("kind")
        if let given = kind, !CorrectionKind.ofEvents.contains(given) {
            let remedy = "see POST /v1/backfill-sets/{id}/\(given.rawValue)"
            reader.fault("kind", "it is what becomes of a backfill set", remedy)
            kind = nil
        }
        let told = reader.line("author", bytes: 1...Limits.authorBytesMax) ?? author
        let why = reader.line("reason", bytes: 1...Limits.reasonBytesMax) ?? reason
        isDryRun = reader.flag("dryRun") ?? false
        expected = reader.whole("expected", in: 0...Int.max).map(Int64.init)
        let targets = kind.flatMap { Self.targets($0, &reader) }
        guard reader.faults.all.isEmpty, let kind, let targets else {
            throw reader.faults
        }
        (self.kind, self.targets) = (kind, targets)
        (self.author, self.reason) = (told, why)
    }

    private static func targets(
        _ kind: CorrectionKind,
        _ reader: inout FieldReader
    ) -> Targets? {
        let ways: [String] =
            switch kind {
            case .void: ["events", "filter"]
            case .restore: ["events", "filter", "correction"]
            case .replace: ["replacements"]
            case .close, .revert: []
            }
        for name in ["events", "filter", "correction", "replacements"] where !ways.contains(name) {
            guard reader.value(name) != nil else { continue }
            reader.fault(
                name,
                "a correction of kind \"\(kind.rawValue)\" has none",
                "leave it out, and give \(ways.joined(separator: " or "))"
            )
        }
        let given = ways.filter { reader.value($0) != nil }
        guard given.count == 1 else {
            let what = given.isEmpty ? "it does not say which events" : "it says twice which events"
            reader.fault("", what, "give one of: \(ways.joined(separator: ", "))")
            return nil
        }
        switch given[0] {
        case "events": return keys(&reader).map { .keys($0) }
        case "filter": return EventSelection("filter", of: &reader).map { .filter($0) }
        case "correction":
            guard let number = reader.string("correction").flatMap({ Correction.number($0) })
            else {
                reader.fault("correction", "it is no id of a correction", "give one, such as c-12")
                return nil
            }
            return .correction(number)
        default: return replacements(&reader).map { .replacements($0) }
        }
    }

    private static func keys(_ reader: inout FieldReader) -> [EventKey]? {
        let remedy = "give an object of a source and an id, both texts"
        let keys = reader.list(
            "events",
            countMax: Limits.correctionKeysMax,
            of: "key of an event",
            remedy
        ) { value -> EventKey? in
            guard case .object(let object) = value, object.members.count == 2,
                let source = object["source"]?.stringValue, let id = object["id"]?.stringValue,
                !source.isEmpty, !id.isEmpty
            else { return nil }
            return EventKey(source: source, id: id)
        }
        guard keys?.isEmpty == true, reader.value("events")?.arrayValue?.isEmpty == true else {
            return keys
        }
        reader.fault("events", "there are none", "name at least one")
        return nil
    }

    private static func replacements(_ reader: inout FieldReader) -> DecodedBatch? {
        guard let value = reader.value("replacements") else { return nil }
        guard let events = value.arrayValue, !events.isEmpty,
            events.count <= Limits.correctionKeysMax
        else {
            let most = Limits.correctionKeysMax
            reader.fault("replacements", "it is no list of events", "give 1 to \(most) of them")
            return nil
        }
        let bytes = value.serialized(pretty: false)
        guard let decoded = try? decodeEvents(bytes, framing: .plain) else {
            reader.fault("replacements", "they cannot be read", "give whole events")
            return nil
        }
        for rejected in decoded.rejected {
            reader.fault(
                "replacements/\(rejected.index)\(rejected.pointer)",
                rejected.detail,
                "give an event that could be counted"
            )
        }
        // As bytes: texts that look alike may be two keys.
        var known: Set<[[UInt8]]> = []
        for event in decoded.events {
            let key = [event.source, event.id].map { Array(decoded.bytes[$0.range]) }
            if !known.insert(key).inserted {
                let remedy = "give one event a key"
                reader.fault("replacements/\(event.index)", "its key is there twice", remedy)
            }
            if !event.hasTime {
                reader.fault(
                    "replacements/\(event.index)/time",
                    "it is missing",
                    "give the time at which the use took place"
                )
            }
        }
        return reader.faults.all.isEmpty ? decoded : nil
    }
}
