import Yams

/// YAML said again as JSON: what somebody wrote by hand goes to the server in its own language.
enum YAMLText {
    /// Plain scalars that are JSON literals or numbers stay what they are, digit by digit; all
    /// other scalars are texts. (`yes`, `0x10` and dates are texts, as people mean them.)
    static func json(_ node: Node) -> String {
        switch node {
        case .mapping(let mapping):
            let members = mapping.map { "\(JSONText.quote($0.key.string ?? "")):\(json($0.value))" }
            return "{\(members.joined(separator: ","))}"
        case .sequence(let sequence):
            return "[\(sequence.map(json).joined(separator: ","))]"
        case .scalar(let scalar):
            let text = scalar.string
            guard scalar.style == .plain else { return JSONText.quote(text) }
            if text.isEmpty || text == "~" { return "null" }
            let isLiteral = ["true", "false", "null"].contains(text) || isNumber(text)
            return isLiteral ? text : JSONText.quote(text)
        case .alias: return "null"
        }
    }

    private static func isNumber(_ text: String) -> Bool {
        text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil
    }
}
