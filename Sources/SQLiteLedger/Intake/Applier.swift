internal import Dispatch
internal import MeteringEngine
internal import Synchronization
internal import UsageModel

/// Adds committed groups to the derived state and answers their callers, on a thread of its own:
/// while one group is added, the next one is decided and waits for the device.
///
/// Groups are added in the order of their commits. The committer alone hands them over, and waits
/// where ``groupsMax`` are under way; whatever must not run beside a commit asks for ``drain()``
/// first.
final class Applier: Sendable {
    /// A group that is on stable storage.
    struct Group: Sendable {
        var decision: GroupDecision
        var parties: [Party]
        /// The numbers of the quarantined events, in the decision's order.
        var numbers: [Int64]
        var commit: Int64
        /// When its decision began, in ticks of the ledger.
        var started: Int64
    }

    private struct Waiting {
        var groups: [Group] = []
        var isClosed = false
    }

    /// Groups that are committed and not yet added.
    static let groupsMax = 2

    private let waiting = Mutex(Waiting())
    private let bell = DispatchSemaphore(value: 0)
    private let places = DispatchSemaphore(value: groupsMax)
    private let add: @Sendable (Group) -> Void

    /// - Parameter add: Adds a group and answers who sent it.
    init(_ add: @escaping @Sendable (Group) -> Void) { self.add = add }

    /// Hands a group over; waits for a place.
    func take(_ group: Group) {
        places.wait()
        waiting.withLock { $0.groups.append(group) }
        bell.signal()
    }

    /// Waits until everything that was handed over is added and answered.
    func drain() {
        for _ in 0..<Self.groupsMax { places.wait() }
        for _ in 0..<Self.groupsMax { places.signal() }
    }

    /// Ends ``run()`` once nothing is left.
    func close() {
        waiting.withLock { $0.isClosed = true }
        bell.signal()
    }

    /// Runs until it is closed.
    func run() {
        while true {
            bell.wait()
            let (next, isClosed) = waiting.withLock { waiting in
                (waiting.groups.isEmpty ? nil : waiting.groups.removeFirst(), waiting.isClosed)
            }
            if let next {
                add(next)
                places.signal()
            } else if isClosed {
                return
            }
        }
    }
}

extension LedgerCore {
    /// Adds a committed group to the derived state, and answers its calls.
    func add(_ group: Applier.Group) {
        // Nothing changes about meter types, and what is said of meters, while a group is under
        // way.
        let (rule, gate) = (booksRule.withLock { $0 }, gate.withLock { $0 })
        derived.apply(
            group.decision,
            group.parties,
            commit: group.commit,
            rule: rule,
            gate: gate
        )
        count(group.decision, group.parties, microseconds: ticks() - group.started)
        answer(group)
    }

    private func answer(_ group: Applier.Group) {
        let decision = group.decision
        var ids: [Int: [Int: Int64]] = [:]
        for (quarantined, number) in zip(decision.quarantined, group.numbers) {
            ids[quarantined.party, default: [:]][quarantined.exception] = number
        }
        for (number, party) in group.parties.enumerated() {
            let share = decision.shares[number]
            var exceptions = share.exceptions
            if let known = ids[number] {
                for place in exceptions.indices {
                    guard let id = known[exceptions[place].index] else { continue }
                    exceptions[place].quarantineID = QuarantinedEvent.id(id)
                }
            }
            let outcome = BatchOutcome(
                position: Position(decision.lastPosition),
                accepted: share.accepted,
                firstPosition: Position(share.accepted > 0 ? share.firstPosition : 0),
                exceptions: exceptions,
                isRefused: share.isRefused,
                unreadable: share.isRefused ? 0 : party.batch.unreadable,
                warnings: share.warnings
            )
            party.answer(.success(outcome))
        }
    }
}
