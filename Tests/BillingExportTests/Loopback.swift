import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A server of this process that answers as it is told, and remembers what it was asked.
final class Loopback: Sendable {
    struct Asked: Sendable {
        var method: String
        /// As it came, percent-encoded.
        var target: String
        var headers: HTTPHeaders
        var body: [UInt8] = []

        var text: String { String(decoding: body, as: UTF8.self) }
        func header(_ name: String) -> String? { headers.first(name: name) }
        func all(_ name: String) -> [String] { headers[name] }
    }

    struct Reply: Sendable {
        enum Manner: Sendable {
            case whole
            /// The head and the body, and then nothing, though more was announced.
            case unfinished
            /// Nothing at all.
            case silent
            /// The connection ends instead.
            case hangUp
        }

        var status = 200
        var headers: [(String, String)] = []
        var body: [UInt8] = []
        var manner = Manner.whole

        init(_ status: Int, _ text: String = "", headers: [(String, String)] = []) {
            (self.status, self.headers, body) = (status, headers, Array(text.utf8))
        }

        init(_ manner: Manner) { self.manner = manner }
    }

    /// Makes the answer to a request; the number says how many came before it.
    typealias Script = @Sendable (Asked, Int) -> Reply

    private let script: Script
    private let heard = Mutex<[Asked]>([])
    private let listening = Mutex(0)

    var asked: [Asked] { heard.withLock { $0 } }
    var port: Int { listening.withLock { $0 } }
    var url: String { "http://127.0.0.1:\(port)" }

    private init(_ script: @escaping Script) { self.script = script }

    /// Listens for as long as the work takes.
    static func run<Value>(
        _ script: @escaping Script = { _, _ in Reply(200) },
        _ work: (Loopback) async throws -> Value
    ) async throws -> Value {
        let loopback = Loopback(script)
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Conversation(loopback))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        loopback.listening.withLock { $0 = channel.localAddress?.port ?? 0 }
        do {
            let value = try await work(loopback)
            try await channel.close()
            return value
        } catch {
            try? await channel.close()
            throw error
        }
    }

    fileprivate func reply(to asked: Asked) -> Reply {
        let before = heard.withLock { heard in
            heard.append(asked)
            return heard.count - 1
        }
        return script(asked, before)
    }
}

/// One connection.
private final class Conversation: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let loopback: Loopback
    private var asked: Loopback.Asked?

    init(_ loopback: Loopback) { self.loopback = loopback }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            asked = Loopback.Asked(
                method: head.method.rawValue,
                target: head.uri,
                headers: head.headers
            )
        case .body(let piece): asked?.body += piece.readableBytesView
        case .end:
            guard let asked else { return }
            answer(loopback.reply(to: asked), context)
        }
    }

    private func answer(_ reply: Loopback.Reply, _ context: ChannelHandlerContext) {
        switch reply.manner {
        case .silent: return
        case .hangUp:
            context.close(promise: nil)
            return
        case .whole, .unfinished: break
        }
        let missing = reply.manner == .unfinished ? 10 : 0
        var head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: reply.status))
        for (name, value) in reply.headers { head.headers.add(name: name, value: value) }
        head.headers.add(name: "content-length", value: "\(reply.body.count + missing)")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        let body = HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: reply.body)))
        context.writeAndFlush(wrapOutboundOut(body), promise: nil)
        if missing == 0 { context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
    }
}
