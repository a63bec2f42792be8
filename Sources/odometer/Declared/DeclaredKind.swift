import UsageModel
import WireFormat

/// A kind of thing that files declare and a server holds: its name in files, and how the API takes
/// and tells it. One entry of ``all`` is all that `apply` and `export` know of a kind.
struct DeclaredKind: Sendable {
    /// In `kind:`.
    var name: String
    /// Where all of them are listed.
    var listPath: String
    /// Brings a document, declared or told, into the one form in which two of them are compared:
    /// what has a default is said, what is the server's to say is left out.
    var normal: @Sendable (JSONObject) throws(DeclaredFault) -> JSONObject
    /// What a document is known by, from its normal form.
    var key: @Sendable (JSONObject) -> String
    /// Whether a told document is over: it is not exported, and cannot be declared again.
    var isOver: @Sendable (JSONObject) -> Bool
    /// Makes one that is not there.
    var make: @Sendable (JSONObject) -> DeclaredCall
    /// What never changes of one that is there.
    var fixed: Set<String>
    /// Changes one that is there, given its normal form as declared and what differs.
    var change: @Sendable (JSONObject, [DeclaredChange]) -> DeclaredCall

    /// In the order in which they are applied. Add a kind here, and nowhere else.
    static let all: [DeclaredKind] = [.meterType]

    static func named(_ name: String) -> DeclaredKind? { all.first { $0.name == name } }
}

/// A call that brings about what is declared.
struct DeclaredCall: Sendable {
    var method: ServerConnection.Method
    var path: String
    var body: JSONObject
}

/// What is wrong with a document.
struct DeclaredFault: Error {
    var faults: [FieldFault]
}

/// One member that differs; nil where it is not said.
struct DeclaredChange: Hashable, Sendable {
    var name: String
    var from: JSONValue?
    var to: JSONValue?

    /// What differs between two normal forms, in the order of the second, then of the first.
    static func between(_ one: JSONObject, _ other: JSONObject) -> [DeclaredChange] {
        let names = other.names + one.names.filter { other[$0] == nil }
        return names.filter { one[$0] != other[$0] }.map {
            DeclaredChange(name: $0, from: one[$0], to: other[$0])
        }
    }
}

extension DeclaredKind {
    private static let toldByServer: Set = [
        "version", "createdAt", "retiredAt", "backfill", "effectiveFrom",
    ]

    static let meterType = DeclaredKind(
        name: "meter-type",
        listPath: "/v1/meter-types",
        normal: { document throws(DeclaredFault) in
            var declared = JSONObject()
            for member in document.members where !toldByServer.contains(member.name) {
                declared[member.name] = member.value
            }
            do throws(MeterTypeDocument.Faults) {
                let definition = try MeterTypeDocument.read(.object(declared))
                return MeterTypeDocument.write(definition).objectValue ?? [:]
            } catch {
                throw DeclaredFault(faults: error.all)
            }
        },
        key: { $0["key"]?.stringValue ?? "" },
        isOver: { $0["retiredAt"] != nil },
        make: { DeclaredCall(method: .post, path: "/v1/meter-types", body: $0) },
        fixed: ["aggregation", "unit"],
        change: { document, changes in
            var body = JSONObject()
            for change in changes { body[change.name] = change.to ?? .null }
            let key = document["key"]?.stringValue ?? ""
            let path = "/v1/meter-types/" + ServerConnection.segment(key)
            return DeclaredCall(method: .patch, path: path, body: body)
        }
    )
}
