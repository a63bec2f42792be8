import Crypto
import FoundationEssentials
import UsageModel

/// AWS Signature Version 4 for S3, in the `Authorization` header, over a body whose digest is
/// known: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html.
struct RequestSignature: Sendable {
    private static let algorithm = "AWS4-HMAC-SHA256"
    private static let service = "s3"

    let accessKey: String
    let secretKey: String
    let region: String

    /// `20130524T000000Z`
    static func date(_ instant: Instant) -> String {
        let seconds = Instant(microseconds: instant.unixSeconds * 1_000_000)
        return seconds.rfc3339.filter { $0 != "-" && $0 != ":" }
    }

    /// The value of the header.
    ///
    /// - Parameters:
    ///   - path: Percent-encoded, as it is sent; there is no query.
    ///   - headers: Those that are signed, `host` and `x-amz-date` among them, names in lower case.
    ///   - digest: SHA-256 of the body, in hex.
    func authorization(
        _ method: String,
        _ path: String,
        _ headers: [(name: String, value: String)],
        digest: String,
        at instant: Instant
    ) -> String {
        let headers = headers.sorted { $0.name < $1.name }
        let names = headers.map(\.name).joined(separator: ";")
        let lines = headers.map { "\($0.name):\($0.value)\n" }.joined()
        let canonical = [method, path, "", lines, names, digest].joined(separator: "\n")
        let date = Self.date(instant)
        let day = String(date.prefix(8))
        let scope = "\(day)/\(region)/\(Self.service)/aws4_request"
        let hashed = SHA256.hash(data: Array(canonical.utf8)).hex
        let text = [Self.algorithm, date, scope, hashed].joined(separator: "\n")
        let key = [day, region, Self.service, "aws4_request"].reduce(
            Array("AWS4\(secretKey)".utf8)
        ) { key, step in Self.code(step, key) }
        return "\(Self.algorithm) Credential=\(accessKey)/\(scope), SignedHeaders=\(names), "
            + "Signature=\(Self.code(text, key).hex)"
    }

    private static func code(_ text: String, _ key: [UInt8]) -> [UInt8] {
        let key = SymmetricKey(data: key)
        return Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    }
}
