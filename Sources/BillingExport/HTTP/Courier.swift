import AsyncHTTPClient
import MeteringEngine
import NIOCore
import NIOHTTP1
import UsageModel

/// Carries requests of one destination to the other side, each once.
struct Courier: Sendable {
    let client: HTTPClient
    let clock: @Sendable () -> Instant
    /// For the whole of an answer, from the first byte that is sent.
    let timeout: TimeLength

    /// A client that leaves redirects and repetitions to us, who know what was taken.
    static func client() -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit =
            Limits.deliveryConcurrencyMax
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Sends a request and says what the answer means.
    func outcome(of request: OutletRequest, _ rules: AnswerRules) async -> DeliveryOutcome {
        rules.outcome(of: await send(request, rules), now: clock())
    }

    /// Sends a request, and writes it down without what the rules know to be secret.
    func send(_ request: OutletRequest, _ rules: AnswerRules) async -> OutletReply {
        let began = clock()
        let reply = await sendUnnoted(request)
        RequestLog.current?.add(request.noted(reply, began, clock(), rules))
        return reply
    }

    /// Sends what is no part of a delivery: nobody reads of it.
    func sendUnnoted(_ request: OutletRequest) async -> OutletReply {
        if let fault = request.fault { return .unsendable(reason: fault) }
        var message = HTTPClientRequest(url: request.url)
        message.method = HTTPMethod(rawValue: request.method)
        for (name, value) in request.headers { message.headers.add(name: name, value: value) }
        if !request.body.isEmpty { message.body = .bytes(ByteBuffer(bytes: request.body)) }
        let deadline = NIODeadline.now() + .microseconds(timeout.microseconds)
        do {
            let response = try await client.execute(message, deadline: deadline)
            return .answer(
                OutletAnswer(
                    status: Int(response.status.code),
                    retryAfter: response.headers.first(name: "retry-after"),
                    bytes: await bytes(of: response.body, until: deadline)
                )
            )
        } catch {
            return reply(to: error)
        }
    }

    /// What comes of a body until the limit, the deadline or a break, whichever is first: the
    /// status is known by now, and says whether it was taken.
    private func bytes(
        of body: HTTPClientResponse.Body,
        until deadline: NIODeadline
    ) async -> [UInt8] {
        // The client's own deadline ends with the head of an answer.
        let alarm = client.eventLoopGroup.any().scheduleTask(deadline: deadline) {}
        return await withTaskGroup(of: [UInt8]?.self) { group in
            group.addTask { await Self.start(of: body) }
            group.addTask {
                try? await alarm.futureResult.get()
                return nil
            }
            var bytes: [UInt8] = []
            for await read in group {
                if let read {
                    bytes = read
                    alarm.cancel()
                } else {
                    group.cancelAll()
                }
            }
            return bytes
        }
    }

    private static func start(of body: HTTPClientResponse.Body) async -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            for try await piece in body {
                let room = Limits.outletAnswerBytesMax - bytes.count
                bytes.append(contentsOf: piece.readableBytesView.prefix(room))
                if bytes.count == Limits.outletAnswerBytesMax { break }
            }
        } catch {}
        return bytes
    }

    private func reply(to error: any Error) -> OutletReply {
        guard let error = error as? HTTPClientError else {
            let words = "\(error)"
            // NIO tells all it tried; this is what people look for.
            let isRefused = words.contains("Connection refused")
            let reason = isRefused ? "connection refused" : "no connection: \(words.prefix(200))"
            return .none(reason: reason)
        }
        switch error {
        case .invalidURL, .emptyHost, .emptyScheme:
            return .unsendable(reason: "the address is none: \(error.shortDescription)")
        case .deadlineExceeded:
            return .none(reason: "no answer within \(timeout)")
        default:
            return .none(reason: "no answer: \(error.shortDescription.lowercased())")
        }
    }
}
