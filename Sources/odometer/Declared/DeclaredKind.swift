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
    /// Whether somebody declared a told document; others made themselves, and are left alone.
    var isDeclared: @Sendable (JSONObject) -> Bool = { _ in true }
    /// Why a told document is over: it is not exported, and cannot be declared again. Nil if not.
    var over: @Sendable (JSONObject) -> String?
    /// Makes some that are not there, at most ``madeMax`` in one call.
    var make: @Sendable ([JSONObject]) -> DeclaredCall
    var madeMax = 1
    /// What never changes of one that is there.
    var fixed: Set<String>
    /// Whether a change says the version that was told: then none that came between is lost.
    var saysVersion = false
    /// Changes one that is there, given its normal form as declared and what differs.
    var change: @Sendable (JSONObject, [DeclaredChange]) -> DeclaredCall

    /// In the order in which they are applied. Add a kind here, and nowhere else.
    static let all: [DeclaredKind] = [.meterType, .customer, .meter, .validationRule]

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
    /// A document without what only the server says.
    private static func declared(_ document: JSONObject, without ours: Set<String>) -> JSONObject {
        var declared = JSONObject()
        for member in document.members where !ours.contains(member.name) {
            declared[member.name] = member.value
        }
        return declared
    }

    private static func normal(
        _ read: () throws(MeterTypeDocument.Faults) -> JSONObject
    ) throws(DeclaredFault) -> JSONObject {
        do throws(MeterTypeDocument.Faults) { return try read() } catch {
            throw DeclaredFault(faults: error.all)
        }
    }

    private static func key(_ document: JSONObject) -> String {
        document["key"]?.stringValue ?? ""
    }

    private static func retired(_ document: JSONObject) -> String? {
        document["retiredAt"].map { _ in "it is retired" }
    }

    /// The fields that differ, null where one is no longer said.
    private static func patch(_ changes: [DeclaredChange]) -> JSONObject {
        var body = JSONObject()
        for change in changes { body[change.name] = change.to ?? .null }
        return body
    }

    static let meterType = DeclaredKind(
        name: "meter-type",
        listPath: "/v1/meter-types",
        normal: { document throws(DeclaredFault) in
            let ours: Set = [
                "version", "createdAt", "retiredAt", "backfill", "effectiveFrom", "period",
                "nextResets",
            ]
            let declared = declared(document, without: ours)
            return try normal { () throws(MeterTypeDocument.Faults) in
                let definition = try MeterTypeDocument.read(.object(declared))
                return MeterTypeDocument.write(definition).objectValue ?? [:]
            }
        },
        key: key,
        over: retired,
        make: { DeclaredCall(method: .post, path: "/v1/meter-types", body: $0[0]) },
        fixed: ["aggregation", "unit"],
        change: { document, changes in
            let path = "/v1/meter-types/" + ServerConnection.segment(key(document))
            return DeclaredCall(method: .patch, path: path, body: patch(changes))
        }
    )

    static let customer = DeclaredKind(
        name: "customer",
        listPath: "/v1/customers",
        normal: { document throws(DeclaredFault) in
            let declared = declared(document, without: ["createdAt", "changedAt", "retiredAt"])
            guard let key = CustomerKey(key(declared)) else {
                let remedy = "give 1 to \(Limits.customerKeyBytesMax) of A-Z a-z 0-9 . _ -"
                let reason = "it is missing, or no key of a customer"
                throw DeclaredFault(
                    faults: [FieldFault(pointer: "/key", reason: reason, remedy: remedy)]
                )
            }
            return try normal { () throws(MeterTypeDocument.Faults) in
                CustomerDocument.write(try CustomerDocument.read(.object(declared), key: key))
            }
        },
        key: key,
        over: retired,
        make: { put($0[0]) },
        fixed: [],
        change: { document, _ in put(document) }
    )

    private static func put(_ customer: JSONObject) -> DeclaredCall {
        let path = "/v1/customers/" + ServerConnection.segment(key(customer))
        return DeclaredCall(method: .put, path: path, body: customer)
    }

    /// Enrolments. What was said of a meter's state is no part of them: that is said of times, by
    /// commands, and not held by a file.
    static let meter = DeclaredKind(
        name: "meter",
        listPath: "/v1/meters",
        normal: { document throws(DeclaredFault) in
            let ours: Set = ["id", "state", "customer", "unit", "enrolledAt", "period"]
            let declared = declared(document, without: ours)
            return try normal { () throws(MeterTypeDocument.Faults) in
                let (enrolments, _) = try EnrolmentDocument.read(.object(declared))
                return EnrolmentDocument.write(enrolments[0])
            }
        },
        key: id,
        isDeclared: { $0["enrolledAt"] != nil },
        over: { $0["state"] == "closed" ? "it is closed" : nil },
        make: { documents in
            let meters = JSONValue.array(documents.map(JSONValue.object))
            return DeclaredCall(method: .post, path: "/v1/meters", body: ["meters": meters])
        },
        madeMax: 10_000,
        fixed: [],
        change: { document, changes in
            let path = "/v1/meters/" + ServerConnection.segment(id(document))
            return DeclaredCall(method: .patch, path: path, body: patch(changes))
        }
    )

    static let validationRule = DeclaredKind(
        name: "validation-rule",
        listPath: "/v1/validation-rules",
        normal: { document throws(DeclaredFault) in
            let ours = Set(ValidationRuleDocument.ours + ["version"])
            let declared = declared(document, without: ours)
            return try normal { () throws(MeterTypeDocument.Faults) in
                let definition = try ValidationRuleDocument.read(.object(declared))
                return ValidationRuleDocument.write(definition)
            }
        },
        key: key,
        over: retired,
        make: { DeclaredCall(method: .post, path: "/v1/validation-rules", body: $0[0]) },
        fixed: [],
        saysVersion: true,
        change: { document, _ in
            let path = ValidationRulesCommand.path(key(document))
            return DeclaredCall(method: .put, path: path, body: document)
        }
    )

    private static func id(_ meter: JSONObject) -> String {
        let type = meter["meterType"]?.stringValue.flatMap(MeterTypeKey.init)
        let subject = meter["subject"]?.stringValue
        return type.flatMap { MeterID(meterType: $0, subject: subject ?? "") }?.text ?? ""
    }
}
