import AsyncHTTPClient
public import MeteringEngine
public import UsageModel

/// Makes the outlets of destinations. All of them share one client, whose connections stay open
/// from one sending to the next.
public struct OutletMaker: OutletSource {
    private let client: HTTPClient
    private let clock: @Sendable () -> Instant
    private let out: @Sendable ([UInt8]) throws -> Void

    /// - Parameters:
    ///   - clock: What time it is: for tokens, signatures and dates to wait for.
    ///   - out: Writes whole lines to where `stdout` destinations send.
    public init(
        clock: @escaping @Sendable () -> Instant,
        out: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        (self.clock, self.out) = (clock, out)
        client = Courier.client()
    }

    /// The outlet of a destination, for as long as its definition stands.
    ///
    /// - Throws: The first fault that is found, its pointer relative to the rules of the kind:
    ///   `/url`, `/headers/X-Team`, `/body/customer`.
    public func outlet(
        for definition: DestinationDefinition
    ) throws(FieldFault) -> any RecordOutlet {
        let sending = definition.sending
        let courier = Courier(client: client, clock: clock, timeout: sending.timeout)
        switch definition.outlet {
        case .webhook(let rules): return try WebhookOutlet(rules, courier)
        case .http(let rules):
            return try HTTPOutlet(rules, batchSize: sending.batchSize, courier)
        case .files(let rules): return try FilesOutlet(rules, courier)
        case .stripe(let rules): return try StripeOutlet(rules, courier)
        case .cloudEvents(let rules): return try CloudEventsOutlet(rules, courier)
        case .stdout: return StdoutOutlet(out: out, clock: clock)
        }
    }

    /// Closes the connections; nothing is sent afterwards. Must be called once.
    public func shutdown() async throws {
        try await client.shutdown()
    }
}
