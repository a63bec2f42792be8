import HTTPAPI
import Logging
import MeteringEngine
import MeteringTestKit
import NIOCore
import NIOPosix
import ServiceLifecycle

/// A connection whose bytes the test writes and reads itself.
struct Wire {
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var received = ""

    /// Connects, and closes when the work is done.
    static func with<Value: Sendable>(
        _ port: Int,
        _ work: @Sendable (inout Wire) async throws -> Value
    ) async throws -> Value {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel
                    )
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var wire = Wire(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            return try await work(&wire)
        }
    }

    func send(_ text: String) async throws {
        try await outbound.write(ByteBuffer(string: text))
    }

    /// Reads until a text has come, and takes all up to its end.
    mutating func read(until mark: String) async throws -> String {
        while true {
            if let range = received.firstRange(of: mark) {
                defer { received.removeSubrange(..<range.upperBound) }
                return String(received[..<range.upperBound])
            }
            guard let piece = try await inbound.next(isolation: #isolation) else { return received }
            received += String(buffer: piece)
        }
    }

    /// Reads until the server closes.
    mutating func readToEnd() async throws -> String {
        while let piece = try await inbound.next(isolation: #isolation) {
            received += String(buffer: piece)
        }
        return received
    }
}

/// A server on a port of its own, for as long as the work takes.
struct LiveServer {
    let port: Int
    private let services: ServiceGroup

    func shutDown() async { await services.triggerGracefulShutdown() }

    static func run(
        _ configuration: APIConfiguration = APIConfiguration(port: 0, bodyBytesMax: 100_000),
        _ work: @Sendable (LiveServer) async throws -> Void
    ) async throws {
        let (ports, bell) = AsyncStream.makeStream(of: Int.self)
        let logger = Logger(label: "live") { _ in SwiftLogNoOpLogHandler() }
        let server = APIServer(
            ledger: ReferenceLedger(clock: { Edge.now }),
            clock: { Edge.now },
            zones: SystemTimeZones(),
            configuration: configuration,
            logger: logger,
            onListening: { bell.yield($0) }
        )
        let services = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [server], logger: logger)
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await services.run()
                bell.finish()
            }
            for await port in ports {
                try await work(LiveServer(port: port, services: services))
                break
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
        }
    }
}
