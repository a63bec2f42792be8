import HTTPTypes
import HummingbirdCore
import WireFormat

/// A request, taken apart.
struct Call {
    let request: Request
    let route: Route
    /// Between the slashes, still percent-encoded.
    let segments: [Substring]
    let path: Substring
    let queryText: Substring

    init(_ request: Request) {
        self.request = request
        // The path as sent: decoding it whole would let an encoded slash split a name.
        let target = (request.head.path ?? "/")[...]
        let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = halves[0]
        queryText = halves.count > 1 ? halves[1] : ""
        segments =
            path.utf8.first == UInt8(ascii: "/")
            ? path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) : []
        route = Route(segments)
    }

    var isRead: Bool { request.method == .get || request.method == .head }

    /// Whether the answer is to be indented; looked at before the query is judged, so that problems
    /// are indented too.
    var isPretty: Bool {
        guard !queryText.isEmpty else { return false }
        return queryText.split(separator: "&").contains {
            $0 == "pretty" || $0 == "pretty=true" || $0 == "pretty=1"
        }
    }

    func query() throws(Refusal) -> Query { try Query(queryText) }

    /// A name in the path.
    ///
    /// - Throws: `not-found`: a name that cannot be spelled so names nothing.
    func name(at place: Int) throws(Refusal) -> String {
        guard let name = PercentCoding.decode(segments[place]), !name.isEmpty else {
            throw .notFound("the address is not percent-encoded UTF-8")
        }
        return name
    }

    /// Whether the caller would have rows as CSV.
    var wantsCSV: Bool { wants("text/csv") }

    /// Whether the caller names a media type among those it takes.
    func wants(_ type: String) -> Bool {
        guard let accept = request.headers[.accept], accept != "*/*" else { return false }
        return accept.split(separator: ",").contains { MediaType(String($0)).name == type }
    }

    /// What `Link` says of the next page.
    func link(next: String) -> String {
        let rest = queryText.split(separator: "&").filter { !$0.hasPrefix("cursor=") }
        let target = (rest.map(String.init) + ["cursor=\(next)"]).joined(separator: "&")
        return "<\(path)?\(target)>; rel=\"next\""
    }
}
