import UsageModel

// What the aggregation asks for: its value or values, and the fields that only some have.
extension DefinitionReader {
    mutating func readAggregation() -> Aggregation? {
        if fields["aggregation"] == nil {
            fault("/aggregation", "it is missing", "choose from: \(Self.words(Aggregation.self))")
        }
        return word("aggregation")
    }

    mutating func readParameters(into definition: inout MeterTypeDefinition, _ known: Aggregation?)
    {
        let values = readValues(known)
        (definition.value, definition.secondValue) = (values.first, values.second)
        definition.percentile = readPercentile(known)
        (definition.timeUnit, definition.carryMax) = readTimes(known)
    }

    private mutating func readValues(
        _ aggregation: Aggregation?
    ) -> (first: ValueRule?, second: ValueRule?) {
        guard let value = fields["value"] else {
            if let aggregation, aggregation.takesPair {
                fault("/value", "\(aggregation.rawValue) needs two values", Self.pairRemedy)
            } else if let aggregation, aggregation.takesValue {
                let remedy = "say where the value stands, such as \"$.data.amount\""
                fault("/value", "\(aggregation.rawValue) needs a value", remedy)
            }
            return (nil, nil)
        }
        if let aggregation, aggregation.takesPair { return readPair(value) }
        let rule = string("value", "/value").map(ValueRule.init)
        if let aggregation, !aggregation.takesValue {
            fault("/value", "\(aggregation.rawValue) takes no value", "leave it out")
        }
        return (rule, nil)
    }

    private static let pairRemedy =
        "give a list of two, such as [\"$.data.user\",\"$.data.model\"]"

    private mutating func readPair(_ value: JSONValue) -> (ValueRule?, ValueRule?) {
        guard case .array(let elements) = value, elements.count == 2 else {
            fault("/value", "it is not a list of two values", Self.pairRemedy)
            return (nil, nil)
        }
        let rules = elements.enumerated().map { index, element -> ValueRule? in
            if case .string(let text) = element { return ValueRule(text) }
            fault("/value/\(index)", "it is neither a path nor an expression", Self.pairRemedy)
            return nil
        }
        return (rules[0], rules[1])
    }

    private mutating func readPercentile(_ aggregation: Aggregation?) -> Percentile? {
        guard aggregation == .percentile else {
            refuse(["percentile", "method"], .percentile, aggregation)
            return nil
        }
        let method: Percentile.Method = word("method") ?? .nearestRank
        let places = Limits.percentilePlacesMax
        let remedy = "give 0 to 100 with at most \(places) decimal places, such as \"95\""
        guard let value = fields["percentile"] else {
            fault("/percentile", "percentile needs to know which", remedy)
            return nil
        }
        let text = value.stringValue ?? value.numberValue
        if let text, let percent = try? Quantity(text),
            let percentile = Percentile(percent: percent, method: method)
        {
            return percentile
        }
        fault("/percentile", "it is no percentile", remedy)
        return nil
    }

    private mutating func readTimes(_ aggregation: Aggregation?) -> (TimeUnit?, TimeLength?) {
        guard aggregation == .timeWeighted else {
            refuse(["timeUnit", "carryMax"], .timeWeighted, aggregation)
            return (nil, nil)
        }
        if fields["timeUnit"] == nil {
            let words = Self.words(TimeUnit.self)
            fault("/timeUnit", "time-weighted needs a unit of time", "choose from: \(words)")
        }
        let unit: TimeUnit? = word("timeUnit")
        var most = length("carryMax")
        if most == .zero {
            fault("/carryMax", "a value would hold for no time", "give a longer time, or none")
            most = nil
        }
        return (unit, most)
    }

    /// Refuses fields that only one aggregation has.
    private mutating func refuse(
        _ names: [String],
        _ owner: Aggregation,
        _ aggregation: Aggregation?
    ) {
        for name in names where fields[name] != nil && aggregation != nil {
            let remedy = "leave it out, or use the aggregation \(owner.rawValue)"
            fault("/" + name, "only \(owner.rawValue) has it", remedy)
        }
    }
}
