internal import Expressions
internal import UsageModel
internal import WireFormat

/// Holds a value against a compiled schema.
struct SchemaWalk {
    /// The value takes more than a walk may.
    struct Exhausted: Error {
        var reason: String
    }

    private let nodes: [SchemaNode]
    private var steps = 0
    private var depth = 0
    /// Where in the value the walk is, step by step.
    private var path: [String] = []

    init(nodes: [SchemaNode]) { self.nodes = nodes }

    /// The first misfit, in the order of the keywords below.
    mutating func misfit(
        of value: JSONValue,
        _ place: Int
    ) throws(Exhausted) -> JSONSchema.Misfit? {
        steps += 1
        guard steps <= Limits.schemaStepsMax else {
            throw Exhausted(reason: "the schema asks more than \(Limits.schemaStepsMax) times")
        }
        guard depth < Limits.schemaDepthMax else {
            throw Exhausted(reason: "the schema goes deeper than \(Limits.schemaDepthMax) levels")
        }
        depth += 1
        defer { depth -= 1 }
        let node = nodes[place]
        if let verdict = node.verdict {
            return verdict ? nil : misfit("the schema allows nothing here")
        }
        if let reason = plainReason(value, node) { return misfit(reason) }
        switch value {
        case .array(let elements):
            if let found = try misfit(ofElements: elements, node) { return found }
        case .object(let object):
            if let found = try misfit(ofMembers: object, node) { return found }
        default: break
        }
        return try combinedMisfit(value, node)
    }

    private func misfit(_ reason: String) -> JSONSchema.Misfit {
        let pointer = path.map { step in
            "/" + step.replacing("~", with: "~0").replacing("/", with: "~1")
        }
        return JSONSchema.Misfit(pointer: pointer.joined(), reason: reason)
    }

    private mutating func misfit(
        of value: JSONValue,
        at step: String,
        _ place: Int
    ) throws(Exhausted) -> JSONSchema.Misfit? {
        path.append(step)
        defer { path.removeLast() }
        return try misfit(of: value, place)
    }

    private mutating func fits(_ value: JSONValue, _ place: Int) throws(Exhausted) -> Bool {
        try misfit(of: value, place) == nil
    }

    // MARK: The value by itself

    private func plainReason(_ value: JSONValue, _ node: SchemaNode) -> String? {
        if !node.types.isEmpty, !node.types.contains(where: { $0.takes(value) }) {
            let names = node.types.map(\.rawValue).sorted().joined(separator: " or ")
            return "it is \(value.kindName), not of type \(names)"
        }
        if node.choices != nil || node.constant != nil {
            let canonical = value.canonical
            if let choices = node.choices, !choices.contains(canonical) {
                return "it is none of the values of enum"
            }
            if let constant = node.constant, constant != canonical {
                return "it is not the value of const"
            }
        }
        switch value {
        case .number(let spelling): return numberReason(spelling, node)
        case .string(let text): return textReason(text, node)
        default: return nil
        }
    }

    private func numberReason(_ spelling: String, _ node: SchemaNode) -> String? {
        guard !node.bounds.isEmpty || node.multipleOf != nil,
            let number = ExactDecimal(spelling)
        else { return nil }
        if let bound = node.bounds.first(where: { !$0.holds(number) }) {
            return "it is outside \(bound.side.rawValue) \(bound.spelling)"
        }
        if let (divisor, spelling) = node.multipleOf, !number.isMultiple(of: divisor) {
            return "it is no multiple of \(spelling)"
        }
        return nil
    }

    private func textReason(_ text: String, _ node: SchemaNode) -> String? {
        if node.length.least > 0 || node.length.most < .max,
            let reason = node.length.misfit(text.unicodeScalars.count, "characters")
        {
            return reason
        }
        if let (pattern, spelling) = node.pattern, !pattern.matches(text) {
            return "it does not match the pattern \(spelling)"
        }
        if let format = node.format, !format.takes(text) {
            return "it is no \(format.rawValue)"
        }
        return nil
    }

    // MARK: What is in it

    private mutating func misfit(
        ofElements elements: [JSONValue],
        _ node: SchemaNode
    ) throws(Exhausted) -> JSONSchema.Misfit? {
        if let reason = node.elements.misfit(elements.count, "elements") { return misfit(reason) }
        if node.isUnique, Set(elements.map(\.canonical)).count < elements.count {
            return misfit("two of its elements are equal")
        }
        for (index, element) in elements.enumerated() {
            let place = index < node.prefixItems.count ? node.prefixItems[index] : node.items
            guard let place else { continue }
            if let found = try misfit(of: element, at: "\(index)", place) { return found }
        }
        guard let contains = node.contains else { return nil }
        var count = 0
        for element in elements {
            if try fits(element, contains) { count += 1 }
        }
        return node.containsCount.misfit(count, "elements that fit contains").map(misfit)
    }

    private mutating func misfit(
        ofMembers object: JSONObject,
        _ node: SchemaNode
    ) throws(Exhausted) -> JSONSchema.Misfit? {
        if let reason = node.members.misfit(object.count, "members") { return misfit(reason) }
        for name in node.required where object[name] == nil {
            path.append(name)
            defer { path.removeLast() }
            return misfit("it is required")
        }
        for member in object.members {
            if let names = node.propertyNames, try !fits(.string(member.name), names) {
                path.append(member.name)
                defer { path.removeLast() }
                return misfit("its name does not fit propertyNames")
            }
            var isKnown = false
            if let place = node.properties[Array(member.name.utf8)] {
                isKnown = true
                if let found = try misfit(of: member.value, at: member.name, place) {
                    return found
                }
            }
            for (pattern, place) in node.patternProperties where pattern.matches(member.name) {
                isKnown = true
                if let found = try misfit(of: member.value, at: member.name, place) {
                    return found
                }
            }
            if !isKnown, let place = node.additional,
                let found = try misfit(of: member.value, at: member.name, place)
            {
                return found
            }
        }
        return nil
    }

    // MARK: Schemas about the same value

    private mutating func combinedMisfit(
        _ value: JSONValue,
        _ node: SchemaNode
    ) throws(Exhausted) -> JSONSchema.Misfit? {
        if let place = node.reference, let found = try misfit(of: value, place) { return found }
        for place in node.allOf {
            if let found = try misfit(of: value, place) { return found }
        }
        if !node.anyOf.isEmpty {
            var fitsAny = false
            for place in node.anyOf where !fitsAny { fitsAny = try fits(value, place) }
            if !fitsAny { return misfit("it fits none of anyOf") }
        }
        if !node.oneOf.isEmpty {
            var count = 0
            for place in node.oneOf {
                if try fits(value, place) { count += 1 }
            }
            if count != 1 { return misfit("it fits \(count) of oneOf, not exactly one") }
        }
        if let place = node.not, try fits(value, place) {
            return misfit("it fits what not excludes")
        }
        if let condition = node.condition {
            let next = try fits(value, condition) ? node.then : node.otherwise
            if let next { return try misfit(of: value, next) }
        }
        return nil
    }
}
