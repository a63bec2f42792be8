internal import Expressions
internal import UsageModel
internal import WireFormat

/// Compiles a schema: each place of the document once, so that references may go round.
struct SchemaCompiling {
    private let document: JSONValue
    private(set) var nodes: [SchemaNode] = []
    private(set) var faults: [FieldFault] = []
    /// The places of schemas by their pointers.
    private var places: [String: Int] = [:]
    private var pending: [(place: Int, pointer: String, value: JSONValue)] = []
    private var isTooLarge = false

    init(_ document: JSONValue) { self.document = document }

    mutating func compiled() throws(JSONSchema.Faults) -> [SchemaNode] {
        _ = place(of: document, at: "")
        // A list and no recursion: how deep the document goes does not matter here.
        while let (place, pointer, value) = pending.popLast() {
            var node = SchemaNode()
            read(value, pointer, &node)
            nodes[place] = node
        }
        if isTooLarge {
            fault("", "it has too many schemas", "use at most \(Limits.schemaNodesMax)")
        }
        if faults.isEmpty, let place = circle() {
            let pointer = places.first { $0.value == place }?.key ?? ""
            fault(pointer, "it refers to itself about one value", "take the circle out")
        }
        guard faults.isEmpty else { throw JSONSchema.Faults(faults: faults) }
        return nodes
    }

    mutating func fault(_ pointer: String, _ reason: String, _ remedy: String) {
        faults.append(FieldFault(pointer: pointer, reason: reason, remedy: remedy))
    }

    /// The place of a schema; it is compiled where it was not met before.
    mutating func place(of value: JSONValue, at pointer: String) -> Int {
        if let known = places[pointer] { return known }
        guard nodes.count < Limits.schemaNodesMax else {
            isTooLarge = true
            return 0
        }
        nodes.append(SchemaNode())
        places[pointer] = nodes.count - 1
        pending.append((nodes.count - 1, pointer, value))
        return nodes.count - 1
    }

    private mutating func read(_ value: JSONValue, _ pointer: String, _ node: inout SchemaNode) {
        switch value {
        case .bool(let truth): node.verdict = truth
        case .object(let object):
            for member in object.members {
                let at = pointer + "/" + Self.escaped(member.name)
                if Self.notes.contains(member.name) { continue }
                let isKnown =
                    readPlain(member.name, member.value, at, &node)
                    || readCount(member.name, member.value, at, &node)
                    || readContents(member.name, member.value, at, &node)
                    || readCombined(member.name, member.value, at, &node)
                if !isKnown {
                    let remedy = "see docs/reference/json-schema.md for those that are"
                    fault(at, "this keyword is not known here", remedy)
                }
            }
        default: fault(pointer, "it is \(value.kindName)", "give a schema: an object or a boolean")
        }
    }

    /// Keywords that ask for nothing.
    private static let notes: Set = [
        "title", "description", "default", "examples", "$schema", "$id", "$comment", "deprecated",
    ]

    static func escaped(_ name: String) -> String {
        name.replacing("~", with: "~0").replacing("/", with: "~1")
    }

    // MARK: Keywords about other schemas

    private mutating func readCombined(
        _ name: String,
        _ value: JSONValue,
        _ at: String,
        _ node: inout SchemaNode
    ) -> Bool {
        switch name {
        case "allOf": node.allOf = list(value, at)
        case "anyOf": node.anyOf = list(value, at)
        case "oneOf": node.oneOf = list(value, at)
        case "not": node.not = place(of: value, at: at)
        case "if": node.condition = place(of: value, at: at)
        case "then": node.then = place(of: value, at: at)
        case "else": node.otherwise = place(of: value, at: at)
        case "$ref": node.reference = reference(value, at)
        case "$defs": _ = map(value, at)
        default: return false
        }
        return true
    }

    /// A list of schemas; never empty.
    mutating func list(_ value: JSONValue, _ at: String) -> [Int] {
        guard let elements = value.arrayValue, !elements.isEmpty else {
            fault(at, "it is no list with a schema", "give a list of schemas")
            return []
        }
        return elements.enumerated().map { place(of: $1, at: at + "/\($0)") }
    }

    /// Schemas by names.
    mutating func map(_ value: JSONValue, _ at: String) -> [(name: String, place: Int)] {
        guard let object = value.objectValue else {
            fault(at, "it is \(value.kindName)", "give an object of schemas")
            return []
        }
        return object.members.map { member in
            (member.name, place(of: member.value, at: at + "/" + Self.escaped(member.name)))
        }
    }

    private mutating func reference(_ value: JSONValue, _ at: String) -> Int? {
        let remedy = "refer within the schema: \"#\", or \"#/$defs/amount\""
        guard let text = value.stringValue, text.hasPrefix("#") else {
            fault(at, "it is no reference within the schema", remedy)
            return nil
        }
        let pointer = String(text.dropFirst())
        guard let steps = JSONValue.steps(of: pointer) else {
            fault(at, "what is behind # is no JSON pointer", remedy)
            return nil
        }
        var target: JSONValue? = document
        for step in steps {
            if let elements = target?.arrayValue {
                let index = Int(step) ?? -1
                target = elements.indices.contains(index) ? elements[index] : nil
            } else {
                target = target?[step]
            }
        }
        guard let target else {
            fault(at, "there is nothing at \(text)", remedy)
            return nil
        }
        return place(of: target, at: steps.map { "/" + Self.escaped($0) }.joined())
    }

    /// A schema that leads back to itself about one and the same value: it would never end.
    private func circle() -> Int? {
        enum Mark { case fresh, open, closed }
        var marks = [Mark](repeating: .fresh, count: nodes.count)
        for start in nodes.indices where marks[start] == .fresh {
            var stack = [(place: start, next: 0)]
            marks[start] = .open
            while let (place, next) = stack.last {
                let others = nodes[place].inPlace
                guard next < others.count else {
                    marks[place] = .closed
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].next += 1
                switch marks[others[next]] {
                case .open: return others[next]
                case .closed: continue
                case .fresh:
                    marks[others[next]] = .open
                    stack.append((others[next], 0))
                }
            }
        }
        return nil
    }
}
