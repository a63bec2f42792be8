import Crypto
import MeteringEngine
import UsageModel

// What is kept of a request. Who reads it later may be anybody who may see deliveries: what could
// open a door is taken out before it is written down, by a list of what is shown.
extension OutletRequest {
    /// Headers whose values are shown; of all others it is only told that they were there.
    private static let shown: Set = [
        "accept", "content-type", "host", "idempotency-key", "user-agent", "webhook-id",
        "webhook-signature", "webhook-timestamp", "x-amz-content-sha256", "x-amz-date",
    ]

    func noted(
        _ reply: OutletReply,
        _ began: Instant,
        _ ended: Instant,
        _ rules: AnswerRules
    ) -> SentRequest {
        var sent = SentRequest(
            method: method,
            address: rules.secrets.hidden(in: Self.withoutQueryValues(url)),
            body: body,
            began,
            ended
        )
        sent.headers = headers.map { name, value in
            let isShown = Self.shown.contains(name)
            let text = isShown ? rules.excerpt(value) : Secrets.mask
            return MetadataMember(name: name, value: text)
        }
        switch reply {
        case .answer(let answer):
            sent.status = answer.status
            sent.answer = rules.excerpt(String(decoding: answer.bytes, as: UTF8.self))
        case .none(let reason), .unsendable(let reason): sent.answer = rules.excerpt(reason)
        }
        return sent
    }

    private static func withoutQueryValues(_ url: String) -> String {
        let parts = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count > 1 else { return url }
        let pairs = parts[1].split(separator: "&").map { pair in
            let name = pair.prefix { $0 != "=" }
            return name.count < pair.count ? name + "=" + Secrets.mask : Secrets.mask
        }
        return parts[0] + "?" + pairs.joined(separator: "&")
    }
}

extension SentRequest {
    init(method: String, address: String, body: [UInt8], _ began: Instant, _ ended: Instant) {
        self.init(
            at: began,
            milliseconds: max(0, (ended.microseconds - began.microseconds) / 1_000),
            method: method,
            address: address,
            bodyBytes: body.count,
            bodyDigest: SHA256.hash(data: body).hex
        )
    }

    /// Writes down what was written, and what became of it.
    static func note(
        _ bytes: [UInt8],
        to address: String,
        since began: Instant,
        _ ended: Instant,
        _ outcome: DeliveryOutcome
    ) {
        guard let log = RequestLog.current else { return }
        var sent = SentRequest(method: "WRITE", address: address, body: bytes, began, ended)
        switch outcome {
        case .delivered: break
        case .retry(_, let reason, _), .refused(_, let reason): sent.answer = reason
        }
        log.add(sent)
    }
}
