import Compression
import HTTPTypes
import HummingbirdCore
import NIOCore
import WireFormat

/// What a visit is answered with.
enum Reply {
    /// A page within the layout.
    case page(Page)
    /// A piece of a page, for scripts that put it into one.
    case fragment(String, Values)
    /// Another page, by GET; it says, if anything, what was done.
    case redirect(String, saying: String? = nil)
    case json(JSONValue)
    /// A document of the API, as it is.
    case document(HTTPResponse, [UInt8])
    /// Server-sent events.
    case stream(LiveFeed)
}

/// A page: the template that stands within the layout, and what it shows.
struct Page {
    /// A file of `Templates/` without its ending.
    var template: String
    /// Of the window; a page's heading is its template's.
    var title: String
    var values: Values
    var status = 200
    /// What is wrong with what was asked for; what is wrong with a form shows by itself.
    var problem: Problem?
    /// After so many seconds a browser without scripts asks again.
    var refreshSeconds: Int?

    init(
        _ template: String,
        title: String,
        _ values: Values = [:],
        problem: Problem? = nil,
        refreshSeconds: Int? = nil
    ) {
        (self.template, self.title, self.values) = (template, title, values)
        (self.problem, self.refreshSeconds) = (problem, refreshSeconds)
    }
}

extension Reply {
    /// A page within the layout: see ``Page``.
    static func page(
        _ template: String,
        title: String,
        _ values: Values = [:],
        problem: Problem? = nil,
        refreshSeconds: Int? = nil
    ) -> Reply {
        .page(
            Page(
                template,
                title: title,
                values,
                problem: problem,
                refreshSeconds: refreshSeconds
            )
        )
    }
}

extension Console {
    /// The reply as a response, with all headers that pages have.
    func finish(_ reply: Reply, _ visit: Visit) -> Response {
        var headers = Self.headers
        setCookies(visit, &headers)
        switch reply {
        case .page(let page):
            if visit.cookies[.said] != nil {
                let gone = Cookies.setting(.said, "", seconds: 0)
                headers.append(HTTPField(name: .setCookie, value: gone))
            }
            let problem = visit.problem ?? page.problem
            var status = page.status
            if let problem, status == 200 { status = problem.status }
            let html = printer.text("layout", Layout(page, problem, visit, shelf).values)
            return packed(html, status, headers, visit)
        case .fragment(let template, var values):
            values["token"] = visit.token
            return packed(printer.text(template, values), 200, headers, visit)
        case .redirect(let path, let words):
            if let words {
                let value = Cookies.setting(.said, PercentCoding.encode(words), seconds: 20)
                headers.append(HTTPField(name: .setCookie, value: value))
            }
            headers[.location] = path
            return Response(status: .seeOther, headers: headers)
        case .json(let json):
            headers[.contentType] = "application/json"
            return Self.response(.ok, headers, json.serialized())
        case .document(let head, let body):
            var headers = head.headerFields
            for field in Self.headers where headers[field.name] == nil {
                headers[field.name] = field.value
            }
            return Self.response(head.status, headers, body)
        case .stream(let feed):
            headers[.contentType] = "text/event-stream"
            return Response(status: .ok, headers: headers, body: ResponseBody(asyncSequence: feed))
        }
    }

    func redirected(to path: String) -> Response {
        var headers = Self.headers
        headers[.location] = path
        return Response(status: .permanentRedirect, headers: headers)
    }

    /// A page for who is not let in: it needs nothing but itself.
    func refused(_ refusal: Gate.Refusal) -> Response {
        let values: Values = ["title": refusal.title, "detail": refusal.detail]
        var headers = Self.headers
        headers[.contentType] = Self.html
        // The rest of a form that is not read would be taken for the next request.
        if refusal.status != 405 { headers[.connection] = "close" }
        let body = Array(printer.text("refused", values).utf8)
        return Self.response(HTTPResponse.Status(code: refusal.status), headers, body)
    }

    /// The page where there is none.
    static func missing(_ visit: Visit) -> Reply {
        let problem = Problem(
            slug: "not-found",
            title: "There is no such page",
            status: 404,
            detail: "Nothing is at \(visit.path)."
        )
        return failed(visit, problem)
    }

    /// The page where there should be one, and the API says why not.
    static func failed(_ visit: Visit, _ problem: Problem) -> Reply {
        .page(
            "failed",
            title: problem.title,
            ["isMissing": problem.status == 404],
            problem: problem
        )
    }

    private func setCookies(_ visit: Visit, _ headers: inout HTTPFields) {
        if visit.cookies[.session] == nil {
            let value = Cookies.setting(.session, visit.session)
            headers.append(HTTPField(name: .setCookie, value: value))
        }
        if let author = visit.form?.text("author") {
            let year = 365 * 86_400
            let value = Cookies.setting(.author, PercentCoding.encode(author), seconds: year)
            headers.append(HTTPField(name: .setCookie, value: value))
        }
    }

    private func packed(
        _ html: String,
        _ status: Int,
        _ headers: HTTPFields,
        _ visit: Visit
    ) -> Response {
        var (headers, body) = (headers, Array(html.utf8))
        headers[.contentType] = Self.html
        headers[.vary] = "Accept-Encoding"
        if AssetShelf.takesGzip(visit.request.headers), let packed = AssetShelf.pack(body, level: 5)
        {
            body = packed
            headers[.contentEncoding] = "gzip"
        }
        return Self.response(HTTPResponse.Status(code: status), headers, body)
    }

    static func response(
        _ status: HTTPResponse.Status,
        _ headers: HTTPFields,
        _ body: [UInt8]
    ) -> Response {
        var headers = headers
        headers[.contentLength] = String(body.count)
        return Response(
            status: status,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body))
        )
    }

    private static let html = "text/html; charset=utf-8"

    /// What every answer of the Console says to the browser: nothing from elsewhere, nothing
    /// inline, in nobody's frame, and told to nobody else.
    static let headers: HTTPFields = [
        .contentSecurityPolicy: """
        default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; \
        frame-ancestors 'none'
        """,
        .xContentTypeOptions: "nosniff",
        // Not `no-referrer`: a form would then be sent with `Origin: null`.
        HTTPField.Name("Referrer-Policy")!: "same-origin",
        HTTPField.Name("X-Frame-Options")!: "DENY",
        HTTPField.Name("Cross-Origin-Opener-Policy")!: "same-origin",
        HTTPField.Name("Cross-Origin-Resource-Policy")!: "same-origin",
        .cacheControl: "no-store",
    ]
}
