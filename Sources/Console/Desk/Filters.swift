import WireFormat

/// The filters of a list: what was typed, for the form, and as the API is asked.
struct Filters {
    private(set) var fields: [Field] = []
    /// Parameters of the API with their values, those that are empty left out.
    private(set) var asked: [(String, String)] = []
    /// Parameters of the API that stand without a value, which asks for what has none.
    private(set) var bare: [String] = []
    /// The same as parameters of the page.
    private(set) var typed: [(String, String)] = []
    /// Those of a link that led here, which have no field of their own.
    private var passed: [(String, String)] = []
    /// Whether any differs from what holds where the address says nothing.
    private(set) var isEmpty = true

    private let inputs: Inputs

    init(_ inputs: Inputs) { self.inputs = inputs }

    /// - Parameter initial: What holds where the address does not say anything.
    mutating func text(
        _ name: String,
        _ label: String,
        hint: String? = nil,
        example: String? = nil,
        isCode: Bool = false
    ) {
        let value = inputs[name]
        fields.append(
            Field(name, label, value, hint: hint, example: example, isCode: isCode)
        )
        ask(name, value, value)
    }

    /// A time in UTC: a day alone is its first moment.
    mutating func time(_ name: String, _ label: String) {
        let value = inputs[name]
        fields.append(Field(name, label, value, example: "2026-11-01"))
        ask(name, value, Self.instant(value))
    }

    mutating func choice(
        _ name: String,
        _ label: String,
        _ choices: [Field.Choice],
        initial: String = ""
    ) {
        let value = inputs.has(name) ? inputs[name] : initial
        fields.append(Field(name, label, value, .choice(choices)))
        ask(name, value, value == Self.all ? "" : value, isUsual: value == initial)
    }

    /// Names of parameters, with commas, that ask for what has none of them: a form cannot tell an
    /// empty field from one that is not filled in. The field is there when it says something.
    mutating func without(_ label: String, hint: String) {
        let value = inputs[Self.without]
        guard !value.isEmpty else { return }
        fields.append(Field(Self.without, label, value, hint: hint))
        typed.append((Self.without, value))
        isEmpty = false
        bare += Self.names(of: value).filter { name in
            fields.contains { $0.name == name && $0.value.isEmpty }
        }
    }

    static let without = "without"

    static func names(of text: String) -> [String] {
        text.split { $0 == "," || $0.isWhitespace }.map(String.init)
    }

    /// The word of a choice that asks for all, where another one holds by itself.
    static let all = "all"

    /// Passes on parameters that have no field, such as those of a link that led here.
    mutating func pass(where isMeant: (String) -> Bool) {
        for (name, value) in inputs.pairs where isMeant(name) && !value.isEmpty {
            passed.append((name, value))
            ask(name, value, value)
        }
    }

    /// Passes on values of dimensions: `dimension.NAME=value`, and `without=NAME` for what has
    /// none, since no form sends a name alone.
    ///
    /// - Returns: What was asked for, in words.
    mutating func dimensions() -> [String] {
        var words: [String] = []
        for (name, value) in inputs.pairs {
            if name.hasPrefix("dimension.") {
                words.append("\(name.dropFirst("dimension.".count)) = \(value)")
                asked.append((name, value))
            } else if name == Self.without, !value.isEmpty {
                words.append("no \(value)")
                bare.append("dimension." + value)
            } else {
                continue
            }
            passed.append((name, value))
            typed.append((name, value))
            isEmpty = false
        }
        return words
    }

    private mutating func ask(
        _ name: String,
        _ typed: String,
        _ asked: String,
        isUsual: Bool = false
    ) {
        if !isUsual, !typed.isEmpty { isEmpty = false }
        if !typed.isEmpty { self.typed.append((name, typed)) }
        if !asked.isEmpty { self.asked.append((name, asked)) }
    }

    /// What people write of a time, as RFC 3339; what is no such thing goes as it is, for the API
    /// to say what is wrong with it.
    static func instant(_ text: String) -> String {
        let text = text.trimmed
        let count = text.utf8.count
        if count == 10, text.utf8.filter({ $0 == UInt8(ascii: "-") }).count == 2 {
            return text + "T00:00:00Z"
        }
        if count == 16, text.utf8.dropFirst(13).first == UInt8(ascii: ":") {
            return text.replacing(" ", with: "T") + ":00Z"
        }
        return text
    }

    /// The filters above the list.
    func toolbar(_ path: String, problem: Problem?, isLive: Bool = false) -> Piece {
        var form = Form(
            id: "filters",
            method: .get,
            action: path,
            fields: fields,
            hidden: passed.map { (name: $0.0, value: $0.1) },
            buttons: [Form.Button(label: "Filter")],
            way: isEmpty ? nil : Link("Clear", path)
        )
        form.isLive = isLive
        form.mark(problem)
        return .toolbar(form)
    }

    /// The pager below it.
    func pager(_ path: String, next: String?, isFirst: Bool) -> Piece {
        .pager(
            first: isFirst ? nil : Way.link(path, typed),
            next: next.map { Way.link(path, typed + [("cursor", $0)]) }
        )
    }
}

extension String {
    /// Without white space at its ends.
    var trimmed: String {
        let isSpace: (Character) -> Bool = { $0.isWhitespace }
        let start = drop(while: isSpace)
        var end = start[...]
        while let last = end.last, isSpace(last) { end.removeLast() }
        return String(end)
    }
}
