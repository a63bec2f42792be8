import Crypto
import FoundationEssentials
import MeteringEngine
import UsageModel

/// A bucket of a store that speaks S3, by its path-style address. A PUT is seen as a whole, or not
/// at all.
struct BucketStore: FileStore {
    private let bucket: FileRules.Bucket
    private let signature: RequestSignature
    /// `https://s3.example.com`, and what it is called in `host`.
    private let origin: String
    private let host: String
    /// Before the bucket's name; empty, or with a slash in front.
    private let path: String
    private let courier: Courier
    private let answers: AnswerRules

    init(_ bucket: FileRules.Bucket, _ courier: Courier) throws(FieldFault) {
        try URLText.check(bucket.endpoint, at: "/bucket/endpoint")
        guard !bucket.name.isEmpty, !bucket.name.contains("/") else {
            throw FieldFault(
                pointer: "/bucket/name",
                reason: "this is no name of a bucket",
                remedy: "write its name alone; what comes before file names is `prefix`"
            )
        }
        let isUnsafe = bucket.prefix.split(separator: "/").contains { [".", ".."].contains($0) }
        if isUnsafe || bucket.prefix.hasPrefix("/") {
            throw FieldFault(
                pointer: "/bucket/prefix",
                reason: "a prefix is no path",
                remedy: "write a plain prefix such as `usage/`"
            )
        }
        let parts = bucket.endpoint.split(
            separator: "/",
            maxSplits: 3,
            omittingEmptySubsequences: false
        )
        let scheme = parts[0].lowercased()
        let port = scheme == "https:" ? ":443" : ":80"
        let authority = String(parts[2])
        host = authority.hasSuffix(port) ? String(authority.dropLast(port.count)) : authority
        origin = "\(scheme)//\(authority)"
        let steps = parts.count > 3 ? parts[3].split(separator: "/") : []
        path = steps.map { "/" + $0 }.joined()
        (self.bucket, self.courier) = (bucket, courier)
        signature = RequestSignature(
            accessKey: bucket.accessKey,
            secretKey: bucket.secretKey,
            region: bucket.region
        )
        answers = AnswerRules(secrets: Secrets([bucket.secretKey]))
    }

    func put(_ file: BatchFile) async -> DeliveryOutcome {
        let key = URLText.encodedPath(bucket.prefix + file.name)
        let target = "\(path)/\(URLText.encoded(bucket.name))/\(key)"
        let now = courier.clock()
        let digest = SHA256.hash(data: file.bytes).hex
        let signed = [
            (name: "content-type", value: file.contentType), (name: "host", value: host),
            (name: "x-amz-content-sha256", value: digest),
            (name: "x-amz-date", value: RequestSignature.date(now)),
        ]
        var request = OutletRequest(url: origin + target, body: file.bytes)
        request.method = "PUT"
        for (name, value) in signed { request.set(name, value) }
        request.set(
            "authorization",
            signature.authorization("PUT", target, signed, digest: digest, at: now)
        )
        switch await courier.outcome(of: request, answers) {
        case .delivered(let status, _): return .delivered(status: status, reference: file.name)
        case let other: return other
        }
    }
}
