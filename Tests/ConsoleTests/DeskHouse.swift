import Console
import Foundation
import HTTPAPI
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTesting
import Logging
import MeteringEngine
import NIOCore
import SQLiteLedger
import Testing
import UsageModel
import WireFormat

/// A server with the Console over a ledger of its own, asked as a browser asks.
final class DeskHouse: Sendable {
    /// 2026-11-01T00:00:00Z
    static let now = Instant(microseconds: 1_793_491_200_000_000)

    /// A text that ends whatever it is put into, if it is not escaped; the accents make one
    /// character of a mark and what follows.
    static let hostile = "\"\u{301}><script>alert(1)</script>'\u{308} onx=&lt;"

    /// Takes tests, unless the address holds a word.
    private struct Outlet: RecordOutlet, OutletSource {
        var isClosed = false

        func outlet(for definition: DestinationDefinition) throws -> any RecordOutlet {
            guard case .webhook(let rules) = definition.outlet else { return self }
            return Outlet(isClosed: rules.url.contains("closed"))
        }

        func send(_ batch: DeliveryBatch) async -> DeliveryOutcome {
            isClosed
                ? .refused(status: 410, reason: "gone for good")
                : .delivered(status: 200, reference: "thanks")
        }
    }

    struct Seen {
        var status: Int
        var headers: HTTPFields
        var text: String

        var location: String? { headers[.location] }
        /// The value of a hidden field or of an input.
        func field(_ name: String) -> String? {
            guard let at = text.range(of: "name=\"\(name)\"") else { return nil }
            let rest = text[at.upperBound...]
            guard let start = rest.range(of: "value=\""),
                let end = rest[start.upperBound...].firstIndex(of: "\"")
            else { return nil }
            return String(rest[start.upperBound..<end]).replacing("&quot;", with: "\"")
                .replacing("&amp;", with: "&")
        }
    }

    let ledger: SQLiteLedger
    private let server: APIServer
    private let console: Console
    private let directory: String

    /// - Parameter host: What the server listens on.
    init(host: String = "127.0.0.1") async throws {
        directory =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("odometer-desk-\(UUID().uuidString)").path
        let logger = Logger(label: "desk") { _ in SwiftLogNoOpLogHandler() }
        ledger = try SQLiteLedger(
            SQLiteLedger.Opening(
                directory: directory,
                logger: logger,
                clock: { Self.now },
                entropy: Array(repeating: 7, count: 32)
            )
        )
        let courier = RecordCourier(
            store: ledger,
            outlets: Outlet(),
            clock: { Self.now },
            random: { 0 },
            sleep: { _ in }
        )
        let keeper = RecordKeeper(
            ledger: ledger,
            store: ledger,
            zones: SystemTimeZones(),
            clock: { Self.now }
        )
        let console = Console(
            Console.Surroundings(
                host: host,
                clock: { Self.now },
                localTime: { SystemTimeZones.shared.local($0, inZone: $1) },
                firstInstant: { SystemTimeZones.shared.firstInstant(showing: $0, inZone: $1) },
                entropy: { Array(repeating: 9, count: $0) },
                rest: { _ in throw CancellationError() }
            )
        )
        self.console = console
        server = APIServer(
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
            clock: { Self.now },
            zones: SystemTimeZones(),
            configuration: APIConfiguration(port: 0),
            logger: logger,
            pages: { try await console.respond(to: $0, from: $1, asking: $2) }
        )
    }

    deinit {
        try? ledger.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// A page as a browser asks for it that goes by another name for this machine.
    func ask(_ method: HTTPRequest.Method, _ path: String, at authority: String) async throws
        -> Seen
    {
        let request = Request(
            head: HTTPRequest(method: method, scheme: "http", authority: authority, path: path),
            body: RequestBody(buffer: ByteBuffer())
        )
        let response = try await console.respond(to: request, from: "127.0.0.1") { _, _ in
            (HTTPResponse(status: .notFound), [])
        }
        return Seen(status: response.status.code, headers: response.headers, text: "")
    }

    func ask(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: String? = nil,
        _ headers: HTTPFields = [:]
    ) async throws -> Seen {
        try await server.application.test(.router) { client in
            try await client.execute(
                uri: path,
                method: method,
                headers: headers,
                body: body.map { ByteBuffer(string: $0) }
            ) { response in
                Seen(
                    status: response.status.code,
                    headers: response.headers,
                    text: String(buffer: response.body)
                )
            }
        }
    }

    /// A page, which must be one that any browser shows without a script of its own.
    func page(_ path: String, status: Int = 200) async throws -> Seen {
        let seen = try await ask(.get, path)
        #expect(seen.status == status, "\(path): \(seen.text.prefix(2_000))")
        #expect(seen.headers[.contentSecurityPolicy]?.hasPrefix("default-src 'self'") == true)
        #expect(!seen.text.contains("<script>"), "\(path) holds a script")
        #expect(!seen.text.contains(" style="), "\(path) holds a style of its own")
        return seen
    }

    /// Sends a form, as the page at `path` holds it.
    func post(_ path: String, _ fields: KeyValuePairs<String, String>) async throws -> Seen {
        try await post(path, pairs: fields.map { ($0.key, $0.value) })
    }

    func post(_ path: String, pairs fields: [(String, String)]) async throws -> Seen {
        let first = try await ask(.get, "/console/corrections/new")
        let token = try #require(first.field("csrf"))
        let cookie = try #require(first.headers[.setCookie]?.split(separator: ";").first)
        let pairs = [("csrf", token)] + fields
        let body = pairs.map { Self.encoded($0) + "=" + Self.encoded($1) }
            .joined(separator: "&")
        return try await ask(
            .post,
            path,
            body,
            [
                .contentType: "application/x-www-form-urlencoded", .cookie: String(cookie),
                .origin: "http://localhost",
            ]
        )
    }

    static func encoded(_ text: String) -> String {
        let kept = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
        )
        return text.addingPercentEncoding(withAllowedCharacters: kept) ?? ""
    }

    // MARK: The API

    @discardableResult
    func api(_ method: HTTPRequest.Method, _ path: String, _ body: JSONValue) async throws
        -> JSONValue
    {
        let text = String(decoding: body.serialized(), as: UTF8.self)
        let seen = try await ask(method, path, text, [.contentType: "application/json"])
        #expect((200..<300).contains(seen.status), "\(path): \(seen.text)")
        return try JSONValue.parse(Array(seen.text.utf8))
    }

    func get(_ path: String) async throws -> JSONValue {
        try JSONValue.parse(Array(try await ask(.get, path).text.utf8))
    }

    /// Events of one meter type, `all`; one of them with a hostile name.
    func fill() async throws {
        try await api(
            .post,
            "/v1/meter-types",
            [
                "key": "all", "eventTypes": ["*"], "aggregation": "sum",
                "value": "$.data.amount", "unit": "token",
            ]
        )
        try await send([Self.event("a"), Self.event("b"), Self.event(Self.hostile)])
    }

    func send(_ events: [JSONValue]) async throws {
        try await api(.post, "/v1/events", .array(events))
    }

    static func event(_ id: String, amount: Int = 5, time: String = "2026-10-30T12:00:00Z")
        -> JSONValue
    {
        [
            "id": .string(id), "source": "gateway/eu", "type": "call",
            "subject": .string("acme" + (id.count > 1 ? id : "")), "time": .string(time),
            "data": ["amount": .number(String(amount)), "note": .string(id)],
        ]
    }

    func usage() async throws -> String? {
        let path = "/v1/usage?meterType=all&from=2026-10-01T00:00:00Z&to=2026-12-01T00:00:00Z"
        return try await get(path)["readings"]?.arrayValue?.first?["value"]?.stringValue
    }
}
