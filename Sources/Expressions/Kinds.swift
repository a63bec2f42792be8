/// The kinds of value a part of an expression can have, as far as is known without an event.
struct Kinds: OptionSet {
    let rawValue: UInt8

    /// Missing counts as null.
    static let null = Kinds(rawValue: 1)
    static let bool = Kinds(rawValue: 2)
    static let number = Kinds(rawValue: 4)
    static let text = Kinds(rawValue: 8)
    static let array = Kinds(rawValue: 16)
    static let object = Kinds(rawValue: 32)
    static let any: Kinds = [.null, .bool, .number, .text, .array, .object]
    static let scalar: Kinds = [.bool, .number, .text]

    /// For people: `a number`, `a text or a number`.
    var words: String {
        let all: [(Kinds, String)] = [
            (.number, "a number"), (.text, "a text"), (.bool, "a boolean"), (.array, "an array"),
            (.object, "an object"), (.null, "null"),
        ]
        let said = all.filter { contains($0.0) }.map(\.1)
        guard let last = said.last, said.count > 1 else { return said.first ?? "nothing" }
        return said.dropLast().joined(separator: ", ") + " or " + last
    }
}
