/// What went wrong with a call, as RFC 9457 has it (`application/problem+json`).
public struct Problem: Error, Hashable, Sendable {
    public static let contentType = "application/problem+json"

    /// A field of the request at fault.
    public struct FieldFault: Hashable, Sendable {
        /// The field as a JSON pointer into the request's body, or a query parameter's name.
        public var pointer: String
        public var reason: String
        /// What to do about it.
        public var remedy: String?

        public init(pointer: String, reason: String, remedy: String? = nil) {
            (self.pointer, self.reason, self.remedy) = (pointer, reason, remedy)
        }
    }

    /// The kind of problem, such as `malformed-json`; its page is `/problems/<slug>`.
    public var slug: String
    /// The kind in words; the same for every problem of the kind.
    public var title: String
    /// The HTTP status.
    public var status: Int
    /// This occurrence in words.
    public var detail: String?
    /// What this occurrence is about, as a path.
    public var instance: String?
    public var errors: [FieldFault]
    /// Further members; those with a name of RFC 9457 are not written.
    public var extra: JSONObject

    public init(
        slug: String,
        title: String,
        status: Int,
        detail: String? = nil,
        instance: String? = nil,
        errors: [FieldFault] = [],
        extra: JSONObject = [:]
    ) {
        (self.slug, self.title, self.status) = (slug, title, status)
        (self.detail, self.instance) = (detail, instance)
        (self.errors, self.extra) = (errors, extra)
    }

    public var type: String { "/problems/" + slug }

    public var document: JSONValue {
        var object: JSONObject = [
            "type": .string(type), "title": .string(title), "status": .number(String(status)),
        ]
        object["detail"] = detail.map { .string($0) }
        object["instance"] = instance.map { .string($0) }
        if !errors.isEmpty {
            object["errors"] = .array(
                errors.map { fault in
                    var member: JSONObject = [
                        "pointer": .string(fault.pointer), "reason": .string(fault.reason),
                    ]
                    member["remedy"] = fault.remedy.map { .string($0) }
                    return .object(member)
                }
            )
        }
        let reserved = ["type", "title", "status", "detail", "instance", "errors"]
        for member in extra.members where !reserved.contains(member.name) {
            object[member.name] = member.value
        }
        return .object(object)
    }

    public func serialized(pretty: Bool = false) -> [UInt8] {
        document.serialized(pretty: pretty)
    }
}
