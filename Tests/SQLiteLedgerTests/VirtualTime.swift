import MeteringTestKit
import Synchronization
import UsageModel

/// Runs tasks one step at a time on the thread that asks, and turns a ledger's clock to the next
/// sleeper when none of them can go on: hours pass in no time, and the same in each run.
final class VirtualTime: TaskExecutor {
    /// Nobody can go on and nobody sleeps, or they go on for ever.
    struct Stuck: Error {}

    private static let stepsMax = 2_000_000

    private struct Sleeper {
        var number: Int
        var until: Duration
        var waking: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var work: [UnownedJob] = []
        var sleepers: [Sleeper] = []
        var sleeps = 0
        /// What was slept; the clock may be set to something else meanwhile.
        var slept = Duration.zero
        var generator: SeededGenerator?
    }

    private final class Outcome<Value: Sendable>: Sendable {
        let result = Mutex<Result<Value, any Error>?>(nil)
    }

    private let fixture: LedgerFixture
    private let state: Mutex<State>

    /// - Parameter seed: Shuffles the steps of tasks that could all go on; nil: first come, first
    ///   served.
    init(_ fixture: LedgerFixture, seed: UInt64? = nil) {
        self.fixture = fixture
        state = Mutex(State(generator: seed.map(SeededGenerator.init(seed:))))
    }

    var now: Instant { fixture.time.withLock { $0 } }

    /// Runs a task and all that it starts, to its end.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) throws -> Value {
        let outcome = Outcome<Value>()
        Task(executorPreference: self) {
            do {
                let value = try await body()
                outcome.result.withLock { $0 = .success(value) }
            } catch {
                outcome.result.withLock { $0 = .failure(error) }
            }
        }
        for _ in 0..<Self.stepsMax {
            if let result = outcome.result.withLock({ $0 }) { return try result.get() }
            if let job = next() {
                unsafe job.runSynchronously(on: asUnownedTaskExecutor())
            } else {
                guard wake() else { break }
            }
        }
        throw Stuck()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.work.append(job) }
    }

    func sleep(_ length: Duration) async throws {
        let (number, until) = state.withLock { state in
            state.sleeps += 1
            return (state.sleeps, state.slept + length)
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation {
                (waking: CheckedContinuation<Void, any Error>) in
                if Task.isCancelled { return waking.resume(throwing: CancellationError()) }
                let sleeper = Sleeper(number: number, until: until, waking: waking)
                state.withLock { $0.sleepers.append(sleeper) }
            }
        } onCancel: {
            let sleeper: Sleeper? = state.withLock { state in
                let place = state.sleepers.firstIndex { $0.number == number }
                return place.map { state.sleepers.remove(at: $0) }
            }
            sleeper?.waking.resume(throwing: CancellationError())
        }
    }

    private func next() -> UnownedJob? {
        state.withLock { state in
            guard !state.work.isEmpty else { return nil }
            var place = 0
            if var generator = state.generator {
                place = Int.random(in: state.work.indices, using: &generator)
                state.generator = generator
            }
            return state.work.remove(at: place)
        }
    }

    /// - Returns: false where nobody sleeps.
    private func wake() -> Bool {
        let woken: (sleeper: Sleeper, after: Duration)? = state.withLock { state in
            let place = state.sleepers.indices.min { one, other in
                let (one, other) = (state.sleepers[one], state.sleepers[other])
                return (one.until, one.number) < (other.until, other.number)
            }
            guard let sleeper = place.map({ state.sleepers.remove(at: $0) }) else { return nil }
            let after = max(.zero, sleeper.until - state.slept)
            state.slept += after
            return (sleeper, after)
        }
        guard let woken else { return false }
        fixture.time.withLock { time in
            time = Instant(microseconds: time.microseconds + woken.after.inMicroseconds)
        }
        woken.sleeper.waking.resume()
        return true
    }
}

extension Duration {
    var inMicroseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }
}
