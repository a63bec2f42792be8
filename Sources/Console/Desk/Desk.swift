import HTTPTypes
import HummingbirdCore
import UsageModel
import WireFormat

/// What a page asks and answers with: the address, what was typed, and the API.
struct Desk {
    /// A page, or where to go now that something was done.
    enum Answer {
        case sheet(Sheet)
        /// Another page, which says what was done.
        case redirect(String, saying: String? = nil)

        var reply: Reply {
            switch self {
            case .sheet(let sheet): .page(sheet.page)
            case .redirect(let path, let words): .redirect(path, saying: words)
            }
        }
    }

    /// The places of the address that vary, in order.
    let names: [String]
    let query: Inputs
    /// Empty unless a form was sent.
    let form: Inputs
    /// Where the server listens, for calls to copy.
    let address: String
    /// Who says so: typed just now, or known from before.
    let named: String
    /// So many bytes that nobody can guess.
    let entropy: @Sendable (_ count: Int) -> [UInt8]
    private let localTime: @Sendable (Instant, String) -> String?
    private let api: API

    init(_ visit: Visit, _ names: [String]) {
        self.names = names.map { visit[$0] }
        query = Inputs(visit.query)
        form = Inputs(visit.form ?? Fields())
        address = "http://" + (visit.request.head.authority ?? "127.0.0.1:8337")
        named = visit.author
        (api, entropy) = (visit.api, visit.surroundings.entropy)
        localTime = visit.surroundings.localTime
    }

    /// A period as the clocks of its zone show it.
    func span(of period: JSONValue?) -> Cell {
        guard let period else { return .none }
        let zone = period.text("timezone") ?? "UTC"
        let ends = ["start", "end"].map { name in
            period.text(name).flatMap { text in
                Instant(rfc3339: text).flatMap { localTime($0, zone) } ?? text
            }
        }
        guard ends.contains(where: { $0 != nil }) else { return .text("all time") }
        return .span(ends[0], ends[1], zone)
    }

    enum Verb: String {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    func get(
        _ path: String,
        _ query: [(String, String)] = [],
        bare: [String] = []
    ) async -> APIReply {
        await send(.get, Way.link(path, query, bare: bare))
    }

    /// Asks; a change is made in the name of who is at the browser.
    func send(
        _ verb: Verb,
        _ path: String,
        _ body: JSONValue? = nil,
        _ condition: API.Condition? = nil
    ) async -> APIReply {
        guard let method = HTTPRequest.Method(rawValue: verb.rawValue) else { return APIReply() }
        do {
            return APIReply(json: try await api.send(method, path, body?.serialized(), condition))
        } catch let problem as Problem {
            return APIReply(problem: problem)
        } catch {
            let title = "The server could not answer"
            return APIReply(problem: Problem(slug: "internal-fault", title: title, status: 500))
        }
    }

    /// A call of the API as a drawer at the end of a page.
    func asCall(
        _ path: String,
        _ query: [(String, String)] = [],
        bare: [String] = []
    ) -> Piece {
        let line = CallLine.get(address, path, query, bare: bare)
        return .drawer("As an API call", [.code(label: "The call", line)])
    }

    func asCall(_ method: String, _ path: String, _ body: JSONValue?) -> Piece {
        let line = CallLine.send(method, address, path, body?.pretty)
        return .drawer("As an API call", [.code(label: "The call", line)])
    }

    /// Who and why: what every change in the open asks for.
    func signature(needsReason: Bool, needsAuthor: Bool = false, reasonHint: String) -> [Field] {
        [
            Field(
                "reason",
                "Why",
                form["reason"],
                hint: reasonHint,
                isRequired: needsReason
            ),
            Field(
                "author",
                "Who",
                named,
                hint: "Your name, for the audit trail.",
                isRequired: needsAuthor
            ),
        ]
    }
}

/// What the API answered: a document, or why not.
struct APIReply: Sendable {
    var json = JSONValue.null
    var problem: Problem?

    var items: [JSONValue] { json.items }

    /// Of NDJSON.
    var lines: [JSONValue] {
        guard case .string(let text) = json else { return [json] }
        return text.split(separator: "\n").compactMap { JSONValue.of(String($0)) }
    }
}

extension Problem {
    /// A text of a form that should be JSON and is none.
    static func noJSON(_ field: String, _ reason: String) -> Problem {
        .field(field, "it is no JSON: \(reason)", remedy: "mend it, and send it again")
    }
}
