internal import Expressions
internal import UsageModel
internal import WireFormat

// Keywords by what they look at. Each function says whether it knows the keyword.
extension SchemaCompiling {
    mutating func readPlain(
        _ name: String,
        _ value: JSONValue,
        _ at: String,
        _ node: inout SchemaNode
    ) -> Bool {
        switch name {
        case "type": node.types = types(value, at)
        case "enum":
            if let elements = value.arrayValue, !elements.isEmpty {
                node.choices = Set(elements.map(\.canonical))
            } else {
                fault(at, "it is no list with a value", "give the values that are allowed")
            }
        case "const": node.constant = value.canonical
        case "multipleOf":
            if let number = number(value, at) {
                if number.isNegative || number.isZero || number.digits.count > Self.divisorDigits {
                    let most = "at most \(Self.divisorDigits) significant digits"
                    fault(at, "it divides nothing here", "give a number above 0 with \(most)")
                } else {
                    node.multipleOf = (number, value.numberValue ?? "")
                }
            }
        case "pattern": node.pattern = pattern(value, at).map { ($0, value.stringValue ?? "") }
        case "format":
            if let format = value.stringValue.flatMap(SchemaFormat.init(rawValue:)) {
                node.format = format
            } else {
                let words = SchemaFormat.allCases.map(\.rawValue).joined(separator: ", ")
                fault(at, "this format is not known here", "choose from: \(words)")
            }
        default:
            guard let side = SchemaNode.Bound.Side(rawValue: name) else { return false }
            if let number = number(value, at) {
                let spelling = value.numberValue ?? ""
                node.bounds.append(.init(side: side, number: number, spelling: spelling))
            }
        }
        return true
    }

    private static let divisorDigits = Limits.schemaDivisorDigitsMax

    mutating func readCount(
        _ name: String,
        _ value: JSONValue,
        _ at: String,
        _ node: inout SchemaNode
    ) -> Bool {
        let place: WritableKeyPath<SchemaNode, Int>
        switch name {
        case "minLength": place = \.length.least
        case "maxLength": place = \.length.most
        case "minItems": place = \.elements.least
        case "maxItems": place = \.elements.most
        case "minContains": place = \.containsCount.least
        case "maxContains": place = \.containsCount.most
        case "minProperties": place = \.members.least
        case "maxProperties": place = \.members.most
        default: return false
        }
        let number = value.numberValue.flatMap(ExactDecimal.init)
        let whole = number.flatMap { $0.isWhole && !$0.isNegative ? $0 : nil }
        // Spelled as 2.0 it is a whole number too; past what fits, no value has as many.
        guard let whole, whole.digits.count + whole.exponent <= Self.divisorDigits else {
            fault(at, "it is no whole number from 0 on", "give one such as 1")
            return true
        }
        var count = whole.digits.reduce(0) { $0 * 10 + Int($1) }
        for _ in 0..<whole.exponent { count *= 10 }
        node[keyPath: place] = count
        return true
    }

    mutating func readContents(
        _ name: String,
        _ value: JSONValue,
        _ at: String,
        _ node: inout SchemaNode
    ) -> Bool {
        switch name {
        case "required":
            let names = value.arrayValue?.map(\.stringValue)
            if let names, !names.contains(nil) {
                node.required = names.compactMap(\.self)
            } else {
                fault(at, "it is no list of names", "give the names that must be there")
            }
        case "properties":
            for (name, place) in map(value, at) { node.properties[Array(name.utf8)] = place }
        case "patternProperties":
            for (text, place) in map(value, at) {
                let pointer = at + "/" + Self.escaped(text)
                guard let pattern = pattern(.string(text), pointer) else { continue }
                node.patternProperties.append((pattern, place))
            }
        case "additionalProperties": node.additional = place(of: value, at: at)
        case "propertyNames": node.propertyNames = place(of: value, at: at)
        case "items": node.items = place(of: value, at: at)
        case "prefixItems": node.prefixItems = list(value, at)
        case "contains": node.contains = place(of: value, at: at)
        case "uniqueItems":
            if let isUnique = value.boolValue {
                node.isUnique = isUnique
            } else {
                fault(at, "it is \(value.kindName)", "give true or false")
            }
        default: return false
        }
        return true
    }

    // MARK: Values of keywords

    private mutating func types(_ value: JSONValue, _ at: String) -> Set<SchemaType> {
        let names = value.arrayValue ?? [value]
        let types = names.map { $0.stringValue.flatMap(SchemaType.init(rawValue:)) }
        guard !types.isEmpty, !types.contains(nil) else {
            let words = SchemaType.allCases.map(\.rawValue).joined(separator: ", ")
            fault(at, "it names no types", "choose from: \(words)")
            return []
        }
        return Set(types.compactMap(\.self))
    }

    private mutating func number(_ value: JSONValue, _ at: String) -> ExactDecimal? {
        if let number = value.numberValue.flatMap(ExactDecimal.init) { return number }
        fault(at, "it is \(value.kindName)", "give a number")
        return nil
    }

    private mutating func pattern(_ value: JSONValue, _ at: String) -> Pattern? {
        guard let text = value.stringValue, text.utf8.count <= Limits.patternBytesMax else {
            let most = "at most \(Limits.patternBytesMax) bytes"
            fault(at, "it is no pattern, or too long", "give a pattern of RE2 of \(most)")
            return nil
        }
        do throws(Pattern.Fault) { return try Pattern(Array(text.utf8)) } catch {
            let remedy = "see the syntax of RE2; there are no back references and no look-around"
            fault(at, "it is no pattern: \(error.reason)", remedy)
            return nil
        }
    }
}
