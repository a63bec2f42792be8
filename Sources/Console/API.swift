import HTTPTypes
import HummingbirdCore
import NIOCore
import WireFormat

/// Our own HTTP API, asked in process, in the name of whoever sits before a page.
///
/// What it refuses is thrown as the problem document it is.
struct API: Sendable {
    private let ask: Console.Ask
    private let address: String
    private let headers: HTTPFields

    init(ask: @escaping Console.Ask, address: String, visit: Visit) {
        (self.ask, self.address) = (ask, address)
        var headers: HTTPFields = [:]
        headers[.userAgent] = visit.request.headers[.userAgent]
        if visit.form != nil {
            headers[.actor] = visit.author.isEmpty ? nil : visit.author
            headers[.reason] = visit.form?.text("reason")
        }
        self.headers = headers
    }

    private init() {
        ask = { _, _ in throw Problem(slug: "not-found", title: "There is no API", status: 404) }
        (address, headers) = ("", [:])
    }

    /// Answers nothing.
    static let silent = API()

    /// An answer that may be a problem which the page shows, with the question kept.
    struct Found: Sendable {
        var json = JSONValue.null
        var problem: Problem?

        var items: [JSONValue] { json["items"]?.arrayValue ?? [] }
        var next: String? { json["next"]?.stringValue }
    }

    /// - Parameter query: Parameters that are nil are left out.
    /// - Throws: ``Problem``.
    func get(
        _ path: String,
        _ query: KeyValuePairs<String, String?> = [:]
    ) async throws -> JSONValue {
        try await send(.get, Address.link(path, query))
    }

    /// As ``get(_:_:)``, but what is wrong with the question (a status of 400 to 499) is handed
    /// back: for lists whose filters were typed by hand.
    func find(
        _ path: String,
        _ query: KeyValuePairs<String, String?> = [:]
    ) async throws -> Found {
        try await find(address: Address.link(path, query))
    }

    func find(address: String) async throws -> Found {
        do {
            return Found(json: try await send(.get, address))
        } catch let problem as Problem {
            guard (400..<500).contains(problem.status) else { throw problem }
            return Found(problem: problem)
        }
    }

    /// nil where there is no such thing.
    func read(
        _ path: String,
        _ query: KeyValuePairs<String, String?> = [:]
    ) async throws -> JSONValue? {
        do {
            return try await get(path, query)
        } catch let problem as Problem {
            guard problem.status == 404 else { throw problem }
            return nil
        }
    }

    /// - Throws: ``Problem``.
    func post(_ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
        try await send(.post, path, body?.serialized())
    }

    /// - Throws: ``Problem``.
    func put(_ path: String, _ body: JSONValue, _ condition: Condition) async throws -> JSONValue {
        try await send(.put, path, body.serialized(), condition)
    }

    /// - Throws: ``Problem``.
    func patch(
        _ path: String,
        _ body: JSONValue,
        _ condition: Condition
    ) async throws -> JSONValue {
        try await send(.patch, path, body.serialized(), condition)
    }

    /// What a change asks of what stands, so that it takes nothing of somebody else's away.
    enum Condition {
        /// What was read, by its tag without the quotes; a version's is its number.
        case stands(String?)
        case isAbsent
    }

    /// A thing, and the tag that a change of it names.
    ///
    /// - Throws: ``Problem``.
    func tagged(_ path: String) async throws -> (json: JSONValue, tag: String) {
        let (head, bytes) = try await answer(.get, path)
        let json = JSONValue.read(trusted: bytes)
        guard head.status == .ok else { throw Problem(json, status: head.status.code) }
        return (json, (head.headerFields[.eTag] ?? "").replacing("\"", with: ""))
    }

    /// - Throws: ``Problem``.
    func delete(_ path: String) async throws -> JSONValue { try await send(.delete, path) }

    /// - Throws: ``Problem``.
    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: [UInt8]? = nil,
        _ condition: Condition? = nil,
        type: String = "application/json"
    ) async throws -> JSONValue {
        let (head, bytes) = try await answer(method, path, body, condition, type: type)
        let isJSON = head.headerFields[.contentType]?.contains("json") == true
        let json =
            isJSON
            ? JSONValue.read(trusted: bytes) : .string(String(decoding: bytes, as: UTF8.self))
        if (200..<300).contains(head.status.code) { return json }
        throw Problem(json, status: head.status.code)
    }

    /// The answer as it is, for documents that are no JSON.
    func answer(
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: [UInt8]? = nil,
        _ condition: Condition? = nil,
        type: String = "application/json"
    ) async throws -> (head: HTTPResponse, body: [UInt8]) {
        var head = HTTPRequest(
            method: method,
            scheme: "http",
            authority: "localhost",
            path: path,
            headerFields: headers
        )
        switch condition {
        case .stands(let tag): head.headerFields[.ifMatch] = "\"\(tag ?? "")\""
        case .isAbsent: head.headerFields[.ifNoneMatch] = "*"
        case nil: break
        }
        if let body {
            head.headerFields[.contentType] = type
            head.headerFields[.contentLength] = String(body.count)
        }
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(bytes: body ?? [])))
        return try await ask(request, address)
    }
}

extension HTTPField.Name {
    static let actor = HTTPField.Name("Odometer-Actor")!
    static let reason = HTTPField.Name("Odometer-Reason")!
}

extension Problem {
    /// Whether somebody else changed first what a form was about.
    var isOutdated: Bool { slug == "precondition-failed" }

    /// The problem that an answer of the API is.
    init(_ document: JSONValue, status: Int) {
        let type = document["type"]?.stringValue ?? "/problems/internal-fault"
        let known: Set = ["type", "title", "status", "detail", "instance", "errors"]
        var extra: JSONObject = [:]
        for member in document.objectValue?.members ?? [] where !known.contains(member.name) {
            extra[member.name] = member.value
        }
        self.init(
            slug: type.split(separator: "/").last.map(String.init) ?? "",
            title: document["title"]?.stringValue ?? "The server could not answer",
            status: status,
            detail: document["detail"]?.stringValue,
            instance: document["instance"]?.stringValue,
            errors: (document["errors"]?.arrayValue ?? []).map { fault in
                FieldFault(
                    pointer: fault["pointer"]?.stringValue ?? "",
                    reason: fault["reason"]?.stringValue ?? "",
                    remedy: fault["remedy"]?.stringValue
                )
            },
            extra: extra
        )
    }

    /// A field of a form that the Console itself cannot make sense of.
    static func field(_ name: String, _ reason: String, remedy: String) -> Problem {
        Problem(
            slug: "invalid-field",
            title: "A field cannot be used",
            status: 422,
            errors: [FieldFault(pointer: "/" + name, reason: reason, remedy: remedy)]
        )
    }
}
