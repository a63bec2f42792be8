import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOHTTPTypes

/// How HTTP/1.1 connections are set up: for large bodies, and with ``Manners``.
enum Connection {
    /// The most bytes that are read from the socket at once. Each read is one hand-over from the
    /// event loop to the task that reads the body, so small reads cost more than the bytes do.
    static let readBytesMax = 512 * 1024

    static func builder(_ configuration: APIConfiguration) -> HTTPServerBuilder {
        .http1(
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [Manners(bodyBytesMax: configuration.bodyBytesMax)],
                idleTimeout: .seconds(Int64(configuration.idleSecondsMax))
            )
        )
    }
}

/// What HTTP/1.1 asks of a server beside answering: says `100 Continue` to who waits for it, and
/// closes after an answer that says so, also while the request is still coming in.
///
/// Each connection has its own.
final class Manners: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How long the rest of a refused request is read and thrown away, so that the caller can read
    /// the answer before the connection is reset.
    private static let drainSeconds: Int64 = 5

    private let bodyBytesMax: Int
    private var isReceiving = false
    private var closes = false
    private var isDraining = false

    init(bodyBytesMax: Int) { self.bodyBytesMax = bodyBytesMax }

    func handlerAdded(context: ChannelHandlerContext) {
        let allocator = AdaptiveRecvByteBufferAllocator(
            minimum: 1_024,
            initial: 16 * 1024,
            maximum: Connection.readBytesMax
        )
        // Where a channel has no such option (tests), its own way of reading is as good.
        context.channel.setOption(.recvAllocator, value: allocator).whenComplete { _ in }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            isReceiving = true
            if head.headerFields[.expect] != nil { letContinue(head, context) }
        case .body:
            if isDraining { return }
        case .end:
            isReceiving = false
            if isDraining { return context.close(promise: nil) }
        }
        context.fireChannelRead(data)
    }

    /// Who announces too much is not told to go on: the answer is 413.
    private func letContinue(_ head: HTTPRequest, _ context: ChannelHandlerContext) {
        guard head.headerFields[.expect]?.lowercased() == "100-continue" else { return }
        let announced = head.headerFields[.contentLength].flatMap { Int($0) } ?? 0
        guard announced <= bodyBytesMax else { return }
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part = unwrapOutboundIn(data)
        if case .head(let head) = part { closes = head.headerFields[.connection] == "close" }
        context.write(data, promise: promise)
        if case .end = part, closes { leave(context) }
    }

    private func leave(_ context: ChannelHandlerContext) {
        context.flush()
        guard isReceiving else { return context.close(promise: nil) }
        isDraining = true
        let channel = context.channel
        context.eventLoop.scheduleTask(in: .seconds(Self.drainSeconds)) {
            channel.close(promise: nil)
        }
    }
}
