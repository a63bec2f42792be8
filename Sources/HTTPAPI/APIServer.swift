public import HTTPTypes
public import Hummingbird
public import HummingbirdCore
public import Logging
public import MeteringEngine
import NIOCore
public import ServiceLifecycle
public import UsageModel

/// The HTTP edge: who asks, what is answered.
///
/// Run it as a service. At a graceful shutdown it takes no further connections, answers every
/// request whose head it has read, and closes idle connections. Whoever runs it closes the ledger
/// after it, not before.
public struct APIServer: Service {
    /// Answers calls of this API in process, for somebody at an address.
    public typealias Ask =
        @Sendable (_ request: Request, _ address: String) async throws -> (
            head: HTTPResponse, body: [UInt8]
        )

    /// Pages for people, made of what the API answers: given are a request at or below
    /// ``pagesRoot``, who sent it, and whom to ask.
    public typealias Pages =
        @Sendable (_ request: Request, _ address: String, _ ask: @escaping Ask) async throws ->
        Response

    /// Where pages for people are, if there are any.
    public static let pagesRoot = "/console"

    public let configuration: APIConfiguration
    private let desk: FrontDesk
    private let logger: Logger
    private let onListening: @Sendable (_ port: Int) async -> Void

    /// - Parameters:
    ///   - records: What keeps usage records and sends them; nil where none are kept.
    ///   - quarantine: Where items are worked on; nil where they are only listed.
    ///   - sets: Where backfill sets are kept; nil where there are none.
    ///   - validation: Where validation rules are kept; nil where there are none.
    ///   - clock: The time of day, for the arrival of events.
    ///   - pages: Pages for people; nil where there are none.
    ///   - onListening: Called once with the port that is listened on.
    public init(
        ledger: any UsageLedger,
        records: RecordKeeping? = nil,
        quarantine: (any QuarantineDesk)? = nil,
        sets: (any BackfillSetStore)? = nil,
        validation: (any ValidationDesk)? = nil,
        clock: @escaping @Sendable () -> Instant,
        zones: SystemTimeZones,
        configuration: APIConfiguration = APIConfiguration(),
        logger: Logger,
        pages: Pages? = nil,
        onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.logger = logger
        self.onListening = onListening
        desk = FrontDesk(
            ledger: ledger,
            records: records,
            quarantine: quarantine,
            sets: sets,
            validation: validation,
            zones: zones,
            configuration: configuration,
            logger: logger,
            clock: clock,
            pages: pages
        )
    }

    /// The application; tests ask it without a socket.
    public var application: some ApplicationProtocol {
        Application(
            responder: desk,
            server: Connection.builder(configuration),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                backlog: 256,
                availableConnectionsDelegate: MaximumAvailableConnections(
                    configuration.connectionsMax
                )
            ),
            onServerRunning: { [onListening] channel in
                await onListening(channel.localAddress?.port ?? 0)
            },
            logger: logger
        )
    }

    public func run() async throws { try await application.run() }
}
