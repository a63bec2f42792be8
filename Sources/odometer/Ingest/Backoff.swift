/// How long to wait before a call is tried again: doubling from a tenth of a second to ten seconds,
/// with full jitter, and never shorter than the server asks.
struct Backoff {
    /// In seconds.
    static let longest = 10.0

    /// - Parameters:
    ///   - attempt: 1 after the first failure.
    ///   - fraction: The draw, in 0..<1.
    ///   - retryAfter: What the server asks for, in seconds.
    /// - Returns: Seconds.
    static func seconds(attempt: Int, fraction: Double, retryAfter: Int?) -> Double {
        let ceiling = min(0.1 * Double(1 << min(attempt - 1, 10)), longest)
        let asked = retryAfter.map(Double.init) ?? 0
        // Callers that were told the same time come back spread over a second.
        return asked > 0 ? asked + fraction : max(ceiling * fraction, 0.01)
    }

    /// Whether the same call may succeed later.
    static func isWorthwhile(status: Int) -> Bool {
        [408, 429, 500, 502, 503, 504, 507].contains(status)
    }
}
