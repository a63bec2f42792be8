import UsageModel
import WireFormat

/// A text with places that a document fills: `/customers/${customer}/usage`.
///
/// A place is the name of a field, or of a member of one: `${period.end}`, `${metadata.team}`. What
/// a document does not have is filled with nothing. `$${` is a `${` that stays.
struct Template: Hashable, Sendable {
    /// How the value at a place is spelled.
    enum Form: String, CaseIterable, Hashable, Sendable {
        case text
        /// A JSON number.
        case number
        /// A JSON number that is whole.
        case integer
        /// The value as it stands.
        case json
    }

    struct Place: Hashable, Sendable {
        var field: String
        /// All that follows the first point: names of metadata may hold points.
        var member: String?
        var form = Form.text

        func value(in document: JSONObject) -> JSONValue? {
            let value = member.map { document[field]?[$0] } ?? document[field]
            return value?.isNull == true ? nil : value
        }
    }

    enum Piece: Hashable, Sendable {
        case literal(String)
        case place(Place)
    }

    let pieces: [Piece]

    /// Reads a template.
    ///
    /// - Throws: ``FieldFault`` at the pointer: a place that is not closed, names what there is
    ///   not, or has a form where text is made.
    init(_ text: String, _ fields: TemplateFields, at pointer: String) throws(FieldFault) {
        let pieces = try Self.pieces(of: text, fields, at: pointer)
        for case .place(let place) in pieces where place.form != .text {
            throw FieldFault(
                pointer: pointer,
                reason: "`:\(place.form.rawValue)` is for a value of a JSON body that is one place",
                remedy: "leave it out: what stands in a text is text"
            )
        }
        self.pieces = pieces
    }

    /// The one place that the text is; nil where it is more or less.
    static func onlyPlace(
        of text: String,
        _ fields: TemplateFields,
        at pointer: String
    ) throws(FieldFault) -> Place? {
        let pieces = try pieces(of: text, fields, at: pointer)
        guard pieces.count == 1, case .place(let place) = pieces[0] else { return nil }
        return place
    }

    var places: [Place] {
        pieces.compactMap { if case .place(let place) = $0 { place } else { nil } }
    }

    /// Fills the places.
    ///
    /// - Parameter encode: What becomes of a text that is put in, where the rest is no plain text.
    func filled(
        _ document: JSONObject,
        encode: (String) -> String = { $0 }
    ) -> String {
        pieces.reduce(into: "") { text, piece in
            switch piece {
            case .literal(let literal): text += literal
            case .place(let place): text += encode(Self.text(place.value(in: document)))
            }
        }
    }

    static func text(_ value: JSONValue?) -> String {
        switch value {
        case nil, .null: ""
        case .string(let text): text
        case .number(let spelling): spelling
        case .bool(let bool): bool ? "true" : "false"
        case .array?, .object?: String(decoding: value?.serialized() ?? [], as: UTF8.self)
        }
    }

    private static func pieces(
        of text: String,
        _ fields: TemplateFields,
        at pointer: String
    ) throws(FieldFault) -> [Piece] {
        var pieces: [Piece] = []
        var literal = ""
        var rest = text[...]
        while let first = rest.first {
            if rest.hasPrefix("$${") {
                literal += "${"
                rest.removeFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    throw FieldFault(
                        pointer: pointer,
                        reason: "a `${` is not closed",
                        remedy: "close it with `}`, or write `$${` for a `${` that stays"
                    )
                }
                if !literal.isEmpty { pieces.append(.literal(literal)) }
                literal = ""
                let path = rest[rest.index(rest.startIndex, offsetBy: 2)..<end]
                pieces.append(.place(try place(String(path), fields, at: pointer)))
                rest = rest[rest.index(after: end)...]
            } else {
                literal.append(first)
                rest.removeFirst()
            }
        }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        return pieces
    }

    private static func place(
        _ text: String,
        _ fields: TemplateFields,
        at pointer: String
    ) throws(FieldFault) -> Place {
        var path = text
        var form = Form.text
        for one in Form.allCases where one != .text && text.hasSuffix(":" + one.rawValue) {
            form = one
            path.removeLast(one.rawValue.count + 1)
        }
        let steps = path.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let field = String(steps[0])
        let member = steps.count > 1 ? String(steps[1]) : nil
        guard let kind = fields.kind(of: field) else {
            throw FieldFault(
                pointer: pointer,
                reason: "`\(field)` is no field of \(fields.owner)",
                remedy: "use one of \(fields.list.map(\.name).joined(separator: ", "))"
            )
        }
        switch (kind, member) {
        case (.open, _), (_, nil): break
        case (.members(let names), let member?) where names.contains(member): break
        case (.members(let names), _):
            throw FieldFault(
                pointer: pointer,
                reason: "`\(path)` is no field of \(fields.owner)",
                remedy: "`\(field)` has \(names.joined(separator: ", "))"
            )
        case (.plain, _):
            throw FieldFault(
                pointer: pointer,
                reason: "`\(path)` is no field of \(fields.owner)",
                remedy: "`\(field)` has no parts: write `${\(field)}`"
            )
        }
        return Place(field: field, member: member, form: form)
    }
}
