import HTTPTypes
import UsageModel
import WireFormat

/// What a change asks of what stands, by `If-Match` and `If-None-Match` (RFC 9110, 13.1): so that
/// nobody takes away what another one changed meanwhile.
struct Precondition: Sendable {
    /// The tags of which one must stand; `*` is any. nil: not asked.
    private let matching: [String]?
    /// The tags of which none may stand; `*`: nothing may.
    private let unmatched: [String]?

    init(_ headers: HTTPFields) {
        func tags(_ name: HTTPField.Name) -> [String]? {
            headers[name]?.split(separator: ",").map { String(MediaType.trimmed($0)) }
        }
        (matching, unmatched) = (tags(.ifMatch), tags(.ifNoneMatch))
    }

    /// - Parameter tag: That of what stands; nil where nothing does. Asked for only if need be.
    func holds(for tag: @autoclosure () -> String?) -> Bool {
        guard matching != nil || unmatched != nil else { return true }
        let tag = tag()
        if let matching {
            guard let tag, matching.contains("*") || matching.contains(tag) else { return false }
        }
        guard let unmatched, let tag else { return true }
        return !unmatched.contains("*") && !unmatched.contains(tag)
            && !unmatched.contains("W/" + tag)
    }
}

/// What a version of a thing is known by, over HTTP.
enum EntityTag {
    private static let key = SipHashKey(k0: 0x6F64_6F6D_6574_6572, k1: 0x656E_7469_7479_0001)

    static func number(_ number: Int) -> String { "\"\(number)\"" }

    /// Equal documents have equal tags; others do not, but for one time in 2^128.
    static func digest(of document: JSONObject) -> String {
        let hash = unsafe JSONValue.object(document).serialized().withUnsafeBytes {
            unsafe KeyHash(key: key, bytes: $0)
        }
        return "\"\(String(hash.high, radix: 16))-\(String(hash.low, radix: 16))\""
    }
}

extension Refusal {
    /// The answer to a change whose condition does not hold: with what stands, and its tag.
    static func outdated(
        _ what: String,
        current: JSONObject?,
        tag: String?,
        _ call: Call
    ) -> Answer {
        let detail =
            current == nil
            ? "there is no \(what) now" : "the \(what) is not as the condition says"
        let refusal = Refusal(.preconditionFailed, detail)
        var answer = refusal.answer(instance: call.path, isPretty: call.isPretty) { json in
            guard let current else { return }
            json.name("current")
            json.value(.object(current))
        }
        answer.headers[.eTag] = tag
        return answer
    }
}
