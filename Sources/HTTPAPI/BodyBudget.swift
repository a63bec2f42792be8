import Synchronization

/// The bytes of all bodies that were let in and are not yet answered: bounded over all connections.
///
/// What does not fit is refused with an answer, so nothing queues here.
final class BodyBudget: Sendable {
    let bytesMax: Int
    private let used = Mutex(0)

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    var bytesInFlight: Int { used.withLock { $0 } }

    fileprivate func take(_ bytes: Int) -> Bool {
        used.withLock { used in
            guard bytes <= bytesMax - used else { return false }
            used += bytes
            return true
        }
    }

    fileprivate func giveBack(_ bytes: Int) { used.withLock { $0 -= bytes } }
}

/// A call's part of the budget; what is left of it returns when the call is over.
struct BodyShare: ~Copyable {
    private let budget: BodyBudget
    private(set) var bytes = 0

    init(of budget: BodyBudget) { self.budget = budget }

    /// Takes more of the budget.
    mutating func take(_ count: Int) throws(Refusal) {
        guard budget.take(count) else {
            var refusal = Refusal.busy(
                "the bodies under way would exceed \(budget.bytesMax) bytes"
            )
            refusal.closesConnection = true
            throw refusal
        }
        bytes += count
    }

    mutating func giveBack(_ count: Int) {
        budget.giveBack(count)
        bytes -= count
    }

    /// Says that the call is over; until here the share is held.
    consuming func end() {}

    deinit { budget.giveBack(bytes) }
}
