import MeteringEngine
import UsageModel
import WireFormat

/// What an HTTP answer means: the one table of all destinations.
///
/// | answer | outcome |
/// |---|---|
/// | an expected status, or one that says that it is known already | delivered |
/// | 408, 425, 429, 5xx; no connection, no answer in time | retry, after `Retry-After` |
/// | 3xx | refused: redirects are not followed |
/// | any other | refused |
struct AnswerRules: Sendable {
    /// How much of an answer is told, in characters.
    static let shownMax = 200

    /// Empty: 200 to 299.
    var expected: Set<Int> = []
    var known: Set<Int> = []
    /// What is retried besides the table.
    var busy: Set<Int> = []
    var secrets = Secrets([])

    func takes(_ status: Int) -> Bool {
        known.contains(status)
            || (expected.isEmpty ? 200..<300 ~= status : expected.contains(status))
    }

    /// What becomes of a delivery.
    ///
    /// - Parameter words: What the answer says, where somebody has read it; else its beginning.
    func outcome(of reply: OutletReply, now: Instant, words: String? = nil) -> DeliveryOutcome {
        switch reply {
        case .none(let reason): .retry(status: nil, reason: secrets.hidden(in: reason), after: nil)
        case .unsendable(let reason): .refused(status: nil, reason: secrets.hidden(in: reason))
        case .answer(let answer): outcome(of: answer, now: now, words: words)
        }
    }

    private func outcome(
        of answer: OutletAnswer,
        now: Instant,
        words: String?
    ) -> DeliveryOutcome {
        let status = answer.status
        if takes(status) {
            let reference = excerpt(Self.reference(in: answer.bytes))
            return .delivered(status: status, reference: reference)
        }
        let words = excerpt(words ?? String(decoding: answer.bytes, as: UTF8.self))
        let reason = "answered \(status)" + (words.isEmpty ? "" : ": \(words)")
        switch status {
        case 408, 425, 429, 500...599,
            _ where busy.contains(status):
            let after = RetryAfter.seconds(answer.retryAfter, now: now)
            return .retry(status: status, reason: reason, after: after)
        case 300...399:
            let advice = "redirects are not followed; write the address it moved to"
            return .refused(status: status, reason: "answered \(status): \(advice)")
        default:
            return .refused(status: status, reason: reason)
        }
    }

    /// One line without secrets, cut.
    func excerpt(_ text: String) -> String {
        // Secrets go before the cut, which could leave a part of one.
        let words = secrets.hidden(in: text).split { character in
            character.isWhitespace || character.unicodeScalars.allSatisfy { $0.value < 0x20 }
        }
        return String(words.joined(separator: " ").prefix(Self.shownMax))
    }

    /// What the other side calls what it took: the member `id` of its answer.
    private static func reference(in bytes: [UInt8]) -> String {
        guard let answer = try? JSONValue.parse(bytes) else { return "" }
        return answer["id"]?.stringValue ?? answer["id"]?.numberValue ?? ""
    }
}
