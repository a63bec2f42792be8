import ArgumentParser
import BillingExport
import Console
import Foundation
import HTTPAPI
import Logging
import MeteringEngine
import SQLiteLedger
import ServiceLifecycle
import UnixSignals
import UsageModel

/// `odometer serve`: the server on the embedded store.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the server on a data directory, until it is told to stop.",
        discussion: """
            SIGTERM and SIGINT end it gracefully: whoever was let in is answered, and a checkpoint \
            is written, so that the next start replays nothing.
            """
    )

    @OptionGroup var flags: ServeFlags

    func run() async throws {
        let configuration = try flags.configuration()
        Logs.start(level: configuration.logLevel, format: configuration.logFormat)
        try await RunningServer(configuration).run()
    }
}

/// The server and its ledger: what `serve` and `demo` run.
struct RunningServer {
    private let configuration: ServeConfiguration
    private let logger = Logger(label: "odometer")

    init(_ configuration: ServeConfiguration) { self.configuration = configuration }

    /// Serves until a signal ends it.
    ///
    /// - Parameter beside: Runs beside the server; the server goes on when it has ended.
    func run(beside: (@Sendable () async throws -> Void)? = nil) async throws {
        Allocation.keepFreedMemory()
        let ledger = try opened()
        let zones = SystemTimeZones()
        let resting = Resting()
        let keeper = RecordKeeper(
            ledger: ledger,
            store: ledger,
            zones: zones,
            clock: SystemClock.now,
            rest: { await resting.rest() }
        )
        let outlets = OutletMaker(clock: SystemClock.now) { Terminal.put($0) }
        let courier = courier(ledger, outlets)
        let server = server(ledger, keeper, courier, zones)
        let services = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: KeeperService(keeper: keeper, logger: logger)),
                    .init(service: CourierService(courier: courier, outlets: outlets)),
                    .init(service: quarantine(ledger, zones)),
                    .init(service: retention(ledger)),
                    .init(service: server),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await services.run() }
                if let beside { group.addTask { try await beside() } }
                try await group.waitForAll()
            }
        } catch {
            try? ledger.close()
            throw error
        }
        try ledger.close()
        logger.notice("stopped")
    }

    private func server(
        _ ledger: SQLiteLedger,
        _ keeper: RecordKeeper,
        _ courier: RecordCourier,
        _ zones: SystemTimeZones
    ) -> APIServer {
        let console = Console(
            Console.Surroundings(
                host: configuration.listen.host,
                namesAllowed: configuration.namesAllowed,
                clock: SystemClock.now,
                localTime: { zones.local($0, inZone: $1) },
                firstInstant: { zones.firstInstant(showing: $0, inZone: $1) },
                entropy: SystemClock.entropy,
                rest: CourierService.sleep
            )
        )
        return APIServer(
            ledger: ledger,
            records: RecordKeeping(
                store: ledger,
                keeper: keeper,
                deliveries: ledger,
                courier: courier,
                audit: ledger
            ),
            quarantine: ledger,
            sets: ledger,
            validation: ledger,
            clock: SystemClock.now,
            zones: zones,
            configuration: APIConfiguration(
                host: configuration.listen.host,
                namesAllowed: configuration.namesAllowed,
                port: configuration.listen.port,
                bodyBytesMax: configuration.limits.bodyBytesMax,
                connectionsMax: configuration.limits.connectionsMax
            ),
            logger: logger,
            pages: { try await console.respond(to: $0, from: $1, asking: $2) }
        )
    }

    private func opened() throws(CommandFailure) -> SQLiteLedger {
        do {
            return try SQLiteLedger(
                SQLiteLedger.Opening(
                    directory: configuration.data,
                    logger: logger,
                    clock: SystemClock.now,
                    entropy: SystemClock.entropy(32)
                )
            )
        } catch {
            throw CommandFailure(.refused, "cannot open \(configuration.data): \(error)")
        }
    }

    private func quarantine(_ ledger: SQLiteLedger, _ zones: SystemTimeZones) -> QuarantineService {
        QuarantineService(
            runner: QuarantineRunner(store: ledger, zones: zones),
            repairs: RepairRunner(store: ledger, zones: zones),
            rings: ledger.quarantineRings,
            logger: logger
        )
    }

    private func retention(_ ledger: SQLiteLedger) -> RetentionService {
        RetentionService(
            retention: configuration.quarantineRetention.map { keeping in
                QuarantineRetention(store: ledger, keeping: keeping, clock: SystemClock.now)
            },
            logger: logger
        )
    }

    private func courier(_ ledger: SQLiteLedger, _ outlets: OutletMaker) -> RecordCourier {
        RecordCourier(
            store: ledger,
            outlets: outlets,
            clock: SystemClock.now,
            random: { UInt64.random(in: .min ... .max) },
            sleep: CourierService.sleep,
            warn: { [logger] words, details in
                logger.warning(
                    "\(words)",
                    metadata: details.mapValues { Logger.MetadataValue.string($0) }
                )
            }
        )
    }
}

/// The one place where the time of day and randomness enter.
enum SystemClock {
    static let now: @Sendable () -> Instant = {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }

    static func entropy(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
