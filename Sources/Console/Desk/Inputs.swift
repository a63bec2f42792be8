/// What was typed: the fields of a query or of a form, in their order.
struct Inputs {
    let pairs: [(String, String)]

    init(_ fields: Fields) {
        pairs = fields.items.map { ($0.name, $0.value.replacing("\r\n", with: "\n")) }
    }

    /// The first value of a field; empty where there is none.
    subscript(name: String) -> String { pairs.first { $0.0 == name }?.1 ?? "" }

    func has(_ name: String) -> Bool { pairs.contains { $0.0 == name } }
}
