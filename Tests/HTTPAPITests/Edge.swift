import HTTPAPI
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import MeteringEngine
import NIOCore
import Testing
import UsageModel
import WireFormat

/// The edge with a scripted ledger behind it, asked through the router.
struct Edge {
    /// 2026-11-01T00:00:00Z
    static let now = Instant(microseconds: 1_793_491_200_000_000)

    let ledger: ScriptedLedger
    let server: APIServer

    /// The edge over a real ledger, which is not the scripted one.
    init(
        over real: any UsageLedger,
        quarantine: (any QuarantineDesk)?,
        sets: (any BackfillSetStore)? = nil,
        validation: (any ValidationDesk)? = nil
    ) {
        ledger = ScriptedLedger(clock: { Edge.now })
        server = APIServer(
            ledger: real,
            quarantine: quarantine,
            sets: sets,
            validation: validation,
            clock: { Edge.now },
            zones: SystemTimeZones(),
            configuration: APIConfiguration(port: 0),
            logger: Logger(label: "edge") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    init(
        at now: Instant = Edge.now,
        records: ScriptedRecords? = nil,
        keeping: RecordKeeping? = nil,
        _ configure: (inout APIConfiguration) -> Void = { _ in }
    ) {
        var configuration = APIConfiguration(port: 0)
        configure(&configuration)
        ledger = ScriptedLedger(clock: { now })
        server = APIServer(
            ledger: ledger,
            records: keeping ?? records.map { RecordKeeping(store: $0) },
            clock: { now },
            zones: SystemTimeZones(),
            configuration: configuration,
            logger: Logger(label: "edge") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// With a ledger of its own behind it; ``ledger`` is asked nothing.
    init(over own: any UsageLedger, keeping: RecordKeeping) {
        ledger = ScriptedLedger(clock: { Edge.now })
        server = APIServer(
            ledger: own,
            records: keeping,
            clock: { Edge.now },
            zones: SystemTimeZones(),
            configuration: APIConfiguration(port: 0),
            logger: Logger(label: "edge") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    struct Reply {
        var status: Int
        var headers: HTTPFields
        var body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
        /// `null` where the body is no JSON. An escaped NUL, which our reader refuses and an answer
        /// may have to quote, is read as U+0001.
        var json: JSONValue {
            let body = body.replacing(Array(#"\u0000"#.utf8), with: Array(#"\u0001"#.utf8))
            return (try? JSONValue.parse(body)) ?? .null
        }
        /// What is after `/problems/`.
        var problem: String? { json["type"]?.stringValue.map { String($0.dropFirst(10)) } }
        var items: [JSONValue] { json["items"]?.arrayValue ?? [] }
        var errors: [JSONValue] { json["errors"]?.arrayValue ?? [] }
        var pointers: [String] { errors.compactMap { $0["pointer"]?.stringValue } }
    }

    /// Asks, and holds the answer against the description of the API.
    func ask(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: [UInt8]? = nil,
        _ headers: HTTPFields = [:]
    ) async throws -> Reply {
        let reply = try await answer(method, path, body, headers)
        for fault in Contract.faults(method, path, reply) {
            Issue.record("\(method) \(path): \(fault)")
        }
        return reply
    }

    private func answer(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: [UInt8]?,
        _ headers: HTTPFields
    ) async throws -> Reply {
        try await server.application.test(.router) { client in
            try await client.execute(
                uri: path,
                method: method,
                headers: headers,
                body: body.map { ByteBuffer(bytes: $0) }
            ) { response in
                Reply(
                    status: response.status.code,
                    headers: response.headers,
                    body: Array(response.body.readableBytesView)
                )
            }
        }
    }

    func get(_ path: String, _ headers: HTTPFields = [:]) async throws -> Reply {
        try await ask(.get, path, nil, headers)
    }

    func post(
        _ path: String,
        _ body: String,
        type: String = "application/json",
        _ headers: HTTPFields = [:]
    ) async throws -> Reply {
        var headers = headers
        headers[.contentType] = type
        return try await ask(.post, path, Array(body.utf8), headers)
    }

    /// Sends events that are sound.
    @discardableResult
    func send(_ ids: String..., source: String = "gateway") async throws -> Reply {
        let events = ids.map { Edge.event($0, source: source) }
        return try await post("/v1/events", "[\(events.joined(separator: ","))]")
    }

    static func event(_ id: String, source: String = "gateway", amount: String = "1") -> String {
        """
        {"specversion":"1.0","id":"\(id)","source":"\(source)","type":"llm.request",\
        "subject":"acme","time":"2026-11-01T12:00:00Z","data":{"amount":\(amount)}}
        """
    }
}

extension JSONValue {
    /// Reads a literal of a test; `null` where it is no JSON.
    static func of(_ text: String) -> JSONValue { (try? parse(Array(text.utf8))) ?? .null }

    var canonical: String { String(decoding: serialized(), as: UTF8.self) }
}
