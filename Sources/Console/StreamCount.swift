import Synchronization
import UsageModel

/// How many live streams are open.
final class StreamCount: Sendable {
    private let count = Mutex(0)

    /// Takes a place; false where all ``Limits/liveStreamsMax`` are taken.
    func enter() -> Bool {
        count.withLock { count in
            guard count < Limits.liveStreamsMax else { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}
