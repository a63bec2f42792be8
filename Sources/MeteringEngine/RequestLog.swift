import Synchronization
public import UsageModel

/// What a try sends, written down by whoever carries it: an outlet says in the end what became of
/// the batch, and not by how many requests.
public final class RequestLog: Sendable {
    /// That of the try that runs; nil where nobody asks.
    @TaskLocal public static var current: RequestLog?

    private struct State {
        var requests: [SentRequest] = []
        var count = 0
    }

    private let state = Mutex(State())

    public init() {}

    /// The last ``Limits/deliveryRequestsKeptMax`` stay.
    public func add(_ request: SentRequest) {
        state.withLock { state in
            if state.requests.count == Limits.deliveryRequestsKeptMax {
                state.requests.removeFirst()
            }
            state.requests.append(request)
            state.count += 1
        }
    }

    public var requests: [SentRequest] { state.withLock { $0.requests } }
    public var count: Int { state.withLock { $0.count } }
}
