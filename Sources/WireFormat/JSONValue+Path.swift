public import UsageModel

extension JSONValue {
    /// A text, number or boolean at a path, as it is spelled; nil for all else.
    public func scalar(at path: EventPath) -> String? {
        var value: JSONValue? = self
        for step in path.steps {
            switch step {
            case .member(let name): value = value?[name]
            case .element(let index):
                let elements = value?.arrayValue ?? []
                value = elements.indices.contains(index) ? elements[index] : nil
            }
        }
        switch value {
        case .string(let text): return text
        case .number(let spelling): return spelling
        case .bool(let bool): return bool ? "true" : "false"
        default: return nil
        }
    }
}
