import WireFormat

/// What a page does, as a command to paste: partial `call`.
struct Curl {
    private let server: String

    init(_ visit: Visit) { server = "http://" + (visit.authority) }

    func get(_ path: String, _ query: KeyValuePairs<String, String?> = [:]) -> String {
        "curl -s " + Self.quoted(server + readable(Address.link(path, query)))
    }

    /// - Parameter body: Put down indented, for reading.
    func send(_ method: String, _ path: String, _ body: JSONValue? = nil) -> String {
        var words = "curl -s"
        if method != "POST" || body == nil { words += " -X \(method)" }
        words += " " + Self.quoted(server + path)
        guard let body else { return words }
        let text = String(decoding: body.serialized(pretty: true), as: UTF8.self)
        return words + " -H 'Content-Type: application/json' -d " + Self.quoted(text)
    }

    /// Colons and commas need no encoding in a query, and times are easier read with them.
    private func readable(_ link: String) -> String {
        link.replacing("%3A", with: ":").replacing("%2C", with: ",").replacing("%24", with: "$")
    }

    /// As one word of a shell.
    static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: #"'\''"#) + "'"
    }
}
