import Logging
import MeteringEngine
import ServiceLifecycle

/// Lets the keeper do what is due, again and again: the one place where it waits.
struct KeeperService: Service {
    /// Between one round and the next.
    static let pause = Duration.seconds(1)

    let keeper: RecordKeeper
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do throws(LedgerError) {
                    try await keeper.keep()
                } catch {
                    // Busy while derived state is rebuilt, say: its turn comes again.
                    logger.warning("usage records wait", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: Self.pause)
            }
        }
    }
}
