import BillingExport
import Logging
import MeteringEngine
import ServiceLifecycle
import Synchronization

/// Lets the keeper do what is due, again and again: the one place where it waits.
struct KeeperService: Service {
    /// Between one turn and the next, where nothing is left to do.
    static let pause = Duration.milliseconds(250)

    let keeper: RecordKeeper
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do throws(LedgerError) {
                    if try await !keeper.takeTurn().isAll { continue }
                } catch {
                    // Busy while derived state is rebuilt, say: its turn comes again.
                    logger.warning("usage records wait", metadata: ["error": "\(error)"])
                }
                // Time itself is waited for: periods end by the clock. What came is looked at then.
                try? await Task.sleep(for: Self.pause)
            }
        }
    }
}

/// Brings records to their destinations, until the program ends.
struct CourierService: Service {
    let courier: RecordCourier
    let outlets: OutletMaker

    /// For the courier, which is told how to wait: for a pace, and for retries whose time comes.
    static let sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    func run() async throws {
        await cancelWhenGracefulShutdown { await courier.run() }
        try await outlets.shutdown()
    }
}

/// Rests as long as was worked since the last rest, so that records of a long history take half of
/// one core at most from intake and readings.
final class Resting: Sendable {
    /// No rest is longer, and none shorter is worth it.
    private static let range = Duration.milliseconds(2)...Duration.milliseconds(500)
    private let since = Mutex(ContinuousClock.now)

    /// Says that the work begins now: what went before was waiting.
    func begin() { since.withLock { $0 = .now } }

    func rest() async {
        let worked = since.withLock { $0.duration(to: .now) }
        if worked >= Self.range.lowerBound {
            try? await Task.sleep(for: min(worked, Self.range.upperBound))
            since.withLock { $0 = .now }
        }
    }
}

/// Runs the actions on the quarantine and the repair rules, page by page, and rests between them:
/// what comes in now goes before what has waited. Sleeps until something is rejected or asked for.
struct QuarantineService: Service {
    let runner: QuarantineRunner
    let repairs: RepairRunner
    let rings: AsyncStream<Void>
    let logger: Logger

    func run() async throws {
        let resting = Resting()
        await cancelWhenGracefulShutdown {
            var rings = rings.makeAsyncIterator()
            while !Task.isCancelled {
                do throws(LedgerError) {
                    // Rules first: what comes in now is to be counted soon.
                    var worked = try await repairs.takeTurn()
                    worked = try await runner.takeTurn() || worked
                    if worked {
                        await resting.rest()
                    } else {
                        await rings.next()
                        resting.begin()
                    }
                } catch {
                    // Too much is under way, say: the page is done the next time.
                    logger.warning(
                        "work on the quarantine waits",
                        metadata: ["error": "\(error)"]
                    )
                    try? await Task.sleep(for: KeeperService.pause)
                }
            }
        }
    }
}

/// Drops the bytes of items of the quarantine that have been settled for long.
struct RetentionService: Service {
    /// Between one look and the next, where nothing more is to be dropped.
    static let pause = Duration.seconds(10)

    /// nil: they are kept for ever.
    let retention: QuarantineRetention?
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do throws(LedgerError) {
                    if try await retention?.takeTurn() == true { continue }
                } catch {
                    logger.warning("retention waits", metadata: ["error": "\(error)"])
                }
                // Time itself is waited for.
                try? await Task.sleep(for: Self.pause)
            }
        }
    }
}
