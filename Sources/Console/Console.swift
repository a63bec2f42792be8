public import HTTPTypes
public import HummingbirdCore
import NIOCore
public import UsageModel
import WireFormat

/// Pages for people.
///
/// Every page is made of answers of our own HTTP API, asked in process: a page and the API cannot
/// tell two numbers, and what a page refuses is a problem document of the API
/// (docs/decisions/0024-console-asks-the-api.md).
public struct Console: Sendable {
    /// Asks the API in process, for somebody at an address.
    public typealias Ask =
        @Sendable (_ request: Request, _ address: String) async throws -> (
            head: HTTPResponse, body: [UInt8]
        )

    /// What the Console cannot know by itself.
    public struct Surroundings: Sendable {
        /// The host that the server listens on.
        public var host: String
        /// Further names by which it is asked, through a proxy.
        public var namesAllowed: [String]
        public var clock: @Sendable () -> Instant
        /// An instant as the clocks of a zone show it, RFC 3339; nil where there is no such zone.
        public var localTime: @Sendable (_ instant: Instant, _ zone: String) -> String?
        /// The first instant at which the clocks of a zone show a time such as
        /// `2026-11-01T00:00:00`, or a later one where they skip it; nil where there is no such
        /// time or zone.
        public var firstInstant: @Sendable (_ local: String, _ zone: String) -> Instant?
        /// So many bytes that nobody can guess.
        public var entropy: @Sendable (_ count: Int) -> [UInt8]
        /// Waits; ends early by throwing where it is cancelled.
        public var rest: @Sendable (_ time: Duration) async throws -> Void

        public init(
            host: String,
            namesAllowed: [String] = [],
            clock: @escaping @Sendable () -> Instant,
            localTime: @escaping @Sendable (_ instant: Instant, _ zone: String) -> String? = {
                _,
                _ in nil
            },
            firstInstant: @escaping @Sendable (_ local: String, _ zone: String) -> Instant? = {
                _,
                _ in nil
            },
            entropy: @escaping @Sendable (_ count: Int) -> [UInt8],
            rest: @escaping @Sendable (_ time: Duration) async throws -> Void
        ) {
            (self.host, self.namesAllowed, self.clock) = (host, namesAllowed, clock)
            (self.localTime, self.firstInstant) = (localTime, firstInstant)
            (self.entropy, self.rest) = (entropy, rest)
        }
    }

    /// Where it lives.
    public static let root = "/console"

    let surroundings: Surroundings
    let gate: Gate
    let seal: FormSeal
    let printer = Printer.shared
    let shelf = AssetShelf.shared
    let streams = StreamCount()

    public init(_ surroundings: Surroundings) {
        self.surroundings = surroundings
        gate = Gate(host: surroundings.host, allowing: surroundings.namesAllowed)
        seal = FormSeal(entropy: surroundings.entropy)
    }

    /// Answers a request for an address at or below ``root``.
    ///
    /// - Throws: What the connection throws; all else becomes a page.
    public func respond(
        to request: Request,
        from address: String,
        asking ask: @escaping Ask
    ) async throws -> Response {
        let isHead = request.method == .head
        let response = try await answer(request, from: address, asking: ask)
        return isHead ? Response(status: response.status, headers: response.headers) : response
    }

    private func answer(
        _ request: Request,
        from address: String,
        asking ask: @escaping Ask
    ) async throws -> Response {
        if let refusal = gate.refusal(of: request.head) { return refused(refusal) }
        let target = Target(request.head.path ?? Self.root)
        if let asset = shelf.asset(at: target.path) {
            return shelf.response(asset, to: request.headers)
        }
        var visit = Visit(
            request: request,
            target: target,
            cookies: Cookies(request.headers),
            surroundings: surroundings
        )
        visit.session = visit.cookies[.session] ?? seal.session()
        visit.token = seal.token(of: visit.session)
        visit.streams = streams
        if request.method == .post {
            do {
                visit.form = try await Self.form(of: request)
            } catch let refusal as Gate.Refusal {
                return refused(refusal)
            }
            guard seal.holds(visit.form?[FormSeal.field], of: visit.cookies[.session]) else {
                return refused(.forged("It does not carry the token of this browser's pages."))
            }
        }
        visit.api = API(ask: ask, address: address, visit: visit)
        return try await reply(to: visit)
    }

    /// The page for a visit: the first route that fits; problems become pages.
    private func reply(to visit: Visit) async throws -> Response {
        var visit = visit
        if visit.target.path == Self.root + "/" { return redirected(to: Self.root) }
        guard let (route, names) = PageRoute.find(visit.target.segments) else {
            return finish(Self.missing(visit), visit)
        }
        visit.names = names
        switch visit.request.method {
        case .get, .head: break
        case .post:
            guard let post = route.post else { fallthrough }
            do {
                return finish(try await post(visit), visit)
            } catch let problem as Problem {
                // The page again, with what was typed and what is wrong with it.
                visit.problem = problem
            }
        default:
            let method = visit.request.method.rawValue
            return refused(.method("\(method) does not go here: GET the page, POST its form."))
        }
        do {
            return finish(try await route.get(visit), visit)
        } catch let problem as Problem {
            return finish(Self.failed(visit, visit.problem ?? problem), visit)
        }
    }

    /// The fields of a form that was sent.
    ///
    /// - Throws: ``Gate/Refusal``; what the connection throws.
    private static func form(of request: Request) async throws -> Fields {
        let type = request.headers[.contentType] ?? ""
        guard type.lowercased().hasPrefix("application/x-www-form-urlencoded") else {
            throw Gate.Refusal.type("A form is sent as application/x-www-form-urlencoded.")
        }
        var bytes: [UInt8] = []
        for try await piece in request.body {
            guard piece.readableBytes <= Limits.formBytesMax - bytes.count else {
                throw Gate.Refusal.tooLarge("A form has at most \(Limits.formBytesMax) bytes.")
            }
            bytes.append(contentsOf: piece.readableBytesView)
        }
        guard let text = String(validating: bytes, as: UTF8.self), let fields = Fields(text) else {
            throw Gate.Refusal.type("The form is not percent-encoded UTF-8.")
        }
        return fields
    }
}
