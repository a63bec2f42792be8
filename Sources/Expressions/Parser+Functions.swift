import Metering
import UsageModel

extension Parser {
    /// An argument that is written out, not computed: it is settled when the text is compiled.
    private enum Setting {
        case zone(TimeZoneRules)
        case unit(DurationUnit)
        case places(Int32)
    }

    mutating func readCall(_ function: Function, _ word: Token) throws(ExpressionError) -> Part {
        try enter()
        defer { leave() }
        try advance()
        if function == .exists { return try readExists(word) }
        var parts: [Part] = []
        var setting: Setting?
        var count = 0
        while !isSymbol(")") {
            if count > 0 {
                guard isSymbol(",") else { throw unexpected("\",\" or \")\"") }
                guard count < function.argumentCount.upperBound else {
                    throw unexpected("\")\"", "write \(function.usage)")
                }
                try advance()
            }
            setting = try readSetting(function, place: count)
            if setting == nil { parts.append(try readOr()) } else { try advance() }
            count += 1
        }
        guard function.argumentCount.contains(count) else {
            throw unexpected("another argument", "write \(function.usage)")
        }
        let end = token.end
        try advance()
        let (node, kinds) = try node(function, parts, setting)
        return try add(node, kinds, from: word.start, to: end, over: parts)
    }

    private mutating func readExists(_ word: Token) throws(ExpressionError) -> Part {
        let argument = token
        let part = try readPrimary()
        let node = nodes[Int(part.node)]
        guard node.operation == .path else {
            throw tokenizer.fault(
                argument.start,
                found: tokenizer.excerpt(argument.start, part.end),
                expected: "a path",
                "only a place in the event may be absent: write exists($.data.tokens)"
            )
        }
        guard isSymbol(")") else { throw unexpected("\")\"", "write exists($.data.tokens)") }
        let end = token.end
        try advance()
        let exists = Node(operation: .exists, first: node.first)
        return try add(exists, .bool, from: word.start, to: end)
    }

    private func readSetting(
        _ function: Function,
        place: Int
    ) throws(ExpressionError) -> Setting? {
        switch function {
        case .ceil, .floor, .round: place == 1 ? .places(try readPlaces()) : nil
        case .duration: place == 2 ? .unit(try readUnit()) : nil
        default: function.datePart != nil && place == 1 ? .zone(try readZone(function)) : nil
        }
    }

    private func readPlaces() throws(ExpressionError) -> Int32 {
        let one: Int128 = 1_000_000_000_000_000_000
        guard case .number(let mantissa) = token.kind, mantissa % one == 0,
            (0...Int128(Quantity.decimalPlaces)).contains(mantissa / one)
        else { throw unexpected("a number of places", "write a whole number from 0 to 18") }
        return Int32(mantissa / one)
    }

    private func readUnit() throws(ExpressionError) -> DurationUnit {
        if case .text(let bytes) = token.kind,
            let unit = DurationUnit.allCases.first(where: { bytes.elementsEqual($0.word.utf8) })
        {
            return unit
        }
        let units = DurationUnit.allCases.map { "\"\($0.word)\"" }
        throw unexpected("a unit", "write one of " + units.joined(separator: ", "))
    }

    private func readZone(_ function: Function) throws(ExpressionError) -> TimeZoneRules {
        guard case .text(let bytes) = token.kind else {
            throw unexpected("a time zone in quotes", "write \(function.usage)")
        }
        do throws(TimeZoneError) {
            return try zoneSource.rules(named: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw unexpected("a time zone", "use an IANA name such as \"Europe/Berlin\"")
        }
    }

    // MARK: Nodes of functions

    private mutating func node(
        _ function: Function,
        _ parts: [Part],
        _ setting: Setting?
    ) throws(ExpressionError) -> (Node, Kinds) {
        let first = parts[0].node
        switch function {
        case .abs: return (try numeric(.absolute, parts), resultKinds(parts))
        case .min: return (try numeric(.minimum, parts), resultKinds(parts))
        case .max: return (try numeric(.maximum, parts), resultKinds(parts))
        case .ceil, .floor, .round:
            let operation: Node.Operation =
                function == .ceil ? .ceil : function == .floor ? .floor : .round
            var node = try numeric(operation, parts)
            if case .places(let places) = setting { node.second = places }
            return (node, resultKinds(parts))
        case .length:
            try check(parts[0], is: [.text, .array], remedy: "write \(function.usage)")
            return (Node(operation: .length, first: first), resultKinds(parts))
        case .lower: return (try textual(.lower, parts[0]), resultKinds(parts, .text))
        case .upper: return (try textual(.upper, parts[0]), resultKinds(parts, .text))
        case .trim: return (try textual(.trim, parts[0]), resultKinds(parts, .text))
        case .concat:
            for part in parts {
                try check(part, is: .scalar, remedy: "only texts, numbers and booleans are joined")
            }
            let (first, count) = list(parts)
            return (Node(operation: .concat, count: count, first: first), .text)
        case .coalesce: return coalesce(parts)
        case .choose:
            try check(parts[0], is: .bool, remedy: "the condition of if is true or false")
            let (first, count) = list(parts)
            let kinds = parts[1].kinds.union(parts[2].kinds)
            return (Node(operation: .choose, count: count, first: first), kinds)
        case .duration:
            for part in parts.prefix(2) { try checkTime(part) }
            var unit = DurationUnit.seconds
            if case .unit(let read) = setting { unit = read }
            let node = Node(
                operation: .duration,
                count: unit.rawValue,
                first: first,
                second: parts[1].node
            )
            return (node, resultKinds(parts))
        default: return try dated(function, parts[0], setting)
        }
    }

    private mutating func numeric(
        _ operation: Node.Operation,
        _ parts: [Part]
    ) throws(ExpressionError) -> Node {
        for part in parts { try check(part, is: .number, remedy: "compute with numbers only") }
        guard operation == .minimum || operation == .maximum else {
            return Node(operation: operation, first: parts[0].node)
        }
        let (first, count) = list(parts)
        return Node(operation: operation, count: count, first: first)
    }

    private func textual(
        _ operation: Node.Operation,
        _ part: Part
    ) throws(ExpressionError) -> Node {
        try check(part, is: .text, remedy: "make a text with concat")
        return Node(operation: operation, first: part.node)
    }

    /// Missing only where every value may be; of the others, whatever one of them may be.
    private mutating func coalesce(_ parts: [Part]) -> (Node, Kinds) {
        var kinds: Kinds = []
        var canBeMissing = true
        for part in parts where canBeMissing {
            kinds.formUnion(part.kinds.subtracting(.null))
            canBeMissing = part.kinds.contains(.null)
        }
        if canBeMissing { kinds.insert(.null) }
        let (first, count) = list(parts)
        return (Node(operation: .coalesce, count: count, first: first), kinds)
    }

    private func checkTime(_ part: Part) throws(ExpressionError) {
        let remedy = "a time is a text such as \"2026-11-01T12:00:00Z\", or the path of one"
        try check(part, is: .text, remedy: remedy)
    }

    private mutating func dated(
        _ function: Function,
        _ part: Part,
        _ setting: Setting?
    ) throws(ExpressionError) -> (Node, Kinds) {
        try checkTime(part)
        var rules = TimeZoneRules.utc
        if case .zone(let read) = setting { rules = read }
        let zone = zones.firstIndex { $0.name == rules.name } ?? zones.count
        if zone == zones.count { zones.append(rules) }
        let datePart = function.datePart ?? .year
        let node = Node(
            operation: .datePart,
            count: datePart.rawValue,
            first: part.node,
            second: Int32(zone)
        )
        return (node, resultKinds([part], datePart == .date ? .text : .number))
    }
}
