import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// What a server answered.
struct ServerAnswer: Sendable {
    var status: Int
    var bytes: [UInt8]
    var retryAfterSeconds: Int?
    /// Where the audit trail ends, as answers of its own say it.
    var auditHead: String?

    var isSuccess: Bool { 200..<300 ~= status }

    func decoded<Shape: Decodable>(_: Shape.Type) throws(CommandFailure) -> Shape {
        do {
            return try JSONDecoder().decode(Shape.self, from: Data(bytes))
        } catch {
            throw CommandFailure(.refused, "the server's answer has another shape: \(error)")
        }
    }
}

/// A server, as a client sees it. Calls may run beside each other.
struct ServerConnection: Sendable {
    enum Method: String {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    /// The largest answer that is read, in bytes.
    static let answerBytesMax = 256 * 1_024 * 1_024

    let address: String
    private let client: HTTPClient
    /// Headers that say who makes a change.
    private let author: [(name: String, value: String)]

    /// Opens connections to a server, to change something there.
    static func open<Answer>(
        _ flags: ChangeFlags,
        _ body: (ServerConnection) async throws -> Answer
    ) async throws -> Answer {
        try await open(flags.server, author: flags.author(), body)
    }

    /// Opens connections to a server for as long as `body` runs.
    static func open<Answer>(
        _ flags: ServerFlags,
        author: [(name: String, value: String)] = [],
        connections: Int = 4,
        _ body: (ServerConnection) async throws -> Answer
    ) async throws -> Answer {
        let address = try flags.address()
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(5)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
        // Retries are ours: they know what was acknowledged.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: configuration
        )
        do {
            let answer = try await body(
                ServerConnection(address: address, client: client, author: author)
            )
            try await client.shutdown()
            return answer
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    /// Asks once, whatever comes of it.
    ///
    /// - Parameters:
    ///   - path: With its slash, names in it percent-encoded; see ``segment(_:)``.
    ///   - body: Content type and bytes.
    /// - Throws: What the client throws where there is no answer.
    func call(
        _ method: Method = .get,
        _ path: String,
        query: [(String, String)] = [],
        accept: String = "application/json",
        headers: [(name: String, value: String)] = [],
        body: (type: String, bytes: [UInt8])? = nil,
        timeoutSeconds: Int64 = 60
    ) async throws -> ServerAnswer {
        var request = HTTPClientRequest(url: address + path + Self.spelled(query))
        request.method = HTTPMethod(rawValue: method.rawValue)
        request.headers.add(name: "accept", value: accept)
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        request.headers.add(name: "user-agent", value: "odometer")
        if method != .get { request.headers.add(contentsOf: HTTPHeaders(author)) }
        if let body {
            request.headers.add(name: "content-type", value: body.type)
            request.body = .bytes(ByteBuffer(bytes: body.bytes))
        }
        let response = try await client.execute(request, timeout: .seconds(timeoutSeconds))
        let buffer = try await response.body.collect(upTo: Self.answerBytesMax)
        return ServerAnswer(
            status: Int(response.status.code),
            bytes: Array(buffer.readableBytesView),
            retryAfterSeconds: response.headers.first(name: "retry-after").flatMap(Int.init),
            auditHead: response.headers.first(name: "odometer-audit-head")
        )
    }

    /// Asks once, and has an answer that is a success.
    ///
    /// - Throws: ``CommandFailure``: `unreachable`, or `refused` with the server's words.
    func ask(
        _ method: Method = .get,
        _ path: String,
        query: [(String, String)] = [],
        accept: String = "application/json",
        headers: [(name: String, value: String)] = [],
        body: (type: String, bytes: [UInt8])? = nil
    ) async throws(CommandFailure) -> ServerAnswer {
        let answer: ServerAnswer
        do {
            answer = try await call(
                method,
                path,
                query: query,
                accept: accept,
                headers: headers,
                body: body
            )
        } catch {
            throw unreachable(error)
        }
        guard answer.isSuccess else { throw Problem(answer).failure }
        return answer
    }

    func unreachable(_ error: any Error) -> CommandFailure {
        CommandFailure(
            .unreachable,
            "cannot reach \(address): \(Self.words(error)). Is `odometer serve` running there?"
        )
    }

    static func words(_ error: any Error) -> String {
        if let error = error as? HTTPClientError { return error.shortDescription.lowercased() }
        let words = "\(error)"
        // NIO tells all it tried; this is what people look for.
        return words.contains("Connection refused") ? "connection refused" : words
    }

    /// One name within a path.
    static func segment(_ text: String) -> String {
        var spelled = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                spelled.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let hex = String(byte, radix: 16, uppercase: true)
                spelled += byte < 16 ? "%0\(hex)" : "%\(hex)"
            }
        }
        return spelled
    }

    static func spelled(_ query: [(String, String)]) -> String {
        guard !query.isEmpty else { return "" }
        return "?" + query.map { "\(segment($0))=\(segment($1))" }.joined(separator: "&")
    }
}

/// A problem document (RFC 9457), for people.
struct Problem {
    private struct Shape: Decodable {
        struct Fault: Decodable {
            var pointer: String?
            var reason: String?
            var remedy: String?
        }
        var type: String?
        var title: String?
        var detail: String?
        var errors: [Fault]?
    }

    let status: Int
    let words: String

    init(_ answer: ServerAnswer) {
        status = answer.status
        guard let shape = try? JSONDecoder().decode(Shape.self, from: Data(answer.bytes)) else {
            words = String(decoding: answer.bytes.prefix(1_000), as: UTF8.self)
            return
        }
        var lines = [shape.title ?? "", shape.detail ?? ""].filter { !$0.isEmpty }
        for fault in shape.errors ?? [] {
            lines.append(
                "  \(fault.pointer ?? ""): \(fault.reason ?? "")"
                    + (fault.remedy.map { "; \($0)" } ?? "")
            )
        }
        if let type = shape.type { lines.append("  see \(type)") }
        words = lines.joined(separator: "\n")
    }

    var failure: CommandFailure {
        CommandFailure(.refused, "the server refused (\(status)): \(Table.visibleLines(words))")
    }
}
