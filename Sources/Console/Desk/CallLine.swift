/// A call of the API as a line for a shell.
enum CallLine {
    /// - Parameter address: Where the server listens, without a path: `http://127.0.0.1:8337`.
    static func get(
        _ address: String,
        _ path: String,
        _ query: [(String, String)] = [],
        bare: [String] = []
    ) -> String {
        "curl " + quoted(address + Way.link(path, query + [("pretty", "true")], bare: bare))
    }

    static func send(
        _ method: String,
        _ address: String,
        _ path: String,
        _ body: String?
    ) -> String {
        var line = "curl -X \(method) " + quoted(address + path)
        if let body {
            line += " \\\n  -H 'Content-Type: application/json' -d " + quoted(body)
        }
        return line
    }

    /// In single quotes, as a shell takes it for one word, whatever is in it.
    static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: #"'\''"#) + "'"
    }
}
