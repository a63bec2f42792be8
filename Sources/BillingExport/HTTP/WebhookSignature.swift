import Crypto
import FoundationEssentials
import UsageModel
import WireFormat

/// Signatures as Standard Webhooks 1.0 has them: HMAC-SHA256 over `id.timestamp.body`.
struct WebhookSignature: Sendable {
    private static let prefix = "whsec_"
    private static let secretBytes = 24...64

    private let keys: [SymmetricKey]

    /// - Throws: ``FieldFault`` for the first secret that is none, at its pointer below `pointer`.
    init(secrets: [String], at pointer: String) throws(FieldFault) {
        guard !secrets.isEmpty else {
            throw FieldFault(
                pointer: pointer,
                reason: "there is no secret to sign with",
                remedy: "write `whsec_` and the base64 of 24 to 64 random bytes"
            )
        }
        var keys: [SymmetricKey] = []
        for (index, secret) in secrets.enumerated() {
            guard let bytes = Self.bytes(of: secret), Self.secretBytes.contains(bytes.count) else {
                throw FieldFault(
                    pointer: "\(pointer)/\(index)",
                    reason: "this is no secret of a webhook",
                    remedy: "write `whsec_` and the base64 of 24 to 64 random bytes"
                )
            }
            keys.append(SymmetricKey(data: bytes))
        }
        self.keys = keys
    }

    /// The value of `webhook-signature`: one for each secret, the first one first.
    func value(id: String, seconds: Int64, body: [UInt8]) -> String {
        let signed = Array("\(id).\(seconds).".utf8) + body
        let signatures = keys.map { key in
            let code = Array(HMAC<SHA256>.authenticationCode(for: signed, using: key))
            return "v1," + Base64.encode(code, .standard)
        }
        return signatures.joined(separator: " ")
    }

    private static func bytes(of secret: String) -> [UInt8]? {
        guard secret.hasPrefix(prefix) else { return nil }
        let text = secret.dropFirst(prefix.count)
        let digits = text.prefix { $0 != "=" }
        // Padding is optional, and nothing follows it.
        guard text.count - digits.count <= 2, text.dropFirst(digits.count).allSatisfy({ $0 == "=" })
        else { return nil }
        let spelled = String(digits).replacing("+", with: "-").replacing("/", with: "_")
        return Base64.decodeURL(spelled)
    }
}
