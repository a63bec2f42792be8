public import UsageModel

// Places within a value: by a path of ours, by a JSON pointer, by a merge patch.
extension JSONValue {
    /// The value at a path; nil where there is none.
    public func value(at path: EventPath) -> JSONValue? {
        var value: JSONValue? = self
        for step in path.steps {
            switch step {
            case .member(let name): value = value?[name]
            case .element(let index):
                let elements = value?.arrayValue ?? []
                value = elements.indices.contains(index) ? elements[index] : nil
            }
        }
        return value
    }

    /// The steps of a JSON pointer (RFC 6901), at most ``Limits/pathStepsMax``; nil for what is
    /// none.
    public static func steps(of pointer: String) -> [String]? {
        if pointer.isEmpty { return [] }
        guard pointer.utf8.first == UInt8(ascii: "/") else { return nil }
        let steps = pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard steps.count <= Limits.pathStepsMax else { return nil }
        return steps.map { String($0).replacing("~1", with: "/").replacing("~0", with: "~") }
    }

    /// The value with another one at a place; members on the way are made where they are missing.
    ///
    /// - Returns: nil where a step leads into what is neither object nor array, or past an array.
    public func replacing(at steps: ArraySlice<String>, with value: JSONValue) -> JSONValue? {
        guard let step = steps.first else { return value }
        switch self {
        case .object(var object):
            let known = object[step] ?? .object(JSONObject())
            guard let inner = known.replacing(at: steps.dropFirst(), with: value) else {
                return nil
            }
            object[step] = inner
            return .object(object)
        case .array(var elements):
            guard let index = Int(step), elements.indices.contains(index),
                let inner = elements[index].replacing(at: steps.dropFirst(), with: value)
            else { return nil }
            elements[index] = inner
            return .array(elements)
        default: return nil
        }
    }

    /// The value without what is at a place; the same where there is nothing.
    public func removing(at steps: ArraySlice<String>) -> JSONValue {
        guard let step = steps.first else { return self }
        switch self {
        case .object(var object):
            guard let known = object[step] else { return self }
            object[step] = steps.count == 1 ? nil : known.removing(at: steps.dropFirst())
            return .object(object)
        case .array(var elements):
            guard let index = Int(step), elements.indices.contains(index) else { return self }
            if steps.count == 1 {
                elements.remove(at: index)
            } else {
                elements[index] = elements[index].removing(at: steps.dropFirst())
            }
            return .array(elements)
        default: return self
        }
    }

    /// The value changed by a JSON merge patch (RFC 7396): members of the patch replace those of
    /// the value, null takes one out, and what is no object replaces the whole.
    public func merged(with patch: JSONValue) -> JSONValue {
        guard case .object(let patch) = patch else { return patch }
        var object = objectValue ?? JSONObject()
        for member in patch.members {
            if member.value == .null {
                object[member.name] = nil
            } else {
                let known = object[member.name] ?? .null
                object[member.name] = known.merged(with: member.value)
            }
        }
        return .object(object)
    }
}
