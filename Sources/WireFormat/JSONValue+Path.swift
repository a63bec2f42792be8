public import UsageModel

extension JSONValue {
    /// A text, number or boolean at a path, as it is spelled; nil for all else.
    public func scalar(at path: EventPath) -> String? {
        switch value(at: path) {
        case .string(let text): return text
        case .number(let spelling): return spelling
        case .bool(let bool): return bool ? "true" : "false"
        default: return nil
        }
    }
}
