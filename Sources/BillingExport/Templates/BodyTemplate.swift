import UsageModel
import WireFormat

/// A JSON value whose strings are templates.
///
/// A string that is one place and nothing else may have a form: `"${delta:number}"` is a number,
/// `"${events:integer}"` a whole one, `"${metadata:json}"` the value as it stands. `"${items}"` is
/// the list of all records of a batch, and `{"$each": …}` that of what a template makes of each.
/// Around them only what the batch has may be named; within `$each` also what a record has.
struct BodyTemplate: Sendable {
    private indirect enum Node: Sendable {
        /// What is no string.
        case constant(JSONValue)
        case text(Template)
        case place(Template.Place)
        case items
        case each(Node)
        case array([Node])
        case object([(name: String, node: Node)])
    }

    private let root: Node
    /// Whether it speaks of all records of a batch, and not of one.
    let isOfBatch: Bool

    /// Reads the template of a body.
    ///
    /// - Throws: ``FieldFault`` below the pointer.
    init(_ text: String, at pointer: String) throws(FieldFault) {
        let value: JSONValue
        do {
            value = try JSONValue.parse(Array(text.utf8))
        } catch {
            throw FieldFault(
                pointer: pointer,
                reason: "the body is no JSON: \(error.reason), at byte \(error.offset)",
                remedy: "write the text of a JSON value; its strings are templates"
            )
        }
        isOfBatch = Self.speaksOfBatch(value)
        root = try Self.node(value, isOfBatch ? .batch : .recordInBatch, at: pointer)
    }

    /// Fills it for one record, or for all of a batch.
    ///
    /// - Parameters:
    ///   - batch: The fields of the batch.
    ///   - records: The documents; of a template that is not ``isOfBatch`` just one.
    /// - Throws: ``UnfitValue`` for a place that asks for a number where there is none.
    func filled(_ batch: JSONObject, _ records: [JSONObject]) throws(UnfitValue) -> JSONValue {
        let document = isOfBatch ? batch : batch.joined(to: records[0])
        return try Self.value(root, document, batch, records)
    }

    /// Whether it is an object whose values are neither objects nor lists: what forms are made of.
    var isFlatObject: Bool {
        guard case .object(let members) = root else { return false }
        return members.allSatisfy { _, node in
            switch node {
            case .text, .place: true
            case .constant(let value): value.arrayValue == nil && value.objectValue == nil
            case .items, .each, .array, .object: false
            }
        }
    }

    /// The pairs of a form; what has no value is left out.
    static func pairs(_ value: JSONValue) -> [(name: String, value: String)] {
        (value.objectValue?.members ?? []).filter { !$0.value.isNull }.map { member in
            (name: member.name, value: Template.text(member.value))
        }
    }

    private static let each = "$each"
    private static let items = "${items}"

    private static func speaksOfBatch(_ value: JSONValue) -> Bool {
        switch value {
        case .string(let text): text == items
        case .array(let elements): elements.contains(where: speaksOfBatch)
        case .object(let object):
            object.members.contains { $0.name == each || speaksOfBatch($0.value) }
        default: false
        }
    }
}

/// A value that cannot be what a template makes of it; the reason of a refusal.
struct UnfitValue: Error, Hashable, Sendable {
    var reason: String
}

extension BodyTemplate {
    private static func node(
        _ value: JSONValue,
        _ fields: TemplateFields,
        at pointer: String,
        isInEach: Bool = false
    ) throws(FieldFault) -> Node {
        switch value {
        case .string(items) where !isInEach: return .items
        case .string(let text):
            if let place = try Template.onlyPlace(of: text, fields, at: pointer) {
                return .place(place)
            }
            return .text(try Template(text, fields, at: pointer))
        case .array(let elements):
            var nodes: [Node] = []
            for (index, element) in elements.enumerated() {
                nodes.append(
                    try node(element, fields, at: "\(pointer)/\(index)", isInEach: isInEach)
                )
            }
            return .array(nodes)
        case .object(let object) where object[each] != nil:
            return try each(object, at: pointer, isInEach: isInEach)
        case .object(let object):
            var nodes: [(name: String, node: Node)] = []
            for member in object.members {
                let name = member.name.replacing("~", with: "~0").replacing("/", with: "~1")
                let child = "\(pointer)/\(name)"
                let node = try node(member.value, fields, at: child, isInEach: isInEach)
                nodes.append((member.name, node))
            }
            return .object(nodes)
        default: return .constant(value)
        }
    }

    private static func each(
        _ object: JSONObject,
        at pointer: String,
        isInEach: Bool
    ) throws(FieldFault) -> Node {
        guard object.count == 1, !isInEach, let value = object[each] else {
            throw FieldFault(
                pointer: pointer,
                reason: isInEach ? "`$each` within `$each`" : "`$each` beside other members",
                remedy: "an object with `$each` has no other member, and stands in no other"
            )
        }
        let child = "\(pointer)/\(each)"
        return .each(try node(value, .recordInBatch, at: child, isInEach: true))
    }

    private static func value(
        _ node: Node,
        _ document: JSONObject,
        _ batch: JSONObject,
        _ records: [JSONObject]
    ) throws(UnfitValue) -> JSONValue {
        switch node {
        case .constant(let value): return value
        case .text(let template): return .string(template.filled(document))
        case .place(let place): return try value(of: place, document)
        case .items: return .array(records.map(JSONValue.object))
        case .each(let inner):
            var values: [JSONValue] = []
            for record in records {
                values.append(try value(inner, batch.joined(to: record), batch, records))
            }
            return .array(values)
        case .array(let nodes):
            var values: [JSONValue] = []
            for node in nodes { values.append(try value(node, document, batch, records)) }
            return .array(values)
        case .object(let members):
            var object = JSONObject()
            for (name, node) in members {
                object[name] = try value(node, document, batch, records)
            }
            return .object(object)
        }
    }

    private static func value(
        of place: Template.Place,
        _ document: JSONObject
    ) throws(UnfitValue) -> JSONValue {
        let value = place.value(in: document)
        switch place.form {
        case .text: return .string(Template.text(value))
        case .json: return value ?? .null
        case .number, .integer:
            guard let value else { return .null }
            let path = [place.field, place.member].compactMap(\.self).joined(separator: ".")
            let text = Template.text(value)
            guard let quantity = try? Quantity(text) else {
                throw UnfitValue(reason: "`\(path)` is `\(text.prefix(100))`, which is no number")
            }
            let spelling = quantity.description
            if place.form == .integer, spelling.contains(".") {
                throw UnfitValue(reason: "`\(path)` is \(spelling), which is not whole")
            }
            return .number(spelling)
        }
    }
}
